"""Checks: sums and percentages, as the tenant file takes them. Each raises ValueError: how to write one."""

from pydantic import TypeAdapter, ValidationError

from bot.onboarding.asker import Check
from services.written import Amount, Percent, minor_of

NONE = "none"
_AMOUNT, _PERCENT = TypeAdapter[str](Amount), TypeAdapter[str](Percent)


def amount(currency: str) -> Check:
    def check(answer: str) -> str:
        taken = _as(_AMOUNT, answer.replace(",", ""), "a sum such as 100000")
        minor_of(taken, currency)
        return taken

    return check


def amount_or_none(currency: str) -> Check:
    """More than nothing."""

    def check(answer: str) -> str:
        if answer.casefold() == NONE:
            return NONE
        taken = amount(currency)(answer)
        if not minor_of(taken, currency):
            raise ValueError(f"write a sum such as 100000, or {NONE}")
        return taken

    return check


def percent(answer: str) -> str:
    return _as(_PERCENT, answer.removesuffix("%").strip(), "a number such as 1.5")


def _as(kind: TypeAdapter[str], answer: str, like: str) -> str:
    try:
        return kind.validate_python(answer)
    except ValidationError:
        raise ValueError(f"write {like}") from None
