"""The one folder that holds everything the warehouse keeps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from models.errors import GdpError
from warehouse.files import fsync_dir


@dataclass(frozen=True)
class Home:
    """Where each thing lives under the home folder; nothing outside of it is ever written."""

    root: Path

    @property
    def control(self) -> Path:
        """The SQLite database of what processes share: manifest, quarantine ledger, build log."""
        return self.root / "control.sqlite"

    @property
    def landing(self) -> Path:
        """Landed rows as Parquet, append-only; the manifest in the control database says which files count."""
        return self.root / "landing"

    @property
    def quarantine(self) -> Path:
        """Rows that could not land, with the reason."""
        return self.root / "quarantine"

    @property
    def orphaned(self) -> Path:
        """Files that the manifest does not know: of a killed ingest, a forgotten landing, a lost manifest."""
        return self.root / "orphaned"

    @property
    def staging(self) -> Path:
        """Files being written; on the file system of the landing, so that a rename publishes them."""
        return self.root / "staging"

    @property
    def build(self) -> Path:
        """The working copy of the warehouse and what dbt needs beside it."""
        return self.root / "build"

    @property
    def warehouse_dir(self) -> Path:
        """The published generations, each an immutable DuckDB file."""
        return self.root / "warehouse"

    @property
    def current(self) -> Path:
        """The link to the generation that readers open; the only pointer there is."""
        return self.root / "warehouse.duckdb"

    @property
    def exports(self) -> Path:
        """Tables written out for other tools."""
        return self.root / "exports"

    @property
    def locks(self) -> Path:
        """Lock files of our own, because a database's own lock is lost when its file is merely opened and closed."""
        return self.root / "locks"

    @property
    def exists(self) -> bool:
        """Whether somebody has made it: a folder of another kind is not a home."""
        return self.landing.is_dir() and self.locks.is_dir()

    def ensure(self) -> Home:
        """Create the folders, readable by their owner only.

        Raises:
            GdpError: if the folder cannot be made or written.
        """
        folders = (
            self.root,
            self.landing,
            self.quarantine,
            self.staging,
            self.build,
            self.warehouse_dir,
            self.locks,
        )
        refuse_network_folder(self.root)
        for folder in folders:
            try:
                if not folder.is_dir():
                    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                    fsync_dir(folder.parent)
            except FileExistsError:
                raise GdpError(f"the home needs a folder at {folder}, but a file is there") from None
            except OSError as error:
                raise GdpError(f"the home {self.root} cannot be written: {error.strerror}") from error
        return self


#: Their locks and flushes are not what SQLite's log and our lock files need.
_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "fuse.sshfs", "fuse.s3fs"})
_MOUNTS = Path("/proc/self/mounts")


def refuse_network_folder(folder: Path, mounts: Path = _MOUNTS) -> None:
    """Refuse a home on a network file system.

    Raises:
        GdpError: naming the kind of file system.
    """
    kind = file_system(folder, mounts)
    if kind in _NETWORK:
        raise GdpError(f"the home {folder} is on a network file system ({kind}); put it on a local disk")


def file_system(folder: Path, mounts: Path = _MOUNTS) -> str | None:
    """The kind of file system a folder is on or will be on (``ext4``, ``tmpfs``), or None where it is not known."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    points = {Path(line.split()[1].replace("\\040", " ")): line.split()[2] for line in lines}
    real = folder.resolve()
    return next((points[point] for point in (real, *real.parents) if point in points), None)
