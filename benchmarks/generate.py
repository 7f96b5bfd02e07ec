"""Generated landing files for the benchmarks: a skewed, growing product with late and conflicting deliveries.

Deterministic: every value is a hash of a number, so the same arguments write the same rows. The landing Parquet is
written by DuckDB directly (no ingest), in the order of arrival, with the columns the lander writes.

    python -m benchmarks.generate --to DIR --events 5000000 --persons 250000 --increments 20
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import duckdb

START = datetime(2025, 1, 1, tzinfo=timezone.utc)
DAYS = 670

# event_type, category, is_action, share of all events in per mille
EVENT_TYPES: tuple[tuple[str, str, bool, int], ...] = (
    ("page_viewed", "acquisition", False, 300),
    ("video_previewed", "core_value", True, 150),
    ("video_edited", "core_value", True, 120),
    ("video_rendered", "core_value", True, 90),
    ("asset_uploaded", "core_value", True, 70),
    ("template_opened", "activation", True, 50),
    ("project_opened", "activation", True, 40),
    ("project_created", "activation", True, 30),
    ("identify", "acquisition", False, 25),
    ("search_performed", "activation", True, 25),
    ("help_opened", "retention", False, 20),
    ("batch_render_completed", "core_value", True, 15),
    ("share_link_created", "referral", True, 12),
    ("signup_completed", "acquisition", True, 10),
    ("pricing_viewed", "monetization", False, 10),
    ("checkout_started", "monetization", True, 8),
    ("first_video_created", "activation", True, 8),
    ("export_failed", "retention", False, 6),
    ("purchase_completed", "monetization", True, 6),
    ("invite_sent", "referral", True, 5),
)


@dataclass(frozen=True)
class Landing:
    """What was written: the folder, the batches of the first build and those that follow, and the last time in them."""

    folder: Path
    base_batches: int
    increments: int
    events_per_increment: int
    as_of: datetime

    @property
    def files(self) -> list[Path]:
        """All landing files in the order of their batches."""
        return sorted(self.folder.glob("*.parquet"))

    @property
    def base_files(self) -> list[Path]:
        """The files of the first build."""
        return self.files[: self.base_batches]

    def increment_file(self, number: int) -> Path:
        """The landing file of the number-th increment, from 0."""
        return self.files[self.base_batches + number]


def event_type_case_sql(draw: str) -> str:
    """SQL that turns a draw in [0, 1000) into an event type."""
    upper, branches = 0, []
    for name, _, _, share in EVENT_TYPES:
        upper += share
        branches.append(f"when {draw} < {upper} then '{name}'")
    return f"case {' '.join(branches)} end"


def unit_sql(number: str, salt: int, seed: int) -> str:
    """SQL for a pseudo-random number in [0, 1) of a number, a salt and the seed."""
    return f"((hash({number}, {salt}, {seed}) % 1000003) / 1000003.0)"


def event_sql(events: int, persons: int, days: float, seed: int) -> str:
    """One row per generated event: visits of about five events each, of persons of very unequal diligence."""

    def unit(number: str, salt: int) -> str:
        return unit_sql(number, salt, seed)

    start = f"timestamptz '{START.isoformat()}'"
    return f"""
    with visit as (
        select visit, floor({persons} * pow({unit("visit", 1)}, 2))::bigint as person
        from range(({events} / 4.9)::bigint) as numbers(visit)
    ),
    placed as (
        select
            visit, person,
            {start} + to_microseconds((86400e6 * (
                {days} * {unit("person", 2)} * 0.95
                + {days} * (1 - {unit("person", 2)} * 0.95) * {unit("visit", 3)}
            ))::bigint) as visit_at,
            {start} + to_microseconds((86400e6 * {days} * {unit("person", 2)} * 0.95)::bigint) as born_at,
            {unit("person", 4)} < 0.4 as signs_up,
            ({unit("person", 5)} < 0.3 and {unit("visit", 6)} < 0.4)::int as device,
            {unit("visit", 7)} as chance
        from visit
    ),
    stepped as (
        select placed.*, step, visit * 16 + step as number,
            visit_at + to_microseconds(step * (20 + hash(visit, step, {seed}) % 100)::bigint * 1000000) as occurred_at
        from placed, unnest(range((1 + hash(visit, 8, {seed}) % 9)::bigint)) as steps(step)
    ),
    typed as (
        select *,
            {event_type_case_sql(f"(hash(number, 9, {seed}) % 1000)")} as event_type,
            signs_up and visit_at > born_at + interval 2 day as known
        from stepped
    )
    select
        case when chance < 0.7 then 'app' else 'segment' end as source,
        substr(md5(number::varchar || ':{seed}'), 1, 8) || '-'
            || substr(md5(number::varchar || '{seed}'), 1, 23) as event_id,
        null::varchar as source_id, event_type, null::varchar as category, occurred_at, null::timestamptz as sent_at,
        occurred_at + case
            when {unit("number", 10)} < 0.03 then to_microseconds(({unit("number", 11)} * 86400e6 * 300)::bigint)
            else to_microseconds((hash(number, 12) % 5000000)::bigint)
        end as received_at,
        case when known then 'user-' || person end as user_id,
        'anon-' || person || '-' || device as anonymous_id,
        null::varchar as device_id,
        case when known and event_type = 'identify' then 'person' || person || '@example.com' end as email,
        null::varchar as email_sha256, null::varchar as stripe_id, null::varchar as google_id,
        null::varchar as github_id, null::varchar as custom_ids,
        case when chance < 0.3 then 'session-' || visit end as session_id,
        case when known and person % 3 = 0 then 'account-' || person % ({persons} // 50 + 1) end as account_id,
        '10.' || person % 200 || '.' || person % 251 || '.' || person % 97 as ip_address,
        'Mozilla/5.0 (device ' || person % 7 || ') Browser/' || 100 + person % 11 as user_agent,
        case when step = 0 and chance > 0.4
            then ['google', 'newsletter', 'meta', 'partner', 'x'][1 + person % 5] end as utm_source,
        case when step = 0 and chance > 0.4 then ['cpc', 'email', 'social'][1 + person % 3] end as utm_medium,
        case when step = 0 and chance > 0.4 then 'campaign-' || visit % 40 end as utm_campaign,
        null::varchar as utm_content, null::varchar as utm_term,
        '{{"duration":' || (hash(number, 13) % 6000) / 10 || ',"format":"' || ['mp4', 'webm', 'gif'][1 + number % 3]
            || '","plan":"' || ['free', 'pro', 'team'][1 + person % 3] || '","video_id":' || hash(number) % 100000
            || '}}' as properties,
        case when known and event_type = 'identify' then
            '{{"company":"Company ' || person % 5000 || '","industry":"' || ['media', 'games', 'retail'][1 + person % 3]
            || '","name":"Person ' || person || '","plan":"' || ['free', 'pro', 'team'][1 + visit % 3]
            || '","seats":' || visit % 20 || '}}' end as traits,
        null::varchar as metadata, null::varchar as given,
        number
    from typed
    """


def landed_sql(base_events: int, increment_events: int, base_batches: int, seed: int) -> str:
    """The generated events in order of arrival, cut into batches, with a few conflicting bodies among them.

    A conflicting body of one event in 5,000 arrives an hour after the first (and loses) or, one time in ten,
    carries an earlier received_at than the body it follows (and wins).
    """
    per_batch = -(-base_events // base_batches)
    conflict = unit_sql("number", 20, seed)
    return f"""
    with delivery as (
        select *, received_at as arrived_at, 0 as body from event
        union all
        select * replace (
                '{{"conflict":true}}' as properties,
                case when {conflict} < 0.00002 then received_at - interval 1 second
                    else received_at + interval 1 hour end as received_at
            ),
            received_at + interval 5 day as arrived_at, 1 as body
        from event where {conflict} < 0.0002
    ),
    numbered as (
        select *, row_number() over (order by arrived_at, number, body) - 1 as arrival from delivery
    ),
    batched as (
        select *,
            case when arrival < {base_events} then arrival // {per_batch} + 1
                else {base_batches} + (arrival - {base_events}) // {increment_events} + 1 end as batch_seq
        from numbered
    )
    select
        batch_seq::bigint as batch_seq,
        row_number() over (partition by batch_seq order by arrival) as row_number,
        * exclude (batch_seq, number, body, arrival, arrived_at),
        (hash(number, body, 21, {seed}) >> 4)::bigint as body_key,
        timestamptz '{START.isoformat()}' + to_days(batch_seq::int) as landed_at
    from batched
    """


def write_landing(
    folder: Path,
    *,
    events: int,
    persons: int,
    increments: int = 0,
    share: float = 0.01,
    base_batches: int = 20,
    seed: int = 1,
    threads: int = 2,
) -> Landing:
    """Write `events` events in base_batches files and then `increments` files of `share` of them each."""
    folder.mkdir(parents=True, exist_ok=True)
    per_increment = max(1, round(events * share))
    wanted = events + per_increment * increments
    with duckdb.connect(":memory:", config={"threads": threads}) as con:
        con.execute("set timezone = 'UTC'")
        con.execute("set enable_progress_bar = false")
        con.execute(f"set temp_directory = '{folder.parent / 'generate.tmp'}'")
        # 2 % more visits than needed: how many events a visit has is itself drawn.
        days = DAYS * wanted / events
        con.execute(f"create table event as {event_sql(round(wanted * 1.02) + 50, persons, days, seed)}")
        con.execute(f"create table landed as {landed_sql(events, per_increment, base_batches, seed)}")
        con.execute("drop table event")
        for batch in range(1, base_batches + increments + 1):
            path = folder / f"{batch:010d}.parquet"
            con.execute(
                f"copy (select * from landed where batch_seq = {batch} order by row_number)"
                f" to '{path}' (format parquet, compression zstd)"
            )
        last = con.execute(
            "select max(occurred_at) from landed where batch_seq <= $last", {"last": base_batches + increments}
        ).fetchall()[0][0]
    return Landing(folder, base_batches, increments, per_increment, last)


def main(arguments: Sequence[str] = ()) -> None:
    """Write a landing and say what was written, as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--persons", type=int, default=250_000)
    parser.add_argument("--increments", type=int, default=0)
    parser.add_argument("--batches", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    landing = write_landing(
        asked.to,
        events=asked.events,
        persons=asked.persons,
        increments=asked.increments,
        base_batches=asked.batches,
        seed=asked.seed,
    )
    print(json.dumps({"files": len(landing.files), "as_of": landing.as_of.isoformat()}))


if __name__ == "__main__":
    main(sys.argv[1:])
