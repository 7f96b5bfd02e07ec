"""How fast the deliveries of services land, against DuckDB's bare copy of the same file to Parquet.

    python -m benchmarks.sources [--service SERVICE] [--rows 200000] [--threads 2] [--rounds 2] [--folder DIR]

SERVICE is segment, meta or stripe. Prints for single messages and for batches (Stripe sends none) the least processor
seconds of several interleaved rounds and their ratio.
Target: 0.3. A service joins by an entry in ``SERVICES``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.landing import NOW, bare, landing, measure
from benchmarks.ledger import life
from ingest.options import LandOptions, Writer

BATCH = 20
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0"
_EVENTS = ("Order Completed", "Product Viewed", "Signed Up", "video_rendered", "Project Opened")


def segment_messages(rows: int) -> Iterator[tuple[dict[str, Any], datetime]]:
    """Calls of about 700 bytes, as a browser sends them, with the client's time."""
    chance = random.Random(1)
    start = datetime(2026, 1, 1, tzinfo=timezone.utc)
    for _ in range(rows):
        moment = start + timedelta(milliseconds=chance.randrange(300 * 86_400_000))
        call = chance.choices(["track", "page", "identify", "group"], [70, 20, 8, 2])[0]
        context = {
            "page": {
                "path": "/a",
                "referrer": "",
                "title": "Home",
                "url": f"https://example.org/{chance.randrange(99)}",
            },
            "userAgent": _AGENT,
            "locale": "en-US",
            "library": {"name": "analytics.js", "version": "next-1.84.3"},
            "ip": f"10.0.{chance.randrange(256)}.{chance.randrange(256)}",
            "timezone": "Europe/Berlin",
        }
        if chance.random() < 0.2:
            context["campaign"] = {"name": "spring", "source": "google", "medium": "cpc"}
        said: dict[str, dict[str, Any]] = {
            "track": {
                "event": chance.choice(_EVENTS),
                "properties": {"duration_ms": chance.randrange(100_000), "codec": "h264", "price": 9.5, "ok": True},
            },
            "page": {"name": "Home", "properties": {"path": "/a", "title": "Home", "url": "https://example.org/1"}},
            "identify": {"traits": {"email": f"u{chance.randrange(50_000)}@example.org", "plan": "pro", "name": "Ada"}},
            "group": {"groupId": f"g{chance.randrange(99)}", "traits": {"name": "Initech", "employees": 3}},
        }
        yield (
            {
                "type": call,
                "messageId": f"ajs-next-{chance.getrandbits(128):032x}",
                "timestamp": _written(moment),
                "anonymousId": f"{chance.getrandbits(128):032x}",
                "userId": f"u_{chance.randrange(50_000)}" if chance.random() < 0.6 else None,
                "context": context,
                "integrations": {},
                **said[call],
            },
            moment,
        )


def write_segment(path: Path, rows: int, per_delivery: int) -> None:
    """Deliveries in their envelopes, of single calls or of batches."""
    batch = []
    with path.open("w") as file:
        for message, moment in segment_messages(rows):
            batch.append(message)
            if len(batch) == per_delivery:
                sent = {"sentAt": _written(moment), "writeKey": "key"}
                body = {**batch[0], **sent} if per_delivery == 1 else {"batch": batch, **sent}
                received = _written(moment + timedelta(seconds=1))
                file.write(json.dumps({"received_at": received, "body": body}) + "\n")
                batch = []


def meta_events(rows: int) -> Iterator[tuple[dict[str, Any], datetime]]:
    """Events of about 500 bytes, as a server sends them, customers hashed."""
    chance = random.Random(1)
    start = datetime(2026, 1, 1, tzinfo=timezone.utc)
    for number in range(rows):
        moment = start + timedelta(seconds=chance.randrange(300 * 86_400))
        customer = chance.randrange(50_000)
        event: dict[str, Any] = {
            "event_name": chance.choice(["PageView", "AddToCart", "Purchase", "Lead"]),
            "event_time": int(moment.timestamp()),
            "event_id": f"event-{number}",
            "action_source": "website",
            "event_source_url": f"https://shop.example/?utm_source=fb&utm_campaign=spring&fbclid=Iw{number}",
            "user_data": {
                "em": [hashlib.sha256(f"u{customer}@example.org".encode()).hexdigest()],
                "fbp": f"fb.1.{1_500_000_000_000 + customer}.{customer * 7919}",
                "client_ip_address": f"10.0.{chance.randrange(256)}.{chance.randrange(256)}",
                "client_user_agent": _AGENT,
            },
        }
        if event["event_name"] in ("AddToCart", "Purchase"):
            event["custom_data"] = {"value": 9.5, "currency": "EUR", "content_ids": [f"sku{customer % 99}"]}
        yield event, moment


def write_meta(path: Path, rows: int, per_delivery: int) -> None:
    """Payloads in their envelopes, of one event or of several."""
    batch = []
    with path.open("w") as file:
        for event, moment in meta_events(rows):
            batch.append(event)
            if len(batch) == per_delivery:
                body = {"data": batch, "access_token": "token"}
                file.write(json.dumps({"received_at": _written(moment), "channel": "server", "body": body}) + "\n")
                batch = []


def write_stripe(path: Path, rows: int, per_delivery: int) -> None:
    """Webhook events of about 700 bytes, each in its envelope: Stripe delivers one at a time."""
    assert per_delivery == 1
    everything = (delivery for number in range(rows) for delivery in life(number))
    deliveries = (delivery for delivery in everything if delivery["created"] < NOW.timestamp())
    with path.open("w") as file:
        for event in islice(deliveries, rows):
            received = datetime.fromtimestamp(event["created"] + 1, timezone.utc)
            file.write(json.dumps({"received_at": _written(received), "body": event}) + "\n")


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


#: Each writes a file of so many messages, so many in a delivery.
SERVICES: dict[Writer, Callable[[Path, int, int], None]] = {
    "segment": write_segment,
    "meta": write_meta,
    "stripe": write_stripe,
}


def main(arguments: Sequence[str] = ()) -> None:
    """Make the files, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--service", choices=sorted(SERVICES), default=None)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=None)
    given = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(dir=given.folder))
    try:
        for service in [given.service] if given.service else SERVICES:
            for per_delivery in (1,) if service == "stripe" else (1, BATCH):
                run(service, per_delivery, folder, given.rows // BATCH * BATCH, given.threads, given.rounds)
    finally:
        shutil.rmtree(folder)


def run(service: Writer, per_delivery: int, folder: Path, rows: int, threads: int, rounds: int) -> None:
    """Measure one form of one service's files."""
    path = folder / f"{service}-{per_delivery}.jsonl"
    SERVICES[service](path, rows, per_delivery)
    options = LandOptions(writer=service, threads=threads)
    jobs = {
        "bare": bare(f"select * from read_json('{path}')", folder / "bare.parquet", threads),
        "landing": landing(path, folder, rows, options),
    }
    best = measure(jobs, rounds)
    path.unlink()
    (_, bare_cpu), (_, cpu) = best["bare"], best["landing"]
    print(
        f"{service:8} {per_delivery:>3} a delivery   bare {bare_cpu:6.2f} s cpu   landing {cpu:6.2f} s cpu"
        f"   {rows / cpu:>9,.0f} rows/s of cpu   ratio {bare_cpu / cpu:.2f} (at least 0.3)"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
