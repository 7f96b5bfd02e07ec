"""All measurements, one after the other: python -m benchmarks [NAME...]."""

from __future__ import annotations

import importlib
import sys

NAMES = (
    "startup",
    "simulate",
    "landing",
    "sources",
    "build",
    "identity",
    "identity_build",
    "ledger",
    "reports",
    "segments",
    "sources_end_to_end",
)


def main() -> int:
    """Run the named benchmarks, or all of them."""
    names = sys.argv[1:] or list(NAMES)
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"no benchmark {unknown[0]!r}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    for name in names:
        print(f"\n== {name}", flush=True)
        importlib.import_module(f"benchmarks.{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main())
