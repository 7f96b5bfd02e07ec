"""A small stand-in for Stripe's API on loopback: lists in pages, newest first, and what can go wrong with them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

VERSION = "2026-10-28.endive"
KEY = "rk_test_51H8secretsecretsecret"


@dataclass(frozen=True)
class Request:
    """One request: its path, its parameters and its headers in small letters."""

    path: str
    params: dict[str, list[str]]
    headers: dict[str, str]

    def one(self, name: str) -> str | None:
        """A parameter that is given once at most."""
        return self.params.get(name, [None])[0]


@dataclass(frozen=True)
class Reply:
    """What is answered."""

    body: str
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


Fault = Callable[[Request], Reply | None]


@dataclass
class FakeStripe:
    """Lists by their path, each entry as it is written, oldest first; ``faults`` may answer in their place."""

    url: str = ""
    key: str = KEY
    lists: dict[str, list[str]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def add(self, path: str, *entries: Any) -> None:
        """Add entries to a list, newer ones last; texts stand as they are."""
        texts = [entry if isinstance(entry, str) else json.dumps(entry, indent=2) for entry in entries]
        self.lists.setdefault(path, []).extend(texts)

    def asked(self, path: str, *names: str) -> list[tuple[str | None, ...]]:
        """Some parameters of all requests for a path."""
        return [tuple(map(request.one, names)) for request in self.requests if request.path == path]

    def answer(self, request: Request) -> Reply:
        """What Stripe would answer."""
        self.requests.append(request)
        for fault in list(self.faults):
            if reply := fault(request):
                return reply
        if request.headers.get("authorization") != f"Bearer {self.key}":
            return failure(401, "Invalid API Key provided: rk_test_****cret")
        if request.headers.get("stripe-version") != VERSION:
            return failure(400, "Invalid Stripe API version")
        texts = [text for text in reversed(self.lists.get(request.path, [])) if _is_wanted(json.loads(text), request)]
        after, limit = request.one("starting_after"), int(request.one("limit") or 10)
        if after:
            ids = [json.loads(text)["id"] for text in texts]
            if after not in ids:
                return failure(400, f"No such object: '{after}'", code="resource_missing", param="starting_after")
            texts = texts[ids.index(after) + 1 :]
        return page(texts[:limit], has_more=len(texts) > limit)


def _is_wanted(entry: dict[str, Any], request: Request) -> bool:
    since, status, owner = request.one("created[gte]"), request.one("status"), request.one("subscription")
    return (
        (since is None or entry["created"] >= int(since))
        and (status == "all" or entry.get("object") != "subscription" or entry.get("status") != "canceled")
        and (owner is None or entry.get("subscription") == owner)
    )


def page(texts: Sequence[str], *, has_more: bool = False) -> Reply:
    """A page of a list."""
    entries = ",\n    ".join(texts)
    return Reply(f'{{\n  "object": "list",\n  "data": [\n    {entries}\n  ],\n  "has_more": {json.dumps(has_more)}\n}}')


def failure(status: int, message: str, headers: dict[str, str] | None = None, **details: str) -> Reply:
    """An error as Stripe words it."""
    error = {"message": message, "type": "invalid_request_error", **details}
    return Reply(json.dumps({"error": error}), status, headers or {})


def once(path: str, *replies: Reply) -> Fault:
    """Answers the first requests for a path with these."""
    waiting = list(replies)
    return lambda request: waiting.pop(0) if waiting and request.path == path else None


@contextmanager
def fake_stripe() -> Iterator[FakeStripe]:
    """A server on a free port of this machine, gone when the block ends."""
    fake = FakeStripe()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = fake.answer(Request(parts.path, parse_qs(parts.query), headers))
            body = reply.body.encode()
            self.send_response_only(reply.status)
            for name, value in {"Content-Length": str(len(body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that was killed has hung up."""

    with Server(("127.0.0.1", 0), Handler) as server, pytest.MonkeyPatch.context() as patch:
        for variable in ("NO_PROXY", "no_proxy"):
            patch.setenv(variable, "127.0.0.1")
        fake.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
        thread.start()
        try:
            yield fake
        finally:
            server.shutdown()
            thread.join()
