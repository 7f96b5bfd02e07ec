"""What the tests of landing share."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

import ingest.stripeapi
from tests.engines import connect_again
from tests.ingest.fakestripe import FakeStripe, fake_stripe

#: From how many bytes on messages are read by SQL, by the name of a way to read them.
BULK_BYTES = {"bulk": 0, "exact": sys.maxsize}


@pytest.fixture(scope="module", params=BULK_BYTES)
def way(request: pytest.FixtureRequest) -> Iterator[str]:
    """Messages of services are read in bulk by SQL, then one by one by the exact rule."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ingest.messages.BULK_BYTES", BULK_BYTES[request.param])
        yield request.param


@pytest.fixture(scope="package", autouse=True)
def _engines_stay_open() -> Iterator[None]:
    """Files land through engines that are open already; those of the command line and of kills are their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ingest.parts.connect", connect_again)
        yield


@pytest.fixture
def stripe() -> Iterator[FakeStripe]:
    """Stripe's API, on a port of this machine."""
    with fake_stripe() as fake:
        yield fake


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two entries a page, so that few entries are several pages."""
    monkeypatch.setattr(ingest.stripeapi, "PAGE_ENTRIES", 2)
