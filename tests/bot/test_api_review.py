"""What no provider tells the end of, by the API: listed, said by one, decided by another."""

import pytest

from services import books
from services.jobs import PAYOUT_LADDER
from services.money import Money
from services.payments import settle
from services.providers.base import Accepted, Succeeded
from services.store.schema import attempts, payouts
from services.store.scope import OWNER
from services.withdrawals import sending
from services.work import Via, Work
from tests.bot.caller import caller
from tests.bot.door import now, opened
from tests.bot.test_api import rows
from tests.bot.test_api_refunds import ABSENT, MORE
from tests.services.business import floats_known


@pytest.fixture
async def door(database, vault):
    async with opened(database, vault) as door:
        yield door
    async with database.transaction(OWNER) as connection:
        assert await books.check(connection) == []


@pytest.fixture
async def shop(door):
    return await door.open_shop(more=MORE)


@pytest.fixture
async def kamau(door, shop):
    return await caller(door, shop, "Kamau")


@pytest.fixture
async def njeri(door, shop):
    return await caller(door, shop, "Njeri")


@pytest.fixture
async def undecided(door, shop, kamau, njeri):
    """The id of a payout of 967 that M-Pesa has taken, and says no more of."""
    await door.fund(shop, "5000")
    asked = {"amount": "1000", "method_type": "mpesa", "method_details": {"phone_number": "0712345678"}}
    made = (await kamau.post("/wallet/withdrawals", asked)).body["transaction_id"]
    assert (await njeri.post(f"/wallet/withdrawals/{made}/approve")).status == 200
    (row,) = await rows(door, payouts)
    async with door.database.transaction(shop) as connection:
        work = Work(connection, door.vault, shop, now())
        await floats_known(work)
        assert await sending.begin_payout(work, row.id, "https://pay.example")
        await sending.payout_answered(work, row.id, Accepted("AG_1"))
        for _ in range(len(PAYOUT_LADDER) + 1):
            await sending.begin_payout_check(work, row.id, "https://pay.example")
    return str(row.id)


def said(outcome="paid", reference="SJK7ABC123", note="in the statement"):
    return {"outcome": outcome, "reference": reference, "note": note}


async def test_one_says_what_became_of_it_and_another_approves(kamau, njeri, undecided):
    listed = (await kamau.get("/payouts/undecided")).body
    one = listed["results"][0]
    assert (listed["count"], one["id"], one["kind"], one["amount"]) == (1, undecided, "payout", "967.00")
    assert (one["destination"], one["provider_reference"], one["settlement_id"]) == (
        "********5678",
        "AG_1",
        None,
    )
    asked = await kamau.post(f"/payouts/undecided/{undecided}/settlements", said())
    settlement = asked.body["id"]
    assert (asked.status, asked.body["status"], asked.body["about"]["id"]) == (201, "pending", undecided)
    assert (await njeri.get("/payouts/undecided")).body["results"][0]["settlement_id"] == settlement
    again = await njeri.post(f"/payouts/undecided/{undecided}/settlements", said("not_paid"))
    assert (again.status, again.code, again.body["by"]) == (409, "settlement_waits", "Kamau")
    own = await kamau.post(f"/settlements/{settlement}/approve")
    assert (own.status, own.code) == (403, "four_eyes_violation")
    done = await njeri.post(f"/settlements/{settlement}/approve")
    assert (done.status, done.body["status"]) == (200, "done")
    assert (await kamau.get("/payouts/undecided")).body["count"] == 0
    assert (await kamau.get("/wallet")).body["posted"] == "4000.00"
    withdrawal = (await kamau.get(f"/wallet/withdrawals/{one['withdrawal_id']}")).body
    assert withdrawal["status"] == "completed"
    late = await njeri.post(f"/settlements/{settlement}/reject", {"reason": "no"})
    assert (late.status, late.code, late.body["state"]) == (409, "not_pending", "done")
    known = await kamau.post(f"/payouts/undecided/{undecided}/settlements", said())
    assert (known.status, known.code, known.body["state"]) == (409, "not_undecided", "succeeded")


async def test_what_is_rejected_or_taken_back_leaves_it_undecided(kamau, njeri, undecided):
    path = f"/payouts/undecided/{undecided}/settlements"
    first = (await kamau.post(path, said("not_paid", "statement of 25 May"))).body["id"]
    rejected = await njeri.post(f"/settlements/{first}/reject", {"reason": "it is there"})
    assert rejected.body["status"] == "rejected"
    second = (await kamau.post(path, said())).body["id"]
    assert (await kamau.post(f"/settlements/{second}/cancel")).body["status"] == "canceled"
    listed = (await kamau.get("/settlements?limit=1")).body
    assert (listed["count"], listed["results"][0]["id"]) == (2, second)
    following = (await kamau.get(f"/settlements?cursor={listed['next_cursor']}")).body
    assert [each["id"] for each in following["results"]] == [first]
    assert (await kamau.get("/settlements?status=rejected")).body["count"] == 1
    assert (await kamau.get("/settlements?status=lost")).code == "invalid_status"
    assert (await kamau.get(f"/settlements?cursor={ABSENT}")).status == 400
    assert (await kamau.get(f"/settlements/{first}")).body["note"] == "in the statement"
    assert (await kamau.get("/wallet")).body["held"] == "1000.00"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (said(reference="0"), 422, "invalid_reference"),
        (said(note=" "), 422, "blank_reason"),
        (said("maybe"), 400, "malformed_body"),
        ({"outcome": "paid"}, 400, "malformed_body"),
        (said() | {"send_again": True}, 400, "unknown_field"),
    ],
    ids=["reference", "note", "outcome", "missing", "unknown"],
)
async def test_what_cannot_be_said_says_why(kamau, undecided, body, status, code):
    answer = await kamau.post(f"/payouts/undecided/{undecided}/settlements", body)
    assert (answer.status, answer.code) == (status, code)


async def test_without_the_scope_or_the_thing_nothing_is_said(door, shop, kamau, undecided):
    achieng = await caller(door, shop, "Achieng")
    refused = await achieng.get("/payouts/undecided")
    assert (refused.status, refused.body["required_scope"]) == (403, "finance:reconcile")
    assert (await kamau.post(f"/payouts/undecided/{ABSENT}/settlements", said())).status == 404
    for act in ("approve", "cancel"):
        assert (await kamau.post(f"/settlements/{ABSENT}/{act}")).status == 404


@pytest.fixture
async def doubted(door, shop, njeri):
    """The id of an attempt of 500, of which M-Pesa has told 400 by a callback, and says no more."""
    customer = (await njeri.post("/customers", {"phone": "0712345678"})).body["id"]
    lines = [{"name": "Soap", "price": "500", "quantity": 1}]
    order = (await njeri.post("/orders", {"customer_id": customer, "lines": lines})).body["id"]
    assert (await njeri.post(f"/orders/{order}/checkout", {"provider": "mpesa"})).status == 201
    (attempt,) = await rows(door, attempts)
    async with door.database.transaction(shop) as connection:
        work = Work(connection, door.vault, shop, now(), Via("provider", "mpesa"))
        await settle.settle(work, attempt.id, Succeeded("UKO0000001", Money(400_00, "KES")))
        await settle.expire(work, attempt.id)
    return str(attempt.id)


async def test_of_a_payment_it_is_shown_what_was_told_and_that_it_differs(kamau, njeri, doubted):
    (one,) = (await kamau.get("/payouts/undecided")).body["results"]
    (told,) = one["told"]
    assert told.pop("at").endswith("Z")
    assert told == {
        "paid": True,
        "amount": "400.00",
        "currency": "KES",
        "receipt": "UKO0000001",
        "by": "callback",
    }
    differs = "KES 400.00 was told and KES 500.00 was asked for: that is KES 100.00 too little."
    assert (one["id"], one["doubt"], one["warnings"]) == (doubted, "other_amount", [differs])
    path = f"/payouts/undecided/{doubted}/settlements"
    needed = await kamau.post(path, said())
    assert (needed.status, needed.code, needed.body["told"]) == (422, "amount_needed", "400.00")
    assert "KES 500.00" in needed.body["detail"]
    wrong = await kamau.post(path, said() | {"amount": 400})
    assert (wrong.status, wrong.code) == (422, "amount_differs")
    assert wrong.body["detail"].startswith("KES 400.00 came in and KES 500.00 was asked for.")
    assert (await kamau.post(path, said() | {"amount": "5e2"})).code == "invalid_amount"
    asked = await kamau.post(path, said() | {"amount": "500.00"})
    assert asked.status == 201, asked.body
    other = "That is another receipt than M-Pesa has told."
    assert asked.body["warnings"] == [differs, other]
    shown = (await njeri.get(f"/settlements/{asked.body['id']}")).body
    assert [each["receipt"] for each in shown["about"]["told"]] == ["UKO0000001"]
    done = await njeri.post(f"/settlements/{shown['id']}/approve", {"digest": shown["digest"]})
    assert (done.status, done.body["status"], done.body["warnings"]) == (200, "done", [differs, other])
    assert (await kamau.get("/wallet")).body["posted"] == "500.00"
