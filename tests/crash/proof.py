"""Proof: after whatever was killed, our books are right, and the emulators' own books say the same."""

import json
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from bot.sandbox.keys import new_private_key
from bot.sandbox.seed import daraja_app, paystack_account
from services.store.schema import (
    accounts,
    attempts,
    inbox,
    orders,
    outbox,
    payouts,
    refund_attempts,
    refunds,
    transfers,
    withdrawals,
)
from services.store.scope import OWNER
from tests.crash.ground import Ground
from tests.crash.scenes import Scenes

Rows = list[Any]


@dataclass(frozen=True)
class _Ours:
    """What our books hold, by table."""

    attempts: Rows
    transfers: Rows
    payouts: Rows
    refund_attempts: Rows
    withdrawals: Rows
    refunds: Rows
    orders: Rows
    events: Rows
    accounts: dict[str, int]
    given_up: int


async def prove(ground: Ground, scenes: Scenes) -> None:
    """The process has ended. Raises AssertionError."""
    assert json.loads(await ground.nursery.run("ledger", "check")) == {"ok": True, "breaches": []}
    verified = json.loads(await ground.nursery.run("audit", "verify"))
    assert verified["ok"], verified
    ours, theirs = await _read(ground), await ground.town.get("/state")
    theirs["taken"] = await _taken(ground, theirs)
    _collections(ours, theirs)
    _payouts(ours, theirs)
    _refunds(ours, theirs)
    _boxes(ours, theirs)
    _wishes(ours, scenes)
    _messages(ours, theirs)


async def _taken(ground: Ground, theirs: Any) -> dict[str, dict[str, int]]:
    """By provider and receipt, what its own book says that customers have paid, in cents."""
    head = {"Authorization": f"Bearer {paystack_account().secret_key}"}
    url = f"{ground.town.url}/paystack/transaction?perPage=100"
    async with ground.town.http.get(url, headers=head) as answer:
        paystack = (await answer.json())["data"]
    assert len(paystack) < 100, "more than a page of them tells"
    pesapal, stripe = await ground.town.get("/pesapal/orders"), await ground.town.get("/stripe")
    prompts, orders_there = theirs["prompts"], pesapal["orders"]
    return {
        "mpesa": {each["receipt"]: each["amount"] * 100 for each in prompts if each["code"] == "0"},
        "paystack": {str(each["id"]): each["amount"] for each in paystack if each["status"] == "success"},
        "pesapal": {
            each["receipt"]: int(Decimal(each["amount"]) * 100)
            for each in orders_there
            if each["state"] == "completed"
        },
        "stripe": {
            each["id"]: each["amount_received"]
            for each in stripe["payments"]
            if each["status"] == "succeeded"
        },
    }


def _collections(ours: _Ours, theirs: Any) -> None:
    """Each payment that a provider took is credited once, to one attempt; nothing else is."""
    succeeded = [each for each in ours.attempts if each.state == "succeeded"]
    credited = Counter(each.cause_id for each in ours.transfers if each.reason in ("sale", "suspense"))
    assert credited == Counter(each.id for each in succeeded), "each credited once"
    amounts = {each.cause_id: each.amount for each in ours.transfers if each.reason in ("sale", "suspense")}
    for provider, taken in theirs["taken"].items():
        by_it = [each for each in succeeded if each.provider == provider]
        # A success of M-Pesa's that was asked for has no receipt; of all others it is the provider's own.
        told = {each.receipt: amounts[each.id] for each in by_it if each.receipt}
        assert told.items() <= taken.items(), provider
        assert sorted(amounts[each.id] for each in by_it) == sorted(taken.values()), provider
        if provider != "mpesa":  # see _boxes
            out = sum(each["amount"] * 100 for each in theirs["payouts"] if _to_bank(each, provider))
            assert ours.accounts.get(f"provider:{provider}", 0) == out - sum(taken.values()), provider


def _to_bank(payout: Any, provider: str) -> bool:
    """Whether it is one that Paystack made."""
    return provider == "paystack" and payout["number"].startswith("bank ") and payout["code"] == "0"


def _payouts(ours: _Ours, theirs: Any) -> None:
    """Each payout of ours is with its provider once at most; it has gone if, and only if, it is out of our
    books; where we do not know, it never came there. Of tills M-Pesa
    has ids of its own: the receipt names them."""
    out, _ = _by_cause(ours, theirs)
    asked = Counter(each["id"] for each in out)
    assert all(times == 1 for times in asked.values())
    gone = {each["receipt"]: each for each in out if each["code"] == "0"}
    done = {each.receipt: each for each in ours.payouts if each.state == "succeeded"}
    assert done.keys() == gone.keys()
    named = {receipt: each for receipt, each in gone.items() if "till" not in each["number"]}
    assert all(done[receipt].id == UUID(each["id"]) for receipt, each in named.items())
    paid = {each.withdrawal_id: gone[receipt]["amount"] * 100 for receipt, each in done.items()}
    assert len(paid) == len(done), "a withdrawal is paid out once"
    assert Counter({each.cause_id: each.amount for each in ours.transfers if each.reason == "payout"}) == paid
    assert paid.keys() == {each.id for each in ours.withdrawals if each.status == "completed"}
    sent = [each for each in ours.payouts if each.state in ("succeeded", "pending", "submitting", "failed")]
    assert len(sent) == len(asked), "what came there became known, and what did not is not taken for gone"


def _refunds(ours: _Ours, theirs: Any) -> None:
    """Each reversal that M-Pesa made is out of our books once; where we do not know, none was made. What was
    paid without a receipt that we know goes back as a payout."""
    reversed_ = [each["text"] for each in theirs["sms"] if "has been reversed" in each["text"]]
    _, back = _by_cause(ours, theirs)
    assert all(times == 1 for times in Counter(each["id"] for each in back).values())
    went = [int(text.split("Ksh")[1].split(".")[0].replace(",", "")) for text in reversed_]
    went += [each["amount"] for each in back if each["code"] == "0"]
    completed = [each for each in ours.refunds if each.status == "completed"]
    assert sorted(amount * 100 for amount in went) == sorted(each.amount for each in completed)
    moved = Counter(each.cause_id for each in ours.transfers if each.reason == "refund")
    assert moved == Counter(each.id for each in completed)
    assert len({each.refund_id for each in ours.refund_attempts}) == len(ours.refund_attempts)


def _by_cause(ours: _Ours, theirs: Any) -> tuple[Rows, Rows]:
    """M-Pesa's payouts: of withdrawals, and of refunds."""
    refunding = {str(each.id) for each in ours.refund_attempts}
    back = [each for each in theirs["payouts"] if each["id"] in refunding]
    return [each for each in theirs["payouts"] if each["id"] not in refunding], back


def _boxes(ours: _Ours, theirs: Any) -> None:
    """What M-Pesa holds for the shop moved as its account in our books did."""
    box = next(each for each in theirs["floats"] if each.get("working") is not None)
    began = daraja_app(new_private_key())
    moved = box["working"] + box["utility"] - began.working - began.utility
    assert ours.accounts.get("provider:mpesa", 0) == -moved * 100


def _wishes(ours: _Ours, scenes: Scenes) -> None:
    """Whatever was asked for was asked for once, however often its request was sent."""
    assert Counter(each.total for each in ours.orders) == Counter(amount * 100 for amount in scenes.paid)
    assert {each.status for each in ours.orders} <= {"paid", "refunded"}
    asked = {each.id: each.amount for each in ours.withdrawals}
    assert asked == {each: amount * 100 for each, amount in scenes.withdrawn.items()}
    assert {each.id for each in ours.refunds} == scenes.refunded.keys()


def _messages(ours: _Ours, theirs: Any) -> None:
    """What M-Pesa's and WhatsApp's calls were told to be taken is there once, and done."""
    written = {m["id"] for chat in theirs["chats"] for m in chat["messages"] if m["mine"]}
    messages = Counter(each.external_id for each in ours.events if each.kind == "message")
    assert set(messages) == written
    assert all(times == 1 for times in messages.values())
    left = [(each.kind, each.state, each.error) for each in ours.events if each.state not in ("done", "kept")]
    assert left == []
    assert ours.given_up == 0


async def _read(ground: Ground) -> _Ours:
    async with ground.database.reading(OWNER) as connection:

        async def rows(table: sa.Table) -> Rows:
            return list((await connection.execute(sa.select(table))).all())

        return _Ours(
            await rows(attempts),
            await rows(transfers),
            await rows(payouts),
            await rows(refund_attempts),
            await rows(withdrawals),
            await rows(refunds),
            await rows(orders),
            await rows(inbox),
            {each.name: each.posted for each in await rows(accounts)},
            len([each for each in await rows(outbox) if each.state == "failed"]),
        )
