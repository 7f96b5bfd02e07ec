"""What a rule may ask of a person: the properties that the tables compute, beside the person's own traits."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pydantic.alias_generators import to_camel

from models.operators import Kind

#: Traits and properties of events that a rule can name.
PROPERTY_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_. -]{0,62}")


@dataclass(frozen=True)
class KnownProperty:
    """A property with a past: its kind and what it says."""

    kind: Kind
    description: str


KNOWN_PROPERTIES = {
    "status": KnownProperty(
        "text", "trial, paid (past_due too) or churned where billing says so, else active or inactive"
    ),
    "usage_status": KnownProperty("text", "never, new, active or inactive"),
    "billing_status": KnownProperty("text", "none, trial, paid, past_due or churned"),
    "billing_plan": KnownProperty("text", "the plan of the live subscription that is worth most"),
    "mrr": KnownProperty("number", "monthly recurring revenue by the default policy; absent in several currencies"),
    "total_spent": KnownProperty(
        "number", "paid less refunds and lost disputes, in the reporting currency; absent before the first payment"
    ),
    "created_at": KnownProperty("time", "the first event"),
    "last_event_at": KnownProperty("time", "the last event"),
    "total_events": KnownProperty("number", "how many events so far"),
    "first_action_date": KnownProperty("time", "the first action"),
    "last_action_date": KnownProperty("time", "the last action"),
    "signup_date": KnownProperty("time", "the first signup_completed"),
    "cohort": KnownProperty("text", "the Monday of the signup's week, such as 2026-01-05"),
    "source": KnownProperty("text", "utm_source of the first event"),
    "medium": KnownProperty("text", "utm_medium of the first event"),
    "campaign": KnownProperty("text", "utm_campaign of the first event"),
}
#: Columns of person that no rule can ask for, and what to write instead: only their present is known, or they follow
#: from the segments.
WITHOUT_HISTORY = {
    "person_id": "write a static list",
    "person_key": "write a static list",
    "updated_at": "write last_event_at",
    "segment": "write a rule with cohortId",
    "metadata": "name a trait",
}
_BY_CAMEL = {to_camel(name): name for name in (*KNOWN_PROPERTIES, *WITHOUT_HISTORY)}


def check_property_name(name: str) -> str:
    """The name, if a rule can use it.

    Raises:
        ValueError: if it cannot.
    """
    if not PROPERTY_NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is not the name of a property: letters, digits, blanks and _ . - up to 63, a letter or _ first"
        )
    return name


def canonical_property(name: str) -> str:
    """The name under which a property is kept: ``lastActionDate`` is ``last_action_date``; a trait keeps its own.

    Raises:
        ValueError: if it cannot be a name, or has no history.
    """
    found = _BY_CAMEL.get(check_property_name(name), name)
    if found in WITHOUT_HISTORY:
        why = "follows from the segments" if found == "segment" else "has no history"
        raise ValueError(f"{name!r} {why}, so no rule can ask for it: {WITHOUT_HISTORY[found]}")
    return found
