"""Every kind of act people do at the studio: which system tells it, and whether it shows that somebody was active."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple

from ingest.simulator.vocabulary import PAGES, SCREENS


class Via(StrEnum):
    """How an act is told: by the application itself, or by one of Segment's calls."""

    APP = "app"
    TRACK = "track"
    PAGE = "page"
    SCREEN = "screen"
    IDENTIFY = "identify"
    GROUP = "group"
    ALIAS = "alias"


class Kind(NamedTuple):
    """One kind of act; ``properties`` are the property sets it may have."""

    event_type: str
    via: Via
    is_action: bool
    properties: tuple[dict[str, Any], ...] = ({},)


_RENDERS = tuple(
    {
        "seconds": 5 + 37 * number % 595,
        "codec": ("h264", "av1", "prores")[number % 3],
        "height": (1080, 2160)[number % 2],
    }
    for number in range(48)
)
_TEMPLATES = ("none", "promo", "podcast", "trailer", "lesson")

KINDS = (
    Kind("page_view", Via.PAGE, False, tuple({"path": path, "title": title} for path, title in PAGES)),
    Kind("screen_view", Via.SCREEN, False, tuple({"name": name} for name in SCREENS)),
    Kind("pricing_viewed", Via.TRACK, False, tuple({"plan": plan} for plan in ("creator", "studio", "team"))),
    Kind("identify", Via.IDENTIFY, False),
    Kind("group", Via.GROUP, False),
    Kind("alias", Via.ALIAS, False),
    Kind("signup_completed", Via.APP, True),
    Kind("invite_accepted", Via.APP, True, ({"channel": "email"}, {"channel": "link"})),
    Kind("logged_in", Via.APP, True, ({"method": "password"}, {"method": "sso"})),
    Kind("logged_out", Via.TRACK, False),
    Kind("project_created", Via.TRACK, True, tuple({"template": name} for name in _TEMPLATES)),
    Kind("template_used", Via.TRACK, True, tuple({"template": name} for name in _TEMPLATES[1:])),
    Kind("first_video_created", Via.APP, True),
    Kind("video_rendered", Via.APP, True, _RENDERS),
    Kind("render_failed", Via.APP, False, tuple({"reason": why} for why in ("out_of_memory", "codec", "timeout"))),
    Kind("batch_render_completed", Via.APP, True, tuple({"videos": 3 + 5 * number} for number in range(8))),
    Kind("video_exported", Via.TRACK, True, tuple({"target": name} for name in ("download", "youtube", "vimeo"))),
    Kind("support_ticket_opened", Via.APP, True, tuple({"topic": name} for name in ("billing", "render", "account"))),
    Kind("invite_sent", Via.TRACK, True, ({"channel": "email"}, {"channel": "link"})),
)
NUMBER = {kind.event_type: number for number, kind in enumerate(KINDS)}


def numbers_via(*ways: Via) -> list[int]:
    """The kinds that are told in one of these ways."""
    return [number for number, kind in enumerate(KINDS) if kind.via in ways]
