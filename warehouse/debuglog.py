"""Debug mode: what lands and what is evaluated, one JSON object a line on standard error.

``DEBUG_EVENTS=true`` tells of each landed row, ``DEBUG_SEGMENTS=true`` of each evaluation of a segment. Lines hold ids
of events and segments, keys of persons and identifiers, types, times and counts; nobody's identifiers, properties or
traits.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from models.errors import UsageError
from models.landing import EVENT, STRIPE

Topic = Literal["segments", "events"]

_WORDS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
#: Of an event, who is named is told by types alone.
_IDENTIFIERS = ("user_id", "anonymous_id", "device_id", "email", "email_sha256", "stripe_id", "google_id", "github_id")
_TOLD = {
    EVENT.name: ("source", "event_id", "event_type", "occurred_at"),
    STRIPE.name: ("delivery_id", "kind", "event_type", "object_type", "livemode"),
}


def check_switches(environment: Mapping[str, str]) -> None:
    """Refuse a switch that is neither on nor off, before anything is done.

    Raises:
        UsageError: naming it.
    """
    for topic in get_args(Topic):
        said = environment.get(_variable(topic), "")
        if said.strip().lower() not in ("", *_WORDS):
            raise UsageError(f"${_variable(topic)}: give true or false (given: {said!r})")


def is_on(topic: Topic) -> bool:
    """Whether debug mode is switched on for a topic."""
    return _WORDS.get(os.environ.get(_variable(topic), "").strip().lower(), False)


def tell(topic: Topic, event: str, **facts: Any) -> None:
    """Write one line, if debug mode is on for the topic."""
    if is_on(topic):
        _logger().debug(event, **facts)


def tell_landed(files: Iterable[tuple[str, Path]]) -> None:
    """Write one line for each row of landing files, given by entity and path."""
    if not is_on("events"):
        return
    logger = _logger()
    for entity, path in files:
        for facts in _rows(entity, path):
            logger.debug("event_landed", entity=entity, **facts)


def _rows(entity: str, path: Path) -> Iterator[dict[str, Any]]:
    # Loaded, as structlog, only where somebody wants to see it.
    import pyarrow.parquet as pq

    columns = _TOLD[entity]
    carried = (*_IDENTIFIERS, "custom_ids") if entity == EVENT.name else ()
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(columns=["batch_seq", *columns, *carried]):
            for row in batch.to_pylist():
                facts = {name: row[name] for name in ("batch_seq", *columns)}
                if entity == EVENT.name:
                    facts["identifiers"] = [name for name in carried if row[name] is not None]
                yield facts


def _variable(topic: Topic) -> str:
    return f"DEBUG_{topic.upper()}"


def _logger() -> Any:
    import structlog

    return structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(default=_plain),
        ],
    )


def _plain(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
