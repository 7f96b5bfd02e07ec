"""gdp ingest stripe --from-api and gdp reconcile ask Stripe's API with a key that goes nowhere else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_json_docs import DOCUMENTED, keys
from tests.ingest.fakestripe import KEY, FakeStripe, failure, fake_stripe, once
from tests.ingest.stripes import CREATED, landed_stripe, stripe_object
from tests.pipeline.projects import Studio
from warehouse.locks import exclusive


@pytest.fixture
def stripe(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeStripe]:
    """The API on this machine, and a key in the environment."""
    monkeypatch.setenv("STRIPE_API_KEY", KEY)
    with fake_stripe() as fake:
        monkeypatch.setenv("GDP_STRIPE_API_BASE", fake.url)
        fake.add("/v1/customers", *(stripe_object(id=f"cus_{number}", created=CREATED + number) for number in range(3)))
        yield fake


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio.make(tmp_path / "studio")


def test_the_summary_counts_each_kind(studio: Studio, stripe: FakeStripe) -> None:
    """As files are counted; a kind that the key may not read is one line on standard error."""
    no = failure(403, f"The key '{KEY}' lacks rak_dispute_read")
    stripe.faults.append(once("/v1/disputes", no, no))
    chosen = ("ingest", "stripe", "--from-api", "--objects", "customers, disputes")
    answer = studio.gdp(*chosen, "--format", "json")
    said = "the key may not read them: give it the permission Disputes: Read (rak_dispute_read)"
    nothing = {"rows_in": 0, "landed": 0, "duplicate": 0, "quarantined": 0, "reasons": {}}
    assert (answer.code, answer.err) == (1, f"gdp: disputes: {said}\n")
    assert answer.json["files"] == [
        {"path": "customers", "rows_in": 3, "landed": 3, "duplicate": 0, "quarantined": 0, "reasons": {}},
        {"path": "disputes", **nothing, "error": said},
    ]
    shown = studio.gdp(*chosen)
    assert [line.split() for line in shown.out.splitlines() if "customers" in line] == [
        ["customers", "3", "3", "0", "0"]
    ]


def test_the_key_is_written_nowhere(studio: Studio, stripe: FakeStripe) -> None:
    """Neither to a file of the project nor to the output, however it ends."""
    stripe.faults.append(once("/v1/events", failure(401, f"Invalid API Key provided: {KEY}")))
    first = studio.gdp("-v", "ingest", "stripe", "--from-api", "--objects", "customers")
    second = studio.gdp("-v", "ingest", "stripe", "--from-api", "--objects", "events")
    assert (first.code, second.code) == (0, 2)
    assert "gdp: Stripe does not accept STRIPE_API_KEY" in second.err
    assert not any("secretsecret" in text for text in (first.out, first.err, second.out, second.err))
    assert not any(b"secretsecret" in path.read_bytes() for path in studio.folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from-api", "x.jsonl"], "--from-api takes neither files nor --received-at: Stripe is asked now"),
        (["--since", "2026-01-01", "x.jsonl"], "--since and --objects are for --from-api"),
        ([], "name files, or ask Stripe's API with --from-api"),
        (
            ["--from-api", "--objects", "customer"],
            "--objects: 'customer' is nothing that is fetched (did you mean 'customers'?)",
        ),
        (["--from-api", "--since", "2199-01-01"], "--since 2199-01-01 is in the future"),
        (
            ["--from-api", "--account", "studio"],
            "--account 'studio' is no account of Stripe, such as acct_1032D82eZvKYlo2C",
        ),
    ],
)
def test_wrong_options_are_one_line(studio: Studio, stripe: FakeStripe, arguments: list[str], said: str) -> None:
    """Nothing is asked for then."""
    answer = studio.gdp("ingest", "stripe", *arguments)
    assert (answer.code, answer.err) == (2, f"gdp: {said}\n")
    assert not stripe.requests


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("", "STRIPE_API_KEY is not set: export a secret key or a restricted one (docs/sources.md)"),
        ("pk_live_51H8", "STRIPE_API_KEY is no secret or restricted key: these begin with sk_live_, rk_live_, …"),
        ("sk_live_51H8\nx", "STRIPE_API_KEY is no secret or restricted key: these begin with sk_live_, rk_live_, …"),
    ],
)
def test_a_key_that_cannot_be_one_is_not_sent(
    studio: Studio, stripe: FakeStripe, monkeypatch: pytest.MonkeyPatch, key: str, said: str
) -> None:
    """It is not repeated either."""
    monkeypatch.setenv("STRIPE_API_KEY", key)
    answer = studio.gdp("ingest", "stripe", "--from-api")
    assert (answer.code, answer.err) == (2, f"gdp: {said}\n")
    assert not stripe.requests


@pytest.mark.parametrize("address", ["http://api.stripe.com", "https://", "ftp://127.0.0.1", "https://a:b@c", "stripe"])
def test_the_key_leaves_this_machine_encrypted(
    studio: Studio, stripe: FakeStripe, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    """Plain HTTP is for loopback alone."""
    monkeypatch.setenv("GDP_STRIPE_API_BASE", address)
    answer = studio.gdp("ingest", "stripe", "--from-api")
    assert answer.code == 2
    assert "give an address such as https://api.stripe.com; http only for this machine itself" in answer.err


def test_files_of_a_connected_account_can_be_said_to_be(studio: Studio) -> None:
    """Objects do not say whose they are."""
    file = studio.folder / "customers.jsonl"
    file.write_text(json.dumps(stripe_object()) + "\n")
    assert studio.gdp("ingest", "stripe", file, "--account", "acct_1").code == 0
    assert landed_stripe(studio.home, "object_id", "account") == [("cus_1", "acct_1")]


@pytest.fixture
def subscribed(studio: Studio, stripe: FakeStripe) -> Studio:
    """A studio that has believed for long that a subscription is active, which is cancelled."""
    subscription = {"id": "sub_1", "object": "subscription", "livemode": False, "status": "active"}
    file = studio.folder / "subscriptions.jsonl"
    file.write_text(json.dumps(subscription) + "\n")
    assert studio.gdp("ingest", "stripe", file, "--received-at", "2026-01-01").code == 0
    stripe.add("/v1/subscriptions", {**subscription, "status": "canceled"})
    return studio


def test_reconcile_says_what_was_missed(subscribed: Studio) -> None:
    """Exit code 0, whether something was missed or not."""
    dry = subscribed.gdp("reconcile", "--dry-run")
    assert (dry.code, dry.err) == (0, "")
    assert dry.out.endswith("stale subscriptions differ in: status 1\nnothing was landed: --dry-run\n")
    done, again = subscribed.gdp("reconcile"), subscribed.gdp("reconcile")
    assert (done.code, again.code) == (0, 0)
    shown = [line.split() for answer in (dry, done, again) for line in answer.out.splitlines()]
    assert [line for line in shown if line[0] == "subscriptions"] == [
        ["subscriptions", "1", "0", "0", "1", "0", "0"],
        ["subscriptions", "1", "0", "0", "1", "1", "0"],
        ["subscriptions", "1", "1", "0", "0", "0", "0"],
    ]


def test_reconcile_prints_the_documented_keys(subscribed: Studio) -> None:
    """docs/json.md names them."""
    printed = subscribed.gdp("reconcile", "--format", "json").json
    assert set(keys(printed)) == set(keys(DOCUMENTED["gdp reconcile"]))
    assert (printed["account"], printed["livemode"], printed["dry_run"]) == ("", False, False)


def test_reconcile_makes_no_home(studio: Studio, stripe: FakeStripe) -> None:
    """There is nothing to compare with."""
    answer = studio.gdp("--home", studio.folder / "none", "reconcile")
    assert answer.code == 2
    assert "no home at" in answer.err
    assert not stripe.requests


def test_only_one_asks_at_a_time(studio: Studio, stripe: FakeStripe) -> None:
    """Two would land everything twice."""
    with exclusive(studio.home.locks / "stripe", "this test"):
        for command in (("ingest", "stripe", "--from-api"), ("reconcile",)):
            answer = studio.gdp(*command)
            assert answer.code == 75
            assert answer.err.startswith("gdp: a fetch from Stripe's API is running")
    assert not stripe.requests
