"""What happens when somebody enters or leaves a segment."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue, model_validator

from models.base import Shape


class EmailAction(Shape):
    """Send the e-mail made from a template."""

    template_id: str


class WebhookAction(Shape):
    """Post a payload to a URL."""

    url: str = Field(pattern="^https?://")
    payload: dict[str, JsonValue] = Field(default_factory=dict)


class TagAction(Shape):
    """Put a tag on the person."""

    tag_name: str = Field(min_length=1)


class SyncAction(Shape):
    """Send the person to a destination."""

    destination_id: str


class ActionConfig(Shape):
    """The settings of one action, under the action's own name."""

    email: EmailAction | None = None
    webhook: WebhookAction | None = None
    tag: TagAction | None = None
    sync: SyncAction | None = None


class SegmentAutomation(Shape):
    """One action on one trigger of one segment."""

    automation_id: str
    segment_id: str
    trigger: Literal["enter", "exit"]
    action: Literal["email", "webhook", "tag", "sync"]
    action_config: ActionConfig

    @model_validator(mode="after")
    def _action_is_configured(self) -> SegmentAutomation:
        given = [name for name in ("email", "webhook", "tag", "sync") if getattr(self.action_config, name)]
        if given != [self.action]:
            raise ValueError(f"action_config must hold exactly {self.action!r}, the action; it holds {given}")
        return self
