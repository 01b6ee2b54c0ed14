"""What somebody may do to the sandbox's world: move its clock on, bring people along, fill in a form."""

import json
import re
from datetime import timedelta

import pytest

from bot.sandbox.clock import Clock
from bot.sandbox.forms import Sealed, shown
from bot.sandbox.world import CannotError
from bot.whatsapp.forms import FormsKey, new_key
from flows.staff.bank_form import form
from services.money import Money
from tests.sandbox.payloads import TO, text
from tests.sandbox.tiny_forms import LAYOUT


def test_a_clock_goes_on_from_where_it_was_moved_to(tmp_path):
    kept = tmp_path / "clock"
    clock = Clock(kept)
    before = clock()
    clock.forward(timedelta(hours=25))
    assert timedelta(hours=25) <= clock() - before < timedelta(hours=25, minutes=1)
    assert timedelta(hours=25) <= Clock(kept)() - before < timedelta(hours=25, minutes=1)


async def test_moving_the_clock_on_closes_the_window(sandbox):
    await sandbox.hear("achieng")
    assert (await sandbox.graph(**text()))[0] == 200
    now = (await sandbox.look("state"))["now"]
    assert (await sandbox.act("clock", hours=23))["now"] == now + 23 * 3_600_000
    assert (await sandbox.graph(**text()))[0] == 200
    await sandbox.act("clock", hours=1)
    status, answer = await sandbox.graph(**text())
    assert (status, answer["error"]["code"]) == (400, 131047)
    await sandbox.hear("achieng")
    assert (await sandbox.graph(**text()))[0] == 200


@pytest.mark.parametrize("hours", [0, -1, 1.5, True, "25", None, 10**9])
async def test_the_clock_takes_whole_hours_forward(sandbox, hours):
    status, answer = await sandbox.post("/control/clock", {"hours": hours})
    assert status == 400
    assert answer["error"].startswith("hours is a whole number")


async def test_somebody_without_a_number_comes_along(sandbox, wait):
    status, made = await sandbox.post("/control/phones", {"name": "Baba  Otieno"})
    assert status == 201
    heard = await sandbox.hear(made["key"], "hello")
    assert "from" not in heard
    user_id = heard["from_user_id"]
    assert re.fullmatch(r"KE\.[A-Za-z0-9]+", user_id)
    assert sandbox.app.values[-1]["contacts"][0]["profile"] == {"name": "Baba Otieno", "username": "baba"}
    status, answer = await sandbox.graph(recipient=user_id, type="text", text={"body": "Hello"})
    assert (status, answer["contacts"]) == (200, [{"input": user_id, "user_id": user_id}])
    asks = {"type": "request_contact_info", "body": {"text": "Which?"}}
    asks["action"] = {"name": "request_contact_info"}
    assert (await sandbox.graph(recipient=user_id, type="interactive", interactive=asks))[0] == 200
    await sandbox.act(f"phones/{made['key']}/share", number="+254733999888")
    await wait(lambda: "contacts" in sandbox.app.messages[-1])
    assert sandbox.app.messages[-1]["contacts"][0]["phones"][0]["wa_id"] == "254733999888"


@pytest.mark.parametrize(
    "body",
    [{}, {"name": " "}, {"name": "x" * 31}, {"name": "A", "number": "12"}, {"name": "A", "number": TO}],
)
async def test_who_cannot_come_along_is_told_why(sandbox, body):
    status, answer = await sandbox.post("/control/phones", body)
    assert status == 400
    assert answer["error"]


def test_what_the_phone_seals_is_what_the_app_opens():
    key = FormsKey(new_key())
    sealed = Sealed(key.public_pem)
    exchange = key.open(sealed.body({"action": "INIT"}))
    assert exchange.asked == {"action": "INIT"}
    assert sealed.read(exchange.answer({"screen": "BANK"}).encode()) == {"screen": "BANK"}
    for forged in (b"", b"no base64", exchange.answer({})[:-4].encode(), b"A" * 40):
        with pytest.raises(CannotError):
            sealed.read(forged)


def test_the_layout_has_a_place_for_all_that_the_form_says():
    bank = form(Money(100_00, "KES"))
    (screen,) = LAYOUT["screens"]
    assert screen["id"] == bank.name.upper()
    places = set(re.findall(r"\$\{data\.(\w+)\}", json.dumps(LAYOUT)))
    assert places == set(screen["data"]) == {*bank.words, *bank.options, "error_messages"}
    assert set(re.findall(r"\$\{form\.(\w+)\}", json.dumps(LAYOUT))) == set(bank.fields)
    data = dict.fromkeys(places, "x") | {"error_messages": {"account_name": "wrong"}}
    drawn = shown(LAYOUT, {"screen": "BANK", "data": data})
    assert [field["name"] for field in drawn["fields"]] == list(bank.fields)
    assert [field["wrong"] for field in drawn["fields"]] == [None, None, "wrong"]
