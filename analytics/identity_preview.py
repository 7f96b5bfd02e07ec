"""What other identity rules would change: persons, revenue, segments, a funnel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from analytics import funnel, mrr
from analytics.funnel import FunnelSpec
from analytics.identifiers import Identifier, identifiers_of, most_telling_first
from analytics.identity_groups import KINDS, PREVIEW, Regrouping, regrouping
from analytics.identity_preview_result import (
    Change,
    Example,
    IdentityPreview,
    MoneyShift,
    Part,
    RefusalShift,
    SegmentShift,
    Shift,
    StageShift,
)
from analytics.identity_report import EVENTS_IDENTIFIED
from analytics.query import Engine

#: How many identifiers of a part are told.
_MOST_IDENTIFIERS = 10


def compare(
    before: Engine, after: Engine, *, rules: str, stages: FunnelSpec | None = None, examples: int = 5
) -> IdentityPreview:
    """Compare the published build with one that other identity rules made of the same landing.

    Args:
        before: the published build, beside which the other is attached as ``PREVIEW``.
        after: the other build by itself.
        rules: the name of the other rules.
        stages: the funnel to be asked of both.
        examples: how many groups of each kind are told one by one.

    Raises:
        UsageError: for an unknown event type of the funnel.
    """
    found = regrouping(before)
    sizes_before, sizes_after = (dict(engine.rows(_SEGMENTS)) for engine in (before, after))
    return IdentityPreview(
        rules=rules,
        generation=before.generation,
        persons=Shift(before=found.before, after=found.after),
        same=found.same,
        gone=found.gone,
        added=found.added,
        changes=tuple(_changes(found)),
        examples=tuple(_examples(before, found, examples)),
        identifiers=_shift(before, after, "select count(*) from intermediate.int_identity__identifier"),
        identifiers_without_person=_shift(before, after, _LOOSE),
        events_identified=_shift(before, after, f"select events_identified from ({EVENTS_IDENTIFIED})"),
        events_without_person=_shift(before, after, "select count(*) from event where person_key is null"),
        refusals=_refusals(before, after),
        paying_persons=_shift(before, after, _PAYING),
        mrr=tuple(_money(before, after)),
        segments=tuple(
            SegmentShift(segment_id=name, before=size, after=sizes_after[name]) for name, size in sizes_before.items()
        ),
        funnel=tuple(_stages(before, after, stages)) if stages else None,
        as_of=before.as_of,
    )


def _shift(before: Engine, after: Engine, sql: str) -> Shift:
    ([was], [becomes]) = before.rows(sql)[0], after.rows(sql)[0]
    return Shift(before=was, after=becomes)


def _changes(found: Regrouping) -> Iterator[Change]:
    for kind in KINDS:
        groups = [group for group in found.groups if group.kind == kind]
        before, after = sum(group.before for group in groups), sum(group.after for group in groups)
        yield Change(kind=kind, groups=len(groups), before=before, after=after)


def _examples(engine: Engine, found: Regrouping, most: int) -> Iterator[Example]:
    """The largest groups of each kind, told."""
    shown = [group for kind in KINDS for group in [one for one in found.groups if one.kind == kind][:most]]
    keys = sorted({piece.before for group in shown for piece in group.pieces})
    rows = engine.rows(_MEMBERS, {"keys": keys}) if keys else []
    names = identifiers_of(engine, {key for before, _, own in rows for key in (before, own)})
    named_after = identifiers_of(engine, {after for _, after, _ in rows}, build=PREVIEW)
    members: dict[tuple[int, int], list[Identifier]] = {}
    for before, after, own in rows:
        members.setdefault((before, after), []).append(names[own])
    for group in shown:
        parts = tuple(
            Part(
                person_before=names[piece.before].alias,
                person_after=named_after[piece.after].alias,
                identifiers=tuple(map(str, identifiers[:_MOST_IDENTIFIERS])),
                identifier_count=len(identifiers),
            )
            for piece in group.pieces
            for identifiers in [sorted(members[piece.before, piece.after], key=most_telling_first)]
        )
        yield Example(kind=group.kind, before=group.before, after=group.after, parts=parts)


def _refusals(before: Engine, after: Engine) -> tuple[RefusalShift, ...]:
    was, becomes = (Counter(dict(engine.rows(_REFUSALS))) for engine in (before, after))
    return tuple(RefusalShift(rule=rule, before=was[rule], after=becomes[rule]) for rule in sorted(was | becomes))


def _money(before: Engine, after: Engine) -> Iterator[MoneyShift]:
    """Where MRR stands by the default policy and what moved it, the class of a movement being the person's."""
    was, becomes = (_waterfall(engine) for engine in (before, after))
    for account, currency in sorted(was | becomes):
        for measure in ("mrr", *mrr.MOVEMENTS):
            yield MoneyShift(
                account=account,
                currency=currency,
                measure=measure,
                before=was.get((account, currency), {}).get(measure, Decimal(0)),
                after=becomes.get((account, currency), {}).get(measure, Decimal(0)),
            )


def _waterfall(engine: Engine) -> dict[tuple[str, str], dict[str, Decimal]]:
    found: dict[tuple[str, str], dict[str, Decimal]] = {}
    for row in mrr.run(engine, mrr.MrrSpec()).rows:
        own = found.setdefault((row.account, row.currency), dict.fromkeys(mrr.MOVEMENTS, Decimal(0)))
        own["mrr"] = row.end
        for name in mrr.MOVEMENTS:
            own[name] += getattr(row, name)
    return found


def _stages(before: Engine, after: Engine, spec: FunnelSpec) -> Iterator[StageShift]:
    stages = (funnel.run(engine, spec).stages for engine in (before, after))
    for was, becomes in zip(*stages, strict=True):
        yield StageShift(
            name=was.name,
            before=was.count,
            after=becomes.count,
            rate_before=was.rate,
            rate_after=becomes.rate,
        )


_PAYING = """
select count(*)
from (
    select movement.person_key
    from mrr_movement as movement
    inner join revenue_policy as policy on movement.policy = policy.policy
    where policy.is_default and movement.livemode and movement.person_key is not null
    group by movement.person_key
    having sum(movement.arr) > 0
)
"""
_LOOSE = """
select count(*)
from intermediate.int_identity__owner
where valid_from is null and person_key not in (select person_key from person)
"""
_REFUSALS = """
select refused_by, count(*)
from intermediate.int_identity__judged
where refused_by is not null
group by refused_by
"""
_SEGMENTS = """
select segment.segment_id, count(membership.person_key) as size
from segment
left join segment_membership as membership
    on segment.segment_id = membership.segment_id and membership.is_active
group by segment.segment_id
order by segment.segment_id
"""
_MEMBERS = f"""
select owner.person_key, preview.person_key, owner.identifier_key
from intermediate.int_identity__owner as owner
inner join {PREVIEW}.intermediate.int_identity__owner as preview on owner.identifier_key = preview.identifier_key
where
    owner.valid_from is null
    and preview.valid_from is null
    and owner.person_key in (select unnest($keys))
"""
