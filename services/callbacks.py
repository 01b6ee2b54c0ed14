"""Callbacks: what a provider tells is taken to what it is about, by the address that it came to."""

from services.hooks import Hook
from services.money import Money
from services.payments import by_hand
from services.payments import settle as payments
from services.providers.base import Report, Succeeded
from services.refunds import settle as refunds
from services.refunds import still_paid, taken_back
from services.withdrawals import floats
from services.withdrawals import settle as payouts
from services.work import Work


async def apply(work: Work, hook: Hook, report: Report, *, confirm_above: Money | None = None) -> None:
    """Take a callback to what it is about. The address says that, never the body.

    `confirm_above`: a larger success of a customer's payment is asked for once more before it counts. Raises
    TooSoon, and has done nothing then, where it is to be taken again later.
    """
    match hook.about:
        case "collect":
            await payments.reported(work, hook.target_id, report, confirm_above=confirm_above)
        case "payout":
            await payouts.reported(work, hook.target_id, report)
        case "query":
            await payouts.answered(work, hook.target_id, report)
        case "payout_timeout":
            await payouts.timed_out(work, hook.target_id, report)
        case "float":
            await floats.reported(work, hook.target_id, report)
        case "query_timeout" | "float_timeout":
            pass  # it is asked again
        case "taken_back" | "disputed":
            await _taken(work, hook, report)
        case _ if hook.by_hand is not None:
            await by_hand.told(work, hook.by_hand, report.facts["line"], confirm_above)
        case _:
            await _back(work, hook, report)


async def _back(work: Work, hook: Hook, report: Report) -> None:
    """About a refund, or about whether a payment stands."""
    if hook.is_of_refund:
        await _refund(work, hook, report)
    elif hook.is_of_payment:
        await still_paid.told(work, hook.target_id, report)
    else:
        raise ValueError(hook.about)


async def _refund(work: Work, hook: Hook, report: Report) -> None:
    match hook.read_as:
        case "refund" | "payout":
            await refunds.reported(work, hook.target_id, report)
        case "query" | "refund_query" | "refunded_query":
            await refunds.told(work, hook.target_id, report)
        case "refund_timeout" | "payout_timeout":
            await refunds.timed_out(work, hook.target_id)
        case "float":
            await floats.reported(work, hook.target_id, report)
        case "query_timeout" | "float_timeout":
            pass  # it is asked again
        case about:
            raise ValueError(about)


async def _taken(work: Work, hook: Hook, report: Report) -> None:
    word = report.word
    if report.facts.get("ask"):
        await still_paid.hinted(work, hook.target_id, lost=word if isinstance(word, Succeeded) else None)
        return
    if not isinstance(word, Succeeded) or word.amount is None or word.receipt is None:
        await taken_back.unclear(work, hook.target_id, getattr(word, "detail", ""))
        return
    if hook.about == "disputed":
        await taken_back.disputed(work, hook.target_id, word.receipt, word.amount)
    else:
        await taken_back.taken_back(work, hook.target_id, word.receipt, word.amount)
