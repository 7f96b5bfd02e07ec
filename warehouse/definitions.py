"""The definitions folder: files under the user's own version control that say what things mean."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel

from models.catalog import EventCatalog
from models.errors import UsageError
from models.fx import FxRates
from models.identity import IdentityRules
from models.revenue import RevenuePolicies
from models.segment import SegmentDefinition
from warehouse.fx_file import read_fx
from warehouse.segment_files import read_segments
from warehouse.yaml_file import Model, keys_of, validate
from warehouse.yaml_part import read_part

CATALOG_FILE = "events.yml"
IDENTITY_FILE = "identity.yml"
REVENUE_FILE = "revenue_policy.yml"
FX_FILE = "fx.csv"
SEGMENT_FOLDER = "segments"


@dataclass(frozen=True)
class Definitions:
    """All definitions of a project, checked, segments in the order of their files' names."""

    catalog: EventCatalog
    identity: IdentityRules
    segments: tuple[SegmentDefinition, ...]
    revenue: RevenuePolicies = field(default_factory=RevenuePolicies)
    fx: FxRates = field(default_factory=FxRates)


def content_hash(model: BaseModel, *more: str) -> str:
    """A hash of what a definition says (and of further texts), whatever its file looks like: 16 hexadecimal digits."""
    return hashlib.sha256("\0".join((model.model_dump_json(), *more)).encode()).hexdigest()[:16]


def load_definitions(folder: Path) -> Definitions:
    """Read and check every definition in the folder; a file that is missing means its default.

    Raises:
        UsageError: with the file, the line or key, and what would be accepted.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder of definitions (gdp init makes one)")
    for name in (CATALOG_FILE, IDENTITY_FILE, REVENUE_FILE):
        if (other := (folder / name).with_suffix(".yaml")).exists():
            raise UsageError(f"{other}: not read: the file is called {name}")
    segments = read_segments(folder / SEGMENT_FOLDER)
    for problem in segments.problems:
        raise problem.error
    revenue, fx = _load(RevenuePolicies, folder / REVENUE_FILE), folder / FX_FILE
    return Definitions(
        catalog=_load(EventCatalog, folder / CATALOG_FILE),
        identity=_load(IdentityRules, folder / IDENTITY_FILE),
        segments=segments.definitions,
        revenue=revenue,
        fx=read_fx(fx, reporting_currency=revenue.reporting_currency) if fx.exists() else FxRates(),
    )


def load_identity_rules(path: Path) -> IdentityRules:
    """Read and check identity rules that are not (yet) those of the definitions.

    Raises:
        UsageError: as ``load_definitions``; also if there is no such file.
    """
    return _read(IdentityRules, path)


def _load(model: type[Model], path: Path) -> Model:
    return _read(model, path) if path.exists() else validate(model, {}, str(path))


def _read(model: type[Model], path: Path) -> Model:
    part = read_part(path)
    return validate(model, keys_of(part.data), part.at)
