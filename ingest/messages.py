"""The messages of a service on their way to landing files: in bulk by SQL, and one by one where SQL has doubts.

A row is a message: its number is its ordinal in the file. A delivery that is no strict JSON counts as one message and
is quarantined whole; a message that cannot land is quarantined by itself, with all that its delivery said of it, so
that it lands later as it would have landed then.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ingest import strictjson
from ingest.blocktaker import BlockTaker, facts_of, pieces_of
from ingest.bulk import Bulk
from ingest.delivery import Delivery, open_delivery
from ingest.eventcheck import Rules, check_event
from ingest.jsongate import Lines
from ingest.jsonsql import TextFacts
from ingest.parts import Parts
from ingest.reasons import Reason, Refused, RefusedRow
from ingest.redaction import redacted
from ingest.service import Receipt, Service, messages_of
from ingest.singles import Singles

#: So much text is looked at at a time, and so much of it one by one.
BATCH_BYTES = 128 << 20
_PIECE_BYTES = 8 << 20
#: Less text is read one by one at once: to find out its shapes would take longer.
BULK_BYTES = 256 << 10
#: A template is looked for from so many deliveries on: it takes three more statements.
SINGLES = 5_000
_BLANK = " \t\r\n"
_NOTHING = pa.table({name: pa.array([], pa.int64()) for name in ("row_number", "line", "place")})


class Messages(BlockTaker):
    """Takes the deliveries of one input, block by block.

    Args:
        parts: where the rows go.
        rules: what holds for all rows.
        service: whose deliveries they are.
        received_at: when deliveries were received that do not say so themselves.
        place: what a text is called in a message (line, element); None if each text is one row that is tried again,
            and its number is the row's.
    """

    def __init__(
        self,
        parts: Parts,
        rules: Rules,
        service: Service,
        *,
        received_at: datetime | None = None,
        place: str | None = "line",
    ) -> None:
        super().__init__(parts)
        self._rules = rules
        self._service = service
        self._received_at = received_at
        self._place = place
        self._bulk = Bulk(parts, rules, service, received_at)
        self._singles = Singles(parts, rules, service, received_at)

    def take(self, lines: Lines) -> None:
        """Take a block of texts; blank ones hold nothing."""
        self._blocks.append(lines)
        if self._waiting_bytes() >= BATCH_BYTES:
            self._write_batch()

    def finish(self) -> None:
        """Write what is waiting."""
        self._write_batch()
        self._parts.flush_checked()

    def _write_batch(self) -> None:
        if not self._blocks:
            return
        blocks, texts = self._take_waiting()
        unseen = {row.row_number or 0: row for block in blocks for row in block.refused}
        facts = facts_of(blocks)
        texts, ahead = self._write_singles(texts, unseen, facts)
        bulk = self._bulk if texts.nbytes >= BULK_BYTES else None
        with self._parts.registered("texts", texts):
            if bulk:
                bulk.open("texts", facts)
            odd = self._number(unseen, in_bulk=bulk is not None, ahead=ahead)
            left = bulk.write("numbered_messages") if bulk else _NOTHING
            if odd or left.num_rows:
                self._check_one_by_one(left)
        for line, first in self._rows("select line, first from firsts semi join unseen using (line)"):
            row = unseen[line]
            self._refuse(first, line, Refused(row.reason, row.detail), row.raw)

    def _write_singles(self, texts: pa.Table, unseen: Collection[int], facts: TextFacts) -> tuple[pa.Table, int | None]:
        """Write what a template finds again of deliveries that hold one message each, and number it as if all did.

        Returns: the texts that are left, and by how much the number of each message is ahead of its text's; None, and
        all texts, if nothing was written.
        """
        if not self._place or texts.num_rows < SINGLES:
            return texts, None
        ahead = self.records + 1 - min([texts["row_number"][0].as_py(), *unseen])
        numbered = pa.table({"row_number": pc.add(texts["row_number"], ahead), "text": texts["text"]})
        left = self._singles.write(numbered, facts, self._are_single)
        if left.num_rows == texts.num_rows:
            return texts, None
        self.records += texts.num_rows - left.num_rows
        return left.set_column(0, "row_number", pc.subtract(left["row_number"], ahead)), ahead

    def _are_single(self, texts: pa.Table) -> bool:
        """Whether each of some deliveries holds one message."""
        key = strictjson.quote(self._service.batch_key)
        return all(
            ("\\" not in text and key not in text and text.strip(_BLANK)) or self._count(text) == 1
            for text in texts["text"].to_pylist()
        )

    def _number(self, unseen: Iterable[int], *, in_bulk: bool, ahead: int | None) -> int:
        """Number the messages: ``firsts`` has the first of each delivery, ``numbered_messages`` what SQL may read.

        Each has the number of its text, plus ``ahead``, if that is known.

        Returns: how many deliveries are odd: SQL does not know their messages.
        """
        connection = self._parts.connection
        self._create("unseen", {"line": list(unseen)})
        others = "anti join clear_deliveries on row_number = clear_deliveries.line" if in_bulk else ""
        connection.execute(
            f"create or replace temp table odd_deliveries as select row_number as line, text from texts {others}"
        )
        odd = connection.sql("from odd_deliveries").to_arrow_table()
        rows = (row for piece in pieces_of(odd, _PIECE_BYTES) for row in piece.to_pylist())
        counts = [(row["line"], self._count(row["text"])) for row in rows]
        self._create("recounted", {"line": [line for line, _ in counts], "messages": [n for _, n in counts]})
        counted_deliveries = "from clear_deliveries union all" if in_bulk else ""
        first = "line"
        if self._place:
            counted = f"{self.records} + sum(messages) over (order by line) - messages + 1"
            first = counted if ahead is None else f"line + {ahead}"
        connection.execute(
            f"""
            create or replace temp table firsts as
            select line, messages, ({first})::bigint as first
            from ({counted_deliveries} from recounted union all select line, 1 from unseen)
            """
        )
        if in_bulk:
            ordinal = "first + coalesce(place, 1) - 1" if self._place else "first"
            connection.execute(
                f"""
                create or replace temp view numbered_messages as
                select messages.*, {ordinal} as row_number
                from messages inner join firsts using (line) semi join clear_deliveries using (line)
                """
            )
        ((records,),) = self._rows("select coalesce(sum(messages), 0) from firsts")
        self.records += int(records)
        return len(counts)

    def _count(self, text: str) -> int:
        """How many messages a delivery holds; one, if it is none."""
        if not text.strip(_BLANK):
            return 0
        try:
            delivery = open_delivery(text, self._rules.times)
        except Refused:
            return 1
        return sum(1 for _ in messages_of(delivery.value, self._service))

    def _check_one_by_one(self, left: pa.Table) -> None:
        """Judge the messages that SQL left over, and all those of odd deliveries."""
        with self._parts.registered("left_messages", left):
            places = "select line, list(coalesce(place, 0)) as places from left_messages group by line"
            waiting = self._parts.connection.sql(
                f"""
                select line, first, text, places
                from firsts
                inner join texts on texts.row_number = line
                left join ({places}) using (line)
                where places is not null or line in (select line from odd_deliveries)
                order by line
                """
            ).to_arrow_table()
        for piece in pieces_of(waiting, _PIECE_BYTES):
            self._parts.add_checked([row for one in piece.to_pylist() for row in self._checked(**one)])

    def _checked(self, line: int, first: int, text: str, places: list[int] | None) -> Iterator[dict[str, Any]]:
        """The landed form of a delivery's messages, of all or of those in some places; the others are refused."""
        if not text.strip(_BLANK):
            return
        try:
            delivery = open_delivery(text, self._rules.times)
        except Refused as refusal:
            self._refuse(first, line, refusal, text.encode())
            return
        receipt = Receipt(delivery.received_at, self._received_at, delivery.channel)
        for offset, (place, message) in enumerate(messages_of(delivery.value, self._service)):
            if places is not None and (place or 0) not in places:
                continue
            number = first + offset if self._place else first
            try:
                yield self._landed(message, receipt) | {"row_number": number}
            except Refused as refusal:
                self._refuse(number, line, refusal, _self_contained(message, delivery), place)

    def _landed(self, message: Any, receipt: Receipt) -> dict[str, Any]:
        if not isinstance(message, dict):
            raise Refused(Reason.NOT_AN_OBJECT, "a message is a JSON object")
        return check_event(self._service.to_event(message, receipt), self._rules)

    def _refuse(self, number: int, line: int, refusal: Refused, raw: bytes, place: int | None = None) -> None:
        where = f" ({self._place} {line}{f', message {place}' if place else ''})" if self._place else ""
        raw = redacted(raw, self._service.secret_keys)
        self._refused.append(RefusedRow(number, refusal.reason, refusal.detail + where, raw))

    def _create(self, name: str, columns: dict[str, list[int]]) -> None:
        arrays = {key: pa.array(values, pa.int64()) for key, values in columns.items()}
        with self._parts.registered("given", pa.table(arrays)):
            self._parts.connection.execute(f"create or replace temp table {name} as from given")

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        return self._parts.connection.execute(query).fetchall()


def _self_contained(message: Any, delivery: Delivery) -> bytes:
    """A message with what its delivery said of it, as a delivery of its own."""
    text = strictjson.write(message)
    if delivery.received_at is not None:
        channel = "" if delivery.channel is None else f'"channel":{strictjson.quote(delivery.channel)},'
        text = f'{{"received_at":"{delivery.received_at:%Y-%m-%dT%H:%M:%S.%fZ}",{channel}"body":{text}}}'
    return text.encode()
