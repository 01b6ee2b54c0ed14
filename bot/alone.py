"""Alone: what is due and needs nobody else's answer, by kind: one commit does it."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from services import handoff
from services.batches import deciding as batches
from services.batches.starting import finish as finish_batch
from services.payments import closing, reminders
from services.payments.settle import expire as expire_collect
from services.refunds.decide import expire as expire_refund
from services.review import settling
from services.schedules import deciding as schedules
from services.schedules.running import run as run_schedule
from services.settings import changing
from services.shop import orders
from services.summary import summarize
from services.withdrawals.decide import expire as expire_withdrawal
from services.work import Work

ALONE: dict[str, Callable[[Work, UUID], Awaitable[None]]] = {
    "collect_expire": expire_collect,
    "order_expire": orders.expire,
    "remind": reminders.remind,
    "request_expire": closing.expire,
    "summary": summarize,
    "withdrawal_expire": expire_withdrawal,
    "refund_expire": expire_refund,
    "settlement_expire": settling.expire,
    "batch_expire": batches.expire,
    "batch_done": finish_batch,
    "schedule_expire": schedules.expire,
    "schedule_run": run_schedule,
    "change_due": changing.take_effect,
    "change_expire": changing.expire,
    "handoff_end": handoff.end_if_quiet,
}
