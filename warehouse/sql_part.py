"""A segment as a file of SQL: a query under comments that say how it is called."""

from __future__ import annotations

import re
from pathlib import Path

from models.errors import UsageError
from models.problems import Place
from warehouse.yaml_file import parse_yaml, read_text
from warehouse.yaml_part import YamlPart

_SAID = re.compile(r"--\s*(name|description|order|segment_?id|createdAt|created_at|updatedAt|updated_at):\s*(.*)", re.I)
_COMMENT = re.compile(r"\s*(--.*)?")


class SqlPart(YamlPart):
    """The file as a whole; its query says itself on which line a mistake stands."""

    def at(self, place: Place) -> str:  # noqa: ARG002 (a query has no places)
        """The file."""
        return str(self.path)

    def at_text(self, text: str) -> str:  # noqa: ARG002
        """The file."""
        return str(self.path)


def read_sql_part(path: Path) -> SqlPart:
    """The definition that a file of SQL is; without a name it is called like the file.

    Raises:
        UsageError: if it cannot be read, or says something about itself twice or in a wrong way.
    """
    text = read_text(path)
    said: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not _COMMENT.fullmatch(line):
            break
        if found := _SAID.fullmatch(line.strip()):
            key, value = found[1], found[2].strip()
            if key in said:
                raise UsageError(f"{path} line {number}: {key!r} stands here twice")
            said[key] = value
    data = {"name": path.stem, **said, "sql": text}
    if "order" in said:
        data["order"] = parse_yaml(said["order"], str(path))
    return SqlPart(path, text, data)
