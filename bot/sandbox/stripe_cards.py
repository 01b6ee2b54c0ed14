"""Cards: Stripe's test numbers, and what a bank says to each.

Source: https://docs.stripe.com/testing.
"""

from dataclasses import dataclass

from bot.sandbox.world import Json

DECLINES = {
    "generic_decline": ("card_declined", "Your card was declined."),
    "insufficient_funds": ("card_declined", "Your card has insufficient funds."),
    "expired_card": ("expired_card", "Your card has expired."),
    "processing_error": (
        "processing_error",
        "An error occurred while processing your card. Try again later.",
    ),
    "authentication_required": (
        "authentication_required",
        "Your card was declined. This transaction requires authentication.",
    ),
}


@dataclass(frozen=True, slots=True)
class Card:
    """`declines`: always; `later`: once it is saved, though not on the page; `asks`: the bank wants its
    customer to prove who they are, "always", or "once" as it is set up."""

    brand: str
    what: str
    declines: str | None = None
    later: str | None = None
    asks: str | None = None


CARDS = {
    "4242424242424242": Card("visa", "is paid"),
    "5555555555554444": Card("mastercard", "is paid"),
    "4000000000000002": Card("visa", "is declined", declines="generic_decline"),
    "4000000000009995": Card("visa", "has too little money", declines="insufficient_funds"),
    "4000000000000069": Card("visa", "has expired", declines="expired_card"),
    "4000000000000119": Card("visa", "cannot be processed", declines="processing_error"),
    "4000000000000341": Card("visa", "is paid, and declined once it is saved", later="generic_decline"),
    "4000002760003184": Card("visa", "asks who pays, each time", asks="always"),
    "4000002500003155": Card("visa", "asks who pays, the first time", asks="once"),
}
TOKENS = {
    "pm_card_visa": "4242424242424242",
    "pm_card_mastercard": "5555555555554444",
    "pm_card_chargeDeclined": "4000000000000002",
    "pm_card_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_chargeDeclinedExpiredCard": "4000000000000069",
    "pm_card_chargeCustomerFail": "4000000000000341",
    "pm_card_authenticationRequired": "4000002760003184",
    "pm_card_authenticationRequiredOnSetup": "4000002500003155",
}


def declined(why: str) -> Json:
    code, message = DECLINES[why]
    return {"type": "card_error", "code": code, "decline_code": why, "message": message}
