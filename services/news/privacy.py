"""Privacy news: what customers wish for what is held of them."""

from typing import Literal

from services.news.base import BaseNews


class ErasureWanted(BaseNews):
    """To those who reconcile: a customer wants what is held of them erased, which the operator does."""

    kind: Literal["erasure_wanted"] = "erasure_wanted"
    customer: str
