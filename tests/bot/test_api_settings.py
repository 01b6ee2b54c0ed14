"""Settings by the API: changes from inside, and payouts that a person stops."""

import pytest

from tests.bot.caller import caller
from tests.bot.door import opened

OWNER = """
[limits]
approval_hours = 12

[[staff]]
name = "Njeri"
role = "Owner"
"""


@pytest.fixture
async def door(database, vault):
    async with opened(database, vault) as door:
        yield door


@pytest.fixture
async def shop(door):
    return await door.open_shop(more=OWNER)


async def test_a_change_is_asked_for_approved_listed_and_taken_back(door, shop):
    owner, manager = await caller(door, shop, "Njeri"), await caller(door, shop, "Kamau")
    wanted = {"kind": "limits", "to": {"approval_hours": 20, "per_day": "50000"}}
    made = await manager.post("/settings/changes", wanted)
    assert made.status == 201
    assert (made.body["status"], made.body["cools_down"]) == ("pending", True)
    assert made.body["before"] == {"approval_hours": "12", "per_day": "-"}
    assert made.body["after"] == {"approval_hours": "20", "per_day": "KES 50000.00"}
    address = f"/settings/changes/{made.body['id']}"
    own = await manager.post(f"{address}/approve", {})
    assert (own.status, own.body["code"]) == (403, "four_eyes_violation")
    approved = await owner.post(f"{address}/approve", {})
    assert (approved.status, approved.body["status"]) == (200, "cooling")
    assert approved.body["effective_at"] is not None
    listed = await owner.get("/settings/changes?status=cooling")
    assert [each["id"] for each in listed.body["results"]] == [made.body["id"]]
    taken = await owner.post(f"{address}/cancel", {"reason": "not now"})
    assert taken.body["status"] == "taken_back"
    again = await owner.post(f"{address}/cancel", {})
    assert (again.status, again.body["code"], again.body["state"]) == (409, "not_pending", "taken_back")


async def test_what_cannot_be_is_a_problem_and_nothing_waits(door, shop):
    manager, cashier = await caller(door, shop, "Kamau"), await caller(door, shop, "Achieng")
    for body, status, code in (
        ({"kind": "fees", "to": {}}, 400, "invalid_change"),
        ({"kind": "fees", "to": {"method_type": ["mpesa"], "bands": []}}, 400, "invalid_change"),
        ({"kind": "limits", "to": {"approval_hours": 25}}, 400, "invalid_change"),
        ({"kind": "limits", "to": {"approvals_above": None}}, 400, "invalid_change"),
        ({"kind": "limits", "to": {"per_day": 0.001}}, 400, "invalid_change"),
        ({"kind": "limits", "to": {"approvals": 10}}, 422, "leaves_no_two_people"),
        ({"kind": "limits", "to": {"approval_hours": 12}}, 409, "changes_nothing"),
        ({"kind": "destination", "to": {}}, 403, "missing_scope"),
        ({"kind": "limits", "to": {}, "at": "once"}, 400, "unknown_field"),
    ):
        answer = await manager.post("/settings/changes", body)
        assert (answer.status, answer.body["code"]) == (status, code), body
    assert (await cashier.post("/settings/changes", {"kind": "limits"})).status == 403
    assert (await manager.get("/settings/changes")).body["count"] == 0


async def test_fees_and_steps_of_approvals_are_changed_and_a_way_that_is_not_there_is_refused(door, shop):
    owner, manager = await caller(door, shop, "Njeri"), await caller(door, shop, "Kamau")
    band = {"from": "0", "to": None, "flat": 40, "percent": "0.5"}
    made = await manager.post(
        "/settings/changes", {"kind": "fees", "to": {"method_type": "mpesa", "bands": [band]}}
    )
    assert made.status == 201
    assert made.body["before"]["bands"] == [{"flat": "KES 33.00", "percent": "0", "usual": True}]
    assert made.body["after"]["bands"] == [{"from": "KES 0.00", "flat": "KES 40.00", "percent": "0.5"}]
    assert (made.body["approvals_needed"], made.body["approved_by"]) == (1, [])
    approved = await owner.post(f"/settings/changes/{made.body['id']}/approve", {})
    assert (approved.body["status"], len(approved.body["approved_by"])) == ("cooling", 1)
    steps = [{"amount": "100000", "approvals": 1}]
    made = await manager.post("/settings/changes", {"kind": "limits", "to": {"approvals_above": steps}})
    assert made.body["after"]["approvals_above"] == [{"amount": "KES 100000.00", "approvals": "1"}]
    for bands, field in (
        ([band, band], "bands.1"),
        ([band | {"from": "1", "to": "2"}, band | {"from": "3"}], "bands.1"),
        ([band | {"flat": -1}], "bands.0.flat"),
        ([band | {"valid_from": "soon"}], "bands.0"),
        ([band | {"tip": 1}], "bands.0.tip"),
        ("none", "bands"),
    ):
        wanted = {"kind": "fees", "to": {"method_type": "till", "bands": bands}}
        answer = await manager.post("/settings/changes", wanted)
        assert (answer.status, answer.body["code"], answer.body["field"]) == (400, "invalid_change", field)
    details = {"account_number": "1110099887", "bank_code": "01", "account_name": "Mama Njeri"}
    away = {"method_type": "bank_transfer", "method_details": details}
    answer = await owner.post("/settings/changes", {"kind": "destination", "to": away})
    assert (answer.status, answer.body["code"]) == (422, "provider_not_configured")


async def test_payouts_are_stopped_by_one_and_go_on_by_two(door, shop):
    owner, manager = await caller(door, shop, "Njeri"), await caller(door, shop, "Kamau")
    stopped = (await manager.post("/payouts/stop", {})).body
    assert stopped["stopped"]
    assert (await owner.get("/payouts/stop")).body == stopped
    made = await manager.post("/settings/changes", {"kind": "resume"})
    done = await owner.post(f"/settings/changes/{made.body['id']}/approve", {})
    assert done.body["status"] == "done"
    assert not (await owner.get("/payouts/stop")).body["stopped"]
