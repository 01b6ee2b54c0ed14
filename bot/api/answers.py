"""Answers: what calls answer, as models. The door writes them, and the OpenAPI document describes them."""

from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, PlainSerializer, WithJsonSchema
from pydantic_core import CoreSchema, core_schema


class Answer(BaseModel):
    """A field that was not set is left out; one that is None is null. They are written in this order."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, validate_by_name=True, validate_by_alias=True
    )

    def written(self) -> bytes:
        """As compact JSON in UTF-8."""
        return self.model_dump_json(by_alias=True, exclude_unset=True).encode()


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


# Of a field that may be left out, which then is never set.
NOT_SET: Any = Field(default=None, json_schema_extra=_without_default)


class OneOf:
    """A text that is one of these, though its type here says no more than that it is a text."""

    def __init__(self, *values: str) -> None:
        self.values = [str(value) for value in values]

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.literal_schema(self.values)


def in_utc(moment: datetime) -> str:
    """RFC 3339."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


Time = Annotated[
    datetime,
    PlainSerializer(in_utc, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-25T09:00:00Z"]}),
]
_SUM = r"^-?[0-9]+(\.[0-9]+)?$"
# An amount, as a decimal with the currency's places.
Sum = Annotated[
    str,
    Field(pattern=_SUM),
    WithJsonSchema({"type": "string", "format": "decimal", "pattern": _SUM, "examples": ["967.00"]}),
]

T = TypeVar("T")


class Page(Answer, Generic[T]):
    """A part of a list. `count`: of all that there are; `next_cursor`: null on the last page."""

    count: int
    results: list[T]
    next_cursor: str | None
