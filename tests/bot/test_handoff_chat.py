"""A customer and one of the staff talk through the merchant's number: the whole way, on both databases."""

import asyncio
import itertools

import pytest
import sqlalchemy as sa

from bot import claims
from bot.senders import Senders
from bot.whatsapp.incoming import Event
from services import handoff
from services.store.schema import attempts, conversations, handoffs, staff
from services.store.scope import OWNER
from tests.bot.door import NUMBER, envelope, now, opened, text
from tests.bot.market import until
from tests.services.business import Business

WANJIKU, KAMAU = "254712345678", "254722000002"


@pytest.fixture
async def street(database, vault):
    async with opened(database, vault, worker=True) as door:
        await door.open_shop(NUMBER)
        yield Street(door)


class Street:
    def __init__(self, door):
        self.door = door
        self._ids = (f"wamid.{n}" for n in itertools.count())

    async def hears(self, phone, answers=1, **fields):
        """What is said then, to whomever: {phone: words}."""
        before = len(self.door.graph.sent)
        fields |= {"from": phone, "timestamp": str(int(now().timestamp()))}
        assert (await self.door.update(envelope(text(next(self._ids), **fields)))).status == 200
        sent = (await self.door.hears(before + answers))[before:]
        return {each["to"].lstrip("+"): each for each in sent}

    async def says(self, phone, words, answers=1):
        return await self.hears(phone, answers, words=words)

    async def played(self):
        return "waiting" not in await self.door.stored("state")

    async def taps(self, phone, message, n=0, answers=1):
        reply = message["interactive"]["action"]["buttons"][n]["reply"]
        tap = {"type": "button_reply", "button_reply": reply}
        return await self.hears(phone, answers, type="interactive", interactive=tap, text=None)


def words(message):
    return str(message.get("text", {}).get("body") or message["interactive"]["body"]["text"])


async def test_nobody_answers_where_nobody_has_the_right(street):
    told = await street.says(WANJIKU, "agent")
    assert "Nobody of Mama Njeri answers in this chat" in words(told[WANJIKU])


async def test_the_two_talk_until_the_customer_goes_back(street):
    async with street.door.database.transaction(OWNER) as connection:
        await connection.execute(
            sa.update(staff).where(staff.c.role == "Finance Admin").values(role="Support Lead")
        )
    await street.says(KAMAU, "menu")
    told = await street.says(WANJIKU, "agent", 2)
    assert words(told[WANJIKU]).startswith("A person of Mama Njeri will answer you here.")
    await street.says(WANJIKU, "Is there sugar?", 0)
    await until(street.played)
    shown = await street.taps(KAMAU, told[KAMAU])
    assert words(shown[KAMAU]).startswith("*********5678*:\n> Is there sugar?")
    said = await street.says(KAMAU, "There is")
    assert words(said[WANJIKU]) == "*Mama Njeri*: There is"
    passed = await street.says(WANJIKU, "pay 500")
    assert "> pay 500" in words(passed[KAMAU])
    gone = await street.says(WANJIKU, "menu", 2)
    assert words(gone[KAMAU]) == "********5678 is talking with me again."
    assert "What would you like to do?" in words(gone[WANJIKU])
    async with street.door.database.reading(OWNER) as connection:
        assert await connection.scalar(sa.select(handoffs.c.state)) == "done"
        assert await connection.scalar(sa.select(sa.func.count()).select_from(attempts)) == 0


async def test_a_new_user_id_waits_for_the_turn_of_its_chat_before_it_takes_anything_away(database, vault):
    business = await Business(database, vault).open()
    await business.person("Wambui", "Support Lead")
    chat, phone = business.chats[business.customer], "+254712345678"
    known = {
        f"{name}_index": vault.index(value, business.tenant, f"conversations.{name}")
        for name, value in (("phone", phone), ("user_id", "KE.1111111111"))
    }
    await business.change(conversations, conversations.c.id == chat, **known)
    async with business.teller(business.customer) as teller:
        handed = await teller.ask_person(())
    event = Event("message", "wamid.1", "", None, phone, "KE.2222222222", None, None, b"")

    async def comes():
        async with database.transaction(OWNER) as connection:
            sender = (business.tenant, phone, "KE.2222222222", None)
            await Senders(connection, vault, business.now).resolve({sender: event})

    async with business.behind() as work:
        await claims.lock(work.connection, business.tenant, chat)
        coming = asyncio.create_task(comes())
        await asyncio.sleep(0.2)
        assert await handoff.pass_on(work, business.customer, handed, "my parcel")
    await coming
    async with business.behind() as work:
        assert await work.connection.scalar(sa.select(handoffs.c.state)) == "done"
