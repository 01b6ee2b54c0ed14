"""The wallet by the API: withdrawals from asking to the decision, over real HTTP on both databases."""

import asyncio
import base64
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from services import books
from services.ids import new_id
from services.safety import stepup
from services.store.schema import audit, inbox, operations, payouts, people, staff, tenants, withdrawals
from services.store.scope import OWNER
from services.work import Work
from tests.bot.caller import caller
from tests.bot.door import now, opened
from tests.bot.test_api import ASK, change, rows

ABSENT = "00000000-0000-7000-8000-000000000000"


@pytest.fixture
async def door(database, vault):
    async with opened(database, vault) as door:
        yield door
    async with database.transaction(OWNER) as connection:
        assert await books.check(connection) == []


@pytest.fixture
async def shop(door):
    shop = await door.open_shop()
    await door.fund(shop, "10000")
    return shop


@pytest.fixture
async def cashier(door, shop):
    return await caller(door, shop, "Achieng")


@pytest.fixture
async def manager(door, shop):
    return await caller(door, shop, "Kamau")


async def asked(cashier, **fields):
    answer = await cashier.post("/wallet/withdrawals", ASK | fields)
    assert answer.status == 201
    return answer.body["transaction_id"]


async def test_the_wallet_and_the_ways_out(cashier):
    await asked(cashier)
    assert (await cashier.get("/wallet")).body == {
        "posted": "10000.00",
        "held": "1000.00",
        "available": "9000.00",
        "owed": "0.00",
        "currency": "KES",
        "resting": [],
    }
    assert (await cashier.get("/wallet/withdrawal-options")).body == {
        "available_methods": ["mpesa", "till"],
        "configured_method": {"method_type": "mpesa", "details": {"phone_number": "********3456"}},
        "minimum_amounts": {"mpesa": "10.00", "till": "10.00", "bank_transfer": "100.00"},
        "fees": {"mpesa": "33.00", "till": "27.00", "bank_transfer": "50.00"},
        "wallet_balance": "10000.00",
        "available_balance": "9000.00",
        "currency": "KES",
    }


async def test_a_withdrawal_is_asked_for_told_and_approved(door, cashier, manager):
    answer = await cashier.post("/wallet/withdrawals", ASK | {"notes": "rent"})
    id_ = answer.body["transaction_id"]
    assert answer.body == {
        "message": "The withdrawal waits for approval.",
        "transaction_id": id_,
        "status": "pending",
        "amount": "1000.00",
        "fee": "33.00",
        "net_amount": "967.00",
        "currency": "KES",
        "requires_approval": True,
    }
    assert [row.kind for row in await rows(door, inbox)] == ["news"]  # the approver's chat is told
    approved = await manager.post(f"/wallet/withdrawals/{id_}/approve")
    assert (approved.status, approved.body["success"], approved.body["status"]) == (200, True, "processing")
    shown = (await cashier.get(f"/wallet/withdrawals/{id_}")).body
    assert shown["method_details"] == {"phone_number": "********5678"}
    assert (shown["notes"], shown["new_destination"]) == ("rent", True)
    assert (shown["initiated_by"], shown["approved_by"]) == (str(cashier.person), [str(manager.person)])
    assert [line["status"] for line in shown["history"]] == ["pending", "processing"]
    assert shown["created_at"].endswith("Z")


async def test_only_what_the_caller_was_shown_is_approved_where_its_digest_is_sent(door, cashier, manager):
    id_ = await asked(cashier)
    shown = (await manager.get(f"/wallet/withdrawals/{id_}")).body["digest"]
    (listed,) = (await manager.get("/wallet/withdrawals")).body["results"]
    assert listed["digest"] == shown
    stale = await manager.post(f"/wallet/withdrawals/{id_}/approve", {"digest": "0" * 64})
    assert (stale.status, stale.code) == (409, "operation_changed")
    assert "changed since you saw it" in stale.body["detail"]
    assert (await manager.get(f"/wallet/withdrawals/{id_}")).body["approved_by"] == []
    assert (await manager.post(f"/wallet/withdrawals/{id_}/approve", {"digest": shown})).status == 200


async def test_the_maker_may_not_approve_and_the_attempt_is_recorded(door, manager):
    id_ = await asked(manager)
    answer = await manager.post(f"/wallet/withdrawals/{id_}/approve")
    assert (answer.status, answer.code) == (403, "four_eyes_violation")
    alerts = {row.action for row in await rows(door, audit) if row.alert}
    assert alerts - {"withdrawal.unusual"} == {"withdrawal.self_approval"}  # by the hour of the test


async def test_who_lacks_the_scope_may_not_decide(cashier):
    id_ = await asked(cashier)
    for act in ("approve", "reject"):
        answer = await cashier.post(f"/wallet/withdrawals/{id_}/{act}", {})
        assert (answer.status, answer.code) == (403, "missing_scope")


async def test_reject_and_cancel_end_it_once(cashier, manager):
    first, second = await asked(cashier), await asked(cashier)
    rejected = await manager.post(f"/wallet/withdrawals/{first}/reject", {"reason": "too much"})
    assert (rejected.status, rejected.body["status"]) == (200, "rejected")
    canceled = await cashier.post(f"/wallet/withdrawals/{second}/cancel")
    assert (canceled.status, canceled.body["status"]) == (200, "canceled")
    for id_, status in ((first, "rejected"), (second, "canceled")):
        late = await manager.post(f"/wallet/withdrawals/{id_}/approve")
        assert (late.status, late.code, late.body["state"]) == (409, "not_pending", status)
        assert late.body["status"] == 409
    assert (await cashier.get("/wallet")).body["held"] == "0.00"


async def test_a_reason_is_needed_to_reject(cashier, manager):
    id_ = await asked(cashier)
    assert (await manager.post(f"/wallet/withdrawals/{id_}/reject", {})).code == "malformed_body"
    assert (await manager.post(f"/wallet/withdrawals/{id_}/reject", {"reason": " "})).code == "blank_reason"


@pytest.mark.parametrize("wrong", [ABSENT, "x", "%00"])
async def test_what_is_not_there_is_404(cashier, manager, wrong):
    assert (await cashier.get(f"/wallet/withdrawals/{wrong}")).code == "not_found"
    for act, body in (("approve", {}), ("reject", {"reason": "no"}), ("cancel", {})):
        assert (await manager.post(f"/wallet/withdrawals/{wrong}/{act}", body)).status == 404


async def test_another_tenants_is_404(door, cashier):
    id_ = await asked(cashier)
    other = await caller(door, await door.open_shop("106540352242999"), "Kamau")
    assert (await other.get(f"/wallet/withdrawals/{id_}")).status == 404
    assert (await other.post(f"/wallet/withdrawals/{id_}/approve")).status == 404
    assert (await other.get("/wallet/withdrawals")).body["count"] == 0


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"amount": "20000"}, "insufficient_balance"),
        ({"amount": "33"}, "below_minimum"),
        ({"amount": "42"}, "below_minimum"),
        ({"amount": "100.50"}, "not_whole_shillings"),
        ({"amount": "300000"}, "insufficient_balance"),
        ({"method_type": "till", "method_details": {"till_number": "123"}}, "invalid_method_details"),
        (
            {"method_type": "till", "method_details": {"till_number": "123456"}, "amount": "36"},
            "below_minimum",
        ),
        ({"method_type": "bank_transfer", "method_details": {}}, "provider_not_configured"),
        ({"method_details": {}}, "invalid_method_details"),
        ({"amount": "99999", "method_details": {}}, "invalid_method_details"),
        ({"method_details": {"phone_number": 712345678}}, "invalid_method_details"),
        ({"method_details": {"phone_number": "0712345678", "to": "x"}}, "invalid_method_details"),
        ({"method_details": {"phone_number": "12"}}, "invalid_method_details"),
    ],
)
async def test_what_cannot_be_paid_out_is_422(cashier, fields, code):
    answer = await cashier.post("/wallet/withdrawals", ASK | fields)
    assert (answer.status, answer.code) == (422, code)


async def test_a_shortage_tells_its_sums_and_missing_details_their_names(cashier):
    short = (await cashier.post("/wallet/withdrawals", ASK | {"amount": "20000"})).body
    assert (short["available"], short["required"]) == ("10000.00", "20000.00")
    lacking = (await cashier.post("/wallet/withdrawals", ASK | {"method_details": {}})).body
    assert lacking["missing"] == ["phone_number"]


async def test_limits_of_the_tenant_hold_here_too(door, shop, cashier, manager):
    id_ = await asked(cashier)
    await change(door, tenants, tenants.c.id == shop, new_destination_hours=1)
    assert (await manager.post(f"/wallet/withdrawals/{id_}/approve")).code == "destination_cooling_down"
    await change(door, tenants, tenants.c.id == shop, totp_above=500_00)
    answer = await manager.post(f"/wallet/withdrawals/{id_}/approve")
    assert (answer.status, answer.code) == (403, "totp_required")


async def test_the_list_comes_in_pages_that_new_ones_do_not_shift(cashier):
    ids = [await asked(cashier, amount=str(amount)) for amount in (100, 200, 300, 400, 500)]
    await cashier.post(f"/wallet/withdrawals/{ids[0]}/cancel")
    first = await cashier.get("/wallet/withdrawals?limit=2&status=pending")
    assert first.body["count"] == 4
    await asked(cashier)
    link = first.headers["Link"]
    assert link.endswith('; rel="next"')
    second = await cashier.get(link[1 : link.index(">")])
    assert (second.body["next_cursor"], "Link" in second.headers) == (None, False)
    shown = [row["id"] for answer in (first, second) for row in answer.body["results"]]
    assert shown == ids[:0:-1]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "cursor=x", f"cursor={ABSENT}", "status=x"]
)
async def test_a_wrong_question_is_400(cashier, query):
    assert (await cashier.get(f"/wallet/withdrawals?{query}")).status == 400


async def test_two_approvals_at_once_make_one_payout(door, cashier, manager):
    id_ = await asked(cashier)
    said = await asyncio.gather(*[manager.post(f"/wallet/withdrawals/{id_}/approve") for _ in range(2)])
    assert sorted(each.status for each in said) == [200, 409]
    assert len(await rows(door, payouts)) == 1


async def test_the_audit_is_read_in_pages_by_who_may(cashier, manager):
    id_ = await asked(cashier)
    assert (await cashier.get("/audit")).code == "missing_scope"
    seen, path = [], "/audit?limit=1"
    while path:
        answer = await manager.get(path)
        seen += answer.body["results"]
        path = f"/audit?limit=1&cursor={answer.body['next_cursor']}" if answer.body["next_cursor"] else ""
    assert len(seen) == answer.body["count"]
    usual = [row for row in seen if row["action"] != "withdrawal.unusual"]  # by the hour of the test
    assert (usual[0]["action"], usual[0]["target"]) == ("api.refused", str(cashier.person))
    assert (usual[1]["action"], usual[1]["target"]) == ("withdrawal.requested", id_)
    assert [row["position"] for row in seen] == sorted({row["position"] for row in seen}, reverse=True)
    assert (await manager.get("/audit?cursor=x")).code == "invalid_cursor"


BANK = {"account_number": "0123 456 789", "bank_code": "68", "account_name": "Mama Njeri"}


@pytest.mark.parametrize(
    ("way", "details", "wrong"),
    [
        ("bank_transfer", BANK | {"account_number": "12"}, "account_number"),
        ("bank_transfer", BANK | {"account_name": "12345"}, "account_name"),
        ("bank_transfer", BANK | {"bank_code": "the one here"}, "bank_code"),
        ("bank_transfer", {**BANK, "account_number": ""}, "account_number"),
    ],
)
async def test_an_account_that_cannot_be_one_is_named(door, way, details, wrong):
    shop = await door.open_shop(more='[providers.paystack]\nsecret_key = "sk_test_paystack"\n')
    await door.fund(shop, "10000")
    cashier = await caller(door, shop, "Achieng")
    answer = await cashier.post("/wallet/withdrawals", ASK | {"method_type": way, "method_details": details})
    assert (answer.status, answer.code) == (422, "invalid_method_details")
    assert answer.body["missing"] + answer.body["wrong"] == [wrong]
    body = ASK | {"method_type": "bank_transfer", "method_details": BANK}
    answer = await cashier.post("/wallet/withdrawals", body)
    assert (answer.status, answer.body["fee"]) == (201, "50.00")
    path = f"/wallet/withdrawals/{answer.body['transaction_id']}"
    assert (await cashier.get(path)).body["method_details"] == {
        "account_number": "******6789",
        "bank_code": "68",
        "account_name": "M. N.",
    }


async def test_above_the_limit_it_takes_the_code_of_the_approvers_app(door, shop, cashier, manager, vault):
    id_ = await asked(cashier)
    await change(door, tenants, tenants.c.id == shop, totp_above=500_00)
    path = f"/wallet/withdrawals/{id_}/approve"
    lacking = await manager.post(path)
    assert (lacking.status, lacking.code, lacking.body["enrolled"]) == (403, "totp_required", False)
    async with door.database.transaction(OWNER) as connection:
        address = await stepup.enrol(Work(connection, vault, shop, now()), manager.person)
    (secret,) = parse_qs(urlsplit(address).query)["secret"]
    app = TOTP(base64.b32decode(secret), 6, SHA1(), 30)
    code = app.generate(int(now().timestamp())).decode()
    wrong = await manager.post(path, {"totp": f"{(int(code) + 1) % 1_000_000:06}"})
    assert (wrong.status, wrong.code) == (403, "totp_invalid")
    right = await manager.post(path, {"totp": code})
    assert (right.status, right.body["status"]) == (200, "processing")
    again = await manager.post(f"/wallet/withdrawals/{await asked(cashier)}/approve", {"totp": code})
    assert (again.status, again.code, again.body["used"]) == (403, "totp_invalid", True)


async def employ(door, shop, name, role):
    row = {"tenant_id": shop, "id": new_id()}
    async with door.database.transaction(OWNER) as connection:
        await connection.execute(sa.insert(people).values(**row, name=name, created_at=now()))
        rights = {"tenant_id": shop, "person_id": row["id"], "role": role, "scopes": [], "active": True}
        await connection.execute(sa.insert(staff).values(**rights))


async def test_the_right_to_approve_is_lent_under_four_eyes(door, shop, cashier, manager):
    await employ(door, shop, "Njeri", "Owner")
    owner = await caller(door, shop, "Njeri")
    until = (now() + timedelta(days=2)).isoformat()
    lent = await manager.post("/approval-lendings", {"staff_id": str(cashier.person), "until": until})
    assert (lent.status, lent.body["status"]) == (201, "pending")
    path = f"/approval-lendings/{lent.body['id']}"
    assert (await manager.post(f"{path}/approve", {})).code == "four_eyes_violation"
    assert (await owner.post(f"{path}/approve", {})).body["status"] == "lent"
    approved = await cashier.post(f"/wallet/withdrawals/{await asked(owner)}/approve")
    assert approved.body["status"] == "processing"
    refused = await cashier.post(f"/wallet/withdrawals/{await asked(manager)}/approve")
    assert (refused.status, refused.code) == (403, "four_eyes_violation")
    assert [row["status"] for row in (await owner.get("/approval-lendings")).body["results"]] == ["lent"]
    assert (await owner.post(f"{path}/end", {})).body["status"] == "over"
    late = await cashier.post(f"/wallet/withdrawals/{await asked(owner)}/approve")
    assert (late.status, late.code) == (403, "missing_scope")
    for wrong in ({"staff_id": "x", "until": until}, {"staff_id": str(cashier.person), "until": "soon"}):
        assert (await manager.post("/approval-lendings", wrong)).code == "malformed_body"


async def test_what_cannot_be_approved_any_more_says_why(door, shop, cashier, manager):
    twice, late, altered, last = [await asked(cashier) for _ in range(4)]

    async def refused(id_):
        answer = await manager.post(f"/wallet/withdrawals/{id_}/approve")
        return answer.status, answer.code, answer.body.get("state")

    assert (await manager.post(f"/wallet/withdrawals/{twice}/approve")).status == 200
    assert await refused(twice) == (409, "not_pending", "processing")
    await change(door, operations, operations.c.id == UUID(late), expires_at=now() - timedelta(seconds=1))
    assert await refused(late) == (409, "not_pending", "expired")
    await change(door, withdrawals, withdrawals.c.id == UUID(altered), amount=1_001_00, net=968_00)
    assert await refused(altered) == (409, "operation_changed", None)
    await change(door, withdrawals, withdrawals.c.id == UUID(altered), amount=1_000_00, net=967_00)
    await change(door, staff, staff.c.person_id == manager.person, active=False)
    assert await refused(last) == (401, "unauthenticated", None)
