"""The form of a bank account, through the whole chat on both databases: offered, filled in, and heard."""

import itertools
import json
from dataclasses import replace

import pytest
import sqlalchemy as sa

from bot.sandbox.graph_limits import check_message
from services.people.tenants import TenantBook
from services.store.schema import inbox, tenants
from services.store.scope import OWNER
from tests.bot.door import FORMS_PUBLIC_PEM, envelope, opened, text
from tests.bot.phone_form import PhoneForm

ACHIENG, KAMAU = "254722000001", "254722000002"
RIGHT = {"bank_code": "68", "account_number": "0123456789012", "account_name": "Jane Wanjiku"}


class WithBanks(TenantBook):
    """As if a provider paid out to banks."""

    async def by_id(self, tenant_id):
        tenant = await super().by_id(tenant_id)
        shop = tenant.shop.model_copy(update={"pays_out_by": ("mpesa", "bank_transfer")})
        return replace(tenant, shop=shop)


class Desk:
    def __init__(self, door, shop):
        self.door, self.shop = door, shop
        self._ids = (f"wamid.{n}" for n in itertools.count())

    async def hears(self, message):
        before = len(self.door.graph.sent)
        assert (await self.door.update(envelope(message))).status == 200
        sent = (await self.door.hears(before + 1))[before]
        check_message(sent)
        return sent

    async def says(self, words, phone=ACHIENG):
        return await self.hears(text(next(self._ids), words, **{"from": phone}))

    async def sends(self, reply, phone=ACHIENG):
        """What WhatsApp makes of a form that is sent off."""
        heard = {"type": "nfm_reply", "nfm_reply": {"name": "flow", "body": "Sent", "response_json": reply}}
        return await self.hears(
            text(next(self._ids), type="interactive", interactive=heard, text=None, **{"from": phone})
        )

    async def offered(self, phone=ACHIENG):
        await self.says("withdraw 2000", phone)
        await self.says("change destination", phone)
        return await self.says("bank account", phone)

    async def asks(self, action, token, data=None):
        phone = PhoneForm(FORMS_PUBLIC_PEM)
        asked = {"version": "3.0", "action": action, "screen": "BANK", "flow_token": token}
        answer = await self.door.exchange(phone.body(asked | ({} if data is None else {"data": data})))
        return answer.status, phone.read(answer.text) if answer.status != 400 else answer.text


def token_of(message):
    return message["interactive"]["action"]["parameters"]["flow_token"]


def words(message):
    return str(message.get("text", {}).get("body") or message["interactive"]["body"]["text"])


@pytest.fixture
async def desk(database, vault):
    async with opened(database, vault, worker=True, book=WithBanks) as door:
        shop = await door.open_shop()
        await door.fund(shop, "10000")
        yield Desk(door, shop)
        query = sa.select(inbox.c.error).where(inbox.c.error.is_not(None))
        async with database.reading(OWNER) as connection:
            assert (await connection.execute(query)).all() == []


async def test_a_form_is_offered_filled_in_and_heard_once(desk):
    offer = await desk.offered()
    parameters = offer["interactive"]["action"]["parameters"]
    token = parameters.pop("flow_token")
    assert offer["interactive"]["type"] == "flow"
    assert parameters == {
        "flow_message_version": "3",
        "flow_id": "1093847261",
        "flow_cta": "Fill in the form",
        "flow_action": "data_exchange",
    }
    status, screen = await desk.asks("INIT", token, {})
    assert (status, screen["screen"]) == (200, "BANK")
    assert screen["data"]["heading"] == "Where should KES 2,000.00 go?"
    assert {"id": "68", "title": "Equity"} in screen["data"]["banks"]
    assert screen["data"]["error_messages"] == {}
    assert await desk.asks("BACK", token) == (200, screen)
    status, again = await desk.asks("data_exchange", token, RIGHT | {"account_number": "12"})
    assert (status, again["screen"]) == (200, "BANK")
    assert list(again["data"]["error_messages"]) == ["account_number"]
    status, done = await desk.asks("data_exchange", token, RIGHT | {"more": "is left out"})
    assert (status, done["screen"]) == (200, "SUCCESS")
    params = done["data"]["extension_message_response"]["params"]
    assert params == {"flow_token": token, **RIGHT}
    confirm = await desk.sends(json.dumps(params))
    assert "To: Bank *********9012, Equity, Jane Wanjiku" in words(confirm)
    for action in ("INIT", "BACK", "data_exchange"):
        status, gone = await desk.asks(action, token, RIGHT)
        assert (status, list(gone)) == (427, ["error_msg"])
    assert "no longer open" in words(await desk.sends(json.dumps(params | {"account_number": "666666"})))


async def test_what_the_phone_sends_off_is_checked_again_and_not_believed(desk):
    token = token_of(await desk.offered())
    forged = {"flow_token": token, **RIGHT, "account_name": "X\u202e", "configured": "true"}
    answer = await desk.sends(json.dumps(forged))
    assert words(answer).startswith("Type the account holder's name")
    assert answer["interactive"]["type"] == "flow"
    assert (await desk.asks("INIT", token))[0] == 200


async def test_without_the_token_it_answers_the_asking_that_stands(desk):
    await desk.offered()
    assert "Equity, Jane Wanjiku" in words(await desk.sends(json.dumps(RIGHT)))


@pytest.mark.parametrize(
    "reply",
    ["", "null", "[]", '"sent"', "{", "7", '{"flow_token": 7}', '{"bank_code": {"a": 1}}', "[" * 9000],
)
async def test_an_answer_of_any_other_shape_moves_nothing(desk, reply):
    await desk.offered()
    answer = await desk.sends(reply)
    assert answer["interactive"]["type"] == "flow"


async def test_the_token_of_another_chat_is_none(desk):
    token = token_of(await desk.offered())
    await desk.says("menu", KAMAU)
    stolen = await desk.sends(json.dumps({"flow_token": token, **RIGHT}), KAMAU)
    assert words(stolen).startswith("That form is no longer open")


async def test_who_types_leaves_the_form(desk):
    token = token_of(await desk.offered())
    assert words(await desk.says("equity")) == "Type the account number at Equity."
    assert (await desk.asks("INIT", token))[0] == 427
    assert words(await desk.says("0123456789012")).startswith("Whose account is it?")
    assert "Equity, Jane Wanjiku" in words(await desk.says("Jane Wanjiku"))


async def test_a_form_speaks_the_language_of_who_opened_it(desk):
    await desk.says("lugha")
    await desk.says("Kiswahili")
    offer = await desk.offered()
    assert offer["interactive"]["action"]["parameters"]["flow_cta"] == "Jaza fomu"
    _, screen = await desk.asks("INIT", token_of(offer))
    assert screen["data"]["number_label"] == "Nambari ya akaunti"
    await desk.says("ghairi")
    _, gone = await desk.asks("INIT", token_of(offer))
    assert gone["error_msg"].startswith("Fomu hii haiko wazi tena")


async def test_a_shop_without_the_form_asks_in_the_chat(desk, database):
    async with database.transaction(OWNER) as connection:
        await connection.execute(sa.update(tenants).values(bank_form=None, version=tenants.c.version + 1))
    async with opened(database, desk.door.vault, worker=True, book=WithBanks) as door:
        desk.door = door
        assert words(await desk.offered()).startswith("At which bank?")
