"""Plan: in which scene each point lies, in the order in which a scene passes them.

An event that kills its process four times is put aside, which is right and tested elsewhere: so no scene is
given more than two points in the turn, or in the callback, of one event.
"""

from dataclasses import dataclass

from services.points import POINTS


@dataclass(frozen=True)
class Run:
    """A scene by its name in `Scenes`, and the points at which its process is killed, one after the other."""

    scene: str
    points: tuple[str, ...]


RUNS = (
    Run(
        "pay",
        (
            "intake.stored",
            "turn.counted",
            "jobs.claimed",
            "unread/mpesa/stkpush/v1/processrequest",
            "hook.stored",
        ),
    ),
    Run(
        "withdraw", ("ledger.held", "approval.added", "payout.created", "unread/mpesa/b2c/v3/paymentrequest")
    ),
    Run("pay", ("turn.written", "collect.answered", "payment.moved", "hook.committed")),
    Run("withdraw", ("withdrawal.requested", "approval.decided", "payout.answered", "payout.completed")),
    Run("pay", ("turn.committed", "attempt.created", "collect.kept", "ledger.posted", "notice.told")),
    Run("withdraw", ("api.committed", "turn.written", "payout.kept", "hook.applied")),
    Run("pay", ("outbox.sending", "collect.begun", "payment.expired", "hook.claimed")),
    Run(
        "refund",
        ("refund.requested", "refund.created", "unread/mpesa/reversal/v1/request", "refund.completed"),
    ),
    Run("pay", ("outbox.accepted", "outbox.marked", "hook.applied")),
    Run("withdraw", ("api.kept", "payout.begun")),
    Run("batch", ("batch.asked", "batch.held", "batch.done")),
    Run("settle_paid", ("settlement.asked", "settlement.decided")),
    Run("withdraw_asking", ("float.asked", "float.taken")),
    Run("withdraw_asking", ("float.begun",)),
    Run("schedule", ("schedule.day", "schedule.moved")),
    Run("pay_untold", ("collect_check.answered",)),
    Run("refund", ("refund.answered",)),
    Run("withdraw_untold", ("payout_check.answered",)),
    Run("refund", ("refund.kept",)),
    Run("withdraw_to_till", ("unread/mpesa/b2b/v1/paymentrequest", "hook.committed")),
    Run("expire", ("approval.expired", "ledger.released")),
    Run("refund", ("refund.begun",)),
    Run("refund_untold", ("refund_check.answered",)),
    Run("withdraw_short", ("float.told", "float.held")),
    Run("batch", ("batch.started",)),
    Run("settle_unpaid", ("settlement.done",)),
    Run("schedule", ("schedule.made",)),
    Run("withdraw_asking", ("unread/mpesa/accountbalance/v1/query",)),
    Run("withdraw_asking", ("float.answered",)),
    Run("page_by_paystack", ("unread/paystack/transaction/initialize", "page.opened")),
    Run("page_untold", ("page.returned",)),
    Run("card_by_stripe", ("unread/stripe/v1/payment_intents",)),
    Run("page_left", ("unread/stripe/v1/checkout/sessions", "page.closing", "page.close_answered")),
    Run("card_by_paystack", ("unread/paystack/transaction/charge_authorization",)),
    Run("page_by_pesapal", ("unread/pesapal/api/Transactions/SubmitOrderRequest", "payment.moved")),
    Run("card_forgotten", ("card.removed", "card.forgetting", "card.forget_answered", "card.forgotten")),
    Run("page_left", ("page.closed",)),
    Run("withdraw_to_bank", ("unread/paystack/transferrecipient",)),
    Run("withdraw_to_bank", ("unread/paystack/transfer",)),
    Run("webhooks", ("webhook.told", "webhook.claimed", "webhook.answered", "webhook.kept")),
)


# A prompt is given up where it was begun and never came.
_BEFORE = {"payment.expired": ("collect.begun",)}


def alone() -> tuple[Run, ...]:
    """Each point by itself, in the first scene that passes it; at the end of what it takes to come there."""
    first: dict[str, Run] = {}
    for run in RUNS:
        for each in run.points:
            first.setdefault(each, Run(run.scene, (*_BEFORE.get(each, ()), each)))
    return tuple(first[each] for each in POINTS if each in first)


# Nobody is killed in these.
OPENING = Run("open", ())
ENDING = Run("rest", ())
