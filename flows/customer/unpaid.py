"""Unpaid: why a payment did not go through, in human words, with the next step."""

from flows.refusals import provider_name
from flows.text import Text
from services.news import Unpaid

_PROVIDER = Text("{provider} is not working at the moment. Nothing was taken. Try again in a few minutes.")
BECAUSE = {
    Unpaid.CANCELLED: Text("it was cancelled on the phone. Try again when you are ready."),
    Unpaid.UNREACHABLE: Text(
        "the phone could not be reached or nobody answered. "
        "Check that it is on and has network, then try again."
    ),
    Unpaid.EXPIRED: Text(
        "the request expired before the PIN was entered. Try again and keep the phone near you."
    ),
    Unpaid.INSUFFICIENT_FUNDS: Text(
        "there is not enough money in this M-Pesa account. Top up and try again, or use another number."
    ),
    Unpaid.WRONG_PIN: Text("the M-Pesa PIN was wrong. Try again with the right one."),
    Unpaid.LIMIT: Text(
        "it is over this number's M-Pesa limit. Use another number, or dial *334# to see the limits."
    ),
    Unpaid.BUSY: Text("another M-Pesa request is open on the phone. Finish it, wait a minute and try again."),
    Unpaid.LOCKED: Text("this M-Pesa account is locked. Call Safaricom on 100, or use another number."),
    Unpaid.DECLINED: Text(
        "the bank declined the card. Nothing was taken. "
        "Use another card or another way to pay, or ask the bank."
    ),
    Unpaid.CARD: Text(
        "this card cannot be charged any more: it has expired or was removed. "
        "Use another card or another way to pay."
    ),
    Unpaid.PROVIDER: _PROVIDER,
    Unpaid.RECEIVER: _PROVIDER,  # is a payout's: whoever pays can do nothing about it
    Unpaid.PAGE: Text("the page was not paid in time. Try again, or choose another way to pay."),
    Unpaid.NOT_ASKED: Text("{provider} could not be reached in time. Nothing was taken. Please try again."),
    Unpaid.SHOP: Text(
        "{shop} cannot take {provider} just now and has been told. Nothing was taken. Please try again later."
    ),
}


def because(word: Unpaid, provider: str) -> Text:
    """Why, and what to do now."""
    return BECAUSE[word].told(provider=provider_name(provider))
