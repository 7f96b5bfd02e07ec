"""The files of the warehouse: home, control database, landing, generations, and the running of dbt."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from warehouse.reader import Warehouse


def open_home(home: str | Path) -> AbstractContextManager[Warehouse]:
    """Open the published warehouse of a home folder, read-only, for the functions of ``analytics``.

    Raises:
        GdpError: if nothing has been built there.
    """
    from warehouse.home import Home
    from warehouse.reader import open_warehouse

    return open_warehouse(Home(Path(home).absolute()))
