"""Withdrawals that come by themselves, by the API."""

import pytest

from tests.bot.caller import caller
from tests.bot.door import opened

MORE = """
[[staff]]
name = "Njeri"
phone = "+254722000003"
role = "Owner"
"""
WANTED = {
    "name": "Evening",
    "every": "week",
    "days": [5, 1],
    "hour": 18,
    "keep": "0",
    "most": "5000",
    "method_type": "mpesa",
    "method_details": {"phone_number": "0722000111"},
}


@pytest.fixture
async def staff(database, vault):
    async with opened(database, vault) as door:
        shop = await door.open_shop(more=MORE)
        yield await caller(door, shop, "Kamau"), await caller(door, shop, "Njeri")


async def test_a_schedule_is_asked_for_approved_stopped_and_ended(staff):
    kamau, njeri = staff
    until = (await kamau.get("/wallet")).headers["Date"]  # the door goes by the real clock
    year = int(until.split()[3])
    wanted = WANTED | {"until": f"{year + 1}-01-31" if "Nov" in until or "Dec" in until else f"{year}-12-31"}
    asked = await kamau.post("/wallet/schedules", wanted, **{"Idempotency-Key": "one"})
    assert (asked.status, asked.body["status"], asked.body["days"]) == (201, "pending", [1, 5])
    again = await kamau.post("/wallet/schedules", wanted, **{"Idempotency-Key": "one"})
    assert again.raw == asked.raw
    path = f"/wallet/schedules/{asked.body['id']}"
    assert (await kamau.post(f"{path}/approve")).code == "four_eyes_violation"
    approved = (await njeri.post(f"{path}/approve")).body
    assert (approved["status"], approved["destination"]) == ("active", "********0111")
    assert approved["next_at"] is not None
    assert (await kamau.post(f"{path}/stop")).code == "missing_scope"
    assert (await njeri.post(f"{path}/stop")).body["status"] == "stopped"
    assert (await njeri.post(f"{path}/resume")).body["status"] == "active"
    assert (await njeri.post(f"{path}/cancel")).body["status"] == "canceled"
    assert (await njeri.post(f"{path}/cancel")).code == "not_pending"
    assert (await kamau.get("/wallet/schedules")).body["count"] == 1


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"hour": 24, "until": "2026-12-31"}, "invalid_schedule"),
        ({"until": "soon"}, "malformed_body"),
        ({"most": "0", "until": "2026-12-31"}, "invalid_amount"),
        ({"keep": "", "until": "2026-12-31"}, "invalid_amount"),
        ({"keep": ".", "until": "2026-12-31"}, "invalid_amount"),
        ({"keep": "0.000", "until": "2026-12-31"}, "invalid_amount"),
        ({"method_details": {}, "until": "2026-12-31"}, "invalid_method_details"),
        ({"until": "2020-01-01"}, "invalid_schedule"),
    ],
)
async def test_what_cannot_be_is_refused(staff, wrong, code):
    assert (await staff[0].post("/wallet/schedules", WANTED | wrong)).code == code
