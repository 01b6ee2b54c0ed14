"""Codes: M-Pesa's result codes and statuses in our words. What is not in a table is pending.

Source: https://developer.safaricom.co.ke/apis/MpesaExpressSimulate, /BusinessToCustomer,
/TransactionStatus and /Reversal (result codes), and bodies seen live where the pages are silent. Descriptions
vary in wording: only codes count.
"""

from collections.abc import Mapping

from services.money import Money
from services.news import Unpaid
from services.providers.base import Failed, Limits, Pending, Succeeded, Word

# https://developer.safaricom.co.ke/faqs
LIMITS: Mapping[str, Limits] = {
    "collect": Limits(Money(1_00, "KES"), Money(250_000_00, "KES"), whole=True),
    "payout": Limits(Money(10_00, "KES"), Money(250_000_00, "KES"), whole=True),
    "till": Limits(Money(10_00, "KES"), whole=True),  # what is too much the result says
}

DONE = "0"
STILL_PROCESSING = "4999"

# SHOP is said of what a setting of ours or the tenant's causes: those are alerted. Of a payout the funds
# are ours too.
PROMPT_FAILURES: Mapping[str, Unpaid] = {
    "1": Unpaid.INSUFFICIENT_FUNDS,
    "2": Unpaid.LIMIT,  # less than the least
    "3": Unpaid.LIMIT,  # more than the most
    "4": Unpaid.LIMIT,  # the customer's day is used up
    "8": Unpaid.SHOP,  # the shop's own account is full
    "17": Unpaid.BUSY,  # the same amount from the same customer within two minutes
    "1001": Unpaid.BUSY,  # another session is open on the phone
    "1019": Unpaid.EXPIRED,
    "1025": Unpaid.UNREACHABLE,  # the prompt could not be sent
    "1032": Unpaid.CANCELLED,
    "1037": Unpaid.UNREACHABLE,  # no proof that it was not paid: a later 0 may follow
    "2001": Unpaid.WRONG_PIN,  # "initiator information is invalid": the initiator is the customer here
    "2028": Unpaid.SHOP,  # the transaction type does not fit the shortcode
    "8006": Unpaid.LOCKED,
    "9999": Unpaid.PROVIDER,
    "E3008": Unpaid.UNREACHABLE,  # the sandbox rings only its own test number
    "SFC_IC0003": Unpaid.SHOP,  # the receiving party is wrong
}

PAYOUT_FAILURES: Mapping[str, Unpaid] = {
    "1": Unpaid.INSUFFICIENT_FUNDS,  # ours: the account that it draws on is short
    "2": Unpaid.LIMIT,
    "3": Unpaid.LIMIT,
    "4": Unpaid.LIMIT,
    "8": Unpaid.RECEIVER,  # the receiver's account would be too full
    "11": Unpaid.RECEIVER,  # a party's account is in a state that takes no money
    "21": Unpaid.SHOP,  # the initiator lacks the role
    "2001": Unpaid.SHOP,  # the initiator or the credential is wrong
    "2006": Unpaid.SHOP,
    "2028": Unpaid.SHOP,
    "2040": Unpaid.RECEIVER,  # not registered
    "8006": Unpaid.SHOP,  # the credential is locked
    "SFC_IC0003": Unpaid.RECEIVER,  # the number is wrong; of every till: b2b_receiver_type is
    "TP40153": Unpaid.SHOP,  # the operator lacks the permission
}

REVERSAL_FAILURES: Mapping[str, Unpaid] = {
    "1": Unpaid.INSUFFICIENT_FUNDS,  # ours: the account that payments come into is short
    "2": Unpaid.LIMIT,
    "3": Unpaid.LIMIT,
    "4": Unpaid.LIMIT,
    "8": Unpaid.RECEIVER,
    "11": Unpaid.RECEIVER,
    "21": Unpaid.SHOP,
    "2001": Unpaid.SHOP,
    "2006": Unpaid.SHOP,
    "2028": Unpaid.SHOP,
    "8006": Unpaid.SHOP,
    "R000002": Unpaid.PROVIDER,  # it knows no payment of this receipt that can be reversed
    "SFC_IC0003": Unpaid.SHOP,  # the receiving party is our own shortcode
    "TP40153": Unpaid.SHOP,
}
_ALREADY_REVERSED = "R000001"  # by whom is not said: the payment itself has to tell

# Of a query too these say that something of ours is wrong, and repeating them locks the credential.
_OURS = {"21", "2001", "2006", "2028", "8006", "TP40153"}
_NOT_PAID = {"cancelled", "canceled", "declined", "expired", "failed", "rejected"}
_OPEN = {"initiated", "authorized", "authorised", "pending"}


def prompt_word(code: str, detail: str, paid: Word) -> Word:
    """The word on a prompt: `paid` for the one code that says so."""
    if code == DONE:
        return paid
    if code == STILL_PROCESSING:
        return Pending(_said(code, detail))
    return _failed(PROMPT_FAILURES, code, detail)


def payout_word(code: str, detail: str, paid: Word) -> Word:
    """The word on a payout, to a phone or to a till: `paid` for the one code that says so."""
    ours = frozenset({Unpaid.SHOP, Unpaid.INSUFFICIENT_FUNDS})
    return paid if code == DONE else _failed(PAYOUT_FAILURES, code, detail, ours)


def reversal_word(code: str, detail: str, done: Word) -> Word:
    """The word on a reversal: `done` for the one code that says so."""
    if code == DONE:
        return done
    if code == _ALREADY_REVERSED:
        return Pending(_said(code, detail))
    ours = frozenset({Unpaid.SHOP, Unpaid.INSUFFICIENT_FUNDS})
    return _failed(REVERSAL_FAILURES, code, detail, ours)


def reversed_word(status: str) -> Word:
    """Whether a payment was given back, by the TransactionStatus of a query about it. One that stands may be
    given back yet."""
    said = status.strip().lower()
    if said == "reversed":
        return Succeeded()
    return Pending(f"the payment is {said[:20]}", unheard=said not in {"completed", *_OPEN})


def status_word(status: str, paid: Word) -> Word:
    """The word on a payout by the TransactionStatus of a query."""
    match status.strip().lower():
        case "completed":
            return paid
        case "reversed":
            back = paid.amount if isinstance(paid, Succeeded) else None
            return Failed(Unpaid.PROVIDER, "status reversed", returned=back)
        case said if said in _NOT_PAID:
            return Failed(Unpaid.PROVIDER, f"status {said}")
        case said if said in _OPEN:
            return Pending(f"status {said}")
        case _:
            return Pending("a status that is not known", unheard=True)


def query_failure(code: str, detail: str) -> Pending:
    """A query that failed says nothing of the payout; but its cause may be ours."""
    return Pending(f"query: {_said(code, detail)}", ours=code in _OURS)


def _failed(
    table: Mapping[str, Unpaid], code: str, detail: str, ours: frozenset[Unpaid] = frozenset({Unpaid.SHOP})
) -> Word:
    because = table.get(code)
    if because is None:
        return Pending(_said(code, detail), unheard=True)
    return Failed(because, _said(code, detail), ours=because in ours)


def _said(code: str, detail: str) -> str:
    return f"{code[:20]} {detail}".strip()
