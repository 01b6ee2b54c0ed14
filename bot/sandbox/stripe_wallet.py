"""Wallet: customers of the emulated Stripe, and their cards.

Source: https://docs.stripe.com/api/customers and /api/payment_methods. A card that is saved twice is two
methods with one fingerprint.
"""

import hashlib
from dataclasses import dataclass, field

from bot.sandbox.world import Json


@dataclass(slots=True)
class Customer:
    id: str
    created: int
    email: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)

    def told(self) -> Json:
        return {
            "id": self.id,
            "object": "customer",
            "balance": 0,
            "created": self.created,
            "delinquent": False,
            "description": None,
            "email": self.email,
            "livemode": False,
            "metadata": self.metadata,
            "name": None,
            "phone": None,
        }


@dataclass(slots=True)
class Method:
    """A card. `known` is its number, which Stripe tells nobody."""

    id: str
    created: int
    number: str
    brand: str
    customer: str | None = None
    set_up: bool = False

    def told(self) -> Json:
        return {
            "id": self.id,
            "object": "payment_method",
            "allow_redisplay": "limited" if self.set_up else "unspecified",
            "billing_details": {"address": None, "email": None, "name": None, "phone": None},
            "card": {
                "brand": self.brand,
                "checks": {"cvc_check": "pass"},
                "country": "US",
                "display_brand": self.brand,
                "exp_month": 12,
                "exp_year": 2034,
                "fingerprint": hashlib.sha256(self.number.encode()).hexdigest()[:16],
                "funding": "credit",
                "last4": self.number[-4:],
                "wallet": None,
            },
            "created": self.created,
            "customer": self.customer,
            "livemode": False,
            "metadata": {},
            "type": "card",
        }
