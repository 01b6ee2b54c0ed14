"""Bodies: JSON objects read exactly, without a float between the caller's digits and the amount."""

import hashlib
import json
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from bot.api.problems import Problem
from services.errors import InvalidAmount
from services.money import Money, NotAnAmount
from services.readable import one_line

_DEEPEST = 16
ALTERNATIVE = "~"  # how the tag of a discriminated union begins
_AMOUNT = "invalid_amount"
_NO_JSON = (ValueError, ArithmeticError, RecursionError)


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Nothing(Body):
    """An empty object, or no body at all."""


class Approval(Body):
    """`digest`: of what the caller was shown; where it is sent, nothing else is approved."""

    totp: str | None = None
    digest: str | None = None

    def of(self, now: str) -> str:
        """The digest that is approved; `now`: of what stands there, which is meant where none was sent."""
        return now if self.digest is None else self.digest


# What people tell each other freely: other people read it among lines of ours.
Told = Annotated[str, AfterValidator(one_line)]


class Rejection(Body):
    """The maker reads the reason."""

    reason: Told = Field(max_length=500)


class Cancellation(Body):
    reason: Told | None = Field(default=None, max_length=500)


def _written(value: Any) -> str:
    """A decimal string, or a JSON number as a string; what is neither is no amount."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise PydanticCustomError(_AMOUNT, "not a plain number")
    return str(value)


Amount = Annotated[
    str,
    BeforeValidator(_written),
    WithJsonSchema(
        {
            "description": "A decimal string or a number, with no more places than the currency has.",
            "anyOf": [
                {"type": "string", "pattern": r"^[0-9]{1,12}(\.[0-9]+)?$"},
                {"type": "number", "exclusiveMinimum": 0},
            ],
            "examples": ["1000.00"],
        }
    ),
]


def _legible(text: str) -> str:
    """On one line, since it becomes a part of one."""
    bare = text.strip()
    if not bare.isprintable():
        raise ValueError("holds a line break or a sign that does not show")
    return bare


Legible = Annotated[str, AfterValidator(_legible)]


def money(text: str, currency: str) -> Money:
    """Raises InvalidAmount."""
    try:
        return Money.parse(text, currency)
    except NotAnAmount:
        raise InvalidAmount(text[:40]) from None


def parsed(raw: bytes, model: type[BaseModel]) -> BaseModel:
    """No body at all is an empty object. Raises Problem."""
    try:
        value = _decoded(raw)
    except _NO_JSON:
        raise _malformed("The body is not JSON.") from None
    if not isinstance(value, dict):
        raise _malformed("The body is not a JSON object.")
    if not _storable(value):
        raise _malformed("The body is nested too deep, or holds half a character or a NUL.")
    try:
        return model.model_validate(value)
    except ValidationError as wrong:
        raise _problem(wrong) from None


def digest(raw: bytes) -> bytes:
    """Of what a body says, in whatever order and with whatever spaces; of its bytes where it is no JSON."""
    try:
        said = b"json\0" + repr(_in_order(_decoded(raw))).encode()
    except _NO_JSON:
        said = raw
    return hashlib.sha256(said).digest()


def _problem(wrong: ValidationError) -> Problem:
    """The first of the kinds that the contract puts first: malformed, unknown field, amount."""
    found = {each["type"]: each for each in reversed(wrong.errors(include_url=False, include_input=False))}
    unknown, amount = found.pop("extra_forbidden", None), found.pop(_AMOUNT, None)
    if found:
        error = next(reversed(found.values()))
        return _malformed(f"{_place(error)}: {_said(error)}.", field=_place(error))
    if unknown is not None:
        detail = f"There is no field {_place(unknown)}."
        return Problem(400, "unknown_field", "Unknown field", detail=detail, field=_place(unknown))
    place = _place(amount)
    detail = f"{place} is not a plain number."
    return Problem(400, _AMOUNT, "This is not an amount", detail=detail, field=place)


def _place(error: Any) -> str:
    """Without the names of alternatives that pydantic puts between."""
    return ".".join(str(part) for part in error["loc"] if not str(part).startswith(ALTERNATIVE))


def _said(error: Any) -> str:
    return str(error["msg"]).removeprefix("Value error, ")


def _malformed(detail: str, **facts: Any) -> Problem:
    return Problem(400, "malformed_body", "Malformed body", detail=detail, **facts)


def _decoded(raw: bytes) -> Any:
    """Raises _NO_JSON."""
    return _DECODER.decode(raw.decode("utf-8-sig")) if raw else {}


def _in_order(value: Any) -> Any:
    match value:
        case dict():
            return {key: _in_order(value[key]) for key in sorted(value)}
        case list():
            return [_in_order(each) for each in value]
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A key twice says two things: refused, not guessed."""
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a key twice")
    return value


def _storable(value: Any, depth: int = _DEEPEST) -> bool:
    """No text that no database takes, and no deeper than any real one."""
    match value:
        case str():
            return "\0" not in value and not any("\ud800" <= sign <= "\udfff" for sign in value)
        case dict():
            inside = [*value, *value.values()]
        case list():
            inside = value
        case _:
            return True
    return depth > 0 and all(_storable(each, depth - 1) for each in inside)


def _no_constant(word: str) -> None:
    raise ValueError(word)


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_once)
