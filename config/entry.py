"""What every entry of the rule files has in common."""

from pydantic import BaseModel, ConfigDict


class Entry(BaseModel):
    """A mapping with a fixed set of keys."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, validate_by_name=False, validate_by_alias=True
    )
