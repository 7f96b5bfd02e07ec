"""The errors a user can meet: one line that says what, where, and what would be accepted."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class GdpError(Exception):
    """The job could not be done; the message says what to do next. Exit code 1."""

    exit_code = 1


class UsageError(GdpError):
    """The request itself is wrong: an argument, a file or a setting. Exit code 2."""

    exit_code = 2


class BusyError(GdpError):
    """Another process holds the lock that this job needs. Exit code 75 (EX_TEMPFAIL of sysexits.h)."""

    exit_code = 75


def nearest(word: str, known: Iterable[str], *, most: int = 3) -> str:
    """Say which known names resemble ``word``, or list a few of them; empty if there are none."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=most, cutoff=0.6)
    if close:
        return "did you mean " + " or ".join(repr(name) for name in close) + "?"
    if not names:
        return ""
    shown = ", ".join(names[:8])
    return f"known: {shown}" + (f" and {len(names) - 8} more" if len(names) > 8 else "")
