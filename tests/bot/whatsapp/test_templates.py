"""Templates: each kind of news has its purpose, and fills the template of it as Meta takes it."""

import json
import re
from datetime import UTC, datetime
from typing import get_args

import pytest

from bot.sending.purposes import NOT_AFTER_STOP, Purpose
from bot.whatsapp import templates
from flows.conversation import Conversation
from flows.lipachat import SCRIPT
from services.ids import new_id
from services.money import Money
from services.news import News, PaymentMethod, PaymentSettled, Withdrawal, WithdrawalPaid, WithdrawalRequested
from services.news.requests import PaymentReminder, PaymentRequested
from tests.fakes import FakeBusiness, FakeTeller

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)


def kes(amount):
    return Money.parse(amount, "KES")


def withdrawal(**facts):
    told = {
        "id": new_id(),
        "amount": kes("1000"),
        "fee": kes("33"),
        "net": kes("967"),
        "method_type": "mpesa",
        "destination": "********3456",
        "new_destination": False,
        "maker_id": new_id(),
        "maker": "Achieng",
        "status": "pending",
        "digest": "d",
        "created_at": AT,
        "expires_at": AT,
    }
    return Withdrawal(**told | facts)


async def filled(news, language="en", role="Owner"):
    """What the template is filled with, and the reply that it stands for."""
    business = FakeBusiness()
    business.person("Njeri", "+254722000003", "finance:withdraw:approve")
    conversation = Conversation(SCRIPT, None, FakeTeller(business, "Njeri"), lambda: "n0")
    (reply,) = await conversation.hear(news)
    filling = templates.filling(news, reply, language, "Africa/Nairobi")
    return filling and json.loads(filling), reply


def test_every_kind_of_news_has_its_purpose():
    assert set(templates.TOLD) == set(get_args(News))


def test_every_purpose_is_an_answer_or_has_a_template_or_is_dropped_with_the_window():
    assert set(Purpose) - set(templates.TEMPLATES) == {Purpose.ANSWER, Purpose.REMINDER}
    assert {told.purpose for told in templates.TOLD.values()} - NOT_AFTER_STOP >= {
        Purpose.WITHDRAWAL_REQUEST,
        Purpose.RECEIPT,
        Purpose.WITHDRAWAL_OUTCOME,
    }


async def test_an_approver_reads_who_asks_for_what_and_decides_by_a_tap():
    asked = withdrawal(new_destination=True)
    told, reply = await filled(WithdrawalRequested(withdrawal=asked))
    assert told["parameters"] == [
        asked.id.hex[-6:].upper(),
        "Achieng",
        "KES 1,000.00",
        "KES 33.00",
        "KES 967.00",
        "M-Pesa ********3456 (a new destination)",
        "24 Nov 2026, 12:00",
    ]
    assert told["taps"] == [reply.tap(option).encode() for option in reply.options]
    body = json.loads(templates.body(json.dumps(told).encode(), "asked", ["sw", "en_GB"]))["template"]
    assert (body["name"], body["language"]) == ("asked", {"code": "en_GB"})
    assert [part["type"] for part in body["components"]] == ["body", "button", "button"]
    assert body["components"][2]["parameters"] == [{"type": "payload", "payload": told["taps"][1]}]


async def test_a_receipt_is_told_in_the_persons_language():
    paid = PaymentSettled(
        payment_id=new_id(),
        order_id=new_id(),
        number="K7Q2X0",
        amount=kes("500"),
        receipt="SJK7ABC123",
        paid_at=AT,
        method=PaymentMethod(provider="mpesa", label="********5678"),
        can_save=False,
    )
    told, _ = await filled(paid, "fr")
    assert told["parameters"] == [
        "500,00\N{NO-BREAK SPACE}KES".replace("\N{NO-BREAK SPACE}", " "),
        "K7Q2X0",
        "Reçu : SJK7ABC123.",
    ]
    assert told["taps"] == []


async def test_a_reminder_has_no_template():
    reminder = PaymentReminder.model_construct(
        order_id=new_id(), number="K7Q2X0", amount=kes("5"), reason="x"
    )
    assert templates.TEMPLATES.get(templates.TOLD[type(reminder)].purpose) is None


async def test_what_a_person_typed_fills_one_line():
    reason = "two\nchairs,\tand    a table " + "x" * 2000
    request = PaymentRequested(order_id=new_id(), number="K7Q3X0", amount=kes("5"), reason=reason)
    told, _ = await filled(request)
    assert told["parameters"][1].startswith("two chairs, and a table")
    assert all(len(each) <= 401 for each in told["parameters"])
    assert len(told["taps"]) == 3


@pytest.mark.parametrize("text", ["", "  ", "\n\t", "a\nb", "a     b", "*a*", "x" * 5000, "a b " * 900])
def test_a_parameter_is_as_meta_takes_it(text):
    shown = templates.clean(text)
    assert shown
    assert not re.search(r"[\n\t]| {2}", shown)
    assert len(shown) <= 401


async def test_what_was_paid_out_says_its_receipt():
    told, _ = await filled(WithdrawalPaid(withdrawal=withdrawal(status="completed"), receipt="SJK8OUT456"))
    assert told["parameters"][1:] == ["KES 1,000.00", "Receipt: SJK8OUT456."]
