"""Every kind of news has words, and so has every reason in it, in every language."""

import string
from datetime import UTC, datetime
from enum import StrEnum
from itertools import product
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints
from uuid import UUID

import pytest
from pydantic import BaseModel
from sqlalchemy import CheckConstraint

from flows.customer.unpaid import BECAUSE as UNPAID
from flows.lipachat import SCRIPT
from flows.refusals import PROVIDERS, STATUSES
from flows.staff.unsent import _BECAUSE as UNSENT
from flows.step import alternatives
from flows.text import LANGUAGES, Text, catalogue, render
from services.ids import new_id
from services.money import Money
from services.news import Doubt, Flag, News, OrderInDoubt, Unpaid, Unsent, Unusual, Withdrawal
from services.news.refunds import Refund, Way
from services.news.review import Settlement, Told, Undecided
from services.news.settings import Change
from services.people.file_parts import LimitsPart
from services.rails import RAILS
from services.store import schema
from tests.flows.languages import COMPLETE
from tests.flows.transcript import Play

KINDS = get_args(News)
CLOSED = ("rejected", "canceled", "expired", "failed")
FLAGS = tuple(Flag(because=each, usual=Money(300_00, "KES"), count=4) for each in Unusual)
_NOT_FROM_INSIDE = {"low_balance"}
_STEPS = [{"amount": "KES 5.00", "approvals": "2"}]
_BANDS = [
    {"from": "KES 0.00", "to": "KES 5.00", "flat": "KES 3.00", "percent": "0"},
    {"from": "KES 5.01", "to": "KES 9.00", "flat": "KES 0.00", "percent": "1.5"},
    {"from": "KES 9.01", "flat": "KES 3.00", "percent": "1.5", "valid_from": "2026-12-01T00:00:00+00:00"},
]
_USUAL = [{"flat": "KES 33.00", "percent": "0", "usual": True}]
_ONES = {
    str: "x",
    UUID: new_id(),
    Money: Money(500_00, "KES"),
    datetime: datetime(2026, 11, 24, 9, tzinfo=UTC),
    tuple[str, ...]: ("tenant.name",),
}

TOO_LITTLE, TOO_MUCH, IN_ANOTHER = (
    Told(paid=True, amount=amount, receipt=None, at=_ONES[datetime], by="callback")
    for amount in (Money(499_00, "KES"), Money(501_00, "KES"), Money(500_00, "USD"))
)


def values(kind: Any) -> list[Any]:
    """What a field of this kind may hold, as far as it may be worded differently."""
    if get_origin(kind) is Literal:
        return list(get_args(kind))
    if kind is bool:
        return [True, False]
    if kind is NoneType:
        return [None]
    if kind in (Withdrawal, Refund, Change, Undecided, Settlement):
        return of_model(kind)
    if kind in _ONES:
        return [_ONES[kind]]
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return list(kind)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return list(samples(kind))
    return [value for each in get_args(kind) for value in values(each)]


def of_model(kind: Any) -> list[Any]:
    """The same of models that have too many fields for all of what they may hold."""
    if kind is Withdrawal:
        few = {"status": CLOSED, "new_destination": [False], "method_type": RAILS, "flags": [FLAGS]}
        few |= {"carrier": [None, "paystack"]}
        return list(samples(kind, few))
    if kind is Refund:
        few = {"status": ("processing", "completed", "failed"), "twice": [False], "receipt": [None]}
        return list(samples(kind, few | {"way": [Way.PAYOUT]}))
    if kind is Change:
        return list(changes())
    if kind is Undecided:
        plain = {"since": [_ONES[datetime]], "doubt": [None], "told": [()], "twice": [False]}
        of_payment = {"kind": ["payment"], "reference": [None]}
        told = [(), tuple(samples(Told)), (TOO_LITTLE,), (TOO_MUCH,), (IN_ANOTHER,)]
        doubted = samples(kind, plain | of_payment | {"told": told, "doubt": list(Doubt)})
        return [*samples(kind, plain), *doubted, *samples(kind, plain | of_payment | {"twice": [True]})]
    return list(samples(kind, {"because": ["told", "guessed", "decided"]}))


def changes() -> Any:
    """Each kind, in each state, with each reason for which it does not take effect."""
    put: dict[str, Any] = {
        "destination": ({}, {"method_type": "mpesa", "destination": "********0111"}),
        "resume": ({}, {"payouts": "go on"}),
    }
    put["staff"] = ({"rights": "Cashier"}, {"name": "x", "rights": "-"})
    limits = {key: "5" for key in LimitsPart.model_fields if key not in _NOT_FROM_INSIDE}
    put["limits"] = ({"approvals_above": []}, limits | {"approvals_above": _STEPS})
    put["fees"] = tuple({"method_type": "till", "bands": bands} for bands in (_USUAL, _BANDS))
    few = {"before": [{}], "after": [{}], "because": ["approver", "maker", "two_people", "guessed", "x"]}
    for change in samples(Change, few | {"kind": ["resume"], "cools": [True, False]}):
        for kind, (before, after) in put.items():
            if change.because == "x" or kind == "resume":
                yield change.model_copy(update={"kind": kind, "before": before, "after": after})


def samples(kind: type[BaseModel], among: Any = None) -> Any:
    fields = {name: (among or {}).get(name) or values(f.annotation) for name, f in kind.model_fields.items()}
    for chosen in product(*fields.values()):
        yield kind(**dict(zip(fields, chosen, strict=True)))


def parts(text: Text) -> Any:
    """The text and those within it."""
    yield text
    for fact in text.facts.values():
        for each in fact if isinstance(fact, tuple) else (fact,):
            if isinstance(each, Text):
                yield from parts(each)


def says_something(msgid: str) -> bool:
    return any(literal.strip(" \n.,:*") for literal, *_ in string.Formatter().parse(msgid))


def test_every_kind_of_news_has_words():
    assert set(KINDS) - set(SCRIPT.told) == set()
    assert set(SCRIPT.told) - set(KINDS) == set()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", COMPLETE)
async def test_a_person_who_expects_nothing_is_told_it_with_every_reason(kind, language):
    for news in samples(kind):
        if isinstance(news, OrderInDoubt) and (news.told is None) == (news.because is Doubt.OTHER_AMOUNT):
            continue  # the amount is told where it was another one, and nowhere else
        play = Play()
        replies = await play.hear("Njeri", news)
        if not replies and NoneType in alternatives(get_type_hints(SCRIPT.told[kind])["return"]):
            continue  # what it is about is over
        (reply,) = replies
        for text in parts(reply.text):
            known = catalogue(language).get(text.msgid)
            assert not says_something(text.msgid) or (known and known.string), (news, text.msgid)
        for each in LANGUAGES:
            words = render(reply.text, each)
            assert "None" not in words
            assert "{" not in words


@pytest.mark.parametrize(("words", "reasons"), [(UNPAID, Unpaid), (UNSENT, Unsent)])
def test_every_reason_has_words(words, reasons):
    assert set(words) == set(reasons)


def test_every_way_to_be_paid_and_every_state_of_a_withdrawal_has_words():
    (states,) = (
        str(rule.sqltext)
        for rule in schema.withdrawals.constraints
        if isinstance(rule, CheckConstraint) and str(rule.sqltext).startswith("status IN")
    )
    assert {state for state in states.split("'") if state.isalpha()} == set(STATUSES)
    assert set(RAILS) - set(PROVIDERS) == set()
