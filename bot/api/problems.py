"""Problems: every no of the API, as RFC 9457 has it. The one place where a refusal gets its status."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from bot.api.answers import in_utc
from services import errors
from services.errors import (
    Refusal,
    approval,
    limits,
    reconciliation,
    refunds,
    review,
    schedules,
    settings,
    statement,
    webhooks,
)
from services.money import Money
from services.store.away import is_away

MEDIA_TYPE = "application/problem+json"

STATUS: dict[type[Refusal], tuple[int, str]] = {
    errors.InvalidAmount: (400, "This is not an amount"),
    errors.InvalidPhone: (422, "This is not a phone number that can be reached"),
    errors.NotWholeShillings: (422, "M-Pesa moves whole shillings only"),
    errors.BelowMinimum: (422, "The amount is below the minimum"),
    errors.OverLimit: (422, "The amount is over the limit"),
    limits.TooManyWithdrawals: (422, "There are as many withdrawals as the limit allows"),
    errors.InsufficientBalance: (422, "The available balance does not cover it"),
    errors.ProviderNotConfigured: (422, "The provider is not configured"),
    errors.InvalidMethodDetails: (422, "The details of the method are not all there, or wrong"),
    errors.TwoCustomers: (409, "These are two customers"),
    errors.RequestsOpen: (409, "The customer has enough open requests"),
    errors.WritesUnwanted: (409, "The customer does not want to be written to"),
    errors.EmptyOrder: (422, "An order takes a line at least"),
    errors.TooManyLines: (422, "The order has too many lines"),
    errors.InvalidQuantity: (422, "The quantity is not one that an order takes"),
    errors.UnknownProduct: (422, "There is no such product"),
    errors.NoteTooLong: (422, "The note is too long"),
    errors.BlankNote: (422, "The note is blank"),
    errors.NothingForSale: (409, "There is nothing for sale"),
    errors.EmptyCart: (409, "The cart is empty"),
    errors.OutOfStock: (409, "Less is left than was asked for"),
    errors.MissingScope: (403, "The key does not carry the scope"),
    errors.FourEyesViolation: (403, "The maker may not approve"),
    errors.NotFound: (404, "There is nothing here"),
    errors.BlankReason: (422, "The reason is blank"),
    errors.NotPending: (409, "It is no longer pending"),
    errors.Changed: (409, "It has changed since you saw it: read it again"),
    errors.StepUpRequired: (403, "A one-time code is required"),
    approval.NotLendable: (422, "The right cannot be lent so"),
    approval.TotpInvalid: (403, "The one-time code is not right"),
    approval.ApproverCoolingDown: (409, "The approver is too new"),
    errors.AlreadyPaid: (409, "The order is paid"),
    errors.OrderClosed: (409, "The order is closed"),
    errors.NotPaid: (409, "The order is not paid"),
    errors.PaymentUnderWay: (409, "A payment is under way"),
    errors.PayoutsFrozen: (409, "Payouts are stopped"),
    limits.LimitLowered: (409, "The limit is lower by now"),
    limits.PayoutsBlocked: (409, "Nothing is paid out at this hour"),
    limits.PayoutsStoppedBy: (409, "A person has stopped all payouts"),
    webhooks.InvalidEndpoint: (422, "Nothing is posted to such an address"),
    webhooks.TooManyEndpoints: (422, "There are as many endpoints as there may be"),
    webhooks.EndpointDisabled: (409, "The endpoint is disabled"),
    settings.InvalidChange: (400, "This cannot be set so"),
    settings.ChangesNothing: (409, "It is so already"),
    settings.LeavesNoTwo: (422, "Too few people would be left"),
    settings.OwnRights: (403, "It would give rights to who approves it"),
    schedules.InvalidSchedule: (422, "A schedule cannot be so"),
    limits.DestinationCoolingDown: (409, "The destination is too new"),
    refunds.MoneyOwed: (409, "The merchant owes what a provider took back"),
    refunds.AlreadyRefunded: (409, "Nothing of the payment is left to give back"),
    refunds.MoreThanRemains: (422, "More than remains of the payment"),
    refunds.OwnPurchase: (403, "Who has paid may not approve it"),
    refunds.NotRefundable: (422, "The provider does not give it back in this way"),
    reconciliation.StillLate: (409, "It is not a day old"),
    reconciliation.NotOpen: (409, "It is no longer open"),
    reconciliation.OwnBreak: (403, "Somebody else has to close it"),
    reconciliation.InvalidStatement: (422, "This is no whole statement of the shop's there"),
    reconciliation.NoStatements: (422, "Files of this provider are not read"),
    review.NotUndecided: (409, "It is known what became of it, or the provider is still being asked"),
    review.SettlementWaits: (409, "Somebody has said what became of it, and that waits for approval"),
    review.ReceiptUsed: (422, "The receipt is of something else"),
    review.AmountNeeded: (422, "Another amount was told: say how much the provider's records have"),
    review.AmountDiffers: (422, "What came in is not what was asked for"),
    review.InvalidReference: (422, "This is no receipt or reference"),
    refunds.RefundAsked: (409, "The customer has asked for it already"),
    statement.InvalidPeriod: (400, "This is no period"),
    statement.PeriodBackwards: (422, "The period ends before it begins"),
    statement.PeriodInFuture: (422, "The period has not begun yet"),
    statement.PeriodTooLong: (422, "The period is too long"),
    statement.EmptyPeriod: (422, "There are no entries in this period"),
    statement.StatementTooLarge: (422, "The period has more lines than such a file takes"),
}

# What the API says no to by itself, by status.
OWN: dict[int, tuple[str, ...]] = {
    400: (
        "invalid_cursor",
        "invalid_idempotency_key",
        "invalid_limit",
        "invalid_query",
        "malformed_body",
        "unknown_field",
    ),
    401: ("unauthenticated",),
    405: ("method_not_allowed",),
    408: ("request_timeout",),
    409: ("idempotency_key_in_use",),
    413: ("body_too_large",),
    415: ("unsupported_media_type",),
    422: ("batch_faulty", "idempotency_key_reused"),
    429: ("rate_limited",),
    500: ("internal_error",),
    503: ("unavailable",),
}


class Problem(Exception):
    """A no of the API itself. `facts` are told beside it."""

    def __init__(
        self,
        status: int,
        code: str,
        title: str,
        *,
        detail: str | None = None,
        headers: Mapping[str, str] | None = None,
        **facts: Any,
    ) -> None:
        super().__init__(code)
        self.status, self.code, self.title, self.facts = status, code, title, facts
        self.detail, self.headers = detail or title, dict(headers or {})

    def body(self, request_id: str) -> dict[str, Any]:
        told = {
            "type": f"urn:lipachat:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "request_id": request_id,
        }
        return {key: plain(value) for key, value in self.facts.items()} | told


def of(refusal: Refusal) -> Problem:
    """What the business refused; what no call here can meet is a state conflict."""
    status, title = STATUS.get(type(refusal), (409, "Refused"))
    facts = {each.name: getattr(refusal, each.name) for each in fields(refusal)}  # type: ignore[arg-type]
    state = {"state": facts.pop("status")} if "status" in facts else {}
    return Problem(status, refusal.code, title, detail=_detail(refusal, title), **facts, **state)


def missing_scope(scope: str) -> Problem:
    return of(errors.MissingScope(scope))


def of_failure(error: Exception) -> Problem:
    """Whether what was asked for was committed may be unknown where the database was lost."""
    if not is_away(error):
        return Problem(500, "internal_error", "Something failed here")
    detail = "Send it again. What changes something has its effect once under the same Idempotency-Key."
    again = {"Retry-After": "5"}
    return Problem(503, "unavailable", "The database does not answer", detail=detail, headers=again)


def plain(value: Any) -> Any:
    """As the API writes it: amounts and ids as strings, times in RFC 3339."""
    match value:
        case Money() | UUID():
            return str(value)
        case datetime():
            return in_utc(value)
        case tuple():
            return [plain(each) for each in value]
    return value


def _detail(refusal: Refusal, title: str) -> str:
    match refusal:
        case errors.MissingScope():
            return f"This takes the scope {refusal.required_scope}."
        case errors.InsufficientBalance():
            return f"{refusal.required} is required and {refusal.available} available."
        case refunds.MoneyOwed():
            return f"{refusal.owed} is owed; the next sales pay it, and withdrawals go on then."
        case refunds.MoreThanRemains():
            return f"{refusal.remains} of it remains."
        case refunds.NotRefundable() if refusal.instead:
            return f'{title}: {refusal.because}. Ask for it with "way": "{refusal.instead}".'
        case errors.NotPending():
            return f"It is {refusal.status}."
        case errors.ProviderNotConfigured() if refusal.missing:
            return f"{refusal.provider} lacks {', '.join(refusal.missing)}."
        case errors.InvalidMethodDetails():
            said = [f"{name} is missing" for name in refusal.missing]
            return ", ".join(said + [f"{name} is wrong" for name in refusal.wrong]) + "."
        case errors.NotFound():
            return f"There is no such {refusal.what.replace('_', ' ')}."
    told = _of_period_or_limit(refusal) or _of_webhooks(refusal) or _of_review(refusal)
    return told or f"{title}."


def _of_review(refusal: Refusal) -> str | None:
    match refusal:
        case review.AmountNeeded(asked=asked):
            only = f"{asked.currency} {asked}"
            return f'Say what the provider\'s own records have, as "amount". Only {only} can be credited.'
        case review.AmountDiffers(asked=asked, told=told):
            came = f"{told.currency} {told} came in and {asked.currency} {asked} was asked for."
            return f"{came} Give it back at the provider, then say that it was not paid."
    return None


def _of_period_or_limit(refusal: Refusal) -> str | None:
    match refusal:
        case reconciliation.InvalidStatement():
            return f"Nothing of it was kept: {'; '.join(refusal.faults[:5]).rstrip('.')}."
        case reconciliation.NotOpen():
            return f"It is {refusal.status}."
        case reconciliation.OwnBreak():
            by = ", ".join(refusal.others) or "the operator, by python main.py reconcile --close"
            return f"You have asked for or approved what it is about. It can be closed by {by}."
        case statement.PeriodTooLong():
            return f"A statement tells of {refusal.most_days} days at most."
        case statement.StatementTooLarge():
            return (
                f"{refusal.form} takes {refusal.most} lines and there are {refusal.lines}: ask for less time."
            )
        case errors.OverLimit(left=Money()):
            return f"With this it would be {refusal.amount} in 24 hours, and the limit is {refusal.limit}."
        case settings.InvalidChange() | schedules.InvalidSchedule():
            return f"{refusal.field} {refusal.because}."
        case limits.LimitLowered():
            return f"It is {refusal.amount}, and the limit of one is {refusal.limit} by now: reject it."
        case limits.TooManyWithdrawals():
            return f"There were {refusal.limit} in 24 hours, and the limit is {refusal.limit}."
    return None


def _of_webhooks(refusal: Refusal) -> str | None:
    match refusal:
        case webhooks.InvalidEndpoint():
            return f"url {refusal.because}."
        case webhooks.TooManyEndpoints():
            return f"A shop has {refusal.most} at most: remove one first."
        case webhooks.EndpointDisabled():
            return "Enable it first, then replay."
    return None
