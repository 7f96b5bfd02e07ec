"""The funnel as named SQL steps: attempts, then each person's best one, then counts and times.

Every event of the first stage is an attempt (``analytics.funnel_stages``). A person's best attempt is the one that got
furthest, the earliest of several; an earlier attempt is never later at any stage, so the smallest times over the
attempts that got equally far are those of the earliest.
"""

from __future__ import annotations

from collections.abc import Mapping

from analytics import dialect
from analytics.funnel_stages import Attempts, Shape
from analytics.query import Query, Step, Value
from warehouse.sql import quote_identifier, quote_literal


def funnel_query(shape: Shape) -> Query:
    """The steps of a funnel; the last one has a row per bucket and stage, and the totals.

    Raises:
        UsageError: if too many stages overlap in part.
    """
    return _Builder(shape).query()


class _Builder:
    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.attempts = Attempts(shape)
        self.depth = self.attempts.depth
        self.is_typed = self.attempts.is_typed

    def query(self) -> Query:
        steps = (
            *self.attempts.steps(),
            self._best(),
            self._decided(),
            *self._origin(),
            self._progress(),
            self._reached(),
            self._summary(),
        )
        return Query(steps, self._values())

    def _values(self) -> Mapping[str, Value]:
        shape = self.shape
        values: dict[str, Value] = {marker[1:]: name for name, marker in self.attempts.type_marker.items()}
        values["as_of"] = shape.as_of
        # No stage can lie after as_of, nor after the window of the last entry.
        last = shape.as_of if shape.end is None else min(shape.as_of, shape.window.after(shape.end))
        values["last_at"] = last
        if shape.start:
            values["start_at"] = shape.start
        if shape.end:
            values["end_at"] = shape.end
        if shape.origin and shape.origin.table == "property":
            values["property"] = dialect.json_member(shape.origin.name)
        return values

    def _best(self) -> Step:
        selects = []
        typed = ", entry_type" if self.is_typed else ""
        for reach in range(self.depth, 0, -1):
            times = ",\n    ".join(
                f"min(t_{stage}) as t_{stage}" if stage <= reach else f"null as t_{stage}"
                for stage in range(1, self.depth + 1)
            )
            selects.append(
                f"select\n    person_key{typed},\n    {reach} as reach,\n    {times},\n"
                f"    max(t_1) as last_entry_at\nfrom {'entry' if reach == 1 else f'stage_{reach}'}\n"
                f"group by person_key{typed}"
            )
        return Step("best", "\nunion all\n".join(selects))

    def _decided(self) -> Step:
        """One row per person; with typed entries and a breakdown by event, one per type that did equally well."""
        by_event = self.shape.origin is not None and self.shape.origin.table != "person"
        rank = "rank" if self.is_typed and by_event else "row_number"
        times = ", ".join(f"t_{stage}" for stage in range(1, self.depth + 1))
        order = ", ".join(f"t_{stage} nulls last" for stage in range(1, self.depth + 1)) if self.is_typed else ""
        return Step(
            "decided",
            f"select\n    person_key{', entry_type' if self.is_typed else ''},\n    reach,\n    {times},\n"
            "    max(last_entry_at) over (partition by person_key) as last_entry_at\nfrom best\n"
            f"qualify {rank}() over (\n    partition by person_key order by reach desc{', ' + order if order else ''}\n"
            ") = 1",
        )

    def _origin(self) -> list[Step]:
        """The value of the breakdown: the person's at as_of, or that of the event that began the deciding attempt."""
        origin = self.shape.origin
        if origin is None:
            return []
        if origin.table == "person":
            return [Step("origin", _person_value(origin.name))]
        value = (
            f"event.{quote_identifier(origin.name)}"
            if origin.table == "event"
            else dialect.json_text("event.properties", "$property")
        )
        typed = "\n    and decided.entry_type = event.event_type" if self.is_typed else ""
        return [
            Step(
                "origin",
                f"select decided.person_key, {value} as bucket\nfrom decided\ninner join event\n"
                f"    on decided.person_key = event.person_key\n    and decided.t_1 = event.occurred_at{typed}\n"
                f"where event.event_type in {self.attempts.types(self.attempts.sets[0])}\n"
                "qualify row_number() over (\n"
                "    partition by decided.person_key order by event.source, event.event_id\n) = 1",
            )
        ]

    def _progress(self) -> Step:
        """One row per entrant: how far, when, in which bucket, and whether every window has run out."""
        origin = self.shape.origin
        times = ", ".join(f"decided.t_{stage}" for stage in range(1, self.depth + 1))
        bucket, join = "", ""
        if origin is not None:
            bucket = ",\n    origin.bucket"
            join = "\nleft join origin\n    on decided.person_key = origin.person_key"
        once = ""
        if self.is_typed and origin is not None and origin.table != "person":
            once = "\nqualify row_number() over (partition by decided.person_key order by decided.entry_type) = 1"
        return Step(
            "progress",
            f"select\n    decided.person_key,\n    decided.reach,\n    {times},\n"
            f"    {dialect.after('decided.last_entry_at', self.shape.window)} <= $as_of as is_closed{bucket}\n"
            f"from decided{join}{once}",
        )

    def _reached(self) -> Step:
        """One row per entrant and stage reached."""
        bucket = ", bucket" if self.shape.origin else ""
        selects = []
        for stage in range(1, self.depth + 1):
            first, previous = (
                (
                    f"{dialect.microseconds(f't_{stage}')} - {dialect.microseconds('t_1')}",
                    f"{dialect.microseconds(f't_{stage}')} - {dialect.microseconds(f't_{stage - 1}')}",
                )
                if stage > 1
                else ("0", "0")
            )
            selects.append(
                f"select\n    person_key{bucket},\n    {stage} as stage,\n    reach,\n    is_closed,\n"
                f"    {first} as since_first,\n    {previous} as since_previous\nfrom progress\nwhere reach >= {stage}"
            )
        return Step("reached", "\nunion all\n".join(selects))

    def _summary(self) -> Step:
        quantiles = ",\n    ".join(
            f"percentile_cont({point}) within group (order by {column}) as {name}_{column}"
            for column in ("since_first", "since_previous")
            for name, point in (("median", "0.5"), ("p90", "0.9"))
        )
        grouped = "bucket, grouping(bucket) as is_total, stage" if self.shape.origin else "1 as is_total, stage"
        group = "grouping sets ((stage), (bucket, stage))" if self.shape.origin else "stage"
        return Step(
            "summary",
            f"select\n    {grouped},\n    count(*) as entrants,\n    count(distinct person_key) as persons,\n"
            "    count(*) filter (where is_closed) as closed,\n"
            f"    count(*) filter (where not is_closed and reach = {self.depth}) as converted_early,\n"
            f"    count(*) filter (where not is_closed and reach < {self.depth}) as immature,\n    {quantiles}\n"
            f"from reached\ngroup by {group}",
        )


def _person_value(name: str) -> str:
    """What a column of person was at as_of, of everybody who had a value."""
    if name == "segment":
        return (
            "select\n    stay.person_key,\n"
            "    min_by(stay.segment_id, (segment.display_order, stay.segment_id)) as bucket\n"
            "from segment_stay as stay\ninner join segment\n    on stay.segment_id = segment.segment_id\n"
            "where segment.has_history\n    and stay.entered_at <= $as_of\n"
            "    and (stay.exited_at is null or stay.exited_at > $as_of)\n"
            "group by stay.person_key"
        )
    return (
        f"select person_key, value as bucket\nfrom person_property\nwhere property = {quote_literal(name)}\n"
        "    and valid_from <= $as_of\n    and (valid_to is null or valid_to > $as_of)"
    )
