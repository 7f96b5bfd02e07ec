"""Tables for a terminal: what fits its width, numbers to the right, and no control character from the data."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import datetime
from io import StringIO
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from analytics.table import NOTHING, minute, percent

if TYPE_CHECKING:
    from analytics.table import Sheet, Table

_GAP = 2
_WIDE = 100_000
_LEAST_TEXT = 16


def screen_width() -> int | None:
    """The columns of the terminal, or what COLUMNS says; None where nobody limits them (a pipe, a file)."""
    given = os.environ.get("COLUMNS", "")
    if given.isascii() and given.isdigit() and int(given) > 0:
        return int(given)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or None
    except (OSError, ValueError):
        return None


def render_sheet(sheet: Sheet, width: int | None) -> str:
    """A report as text: its title, what the numbers mean, and its tables."""
    console, buffer = _console(width)
    console.print(Text(printable(sheet.title), style="bold"))
    for line in sheet.lines:
        console.print(Text(printable(line)))
    for table in sheet.tables:
        console.print()
        _print(console, table, width)
    return buffer.getvalue()


def render_table(table: Table, width: int | None) -> str:
    """A table as text."""
    console, buffer = _console(width)
    _print(console, table, width)
    return buffer.getvalue()


def render_facts(facts: Sequence[tuple[str, str]], width: int | None) -> str:
    """Labels and texts in two columns; what is longer than the width goes on below, a single long word as it is."""
    indent = max((len(label) for label, _ in facts), default=0) + _GAP
    room = max(_LEAST_TEXT, (width or _WIDE) - indent)
    lines = []
    for label, text in facts:
        parts = wrap(printable(text), room, break_long_words=False, break_on_hyphens=False) or [""]
        lines += [
            f"{head:<{indent}}{part}".rstrip() + "\n"
            for head, part in zip([label, *[""] * len(parts)], parts, strict=False)
        ]
    return "".join(lines)


def printable(text: str) -> str:
    """A text on one line, with its control characters written out so that a terminal does not obey them."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def show(value: Any, kind: str) -> str:
    """A value as a person reads it."""
    if value is None:
        return NOTHING
    if kind == "count":
        return f"{value:,}"
    if kind == "rate":
        return percent(value)
    if kind == "seconds":
        return duration(value)
    if kind == "number":
        return f"{value:,.2f}" if isinstance(value, float) else str(value)
    if isinstance(value, datetime):
        return minute(value)
    return printable(str(value))


def duration(seconds: float) -> str:
    """A length of time in its two largest units: 3d 4h, 12m 5s."""
    left = round(seconds)
    parts: list[str] = []
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, left = divmod(left, length)
        if count or (parts and len(parts) < 2):
            parts.append(f"{count}{unit}")
        if len(parts) == 2:
            break
    shown = [part for part in parts if not part.startswith("0")]
    return " ".join(shown) or "0s"


def _console(width: int | None) -> tuple[Console, StringIO]:
    buffer = StringIO()
    is_terminal = sys.stdout.isatty()
    console = Console(
        file=buffer,
        width=width or _WIDE,
        force_terminal=is_terminal,
        no_color=None if is_terminal else True,
        highlight=False,
        markup=False,
        emoji=False,
    )
    return console, buffer


def _print(console: Console, table: Table, width: int | None) -> None:
    cells = [[show(value, column.kind) for value, column in zip(row, table.columns, strict=True)] for row in table.rows]
    heads = [printable(column.name) for column in table.columns]
    widths = [max([cell_len(head), *(cell_len(row[number]) for row in cells)]) for number, head in enumerate(heads)]
    is_text = [column.kind == "text" for column in table.columns]
    shown = _fit(widths, is_text, width)
    grid = RichTable(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="bold", show_edge=False)
    for number in range(shown):
        grid.add_column(
            Text(heads[number]),
            justify="left" if is_text[number] else "right",
            no_wrap=True,
            overflow="ellipsis",
            width=widths[number],
        )
    for row in cells:
        grid.add_row(*(Text(cell) for cell in row[:shown]))
    if table.title:
        console.print(Text(printable(table.title), style="italic"))
    console.print(grid)
    hidden = len(heads) - shown
    if hidden:
        console.print(Text(f"({hidden} more column{'s' if hidden > 1 else ''}: a wider terminal or --format json)"))
    if table.more:
        console.print(Text(f"({table.more})"))


def _fit(widths: list[int], is_text: list[bool], width: int | None) -> int:
    """Shorten the widest texts, then leave out columns from the right, until all fits; says how many are left."""
    shown = len(widths)
    if width is None:
        return shown

    def excess() -> int:
        return sum(widths[:shown]) + _GAP * (shown - 1) - width

    while excess() > 0:
        texts = [number for number in range(shown) if is_text[number] and widths[number] > _LEAST_TEXT]
        if texts:
            widest = max(texts, key=lambda number: widths[number])
            second = max((widths[number] for number in texts if number != widest), default=0)
            widths[widest] = max(_LEAST_TEXT, min(second, widths[widest] - 1), widths[widest] - excess())
        elif shown > 1:
            shown -= 1
        else:
            widths[0] = max(1, width)
            break
    return shown
