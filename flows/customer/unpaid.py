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
    Unpaid.EXPIRED: Text(  # or nobody has said what became of it
        "no payment was confirmed in time. If the money has left your account, you need not pay again: it "
        "counts as soon as {provider} tells me of it. Otherwise try again and keep the phone near you."
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
    Unpaid.RESTING: Text(
        "{provider} is slow at the moment, so I have not asked it. Nothing was taken. "
        "Pay in another way, or try again in a few minutes."
    ),
    Unpaid.PAGE: Text("the page was not paid in time. Try again, or choose another way to pay."),
    Unpaid.NOT_ASKED: Text("{provider} could not be reached in time. Nothing was taken. Please try again."),
    Unpaid.SHOP: Text(
        "{shop} cannot take {provider} just now and has been told. Nothing was taken. Please try again later."
    ),
}
# The same where nothing was asked of a phone: by a card, or by what was chosen on a provider's page.
_NOT_BY_PHONE = {
    Unpaid.CANCELLED: Text("it was cancelled. Try again when you are ready."),
    Unpaid.EXPIRED: Text(
        "no payment was confirmed in time. If the money has left your account, you need not pay again: it "
        "counts as soon as {provider} tells me of it. Otherwise try again, or choose another way to pay."
    ),
    Unpaid.INSUFFICIENT_FUNDS: Text(
        "there is not enough money on the card or in the account. Use another one, or another way to pay."
    ),
    Unpaid.WRONG_PIN: Text("the PIN was wrong. Try again with the right one, or choose another way to pay."),
    Unpaid.LIMIT: Text(
        "it is over a limit of the card or account. Use another one, or ask the bank for its limits."
    ),
}


def because(word: Unpaid, provider: str, *, phone: bool) -> Text:
    """Why, and what to do now. `phone`: it was asked, in the name of whichever provider."""
    worded = BECAUSE[word] if phone else _NOT_BY_PHONE.get(word, BECAUSE[word])
    return worded.told(provider=provider_name(provider))
