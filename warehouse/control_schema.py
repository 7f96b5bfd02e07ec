"""The tables of the control database; each later version adds one tuple of statements to ``MIGRATIONS``."""

from __future__ import annotations

_FIRST = (
    # One row per input that was read to its end. The bytes and the way of reading them together are the key.
    """
    create table input (
        input_id integer primary key,
        name text not null,
        form text not null,
        sha256 text not null,
        bytes integer not null,
        options text not null,
        fingerprint text not null,
        rows_in integer not null,
        landed integer not null,
        duplicate integer not null,
        quarantined integer not null,
        reasons text not null,
        landed_at text not null,
        unique (sha256, fingerprint),
        check (rows_in = landed + duplicate + quarantined)
    ) strict
    """,
    "create index input_by_size on input (bytes)",
    # The manifest: readers take these files and no others. autoincrement: a number is never given twice.
    """
    create table landing_file (
        batch_seq integer primary key autoincrement,
        entity text not null,
        source_kind text not null,
        path text not null unique,
        rows integer not null,
        bytes integer not null,
        sha256 text not null,
        min_occurred_at text not null,
        max_occurred_at text not null,
        landed_at text not null,
        input_id integer not null references input
    ) strict
    """,
    """
    create table quarantine_file (
        batch integer primary key,
        path text not null unique,
        rows integer not null,
        reasons text not null,
        created_at text not null,
        input_id integer not null references input
    ) strict
    """,
    # Refused rows that were settled since: landed, or found to be there already.
    """
    create table quarantine_replay (
        quarantine_id text primary key,
        replayed_at text not null,
        outcome text not null check (outcome in ('landed', 'duplicate', 'quarantined'))
    ) strict, without rowid
    """,
    """
    create table build_log (
        build_id integer primary key,
        generation text not null,
        started_at text not null,
        as_of text not null,
        how text not null,
        finished_at text,
        outcome text,
        detail text
    ) strict
    """,
)

_FORGETTING = (
    # What was landed and taken back: no number of it is given again.
    """
    create table forgotten_input (
        input_id integer primary key,
        name text not null,
        form text not null,
        options text not null,
        rows_in integer not null,
        landed integer not null,
        duplicate integer not null,
        quarantined integer not null,
        landed_at text not null,
        batches text,
        quarantine_batch integer,
        forgotten_at text not null
    ) strict
    """,
    # Which input settled a refused row, so that the row waits again when that input is forgotten.
    "alter table quarantine_replay add column input_id integer",
    """
    update quarantine_replay set input_id = (
        select max(replay.input_id)
        from quarantine_file as file
        inner join input as first using (input_id)
        inner join input as replay on replay.name = 'replay of ' || first.name
        where replay.landed_at = quarantine_replay.replayed_at
            and file.batch = cast(substr(quarantine_id, 1, instr(quarantine_id, '-') - 1) as integer)
    )
    """,
)

_FETCHING = (
    # Where a fetch of an API's list that has not come to its end goes on: behind the last object that has landed.
    """
    create table fetch_cursor (
        account text not null,
        livemode integer not null,
        kind text not null,
        since text not null,
        after_id text not null,
        started_at text not null,
        primary key (account, livemode, kind)
    ) strict, without rowid
    """,
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST, _FORGETTING, _FETCHING)
