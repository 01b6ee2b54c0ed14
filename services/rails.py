"""Rails: what the ways of collecting take, known without asking anybody."""

from collections.abc import Mapping

from services.money import Money
from services.providers import daraja_codes
from services.providers.base import Limits

COLLECTED: Mapping[str, Limits] = {"mpesa": daraja_codes.LIMITS["collect"]}


def refuse_uncollectable(provider: str, amount: Money) -> None:
    """Raises NotWholeShillings, BelowMinimum or OverLimit where the provider cannot take the amount."""
    limits = COLLECTED.get(provider)
    if limits is not None:
        limits.refuse_beyond(amount)
