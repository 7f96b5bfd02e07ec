"""What landed since the published build: whom it can touch, and the landed rows that decide about one person.

All happens in memory: the generation is attached as ``published``, and ``warehouse`` holds the tables of models and
what they read as landed. Identifiers of one raw component, and whatever new rows carry together, hang together; so do
deliveries of one event, copies of one Meta event, and what Stripe tells of one customer. Knots (hubs, shared devices)
join nobody, but the rows that make them knots come along.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np

from analytics.components import Keys, component_labels
from ingest.duckfiles import file_literal
from models.identity import IdentityRules
from models.landing import ENTITIES, EVENT, STRIPE, Entity
from pipeline import unbuilt_sql as sql
from pipeline.compiled import Model, needed
from pipeline.identity_macros import hand_keys
from warehouse.control import LandedFile
from warehouse.home import Home
from warehouse.sql import quote_identifier


@dataclass(frozen=True)
class Unbuilt:
    """The rows of landing files that are not built, in tables of the connection."""

    connection: duckdb.DuckDBPyConnection
    home: Home
    built: tuple[LandedFile, ...]
    new: tuple[LandedFile, ...]
    models: tuple[Model, ...]

    @property
    def rows(self) -> int:
        """How many rows landed since the build."""
        return sum(file.rows for file in self.new)

    def load(self, rules: IdentityRules) -> None:
        """Read the new rows and find what hangs together through them."""
        for entity in ENTITIES:
            new = [file for file in self.new if file.entity == entity.name]
            self._table(f"new_{entity.name}", self._read(entity, new))
        self._run("create or replace table stripe_row (batch_seq bigint, row_number bigint, label bigint)")
        self._run("create or replace table stripe_key (key varchar, label bigint)")
        self._derive()
        self._number()
        self._join(rules)

    def fill(self, key: int) -> bool:
        """Put the rows that decide about the person of an identifier into the landing of the models.

        Returns: False if no new row can touch the person; then nothing is done.
        """
        self._run("create or replace table wanted as select $key::bigint as identifier_key", key=key)
        self._run(sql.COMPONENT)
        self._run(sql.PICKED_NUMBERS)
        if not self._run("select 1 from picked_number limit 1").fetchall():
            return False
        self._run(sql.PICKED)
        batches = {batch for (batch,) in self._run("select distinct batch_seq from picked").fetchall()}
        old = [file for file in self.built if file.entity == EVENT.name and file.batch_seq in batches]
        self._land(
            EVENT,
            f"select * from ({self._read(EVENT, old)}) as old where body_key in (select body_key from picked)"
            " union all by name select * from new_event where (batch_seq, file_row_number) in ("
            "select (batch_seq, file_row_number) from fresh"
            " inner join picked_number using (number) where kind = 'new')",
        )
        self._land(STRIPE, self._stripe_of_person())
        return True

    def _stripe_of_person(self) -> str:
        """The deliveries of Stripe about the customers that a person is, and of coupons, which are everybody's."""
        everything = self._read(STRIPE, [file for file in (*self.built, *self.new) if file.entity == STRIPE.name])
        if not self._run(sql.HAS_STRIPE).fetchall()[0][0]:
            return f"select * from ({everything}) as nothing where false"
        self._index_stripe()
        return (
            f"select * from ({everything}) as told where (batch_seq, file_row_number) in ("
            f"select (batch_seq, row_number) from stripe_row where label in ({sql.STRIPE_LABELS}))"
            " or object_type = 'coupon'"
        )

    def _derive(self) -> None:
        """The events that Stripe's new deliveries and those that go with them make."""
        told = bool(self._run("select 1 from new_stripe limit 1").fetchall())
        self._land(EVENT, self._read(EVENT, ()))
        if told:
            self._index_stripe()
            everything = self._read(STRIPE, [file for file in (*self.built, *self.new) if file.entity == STRIPE.name])
            self._land(
                STRIPE,
                f"select * from ({everything}) as told where (batch_seq, file_row_number) in ("
                "select (batch_seq, row_number) from stripe_row where label in (select one.label from stripe_row as one"
                " inner join new_stripe as new on one.batch_seq = new.batch_seq"
                " and one.row_number = new.file_row_number))",
            )
        else:
            self._land(STRIPE, self._read(STRIPE, ()))
        self.make(needed(self.models, ["int_stripe__event_delivery"]))
        self._table("derived", "select * from warehouse.intermediate.int_stripe__event_delivery")

    def _number(self) -> None:
        """Number the new rows, and the stored ones that are deliveries or copies of the same events."""
        self._run(sql.STORED)
        batches = {batch for (batch,) in self._run("select distinct batch_seq from stored").fetchall()}
        old = [file for file in self.built if file.entity == EVENT.name and file.batch_seq in batches]
        self._table(
            "fresh",
            "select row_number() over () as number, * from ("
            " select 'new' as kind, * from new_event"
            f" union all by name select 'stored' as kind, * from ({self._read(EVENT, old)}) as old"
            " where body_key in (select body_key from stored)"
            " union all by name select 'derived' as kind, * from derived) as row",
        )
        columns = ", ".join(quote_identifier(column.name) for column in EVENT.columns)
        mark = f"json_object('{sql.ROW_MARK}', 'number ' || number)"
        self._land(
            EVENT,
            f"select {columns}, file_row_number from (select * replace ("
            "number as body_key, 'number ' || number as event_id, 'number ' || number as source_id,"
            f" json_merge_patch(coalesce(custom_ids, '{{}}'), {mark})::varchar as custom_ids) from fresh) as marked",
        )
        self._land(STRIPE, self._read(STRIPE, ()))
        self.make(needed(self.models, ["int_identity__identifier"]))
        self._run(sql.CARRIED)
        self._table("fresh_identifier", "select * from warehouse.intermediate.int_identity__identifier")
        self._run(f"delete from fresh_identifier where id_type = 'custom:{sql.ROW_MARK}'")
        self._run("create schema if not exists intermediate")
        self._run(sql.IDENTIFIERS)

    def _join(self, rules: IdentityRules) -> None:
        links = [(one, other) for kind, one, other in hand_keys(rules) if kind == "link"]
        self._run("create or replace table hand_link (one bigint, other bigint)")
        for pair in links:
            self._run("insert into hand_link values ($one, $other)", one=pair[0], other=pair[1])
        edges = self.connection.sql(sql.EDGES).to_arrow_table()
        nodes, labels = component_labels(
            edges.column("one").to_numpy().astype(np.int64), edges.column("other").to_numpy().astype(np.int64)
        )
        self._labelled("fresh_label", nodes, labels)

    def _labelled(self, table: str, nodes: Keys, labels: Keys) -> None:
        import pyarrow as pa

        self.connection.register("labelled", pa.table({"node": nodes, "label": labels}))
        self._run(f"create or replace table {table} as select node, label from labelled")
        self.connection.unregister("labelled")

    def _index_stripe(self) -> None:
        """Find which deliveries of Stripe are about one customer: those that name the same objects."""
        if self._run("select 1 from stripe_row limit 1").fetchall():
            return
        everything = self._read(STRIPE, [file for file in (*self.built, *self.new) if file.entity == STRIPE.name])
        self._run(sql.STRIPE_INDEX.format(everything=everything), keys=sql.STRIPE_KEYS)
        edges = self.connection.sql("select number, key_number from stripe_edge").to_arrow_table()
        nodes, labels = component_labels(edges.column("number").to_numpy(), edges.column("key_number").to_numpy())
        self._labelled("stripe_label", nodes, labels)
        self._run(
            "create or replace table stripe_row as select distinct batch_seq, row_number, label"
            " from stripe_edge inner join stripe_label on number = node"
        )
        self._run(
            "create or replace table stripe_key as select distinct key, label"
            " from stripe_edge inner join stripe_label on key_number = node"
        )

    def make(self, models: Iterable[Model]) -> None:
        """Make tables from what is in the landing of the models."""
        for model in models:
            self._run(f"create or replace table {model.relation} as {model.sql}")

    def _read(self, entity: Entity, files: Sequence[LandedFile]) -> str:
        """A select of the rows of landing files, as the build reads them."""
        if not files:
            columns = ", ".join(f"null::{column.type} as {quote_identifier(column.name)}" for column in entity.columns)
            return f"select {columns}, null::bigint as file_row_number where false"
        paths = ", ".join(file_literal(self.home.root / file.path) for file in files)
        return f"select * from read_parquet([{paths}], union_by_name = true, file_row_number = true)"

    def _land(self, entity: Entity, select: str) -> None:
        """Put rows in the place of what the models read as landed; the tables stay, so that plans of them hold."""
        table = f"warehouse.main.landed_{entity.name}"
        self._run(f"create table if not exists {table} as {self._read(entity, ())}")
        self._run(f"delete from {table}")
        self._run(f"insert into {table} by name {select}")

    def _table(self, name: str, select: str) -> None:
        self._run(f"create or replace table {name} as {select}")

    def _run(self, statement: str, **params: object) -> duckdb.DuckDBPyConnection:
        return self.connection.execute(statement, params or None)
