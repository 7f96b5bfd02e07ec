"""The process that runs dbt: started by ``warehouse.dbt``, speaks one JSON object per line on standard output.

dbt is kept out of the calling process: it takes seconds to import and keeps its database open.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

_PR_SET_PDEATHSIG = 1


def _die_with(parent: int) -> None:
    """On Linux, end when the parent ends: a build without its parent must not go on writing."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(f"process {parent}, which started this, is gone")


class _Channel:
    """Standard output for our lines alone: whatever else is printed goes to standard error."""

    def __init__(self) -> None:
        self._lines = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)

    def say(self, **fields: Any) -> None:
        print(json.dumps(fields), file=self._lines, flush=True)


def invoke(command: list[str], say: Callable[..., None]) -> bool:
    """Run one dbt command in the current folder and tell what comes of it.

    Args:
        command: the command and its options.
        say: called with the fields of each thing to tell: a node that ended, an error, and, last, the end.

    Returns: whether all went well.
    """
    from dbt.cli.main import dbtRunner

    def on_event(event: Any) -> None:
        if event.info.name == "NodeFinished":
            say(event="node", name=event.data.node_info.node_name)
        elif event.info.level == "error":
            say(event="error", message=event.info.msg)

    outcome = dbtRunner(callbacks=[on_event]).invoke(command)
    nodes = [
        {
            "id": result.node.unique_id,
            "status": str(result.status),
            "seconds": round(result.execution_time, 3),
            "failures": result.failures,
            "message": result.message,
        }
        for result in getattr(outcome.result, "results", None) or []
    ]
    message = str(outcome.exception) if outcome.exception else None
    say(event="end", success=bool(outcome.success), message=message, nodes=nodes)
    return bool(outcome.success)


def main(arguments: list[str]) -> int:
    """Run one dbt command in the current folder for the process ``arguments[0]``, and report what comes of it."""
    parent, *command = arguments
    _die_with(int(parent))
    return 0 if invoke(command, _Channel().say) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
