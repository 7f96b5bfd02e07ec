"""Real payloads of Stripe, where they are at hand, as deliveries; they are not part of the repository."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from ingest.reasons import RefusedRow
from ingest.stripecheck import StripeRules, check_text
from ingest.times import TimeRange

FOLDER = Path(__file__).parent.parent.parent.parent / "shared" / "data" / "stripe"
AS_OF = datetime(2026, 11, 1, tzinfo=timezone.utc)
_READ = ("customer", "subscription", "invoice", "charge", "refund", "dispute", "checkout.session", "coupon", "price")


def deliveries() -> list[dict[str, Any]]:
    """All of them, each once; those of one id that are told by several files apart have the file's name in it."""
    rows = [
        *(_landed(json.loads(path.read_text())) for path in sorted((FOLDER / "webhooks_2020").glob("*.json"))),
        *_objects(),
        *(_landed(body, AS_OF.replace(month=4)) for body in _fixtures()),
        *_recorded(),
    ]
    return list({(row["body_key"], row.get("fetched_at")): row for row in rows}.values())


def _objects() -> Iterator[dict[str, Any]]:
    for path in sorted((FOLDER / "objects_2025_2026").glob("*.json")):
        said = json.loads(path.read_text())
        said = said.get("data", said)
        said = said["object"] if isinstance(said.get("object"), dict) else said
        if said.get("id") and said.get("object"):
            name = path.stem.replace(".", "_")
            yield _landed({**said, "id": said["id"].replace("_00000000000000", f"_{name}")}, AS_OF.replace(month=4))


def _fixtures() -> Iterator[dict[str, Any]]:
    for value in json.loads((FOLDER / "openapi_fixtures.json").read_text())["resources"].values():
        if isinstance(value, dict) and value.get("id") and value.get("object"):
            yield value


def _recorded() -> Iterator[dict[str, Any]]:
    for line in (FOLDER / "recorded_api_responses.jsonl").read_text().splitlines():
        answer = json.loads(line)
        if answer["status"] in (200, 201) and answer["recorded_at"]:
            for body in _inside(answer["body"]):
                yield _landed(body, parsedate_to_datetime(answer["recorded_at"]))


def _inside(value: Any) -> Iterator[dict[str, Any]]:
    if not isinstance(value, dict):
        return
    if value.get("object") == "list":
        for entry in value.get("data") or []:
            yield from _inside(entry)
    elif value.get("object") in _READ and value.get("id"):
        yield value


def _landed(body: dict[str, Any], received_at: datetime | None = None) -> dict[str, Any]:
    (row,) = check_text(json.dumps(body), 1, StripeRules(TimeRange.at(AS_OF), received_at))
    assert not isinstance(row, RefusedRow), row
    return row | {"body_key": int(hashlib.sha256(row["body"].encode()).hexdigest()[:15], 16)}
