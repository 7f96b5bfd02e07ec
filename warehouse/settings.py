"""Settings: defaults, then gdp.toml, then the environment (GDP_…), then the command line."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from models.errors import UsageError, nearest
from models.problems import first_problem

PROJECT_FILE = "gdp.toml"


class Settings(BaseSettings):
    """What may differ between installations; relative paths start at the project's folder."""

    model_config = SettingsConfigDict(env_prefix="GDP_", env_ignore_empty=True, extra="forbid", frozen=True)

    home: Path = Field(default=Path("data/home"), description="The folder that holds everything we keep.")
    definitions: Path = Field(default=Path("definitions"), description="The folder of the definitions.")
    threads: int = Field(default=0, ge=0, le=1024, description="Threads of the database; 0: all cores.")
    memory_limit: str = Field(default="4GB", description="Memory of the database.")
    keep_generations: int = Field(default=3, ge=1, le=1000, description="How many published generations are kept.")
    tz: str = Field(default="UTC", description="The zone in which reports count days, weeks and months.")
    stripe_api_base: str = Field(default="https://api.stripe.com", description="The address of Stripe's API.")

    @field_validator("home", "definitions")
    @classmethod
    def _is_a_folder_of_its_own(cls, path: Path) -> Path:
        if path == Path() or "\x00" in str(path):
            raise ValueError("name a folder of its own, not the project's")
        return path

    @field_validator("memory_limit")
    @classmethod
    def _is_a_size(cls, size: str) -> str:
        if not re.fullmatch(r"[1-9][0-9]{0,5}(MB|GB|MiB|GiB)", size):
            raise ValueError("give a size such as 500MB or 4GB")
        return size

    @field_validator("tz")
    @classmethod
    def _zone_exists(cls, name: str) -> str:
        return zone(name).key

    @field_validator("stripe_api_base")
    @classmethod
    def _keeps_a_key_secret(cls, address: str) -> str:
        parts = urlsplit(address)
        host = parts.hostname or ""
        is_here = host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)
        is_bare = not (parts.username or parts.query or parts.fragment or parts.path.strip("/"))
        if not host or not is_bare or parts.scheme not in (("http", "https") if is_here else ("https",)):
            raise ValueError("give an address such as https://api.stripe.com; http only for this machine itself")
        return address.rstrip("/")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (the signature is pydantic's)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags win over the environment, the environment over the project's file."""
        toml = settings_cls.model_config.get("toml_file")
        files = (TomlConfigSettingsSource(settings_cls, toml),) if isinstance(toml, Path) else ()
        return (init_settings, env_settings, *files)

    @property
    def thread_count(self) -> int:
        """How many threads the database may use."""
        return self.threads or os.cpu_count() or 1


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def zone(name: str) -> ZoneInfo:
    """The IANA time zone of that name.

    Raises:
        ValueError: if there is none; the message has the nearest names.
    """
    if name not in available_timezones():
        raise ValueError(f"{name!r} is not an IANA time zone ({nearest(name, available_timezones())})")
    return ZoneInfo(name)


def load_settings(project_file: Path | None, flags: dict[str, Any]) -> Settings:
    """Read the settings once.

    Raises:
        UsageError: if a value is not acceptable; the message names its key and where it stands.
    """
    where = str(project_file) if project_file else "the settings"
    if project_file:
        _check_project_file(project_file)

    class FromFile(Settings):
        model_config = SettingsConfigDict(toml_file=project_file)

    try:
        return FromFile(**flags)
    except ValidationError as error:
        key = str(error.errors()[0]["loc"][0]) if error.errors()[0]["loc"] else ""
        variable = f"GDP_{key.upper()}"
        place = "the command line" if key in flags else f"${variable}" if variable in os.environ else where
        raise UsageError(f"{place}: {first_problem(error, Settings)}") from None


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """A line for each variable that begins like one of ours and is none."""
    known = {"GDP_PROJECT", *(f"GDP_{name.upper()}" for name in Settings.model_fields)}
    return [
        f"${name} is no setting and is not read ({nearest(name, known, most=1)})"
        for name in sorted(environment)
        if name.startswith("GDP_") and name not in known
    ]


def _check_project_file(path: Path) -> None:
    try:
        given = tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 at byte {error.start}") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: not TOML: {error}") from None
    for key, value in given.items():
        if key not in Settings.model_fields:
            raise UsageError(f"{path}: unknown key {key!r} ({nearest(key, Settings.model_fields)})")
        kind, words = (
            (int, "a whole number") if Settings.model_fields[key].annotation is int else (str, "a text in quotes")
        )
        if type(value) is not kind:
            raise UsageError(f"{path}: {key}: give {words} (given: {value!r})")
