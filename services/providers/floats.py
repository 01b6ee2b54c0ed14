"""Floats: what an account at the provider holds that payouts leave from."""

from typing import Protocol, runtime_checkable

from services.providers.abilities import Reads
from services.providers.base import Answer


@runtime_checkable
class TellsFloat(Reads, Protocol):
    """Says what there is to pay out from."""

    async def ask_float(self, method_type: str, callback_url: str, timeout_url: str) -> Answer:
        """What the account holds that payouts by this way leave from; told by callback (`about` is "float"),
        or by `Accepted.told`. Nothing moves by it."""
        ...
