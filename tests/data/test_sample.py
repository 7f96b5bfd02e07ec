"""The committed sample is what its script makes."""

from __future__ import annotations

import runpy
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_the_sample_is_the_output_of_its_script() -> None:
    """Byte for byte, on every machine."""
    made = runpy.run_path(str(ROOT / "data" / "make_sample.py"))["lines"]()
    assert (ROOT / "data" / "sample" / "events.jsonl").read_text(encoding="utf-8") == "\n".join(made) + "\n"
