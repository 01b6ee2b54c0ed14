"""Templates: how a message reaches a person outside WhatsApp's window: by a template of the merchant's own,
that Meta has approved. Here is what each is filled with, and what buttons it has; `docs/templates.md` has
the words to submit.

https://developers.facebook.com/documentation/business-messaging/whatsapp/templates
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.jsons import dumps, loads
from bot.sending.purposes import Purpose
from flows.refusals import decided, receipt_shown
from flows.reply import Reply
from flows.staff.shown import rail_shown, short
from flows.text import Text, render
from services import news
from services.news import Withdrawal
from services.news import approval as approval_news
from services.news import batches as batch_news
from services.news import conditions as condition_news
from services.news import handoff as handoff_news
from services.news import orders as order_news
from services.news import privacy as privacy_news
from services.news import reconciliation as reconciliation_news
from services.news import refunds as refund_news
from services.news import requests as request_news
from services.news import review as review_news
from services.news import schedules as schedule_news
from services.news import settings as settings_news
from services.news import staff as staff_news

_MOST = 400  # characters of one parameter: Meta counts them with the body, 1024 in all

_BOLD = re.compile(r"(?<!\*)\*(?!\*)")  # several stars are a mask

Facts = Callable[[Any], Sequence[Any]]


@dataclass(frozen=True)
class Template:
    """`parameters` are named for those who write the body, where they are {{1}}, {{2}} and so on; `buttons`
    are quick replies, in the order of the reply's own choices."""

    purpose: Purpose
    parameters: tuple[str, ...]
    buttons: tuple[str, ...] = ()


TEMPLATES = {
    template.purpose: template
    for template in (
        Template(
            Purpose.WITHDRAWAL_REQUEST,
            ("reference", "maker", "amount", "fee", "net", "destination", "until"),
            ("Approve", "Reject"),
        ),
        Template(Purpose.WITHDRAWAL_OUTCOME, ("reference", "amount", "outcome")),
        Template(Purpose.RECEIPT, ("amount", "order", "receipt")),
        Template(Purpose.PAYMENT, ("order", "text")),
        Template(Purpose.PAYMENT_REQUEST, ("amount", "reason", "order"), ("Pay", "Not now", "Change method")),
        Template(Purpose.ORDER, ("order", "text")),
        Template(Purpose.ACCOUNT, ("text",)),
        Template(Purpose.STAFF, ("text",)),
        Template(Purpose.SUMMARY, ("text",)),
    )
}


@dataclass(frozen=True)
class Telling:
    """Why this kind of news is told, and what of it fills the template before the text, if that has one."""

    purpose: Purpose
    facts: Facts = lambda _: ()


def _request(told: news.WithdrawalRequested) -> Sequence[Any]:
    asked = told.withdrawal
    to = rail_shown(asked.method_type, asked.destination)
    if asked.new_destination:
        to = Text("{destination} (a new destination)", destination=to)
    return short(asked.id), asked.maker, asked.amount, asked.fee, asked.net, to, asked.expires_at


def _outcome(outcome: Callable[[Any], Text]) -> Telling:
    def facts(told: Any) -> Sequence[Any]:
        withdrawal: Withdrawal = told.withdrawal
        return short(withdrawal.id), withdrawal.amount, outcome(told)

    return Telling(Purpose.WITHDRAWAL_OUTCOME, facts)


def _number(told: Any) -> Sequence[Any]:
    return (told.number,)


_ANSWER = Telling(Purpose.ANSWER)
_STAFF = Telling(Purpose.STAFF)
_SUMMARY = Telling(Purpose.SUMMARY)
_PAYMENT = Telling(Purpose.PAYMENT, _number)
_ORDER = Telling(Purpose.ORDER, _number)
_ACCOUNT = Telling(Purpose.ACCOUNT)

TOLD: Mapping[type, Telling] = {
    news.PaymentSettled: Telling(
        Purpose.RECEIPT, lambda told: (told.amount, told.number, receipt_shown(told.receipt))
    ),
    news.PaymentFailed: _PAYMENT,
    news.PaymentOpen: _PAYMENT,
    news.PageOpened: _PAYMENT,
    news.PaidTwice: _PAYMENT,
    news.PaymentInDoubt: _PAYMENT,
    news.MethodAdded: _ACCOUNT,
    request_news.PaymentRequested: Telling(
        Purpose.PAYMENT_REQUEST, lambda told: (told.amount, told.reason, told.number)
    ),
    request_news.RequestClosed: _ORDER,
    request_news.PaymentReminder: Telling(Purpose.REMINDER),
    request_news.RequestPaid: _STAFF,
    request_news.RequestUnpaid: _STAFF,
    request_news.RequestDeclined: _STAFF,
    order_news.OrderFulfilled: _ORDER,
    order_news.OrderCanceled: _ORDER,
    handoff_news.PersonWanted: _STAFF,
    handoff_news.CustomerWrote: _STAFF,
    handoff_news.CustomerGone: _STAFF,
    handoff_news.PersonWrote: _ANSWER,
    handoff_news.PersonGone: _ANSWER,
    news.WithdrawalRequested: Telling(Purpose.WITHDRAWAL_REQUEST, _request),
    news.WithdrawalApproved: _outcome(lambda told: decided(told.withdrawal.status, told.by)),
    news.WithdrawalClosed: _outcome(lambda told: decided(told.withdrawal.status, told.by)),
    news.WithdrawalHeldBack: _outcome(
        lambda _: Text("It is approved, and is sent as soon as payouts resume.")
    ),
    news.WithdrawalPaid: _outcome(
        lambda told: (
            receipt_shown(told.receipt, told.withdrawal.method_type)
            if told.receipt
            else decided(told.withdrawal.status)
        )
    ),
    news.WithdrawalPaidLate: _STAFF,
    news.SelfApprovalTried: _STAFF,
    news.OrderPaidTwice: _STAFF,
    news.OrderInDoubt: _STAFF,
    news.SettingsWrong: _STAFF,
    news.PayoutsStopped: _STAFF,
    news.FloatShort: _STAFF,
    news.PayoutsResumed: _STAFF,
    news.PayoutUndecided: _STAFF,
    news.IdentityChanged: _ACCOUNT,
    news.StaffSuspended: _STAFF,
    news.IdentityVerified: _ACCOUNT,
    news.TenantChanged: _STAFF,
    approval_news.CodesEnrolled: _STAFF,
    approval_news.WithdrawalAskedAgain: _outcome(
        lambda _: Text("It could not be sent within 30 minutes, so it has to be approved again.")
    ),
    approval_news.CodesGuessed: _STAFF,
    approval_news.LendingAsked: _STAFF,
    approval_news.LendingMoved: _STAFF,
    privacy_news.ErasureWanted: _STAFF,
    reconciliation_news.BreaksAged: _STAFF,
    reconciliation_news.BreakReopened: _STAFF,
    approval_news.RightLent: _STAFF,
    approval_news.RightUsed: _STAFF,
    refund_news.RefundRequested: _STAFF,
    refund_news.RefundTold: _STAFF,
    refund_news.RefundMade: _PAYMENT,
    refund_news.RefundUndone: _PAYMENT,
    refund_news.PaymentKept: _PAYMENT,
    refund_news.RefundWanted: _STAFF,
    refund_news.RefundDeclined: _PAYMENT,
    refund_news.MoneyTakenBack: _STAFF,
    refund_news.PaymentDisputed: _STAFF,
    review_news.SettlementAsked: _STAFF,
    review_news.SettlementMoved: _STAFF,
    settings_news.ChangeAsked: _STAFF,
    settings_news.ChangeMoved: _STAFF,
    settings_news.StoppedByPerson: _STAFF,
    settings_news.KeyRotated: _STAFF,
    schedule_news.ScheduleAsked: _STAFF,
    schedule_news.ScheduleMoved: _STAFF,
    schedule_news.ScheduleRan: _STAFF,
    schedule_news.ScheduleSelfApprovalTried: _STAFF,
    batch_news.BatchRead: _ANSWER,
    batch_news.BatchAsked: _STAFF,
    batch_news.BatchMoved: _STAFF,
    batch_news.BatchSelfApprovalTried: _STAFF,
    staff_news.SaleMade: _SUMMARY,
    staff_news.DaySummed: _SUMMARY,
    staff_news.BalanceLow: _SUMMARY,
    condition_news.StillPending: _STAFF,
    condition_news.ProviderDown: _STAFF,
    condition_news.KeyExpiring: _STAFF,
    news.EndpointDropped: _STAFF,
    news.EndpointSet: _STAFF,
}


def filling(told: Any, reply: Reply, language: str, timezone: str) -> bytes | None:
    """What the template of this news is filled with, as it is kept beside the message; None where none is
    sent for it."""
    telling = TOLD[type(told)]
    template = TEMPLATES.get(telling.purpose)
    if template is None:
        return None
    facts = list(telling.facts(told))
    if len(facts) < len(template.parameters):  # the last is the whole text
        facts.append(reply.text)
    taps = [reply.tap(option).encode() for option in reply.options[: len(template.buttons)]]
    parameters = [clean(render(Text("{fact}", fact=fact), language, timezone)) for fact in facts]
    return dumps({"language": language, "parameters": parameters, "taps": taps})


def body(filled: bytes, name: str, languages: Sequence[str]) -> bytes:
    """Cloud API JSON without its recipient, in the person's language where the template has it, else in its
    first."""
    told = loads(filled)
    spoken = [each for each in languages if each.partition("_")[0] == told["language"]]
    parameters = [{"type": "text", "text": each} for each in told["parameters"]]
    buttons = [
        {
            "type": "button",
            "sub_type": "quick_reply",
            "index": str(index),
            "parameters": [{"type": "payload", "payload": tap}],
        }
        for index, tap in enumerate(told["taps"])
    ]
    template = {
        "name": name,
        "language": {"code": (spoken or languages)[0]},
        "components": [{"type": "body", "parameters": parameters}, *buttons],
    }
    return dumps({"type": "template", "template": template})


def clean(text: str) -> str:
    """As a parameter may be: no line ends, no tabs, no wide gaps, not empty; shortened between words."""
    line = " ".join(_BOLD.sub("", text).split())
    if len(line) > _MOST:
        line = f"{line[:_MOST].rpartition(' ')[0] or line[:_MOST]}…"
    return line or "-"
