"""Locks between processes, on files that hold nothing but the lock."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from models.errors import BusyError, GdpError

_POLL_SECONDS = 0.05


@contextmanager
def exclusive(path: Path, what: str, *, wait: bool | float = False) -> Iterator[IO[str]]:
    """Hold the lock ``path`` while the block runs; the operating system drops it when the process dies.

    Args:
        path: the lock file; it is made where it is missing and never deleted.
        what: what is being done under the lock, as a refusal names it ("a build").
        wait: whether to wait for the holder, or for how many seconds.

    Yields: the open lock file; a child process that inherits it keeps the lock alive.

    Raises:
        BusyError: if somebody else holds the lock; the message names the process.
        GdpError: if the lock file cannot be opened.
    """
    deadline = None if wait is True else time.monotonic() + float(wait)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise GdpError(f"{path}: the lock cannot be opened: {error.strerror}") from None
    with os.fdopen(descriptor, "r+") as lock:
        while not _try_lock(lock):
            if deadline is not None and time.monotonic() >= deadline:
                raise BusyError(f"{what} is running{_holder(lock)}: try again when it has ended")
            time.sleep(_POLL_SECONDS)
        lock.seek(0)
        lock.truncate()
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield lock


def _try_lock(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(lock: IO[str]) -> str:
    lock.seek(0)
    pid = lock.read(20).strip()
    return f" (pid {pid})" if pid.isdigit() else ""
