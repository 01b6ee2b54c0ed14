"""Purposes: why a person is written to. It decides what may be sent where they have said stop, and what
becomes of it where WhatsApp's window is closed (`bot/sending/passing.py`)."""

from enum import StrEnum


class Purpose(StrEnum):
    """Beside answers, the keys of `[whatsapp] templates` in the tenant file."""

    ANSWER = "answer"  # to what they have just said
    WITHDRAWAL_REQUEST = "withdrawal_request"  # an approver decides
    WITHDRAWAL_OUTCOME = "withdrawal_outcome"  # what became of a withdrawal of theirs
    RECEIPT = "payment_receipt"
    PAYMENT = "payment_update"  # what became of a payment, other than that it arrived
    PAYMENT_REQUEST = "payment_request"  # the shop asks them to pay
    ORDER = "order_update"
    ACCOUNT = "account_notice"  # their own access and methods
    STAFF = "staff_notice"  # what those who run the shop must know
    SUMMARY = "summary"  # what the staff may like to know: sales, the day
    REMINDER = "reminder"  # of what they have not paid


# Nobody has asked for these, and no money of theirs moves by them.
NOT_AFTER_STOP = frozenset({Purpose.PAYMENT_REQUEST, Purpose.SUMMARY, Purpose.REMINDER})
# Worth nothing once the person has written: dropped rather than held.
NOT_LATER = frozenset({Purpose.REMINDER})
