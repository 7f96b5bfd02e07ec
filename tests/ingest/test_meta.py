"""What is sent to Meta's Conversions API, and what of it lands."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from ingest.options import LandOptions
from ingest.quarantine import QuarantinedRow, quarantined_rows
from ingest.reasons import Reason
from ingest.replay import replay
from models.keys import email_sha256
from models.landing import BODY_COLUMNS
from tests.ingest.landings import NOW, UTC, counts, events_landed, files_below, jsonl, land, landed
from warehouse.home import Home

TIME = datetime(2026, 1, 30, 12, tzinfo=UTC)
SECONDS = int(TIME.timestamp())
TOKEN = "EAAB-s3cr3t-t0ken"
ADA = email_sha256("ada@example.com")
FBP = "fb.1.1596403881668.1116446470"


def sha256(text: str) -> str:
    """The hash of a text, as Meta asks for it."""
    return hashlib.sha256(text.encode()).hexdigest()


def purchase(**changes: Any) -> dict[str, Any]:
    """A smallest event of a server, with changes; a change to None leaves the key out."""
    fields = {
        "event_name": "Purchase",
        "event_time": SECONDS,
        "event_id": "order-1",
        "action_source": "website",
        "user_data": {"em": [ADA]},
    }
    return {key: value for key, value in {**fields, **changes}.items() if value is not None}


def envelope(body: Any, received_at: datetime = TIME, **more: Any) -> dict[str, Any]:
    """A body in its envelope."""
    return {"received_at": received_at.isoformat(), **more, "body": body}


def pixel(**changes: Any) -> dict[str, Any]:
    """The same event as the pixel sent it."""
    return envelope(purchase(**changes), channel="pixel")


def user(**fields: Any) -> dict[str, Any]:
    """An event of a server with this user_data."""
    return purchase(user_data=fields)


def land_meta(home: Home, *deliveries: Any, name: str = "meta.jsonl", **options: Any) -> tuple[int, int, int, int]:
    """Land deliveries, one a line."""
    return counts(land(home, jsonl(*deliveries), name, writer="meta", **options))


ALWAYS: dict[str, Any] = {
    "event_id": f"server:Purchase:order-1:{SECONDS}",
    "source": "meta_pixel",
    "source_id": "order-1",
    "event_type": "purchase",
    "occurred_at": TIME,
    "email_sha256": ADA,
    "properties": {"action_source": "website"},
    "metadata": {"channel": "server", "user_data": {"em": [ADA]}},
    "given": {"event_type": "Purchase"},
}


def told(columns: dict[str, Any], *, without: tuple[str, ...] = (), **user_data: Any) -> dict[str, Any]:
    """What lands of the smallest event, with other columns and other customer information."""
    kept = {name: value for name, value in ALWAYS.items() if name not in without}
    metadata = {"metadata": {"channel": "server", "user_data": user_data}} if user_data else {}
    return kept | metadata | columns


ADDRESS = "https://x.example/a?utm_source=fb&utm_campaign=Spring%20Sale&utm_source=x&fbclid=Abc#utm_term=no"
EVENTS: list[tuple[str, Any, dict[str, Any]]] = [
    ("the smallest", purchase(), told({})),
    ("in a batch", {"data": [purchase()]}, told({})),
    (
        "what a batch says",
        {"data": [purchase()], "test_event_code": "T1", "partner_agent": "p", "access_token": TOKEN},
        told({"metadata": {**ALWAYS["metadata"], "partner_agent": "p", "test_event_code": "T1"}}),
    ),
    (
        "in an envelope, of the pixel, which says less",
        pixel(user_data=None, action_source=None),
        told(
            {
                "event_id": f"pixel:Purchase:order-1:{SECONDS}",
                "received_at": TIME,
                "properties": {},
                "metadata": {"channel": "pixel"},
            },
            without=("email_sha256",),
        ),
    ),
    (
        "what was bought",
        purchase(custom_data={"value": 12.50, "currency": "EUR", "content_ids": ["b", "a"]}),
        told(
            {"properties": {"action_source": "website", "content_ids": ["b", "a"], "currency": "EUR", "value": 12.5}}
        ),
    ),
    (
        "where it happened",
        purchase(event_source_url=ADDRESS, referrer_url="https://y.example"),
        told(
            {
                "properties": {"action_source": "website", "event_source_url": ADDRESS, "fbclid": "Abc"},
                "utm_source": "fb",
                "utm_campaign": "Spring Sale",
                "metadata": {**ALWAYS["metadata"], "referrer_url": "https://y.example"},
            }
        ),
    ),
    (
        "what may not be done with it",
        purchase(
            opt_out=True,
            data_processing_options=["LDU"],
            data_processing_options_country=1,
            data_processing_options_state=1000,
        ),
        told(
            {
                "metadata": {
                    "channel": "server",
                    "data_processing_options": ["LDU"],
                    "data_processing_options_country": 1,
                    "data_processing_options_state": 1000,
                    "opt_out": True,
                    "user_data": {"em": [ADA]},
                }
            }
        ),
    ),
    (
        "the client",
        user(client_ip_address="10.0.0.1", client_user_agent="curl", em=ADA),
        told({"ip_address": "10.0.0.1", "user_agent": "curl"}),
    ),
    (
        "a plain address is hashed; of several the first is the person's",
        user(em=[" Ada@Example.com", "eve@example.com", "ADA@example.com"]),
        told({}, em=[ADA, email_sha256("eve@example.com")]),
    ),
    (
        "what cannot be hashed is named",
        user(em="none", ct="東京", fn="Ada"),
        told({}, without=("email_sha256",), ct=[], em=[], fn=[sha256("ada")], unreadable=["ct", "em"]),
    ),
    (
        "browser, click and what nobody knows",
        user(fbp=FBP, fbc="fb.1.2.click", nickname=" Adi ", em=ADA),
        told(
            {"custom_ids": {"fbp": FBP}},
            em=[ADA], fbc="fb.1.2.click", fbp=FBP, nickname=[sha256("adi")],
        ),
    ),
    ("a browser's id of no form", user(fbp="undefined", em=ADA), told({}, em=[ADA], fbp="undefined")),
    (
        "an id of our own",
        user(external_id=["User 7", "8"]),
        told(
            {"user_id": "User 7", "custom_ids": {"external_id": sha256("User 7")}},
            without=("email_sha256",),
            external_id=[sha256("user7"), sha256("8")],
        ),
    ),
    (
        "an id of our own, hashed",
        user(external_id=sha256("7").upper()),
        told({"custom_ids": {"external_id": sha256("7")}}, without=("email_sha256",), external_id=[sha256("7")]),
    ),
    (
        "an address as an id of our own",
        user(external_id="Ada@example.com"),
        told({"custom_ids": {"external_id": ADA}}, without=("email_sha256",), external_id=[ADA]),
    ),
    ("digits as a number", user(zp=94025, em=ADA), told({}, em=[ADA], zp=[sha256("94025")])),
]  # fmt: skip


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory, way: str) -> dict[str, dict[str, Any]]:
    """The one event that each delivery becomes, by its name: all land together, each with an id of its own."""
    home = Home(tmp_path_factory.mktemp(f"said-{way}") / "home").ensure()
    numbered = [json.dumps(row[1]).replace("order-1", f"order-1.{number}") for number, row in enumerate(EVENTS)]
    assert land_meta(home, *numbered) == (len(EVENTS), len(EVENTS), 0, 0)
    return {name: found for (name, *_), found in zip(EVENTS, events_landed(home), strict=True)}


@pytest.mark.parametrize(("number", "name", "wanted"), [(n, row[0], row[2]) for n, row in enumerate(EVENTS)])
def test_what_an_event_says(said: dict[str, dict[str, Any]], number: int, name: str, wanted: dict[str, Any]) -> None:
    """Each field by its name, and what no field answers to in the metadata."""
    ids = {key: wanted[key].replace("order-1", f"order-1.{number}") for key in ("event_id", "source_id")}
    assert said[name] == wanted | ids


@pytest.mark.usefixtures("way")
def test_events_without_an_id_get_one(home: Home) -> None:
    """Copies of pixel and server have ids of their own, and landing them again adds nothing."""
    nameless = purchase(event_id=None)
    assert land_meta(home, nameless, envelope(nameless), envelope(nameless, channel="pixel")) == (3, 3, 0, 0)
    assert land_meta(home, nameless, b"", name="again.jsonl") == (1, 0, 1, 0)
    assert {(source_id,) for (source_id,) in landed(home, "source_id")} == {(None,)}


@pytest.mark.usefixtures("way")
def test_copies_stay_apart_in_landing(home: Home) -> None:
    """By channel, name and time; the same again is a duplicate."""
    copies = [purchase(), pixel(), purchase(event_name="Lead"), purchase(event_time=SECONDS + 1)]
    assert land_meta(home, *copies, purchase()) == (5, 4, 1, 0)


PLAIN = {
    "em": "ada.lovelace@secret.example",
    "ph": "+44 20 7946 0958",
    "fn": "Augusta",
    "ln": "Lovelace-King",
    "db": "1815-12-10",
    "ct": "Marylebone",
    "zp": "W1U-6TY",
    "st": "Middlesex",
    "country": "United Kingdom",
    "external_id": "ada.lovelace@secret.example",
    "nickname": "Countess",
}


@pytest.mark.usefixtures("way")
def test_nothing_plain_lands(home: Home) -> None:
    """Neither as it came nor in Meta's form, alone or among others."""
    alone = [user(**{field: plain}) for field, plain in PLAIN.items()]
    among_others = [{"data": [user(**{field: [plain, "x"]})]} for field, plain in PLAIN.items()]
    assert land_meta(home, *alone, *among_others)[1] == 2 * len(PLAIN)
    columns = [column.name for column in BODY_COLUMNS]
    text = json.dumps([[str(value) for value in row] for row in landed(home, *columns)]).lower()
    words = " ".join(PLAIN.values()).lower().replace("-", " ").split()
    assert [word for word in words if len(word) > 2 and word in text] == []


NO_NAME = '{"event_name": "x", "event_time": %s, "action_source": "app", "user_data": {}, "custom_data": %s}'
REFUSED: list[tuple[str, Any, Reason, str]] = [
    ("C01 NaN", NO_NAME % (SECONDS, '{"a": NaN}'), Reason.NON_FINITE, "NaN"),
    ("C03 1e400", NO_NAME % (SECONDS, '{"a": 1e400}'), Reason.NON_FINITE, "1e400"),
    ("C04 duplicate key", NO_NAME % (SECONDS, '{"a": 1, "a": 2}'), Reason.DUPLICATE_KEY, "'a'"),
    ("C04 two values", purchase(custom_data={"action_source": "app"}), Reason.DUPLICATE_KEY, "action_source stands in"),
    ("C05 lone surrogate", NO_NAME % (SECONDS, r'{"a": "\ud800"}'), Reason.BAD_UNICODE, "surrogate"),
    ("C06 NUL", purchase(event_id="a\x00"), Reason.NUL, "NUL"),
    ("C09 5,000 digits", NO_NAME % ("9" * 5000, "{}"), Reason.NON_FINITE, "too large"),
    ("C10 33 levels", NO_NAME % (SECONDS, '{"a":' * 32 + "1" + "}" * 32), Reason.TOO_DEEP, "32"),
    ("C13 invalid UTF-8", b'{"event_name": "\xff"}', Reason.BAD_UNICODE, "line"),
    ("C14 trailing garbage", json.dumps(purchase()) + " x", Reason.NOT_JSON, "line"),
    ("C15 trailing comma", json.dumps(purchase())[:-1] + ",}", Reason.NOT_JSON, "line"),
    ("C16 null", "null", Reason.NOT_AN_OBJECT, "line"),
    ("C16 number in a batch", {"data": [3]}, Reason.NOT_AN_OBJECT, "message 1"),
    ("C16 empty object", "{}", Reason.MISSING_FIELD, "event_name is missing"),
    ("C17 1,001 elements", purchase(custom_data={"a": [0] * 1001}), Reason.TOO_LARGE, "properties "),
    ("C18 a long text", purchase(custom_data={"a": "x" * 32_769}), Reason.TOO_LARGE, "properties "),
    ("C21 data is no array", {"data": {"event_name": "x"}}, Reason.TYPE_MISMATCH, "data is no array of events"),
    ("C21 a number for a name", purchase(event_name=7), Reason.TYPE_MISMATCH, "event_name is no text"),
    ("C21 a number for an id", purchase(event_id=7), Reason.TYPE_MISMATCH, "event_id is no text"),
    ("C21 a text for a time", purchase(event_time=str(SECONDS)), Reason.TYPE_MISMATCH, "event_time is no whole number"),
    ("C21 a fraction for a time", purchase(event_time=1.5), Reason.TYPE_MISMATCH, "event_time is no whole number"),
    ("C21 true for a time", purchase(event_time=True), Reason.TYPE_MISMATCH, "event_time is no whole number"),
    ("C21 a text for user_data", purchase(user_data="x"), Reason.TYPE_MISMATCH, "user_data is no JSON object"),
    ("C21 a list for custom_data", purchase(custom_data=[]), Reason.TYPE_MISMATCH, "custom_data is no JSON object"),
    ("C21 an object for a field", user(em={"a": 1}), Reason.TYPE_MISMATCH, "user_data.'em' is no text and no array"),
    ("C21 true among addresses", user(em=[ADA, True]), Reason.TYPE_MISMATCH, "user_data.'em' is no text"),
    ("C21 a number for the client", user(client_ip_address=7), Reason.TYPE_MISMATCH, "ip_address is not"),
    ("C22 empty name", purchase(event_name=""), Reason.EMPTY_ID, "event_name is empty"),
    ("C22 blank id", purchase(event_id=" "), Reason.EMPTY_ID, "event_id is empty"),
    ("C23 a long id", purchase(event_id="x" * 257), Reason.ID_TOO_LONG, "event_id is longer than 256 bytes"),
    ("C29 no name", purchase(event_name=None), Reason.MISSING_FIELD, "event_name is missing"),
    ("C29 no time", purchase(event_time=None), Reason.MISSING_FIELD, "event_time is missing"),
    ("C29 milliseconds", purchase(event_time=SECONDS * 1000), Reason.BAD_TIME, "no number of Unix seconds (of milli"),
    ("C29 negative", purchase(event_time=-1), Reason.BAD_TIME, "event_time -1 is no number of Unix seconds"),
    ("C30 1970", purchase(event_time=0), Reason.TIME_RANGE, "occurred_at 1970-01-01"),
    ("C33 next year", purchase(event_time=SECONDS + 366 * 86_400), Reason.TIME_RANGE, "occurred_at 2027"),
    ("a server without user_data", purchase(user_data=None), Reason.MISSING_FIELD, "user_data is missing"),
    ("a server without a source", purchase(action_source=None), Reason.MISSING_FIELD, "action_source is missing"),
    ("another source", purchase(action_source="fax"), Reason.UNKNOWN_VALUE, "'fax' is not one of website, app"),
    ("another source of the pixel", pixel(action_source="fax"), Reason.UNKNOWN_VALUE, "'fax' is not one of"),
    ("another channel", envelope(purchase(), channel="fax"), Reason.UNKNOWN_VALUE, "channel 'fax' is not one of pixel"),
]  # fmt: skip


@pytest.fixture(scope="module")
def quarantine(tmp_path_factory: pytest.TempPathFactory, way: str) -> dict[int, QuarantinedRow]:
    """The refused rows, by their lines, of a file that holds the whole corpus and a good event at its end."""
    home = Home(tmp_path_factory.mktemp(f"corpus-{way}") / "home").ensure()
    assert land_meta(home, *(line for _, line, _, _ in REFUSED), purchase()) == (len(REFUSED) + 1, 1, 0, len(REFUSED))
    assert landed(home, "row_number") == [(len(REFUSED) + 1,)]
    return {row.row_number or 0: row for row in quarantined_rows(home)}


@pytest.mark.parametrize("number", range(len(REFUSED)), ids=[row[0] for row in REFUSED])
def test_what_is_refused(quarantine: dict[int, QuarantinedRow], number: int) -> None:
    """With what is wrong and where it stands, in one line."""
    _, _, reason, detail = REFUSED[number]
    row = quarantine[number + 1]
    assert row.reason == reason.value
    assert detail in row.detail
    assert f"(line {number + 1}" in row.detail
    assert "\n" not in row.detail


@pytest.mark.usefixtures("way")
def test_an_event_lands_later_as_it_would_have_landed(home: Home) -> None:
    """What its batch and its envelope said of it waits with it in quarantine."""
    late = purchase(event_time=SECONDS + 40 * 3600)
    batch = {"data": [purchase(), late], "test_event_code": "T1", "access_token": TOKEN}
    delivery = envelope(batch, channel="pixel")
    assert land_meta(home, delivery, now=TIME) == (2, 1, 0, 1)
    columns = ("event_id", "source_id", "occurred_at", "received_at", "metadata", "body_key")
    assert replay(home, now=NOW, options=LandOptions(threads=1)).landed == 1
    assert replay(home, now=NOW, options=LandOptions(threads=1)).rows_in == 0
    other = Home(home.root.parent / "other").ensure()
    assert land_meta(other, delivery) == (2, 2, 0, 0)
    assert sorted(landed(home, *columns)) == sorted(landed(other, *columns))


def test_an_edited_event_lands(home: Home) -> None:
    """Once what was wrong is put right."""
    assert land_meta(home, pixel(event_time=str(SECONDS))) == (1, 0, 0, 1)
    (row,) = quarantined_rows(home)
    edited = row.raw.replace(f'"{SECONDS}"'.encode(), str(SECONDS).encode())
    assert replay(home, now=NOW, options=LandOptions(threads=1), edits={row.id: edited}).landed == 1
    assert landed(home, "event_id", "received_at") == [(f"pixel:Purchase:order-1:{SECONDS}", TIME)]


WITH_TOKENS: list[Any] = [
    {"data": [purchase()], "access_token": TOKEN},
    {"data": [purchase(access_token=TOKEN), 3], "access_token": TOKEN},
    purchase(custom_data={"access_token": TOKEN}, user_data={"access_token": TOKEN}),
    purchase(custom_data={"access_token": TOKEN}, event_id=7),
    envelope(json.dumps({"data": [purchase(event_name="")], "access_token": TOKEN})),
    json.dumps({"data": [purchase()], "access_token": TOKEN})[:-1],
    json.dumps(envelope(json.dumps({"access_token": TOKEN, "data": []}) + "x")),
    json.dumps({"access_token": TOKEN}).encode() + b"\xff",
]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("number", range(len(WITH_TOKENS)))
def test_an_access_token_is_kept_nowhere(home: Home, number: int) -> None:
    """Not in landing, not in quarantine, not in the control database, whatever is wrong with the delivery."""
    rows_in, *_ = land_meta(home, WITH_TOKENS[number])
    assert rows_in
    for name in files_below(home.root):
        assert TOKEN.encode() not in (home.root / name).read_bytes()
    assert not any(TOKEN.encode() in row.raw for row in quarantined_rows(home))
    columns = [column.name for column in BODY_COLUMNS]
    assert TOKEN not in str(landed(home, *columns))


def test_the_time_of_receipt_may_be_told(home: Home) -> None:
    """--received-at speaks where no envelope does."""
    hour = timedelta(hours=1)
    assert land_meta(home, purchase(), received_at=TIME + hour)[1] == 1
    assert events_landed(home)[0]["received_at"] == TIME + hour
