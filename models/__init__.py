"""The words of the growth warehouse: typed shapes without any I/O.

The shapes are loaded when first asked for, so that a program which needs only an error class stays quick to start.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.automation import SegmentAutomation
    from models.builder import EventBuilder
    from models.catalog import EventCatalog, EventKind
    from models.event import UnifiedEvent
    from models.identity import IdentityRules
    from models.person import IdentityLink, Person
    from models.revenue import RevenuePolicies, RevenuePolicy
    from models.segment import SegmentDefinition, SegmentMembership, SegmentRule
    from models.subscription import Subscription

__all__ = [
    "EventBuilder",
    "EventCatalog",
    "EventKind",
    "IdentityLink",
    "IdentityRules",
    "Person",
    "RevenuePolicies",
    "RevenuePolicy",
    "SegmentAutomation",
    "SegmentDefinition",
    "SegmentMembership",
    "SegmentRule",
    "Subscription",
    "UnifiedEvent",
]

_HOME_OF = {
    "EventBuilder": "builder",
    "EventCatalog": "catalog",
    "EventKind": "catalog",
    "IdentityLink": "person",
    "IdentityRules": "identity",
    "Person": "person",
    "RevenuePolicies": "revenue",
    "RevenuePolicy": "revenue",
    "SegmentAutomation": "automation",
    "SegmentDefinition": "segment",
    "SegmentMembership": "segment",
    "SegmentRule": "segment",
    "Subscription": "subscription",
    "UnifiedEvent": "event",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"models.{_HOME_OF[name]}"), name)
