"""Pages of Stripe's API, as it wrote them; the only module that loads Stripe's SDK, which takes half a second."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pydantic import SecretStr

from ingest.delivery import element_texts, member_span, member_text
from ingest.stripecheck import account_id
from ingest.stripekinds import Nested
from models.errors import GdpError, UsageError

if TYPE_CHECKING:
    import stripe

#: The version of the API whose answers are asked for, whatever the account's own is.
API_VERSION = "2026-10-28.endive"
PAGE_ENTRIES = 100

_KEY = re.compile(r"(?:sk|rk)_(live|test)_[A-Za-z0-9_]+")
_PERMISSION = re.compile(r"\brak_[a-z_]+")
_MOST_TRIES = 6
_LONGEST_WAIT = 60.0


class ApiFailed(GdpError):
    """The API did not give what was asked for; the message says why, without the key."""


class NotPermitted(ApiFailed):
    """The key may not read this."""

    def __init__(self, permission: str | None) -> None:
        super().__init__("the key may not read them")
        self.permission = permission


class CursorExpired(ApiFailed):
    """The object behind which a page was to begin is gone."""


@dataclass(frozen=True)
class Entry:
    """One object or event of a list: its id, what it says, how it is written, and for which time it holds."""

    id: str
    value: Mapping[str, Any]
    text: str
    fetched_at: datetime

    @property
    def delivery(self) -> str:
        """The text as it is to land: for which time an object holds, and when an event was received."""
        return f'{{"received_at": {json.dumps(self.fetched_at.isoformat())}, "body": {self.text}}}'


@dataclass(frozen=True)
class Page:
    """One page of a list, newest entries first."""

    entries: tuple[Entry, ...]
    has_more: bool


@dataclass(frozen=True)
class Access:
    """Whose data is read, and how.

    Attributes:
        key: a secret or restricted key; it is kept nowhere.
        base: the address of the API.
        account: the connected account; '' for the key's own.
    """

    key: SecretStr
    base: str
    account: str = ""

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key.get_secret_value()):
            raise UsageError("STRIPE_API_KEY is no secret or restricted key: these begin with sk_live_, rk_live_, …")
        account_id(self.account)

    @property
    def livemode(self) -> bool:
        """Whether the key opens the live data or those of the test mode."""
        found = _KEY.fullmatch(self.key.get_secret_value())
        assert found is not None
        return found[1] == "live"


class StripeApi:
    """Asks for pages, and asks again where the API is busy or broken for a while.

    Args:
        access: whose data is read.
        clock: the present.
        sleep: waits for some seconds.
    """

    def __init__(
        self, access: Access, *, clock: Callable[[], datetime], sleep: Callable[[float], None] = time.sleep
    ) -> None:
        import stripe

        stripe.enable_telemetry = False
        self.access = access
        self.clock = clock
        self._errors = stripe
        self._sleep = sleep
        self._client = stripe.StripeClient(
            access.key.get_secret_value(),
            stripe_account=access.account or None,
            stripe_version=API_VERSION,
            base_addresses={"api": access.base},
            max_network_retries=0,
        )

    def page(self, path: str, params: Mapping[str, Any], *, after: str | None = None) -> Page:
        """The page of a list that begins behind an object.

        Raises:
            NotPermitted: if the key may not read it.
            CursorExpired: if the object ``after`` is gone.
            ApiFailed: if it is refused otherwise, or does not come.
        """
        wanted = {**params, "limit": PAGE_ENTRIES} | ({"starting_after": after} if after else {})
        for tries in range(1, _MOST_TRIES + 1):
            asked_at = self.clock()
            try:
                answer = self._client.raw_request("get", path, **wanted)
            except self._errors.StripeError as error:
                if tries == _MOST_TRIES or not _may_pass(error):
                    raise _told(error) from None
                self._sleep(_pause(error, tries))
            else:
                return _read_page(answer.body, min(asked_at, _server_time(answer.headers) or asked_at))
        raise AssertionError

    def pages(self, path: str, params: Mapping[str, Any], *, after: str | None = None) -> Iterator[Page]:
        """The pages of a list behind an object, to its end (errors as of ``page``)."""
        while True:
            page = self.page(path, params, after=after)
            if page.has_more and not page.entries:
                raise ApiFailed("Stripe answered an empty page and says that there is more")
            yield page
            if not page.has_more:
                return
            after = page.entries[-1].id

    def whole(self, entry: Entry, nested: Nested | None) -> Entry:
        """An entry with all of its nested list, of which a page holds the first entries only."""
        held = entry.value.get(nested.member) if nested else None
        if nested is None or not isinstance(held, dict) or not held.get("has_more") or not held.get("data"):
            return entry
        path = nested.path.format(id=quote(entry.id, safe=""))
        params = {name: value.format(id=entry.id) for name, value in nested.params.items()}
        rest = [found.text for page in self.pages(path, params, after=held["data"][-1]["id"]) for found in page.entries]
        text = _lengthened(entry.text, nested.member, rest)
        return Entry(entry.id, json.loads(text), text, entry.fetched_at)


def with_member(text: str, name: str, value: str) -> str:
    """A JSON object as it is written, but for one member, which it is known to have."""
    start, end = member_span(text, name)
    return text[:start] + value + text[end:]


def _lengthened(text: str, member: str, rest: list[str]) -> str:
    """An object with more entries in its list ``member``, which is whole then."""
    listed = member_text(text, member)
    array = member_text(listed, "data").removesuffix("]").rstrip()
    whole = with_member(listed, "data", ", ".join([array, *rest]) + "]")
    return with_member(text, member, with_member(whole, "has_more", "false"))


def _read_page(body: str, fetched_at: datetime) -> Page:
    value = json.loads(body)
    data = value.get("data") if isinstance(value, dict) else None
    is_list = isinstance(data, list) and all(
        isinstance(each, dict) and isinstance(each.get("id"), str) for each in data
    )
    if data is None or not is_list or not isinstance(value.get("has_more"), bool):
        raise ApiFailed("Stripe answered something else than a list of objects")
    texts = element_texts(member_text(body, "data"))
    entries = (Entry(each["id"], each, text, fetched_at) for each, text in zip(data, texts, strict=True))
    return Page(tuple(entries), value["has_more"])


def _server_time(headers: Mapping[str, str]) -> datetime | None:
    """When Stripe says that it answered: a clock of ours that is ahead must not outdate events to come."""
    try:
        return parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError):
        return None


def _may_pass(error: stripe.StripeError) -> bool:
    """Whether the same request may succeed later: after too many, a conflict, a fault of theirs or of the network."""
    status = error.http_status
    return status is None or status in (409, 429) or status >= 500


def _pause(error: stripe.StripeError, tries: int) -> float:
    """How many seconds to wait: what the API asks for, else 1, 2, 4, …; and up to half of it more, by chance."""
    asked = str((error.headers or {}).get("retry-after", ""))
    seconds = float(asked) if asked.isdecimal() else 2.0 ** (tries - 1)
    return min(seconds, _LONGEST_WAIT) * random.uniform(1, 1.5)  # noqa: S311 (spreads requests, hides nothing)


def _told(error: stripe.StripeError) -> GdpError:
    """An error of the SDK in a line of ours; what Stripe says of the key is left out, for it shows a part of it."""
    said = " ".join(str(error.user_message or "").split())[:300]
    if error.http_status == 401:
        return UsageError("Stripe does not accept STRIPE_API_KEY: it may be mistyped, expired or revoked")
    if error.code == "account_invalid":
        return UsageError("the key has no access to the account that --account names")
    if error.http_status == 403:
        found = _PERMISSION.search(said)
        return NotPermitted(found[0] if found else None)
    if error.code == "resource_missing" and getattr(error, "param", None) == "starting_after":
        return CursorExpired(said)
    if error.http_status is None:
        return ApiFailed("Stripe cannot be reached, or broke off its answer")
    if error.http_status < 300:
        return ApiFailed("Stripe answered what is no JSON")
    return ApiFailed(f"Stripe answered {error.http_status}" + (f": {said}" if said else ""))
