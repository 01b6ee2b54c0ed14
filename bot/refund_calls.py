"""Refund calls: which client of a provider's takes a refund, by its way, and how."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from bot.providers import Providers
from services.news.refunds import Way
from services.providers.abilities import Payout
from services.providers.base import Answer
from services.providers.refunds import Refund
from services.refunds.sending import Question

ClientOf = Callable[[UUID, str], Awaitable[Any]]
Ask = Callable[[Any], Awaitable[Answer]]


def sends(providers: Providers, message: Refund | Payout) -> tuple[ClientOf, Ask]:
    """The payment is reversed, or the payer is paid out."""
    if isinstance(message, Payout):
        return providers.paying_out, lambda client: client.pay_out(message)
    return providers.refunding, lambda client: client.refund(message)


def operation(message: Refund | Payout) -> str:
    """What its breaker is called by."""
    return "payout" if isinstance(message, Payout) else "refund"


def asks(providers: Providers, question: Question) -> tuple[ClientOf, Ask]:
    urls = (question.callback_url, question.timeout_url)
    if question.way == Way.PAYOUT:
        about = (question.attempt_id, question.reference, *urls)
        return providers.paying_out, lambda client: client.ask(*about)
    of = (question.receipt, question.reference, *urls, question.attempt_id)
    return providers.refunding, lambda client: client.ask_refund(*of)


def asking(question: Question) -> str:
    """What the breaker of a question is called by."""
    return "payout_check" if question.way == Way.PAYOUT else "refund_check"
