"""The home: made where it is asked for, refused where it could not be safe."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import GdpError
from warehouse.home import Home, file_system, refuse_network_folder


def test_the_folders_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    """What is in there is personal."""
    home = Home(tmp_path / "a" / "home").ensure()
    assert home.root.stat().st_mode & 0o777 == 0o700
    assert home.landing.stat().st_mode & 0o777 == 0o700
    assert Home(home.root).ensure() == home


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    """Not a traceback of mkdir."""
    (tmp_path / "home").write_text("")
    with pytest.raises(GdpError, match=r"needs a folder at .*home, but a file is there|cannot be written"):
        Home(tmp_path / "home").ensure()


def test_a_folder_that_cannot_be_made_is_named() -> None:
    """/proc takes no folders, whoever asks."""
    with pytest.raises(GdpError, match="cannot be written"):
        Home(Path("/proc/nowhere/home")).ensure()


@pytest.mark.parametrize(
    ("folder", "kind"),
    [("data/home", "ext4"), ("net/x", "nfs4"), ("with space/x", "tmpfs"), ("network", "ext4")],
)
def test_the_kind_of_file_system_is_that_of_the_nearest_mount(tmp_path: Path, folder: str, kind: str) -> None:
    """Also for a folder that does not exist yet."""
    mounts = tmp_path / "mounts"
    mounts.write_text(f"a / ext4 rw 0 0\nb {tmp_path}/net nfs4 rw 0 0\nc {tmp_path}/with\\040space tmpfs rw 0 0\n")
    assert file_system(tmp_path / folder, mounts) == kind


def test_a_network_file_system_is_refused(tmp_path: Path) -> None:
    """SQLite's log and our locks need a local disk."""
    mounts = tmp_path / "mounts"
    mounts.write_text(f"server:/x {tmp_path} nfs4 rw 0 0\n")
    with pytest.raises(GdpError, match=r"network file system \(nfs4\)"):
        refuse_network_folder(tmp_path / "home", mounts)
