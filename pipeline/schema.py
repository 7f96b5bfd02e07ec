"""The JSON Schema of every shape, for editors and for other languages."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, TypeAdapter

import models
from models.errors import UsageError, nearest


def json_schema(shape: str | None = None) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of one shape, or of all of them under ``$defs``.

    Raises:
        UsageError: if there is no such shape.
    """
    shapes: dict[str, type[BaseModel]] = {
        name: found
        for name in models.__all__
        if isinstance(found := getattr(models, name), type) and issubclass(found, BaseModel)
    }
    if shape is not None:
        if shape not in shapes:
            raise UsageError(f"there is no shape {shape!r} ({nearest(shape, shapes)})")
        return {"$schema": _DRAFT, **shapes[shape].model_json_schema()}
    _, together = TypeAdapter.json_schemas([(name, "validation", TypeAdapter(found)) for name, found in shapes.items()])
    return {"$schema": _DRAFT, **together}


_DRAFT = "https://json-schema.org/draft/2020-12/schema"
