"""Points: named places on the ways of money, at which a test has the process killed.

`point` does nothing: it compares a name with one that is not there. Only `arm` changes that, which the
processes call once, as they start, with what LIPACHAT_CRASH_AT says; and `bot/settings.py` refuses that
variable unless every address outside is one of this machine, so that no process which reaches WhatsApp or a
provider can be armed. Armed, the process is killed at the nth passing: nothing is closed, flushed or told,
as when its machine loses its power.
"""

import os
import signal
from dataclasses import dataclass

POINTS = {
    "intake.stored": "what WhatsApp told is committed, and not yet answered with 200",
    "turn.counted": "an event is counted as tried (on SQLite not yet committed), and not yet played",
    "turn.written": "a turn is written, and not yet committed",
    "turn.committed": "a turn is committed, and what it says is not yet on its way",
    "outbox.sending": "a message is about to be sent",
    "outbox.accepted": "WhatsApp has taken a message, and that is not yet written down",
    "outbox.marked": "what became of a message is written down",
    "notice.told": "news for people are written, in the transaction of their fact",
    "webhook.told": "events for a tenant's own systems are written, in the transaction of their fact",
    "webhook.claimed": "it is committed that events are being posted to a tenant's system, and none has left",
    "webhook.answered": "a tenant's system has answered, and that is not yet written down",
    "webhook.kept": "what it answered is written down",
    "jobs.claimed": "what is due is claimed, and not yet begun",
    "attempt.created": "an attempt at a payment is written, and not yet committed",
    "collect.begun": "it is committed that a prompt is being sent, and nothing of it has left",
    "unread/mpesa/stkpush/v1/processrequest": "M-Pesa has taken a prompt, and its reply is not yet read",
    "collect.answered": "the reply to a prompt is read, and not yet committed",
    "collect.kept": "the reply to a prompt is written, and not yet committed",
    "unread/paystack/transaction/initialize": "Paystack has opened a page, and its reply is not yet read",
    "unread/pesapal/api/Transactions/SubmitOrderRequest": "Pesapal has, and its reply is not yet read",
    "unread/stripe/v1/checkout/sessions": "Stripe has, and its reply is not yet read",
    "page.opened": "a page's address is written, and its customer is not told it, in one transaction",
    "page.returned": "the provider of who is back from a page is to be asked, and that is not yet committed",
    "page.closing": "a page is to be closed, and nothing of that has left",
    "page.close_answered": "its provider has closed it, and that is not yet written down",
    "page.closed": "that is written, and its provider to be asked for the last time, and not yet committed",
    "unread/paystack/transaction/charge_authorization": "Paystack has charged a saved card, and its reply is "
    "not yet read",
    "unread/stripe/v1/payment_intents": "Stripe has charged one, and its reply is not yet read",
    "card.removed": "a saved card is hidden, and its provider to be told, and not yet committed",
    "card.forgetting": "its provider is to forget it, and nothing of that has left",
    "card.forget_answered": "its provider has forgotten it, and that is not yet written down",
    "card.forgotten": "it is deleted, and not yet committed",
    "collect_check.answered": "what became of a prompt is read, and not yet committed",
    "hook.stored": "a callback is committed, and not yet answered with 200",
    "hook.claimed": "a callback is claimed, and not yet taken",
    "hook.applied": "all that follows of a callback is written, and not yet committed",
    "hook.committed": "a callback is taken, and nobody is woken yet",
    "payment.moved": "an attempt has succeeded, and nothing is credited yet, in one transaction",
    "ledger.posted": "transfers are written, in the transaction of their cause",
    "payment.expired": "an attempt is given up, and not yet committed",
    "ledger.held": "an amount is held, in the transaction of its cause",
    "ledger.released": "a hold has ended, in the transaction of its cause",
    "withdrawal.requested": "a withdrawal is written, and not yet committed",
    "api.kept": "the answer to a request is kept with its effect, and not yet committed",
    "api.committed": "a request has had its effect, and is not yet answered",
    "approval.added": "a person's approval is written, and nothing is decided yet, in one transaction",
    "approval.decided": "the decision is written where it was still pending, and not yet committed",
    "approval.expired": "an operation has expired, and what it was for is not yet closed, in one transaction",
    "payout.created": "a payout is made ready, and not yet committed",
    "payout.begun": "it is committed that a payout is being sent, and nothing of it has left",
    "unread/mpesa/b2c/v3/paymentrequest": "M-Pesa has taken a payout, and its reply is not yet read",
    "unread/mpesa/b2b/v1/paymentrequest": "M-Pesa has taken one to a till, and its reply is not yet read",
    "unread/paystack/transferrecipient": "Paystack knows a bank account, and its reply is not yet read",
    "unread/paystack/transfer": "Paystack has taken a transfer to it, and its reply is not yet read",
    "payout.answered": "the reply to a payout is read, and not yet committed",
    "payout.kept": "the reply to a payout is written, and not yet committed",
    "payout_check.answered": "what became of a payout is read, and not yet committed",
    "payout.completed": "a payout has left the books, and not yet committed",
    "refund.requested": "a refund is written, and not yet committed",
    "refund.created": "an attempt at a refund is written, and not yet committed",
    "refund.begun": "it is committed that a refund is being sent, and nothing of it has left",
    "unread/mpesa/reversal/v1/request": "M-Pesa has taken a reversal, and its reply is not yet read",
    "refund.answered": "the reply to a refund is read, and not yet committed",
    "refund.kept": "the reply to a refund is written, and not yet committed",
    "refund_check.answered": "what became of a refund is read, and not yet committed",
    "refund.completed": "a refund has left the books, and not yet committed",
    "batch.asked": "a file is written with its operation, and not yet committed",
    "batch.held": "a file's lines are held for, and no withdrawal is there yet, in one transaction",
    "batch.started": "the lines of a file are withdrawals, ready to be sent, and not yet committed",
    "batch.done": "the last line of a file has ended, and so has the file, and not yet committed",
    "schedule.day": "the day of a run is written, and nothing is made of it yet, in one transaction",
    "schedule.made": "a run's withdrawal is written, and its run does not name it yet, in one transaction",
    "schedule.moved": "the time of the next run is written, and not yet committed",
    "settlement.asked": "what one person says of a payout is written, and not yet committed",
    "settlement.decided": "another has approved it, and the payout is as before, in one transaction",
    "settlement.done": "it is taken as the provider's word would be, and not yet committed",
    "float.asked": "it is written that an account is being asked what it holds, and not yet committed",
    "float.begun": "it is committed that it is asked, and nothing of it has left",
    "unread/mpesa/accountbalance/v1/query": "M-Pesa has taken the question, and its reply is not yet read",
    "float.answered": "the reply to it is read, and not yet committed",
    "float.told": "what an account holds is written, and what waits for it is due, and not yet committed",
    "float.held": "a payout waits since its account is short, and those who can fill it are not told yet, "
    "in one transaction",
    "float.taken": "a payout is off what the account holds, and not yet committed as being sent",
}


@dataclass(frozen=True)
class Crash:
    """At which point, and at which of its passings."""

    at: str
    passing: int = 1


class NoSuchPoint(ValueError):
    """Why a crash cannot be read."""


_armed: str | None = None
_left = 0


def point(name: str) -> None:
    """Pass it."""
    if name == _armed:
        _passed()


def parse(text: str) -> Crash:
    """Of "point" or "point:passing". Raises NoSuchPoint."""
    name, told, passing = text.partition(":")
    if name not in POINTS:
        raise NoSuchPoint("must be one of the points in services/points.py")
    if told and not (passing.isascii() and passing.isdecimal() and int(passing)):
        raise NoSuchPoint("must be a point, or a point with the number of its passing: payout.begun:2")
    return Crash(name, int(passing or 1))


def arm(crash: Crash | None) -> None:
    """From now on. None disarms."""
    global _armed, _left
    _armed, _left = (crash.at, crash.passing) if crash else (None, 0)


def _passed() -> None:
    global _left  # noqa: PLW0603
    _left -= 1
    if not _left:
        os.kill(os.getpid(), signal.SIGKILL)
