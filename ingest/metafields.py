"""The fields of Meta's ``user_data``: normalised and hashed as Meta's own libraries do it before they send.

A field of which Meta wants the SHA-256 has a normaliser; what it cannot bring into Meta's form has no hash, and Meta
would match nobody by it. What already is a hash stays as it is.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping

from ingest.metaplaces import COUNTRIES, STATES
from models.keys import normalise_email

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_MD5 = re.compile(r"[0-9a-fA-F]{32}")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_BLANK = re.compile(r"\s+")
_BLANK_OR_PUNCTUATION = re.compile(r"[\s!-/:-@\[-`{-~]+")
_YEAR_FIRST = re.compile(r"(\d{4})\D+(\d{1,2})\D+(\d{1,2})(?!\d)", re.ASCII)
_YEAR_LAST = re.compile(r"(?<!\d)(\d{1,2})\D+(\d{1,2})\D+(\d{4})(?!\d)", re.ASCII)
_GENDERS = {
    "f": (
        "f female she her hers herself woman women girl lady madam maam miss ms mrs mom mommy mum mama mother daughter"
        " sister aunt niece wife bride widow grandmother grandma queen princess duchess gal"
    ),
    "m": (
        "m male he him his himself man men boy gentleman sir mr mister dad daddy papa father son brother uncle nephew"
        " husband groom widower grandfather grandpa king prince duke guy"
    ),
}
_GENDER_OF = {word: letter for letter, words in _GENDERS.items() for word in words.split()}


def email(text: str) -> str | None:
    """An address in lower case; None if it is none."""
    address = normalise_email(text)
    return address if _ADDRESS.fullmatch(address) else None


def phone(text: str) -> str | None:
    """The digits, without zeros in front; the country's code is expected to be there."""
    return re.sub(r"[^0-9]+", "", text).lstrip("0") or None


def name(text: str) -> str | None:
    """A first or last name without blanks and ASCII punctuation, in lower case."""
    return _BLANK_OR_PUNCTUATION.sub("", text.lower()) or None


def city(text: str) -> str | None:
    """The Latin letters and digits of a city's name; None if it does not begin with a letter."""
    letters = re.sub(r"[^a-z0-9]+", "", text.lower())
    return letters if letters[:1].isalpha() else None


def state(text: str) -> str | None:
    """The two letters of a state of the United States or Canada, or the first two of any other."""
    return _place(text, STATES)


def country(text: str) -> str | None:
    """The two letters of ISO 3166-1, or the first two of what is no country's name."""
    return _place(text, COUNTRIES)


def postcode(text: str) -> str | None:
    """What stands before the first dash, in lower case."""
    return text.lower().partition("-")[0].strip() or None


def gender(text: str) -> str | None:
    """f or m; None for what is neither word."""
    return _GENDER_OF.get(name(text) or "")


def birth_date(text: str) -> str | None:
    """A date as YYYYMMDD; of day and month before a year, the first is the month if it can be."""
    if re.fullmatch(r"[0-9]{8}", text):
        return text
    if found := _YEAR_FIRST.search(text):
        year, month, day = found.groups()
    elif found := _YEAR_LAST.search(text):
        month, day, year = found.groups()
        if int(month) > 12:
            month, day = day, month
    else:
        return None
    is_date = 1 <= int(month) <= 12 and 1 <= int(day) <= 31
    return f"{year}{int(month):02}{int(day):02}" if is_date else None


def external_id(text: str) -> str | None:
    """The advertiser's own id of a person, without blanks and in lower case."""
    return _BLANK.sub("", text.lower()) or None


def _place(text: str, codes: Mapping[str, str]) -> str | None:
    """The code of the longest name that stands in a text, else its first two letters."""
    letters = re.sub(r"[^a-z]+", "", text.lower())
    if letters in codes:
        return codes[letters]
    named = [known for known in codes if known in letters]
    return codes[max(named, key=len)] if named else letters[:2] or None


def _trimmed(text: str) -> str | None:
    return text.lower() or None


#: How the fields that must be hashed are normalised.
HASHED: Mapping[str, Callable[[str], str | None]] = {
    "em": email,
    "ph": phone,
    "fn": name,
    "ln": name,
    "ge": gender,
    "db": birth_date,
    "ct": city,
    "st": state,
    "zp": postcode,
    "country": country,
    "external_id": external_id,
}

#: Fields that Meta wants as they are: they name browsers, clicks, devices and pages.
PLAIN = frozenset(
    {
        *("client_ip_address", "client_user_agent", "fbc", "fbp", "subscription_id", "fb_login_id", "lead_id"),
        *("anon_id", "madid", "page_id", "page_scoped_user_id", "ctwa_clid", "ig_account_id", "ig_sid"),
        *("install_id", "vendor_id"),
    }
)


def is_sha256(text: str) -> bool:
    """Whether a value is a SHA-256 in hexadecimal."""
    return _SHA256.fullmatch(text) is not None


def is_hash(field: str, text: str) -> bool:
    """Whether a value looks as if it had been hashed before it was sent, by SHA-256 or MD5.

    Ids of 32 hexadecimal digits are common, so an ``external_id`` of that form is not taken for an MD5.
    """
    return is_sha256(text) or (field != "external_id" and _MD5.fullmatch(text) is not None)


def normalised(field: str, value: str) -> str | None:
    """A value in the form whose hash Meta knows; None if it has none; a hash as it is.

    Fields that nobody has heard of are trimmed and in lower case.
    """
    text = value.strip()
    return text if is_hash(field, text) else HASHED.get(field, _trimmed)(text)


def hashed(field: str, value: str) -> str | None:
    """The hash of a value, in lower-case hexadecimal; None if it cannot be normalised."""
    text = normalised(field, value)
    if text is None:
        return None
    return text.lower() if is_hash(field, text) else hashlib.sha256(text.encode()).hexdigest()
