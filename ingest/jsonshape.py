"""What one text tells about all texts of its shape: which keys there are, and whether SQL may read the values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ingest import strictjson
from ingest.fields import IDENTIFIER_SPELLINGS, JSON_KEYS, KINDS, Kind
from ingest.reasons import Refused
from models import limits
from models.keys import normalise_id

#: More different keys than this are not worth a column each; texts that have others are judged one by one.
MAX_PLANNED_KEYS = 128


@dataclass(frozen=True)
class Plan:
    """The keys of a file's events as far as they have been seen: on top, and inside ``identifiers``.

    ``object_keys`` are those on top that were seen with an object; ``time_kinds`` says for each time whether it was
    seen as "text" or as "number". ``others`` are the keys that no field answers to, sorted: so they stand in the
    properties, whatever order they had.
    """

    keys: tuple[str, ...] = ()
    identifier_keys: tuple[str, ...] = ()
    object_keys: tuple[str, ...] = ()
    time_kinds: dict[str, frozenset[str]] = field(default_factory=dict)
    spellings: dict[str, tuple[str, ...]] = field(init=False)
    others: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        spellings: dict[str, tuple[str, ...]] = {}
        for key in self.keys:
            if key in JSON_KEYS:
                spellings[JSON_KEYS[key]] = (*spellings.get(JSON_KEYS[key], ()), key)
        object.__setattr__(self, "spellings", spellings)
        object.__setattr__(self, "others", tuple(sorted(key for key in self.keys if key not in JSON_KEYS)))

    def spelled(self, values: dict[str, str], inner: dict[str, str]) -> dict[str, list[str]]:
        """For each field the expressions that may give it: one for each spelling, on top or among the identifiers."""
        given = {name: [values[key] for key in keys] for name, keys in self.spellings.items() if name != "identifiers"}
        for key, value in inner.items():
            given.setdefault(IDENTIFIER_SPELLINGS.get(key, f"custom:{key}"), []).append(value)
        return given

    def learn(self, events: Iterable[Any]) -> Plan:
        """The plan with what these parsed events have that it does not know yet, as far as it has room."""
        keys, inner, objects = list(self.keys), list(self.identifier_keys), list(self.object_keys)
        kinds = {name: set(found) for name, found in self.time_kinds.items()}
        for event in events:
            if not isinstance(event, dict):
                continue
            for key, value in event.items():
                keys.append(key)
                if isinstance(value, dict):
                    objects.append(key)
                if KINDS.get(JSON_KEYS.get(key, "")) is Kind.TIME and value is not None:
                    kinds.setdefault(JSON_KEYS[key], set()).add("text" if isinstance(value, str) else "number")
                if key == "identifiers" and isinstance(value, dict):
                    inner.extend(name for name in value if name and name == normalise_id(name))
        known = _first_of(keys)
        return Plan(
            keys=known,
            identifier_keys=_first_of(inner) if "identifiers" in known else (),
            object_keys=tuple(key for key in _first_of(objects) if key in known),
            time_kinds={name: frozenset(found) for name, found in kinds.items()},
        )

    def covers(self, text: str) -> bool:
        """Whether SQL may read the values of all texts of this text's shape.

        It may if every key is planned and stands once, no field is given twice, every value has the type that its
        field wants, and no limit on keys is passed.
        """
        try:
            event = strictjson.parse(text)
        except Refused:
            return False
        return isinstance(event, dict) and _has_right_types(event) and _is_limited(event) and self._knows_keys(event)

    def _knows_keys(self, event: dict[str, Any]) -> bool:
        inner = event.get("identifiers") or {}
        if not (set(event) <= set(self.keys) and set(inner) <= set(self.identifier_keys)):
            return False
        if not all(key in self.object_keys for key, value in event.items() if isinstance(value, dict)):
            return False
        fields = [JSON_KEYS[key] for key, value in event.items() if key in JSON_KEYS and value is not None]
        fields += [IDENTIFIER_SPELLINGS.get(key, f"custom:{key}") for key, value in inner.items() if value is not None]
        if len(set(fields)) < len(fields):
            return False
        properties = event.get("properties") or {}
        others = [key for key in event if key not in JSON_KEYS]
        return not any(key in properties for key in others) and len(properties) + len(others) <= limits.MAX_KEYS


def _has_right_types(event: dict[str, Any]) -> bool:
    for key, value in event.items():
        name = JSON_KEYS.get(key)
        if name is None or value is None:
            continue
        if name == "identifiers":
            if not isinstance(value, dict) or not all(item is None or isinstance(item, str) for item in value.values()):
                return False
        elif KINDS[name] is Kind.OBJECT:
            if not isinstance(value, dict):
                return False
        elif KINDS[name] is Kind.TIME:
            if isinstance(value, bool | dict | list):
                return False
        elif not isinstance(value, str):
            return False
    return True


def _is_limited(value: Any) -> bool:
    match value:
        case dict():
            return len(value) <= limits.MAX_KEYS and all(
                len(key.encode()) <= limits.MAX_KEY_BYTES and _is_limited(item) for key, item in value.items()
            )
        case list():
            return all(map(_is_limited, value))
    return True


def _first_of(names: list[str]) -> tuple[str, ...]:
    return tuple(name for name in dict.fromkeys(names) if name.isprintable())[:MAX_PLANNED_KEYS]
