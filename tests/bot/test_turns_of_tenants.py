"""Messages to several tenants that come together: one batch of turns, each in the scope of its own tenant."""

import pytest
import sqlalchemy as sa

from bot.chat import Chat
from bot.turns import Turns
from flows.lipachat import SCRIPT
from flows.script import Script
from flows.words import Word
from services.store.schema import conversations, inbox, outbox, people, tenants
from services.store.scope import OWNER, driver_of
from tests.bot.test_turns import Nobody, Said, Shop, nothing

WANJIKU, JUMA = "254712345678", "254733222111"
ONE, OTHER = "106540352242922", "2"


class Market:
    """Two shops, and words that act by the services: `scopes` are those in which they were played."""

    def __init__(self, database, vault):
        self.shop, self.scopes, self.tenants = Shop(database, vault), [], {}
        words = (
            Word(("sign",), self.sign, takes_rest=True),
            Word(("fall",), self.fall),
            Word(("reach",), self.reach),
        )
        script = Script(home=SCRIPT.home, lost=SCRIPT.lost, words=words, told={}, revive=nothing)
        chat = Chat(script, vault, self.shop.tenants, self.shop.clock)
        shared = (database, vault, chat, Nobody(), self.shop.bell, self.shop.clock)
        self.turns = Turns(*shared)

    async def open(self):
        for number in (ONE, OTHER):
            await self.shop.open(number=number)
        async with self.shop.database.reading(OWNER) as connection:
            query = sa.select(tenants.c.phone_number_id, tenants.c.id)
            self.tenants = dict((await connection.execute(query)).all())
        return self

    async def sign(self, teller, rest: str = "") -> Said:
        """Under a name."""
        await teller.ways()
        work, me = teller._work, teller.me
        self.scopes.append((work.tenant, driver_of(work.connection).scope))
        mine = sa.update(people).where(people.c.tenant_id == work.tenant, people.c.id == me.person_id)
        await work.connection.execute(mine.values(name=rest))
        return Said(what=f"signed {rest}")

    async def fall(self, teller, _rest: str = "") -> Said:
        await self.sign(teller, "nobody")
        raise RuntimeError("after it has written")

    async def reach(self, teller, _rest: str = "") -> Said:
        """For the rows of the other one."""
        await self.sign(teller, "nobody")
        (other,) = set(self.tenants.values()) - {teller._work.tenant}
        theirs = sa.update(people).where(people.c.tenant_id == other)
        await teller._work.connection.execute(theirs.values(name="reached"))
        return Said(what="reached")

    async def names(self, number):
        """By which its people have signed."""
        async with self.shop.database.reading(OWNER) as connection:
            query = sa.select(people.c.name).where(people.c.tenant_id == self.tenants[number])
            return set(await connection.scalars(query))

    async def foreign(self):
        """Messages in and out whose tenant is not their conversation's."""
        async with self.shop.database.reading(OWNER) as connection:
            return [
                row
                for table in (inbox, outbox)
                for row in await connection.execute(
                    sa.select(table.c.seq)
                    .join(conversations, conversations.c.id == table.c.conversation_id)
                    .where(table.c.tenant_id != conversations.c.tenant_id)
                )
            ]


@pytest.fixture
async def market(database, vault):
    return await Market(database, vault).open()


async def test_each_is_answered_in_the_scope_of_its_own_tenant(market):
    await market.shop.hears(WANJIKU, "sign a", number=ONE)
    await market.shop.hears(WANJIKU, "sign b", number=OTHER)
    await market.shop.hears(JUMA, "sign c", number=ONE)
    assert await market.turns.once()  # all of them
    assert sorted(market.scopes) == sorted(
        (market.tenants[number], market.tenants[number]) for number in (ONE, ONE, OTHER)
    )
    assert (await market.names(ONE), await market.names(OTHER)) == ({"a", "c"}, {"b"})
    assert sorted(text for _, text in await market.shop.said()) == ["signed a", "signed b", "signed c"]
    assert await market.foreign() == []


@pytest.mark.parametrize("how", ["fall", "reach"])
@pytest.mark.parametrize("first", [ONE, OTHER])
async def test_where_one_fails_it_alone_is_undone_and_what_the_other_did_stands(market, first, how):
    (second,) = {ONE, OTHER} - {first}
    await market.shop.hears(WANJIKU, how, number=first)
    await market.shop.hears(WANJIKU, "sign b", number=second)
    await market.shop.hears(JUMA, how, number=second)
    assert await market.turns.once()
    assert (await market.names(first), await market.names(second)) == ({None}, {"b", None})
    assert [text for _, text in await market.shop.said()] == ["signed b"]
    assert await market.shop.states() == {"waiting": 2, "done": 1}
    assert {scope for scope, _ in market.scopes} == {scope for _, scope in market.scopes}
    assert await market.foreign() == []
