"""What all shapes share: camelCase as the product requirements write it, snake_case as Python does."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


def _to_utc(moment: datetime) -> datetime:
    return moment.astimezone(timezone.utc)


#: A point in time with a zone, kept in UTC.
Moment = Annotated[AwareDatetime, AfterValidator(_to_utc)]


class Shape(BaseModel):
    """A frozen record; fields answer to snake_case and to camelCase, unknown ones are an error."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        extra="forbid",
        frozen=True,
    )

    def to_json(self) -> dict[str, Any]:
        """The documented JSON shape; see docs/json.md."""
        return self.model_dump(mode="json", by_alias=True)
