"""Numbers and accounts that change hands, through the real webhook on both databases."""

import itertools
import json
from uuid import UUID

import pytest
import sqlalchemy as sa

from services.errors import NotFound
from services.ids import new_id
from services.news import PaymentMethod
from services.payments import methods
from services.people import changes
from services.people.identity import PHONE, USER_ID, member
from services.store.schema import audit, conversations, outbox, saved_methods, staff
from services.store.scope import OWNER
from services.work import Work
from tests.bot.door import NUMBER, envelope, now, opened, text
from tests.bot.market import until

WANJIKU, ACHIENG = "254712345678", "254722000001"  # a customer, and a cashier
KAMAU = "254722000002"  # who reconciles
WAS, IS = "KE.1111111111", "KE.2222222222"
NEW_PHONE = "254799888777"
AN_HOUR_AGO = int(now().timestamp()) - 3600


@pytest.fixture
async def street(database, vault):
    async with opened(database, vault, worker=True) as door:
        yield Street(door, await door.open_shop(NUMBER))


class Street:
    def __init__(self, door, shop: UUID):
        self.door, self.shop = door, shop
        self._ids = (f"wamid.{n}" for n in itertools.count())

    async def says(self, words, answers=1, **sender):
        """What the bot says then, to whomever."""
        message = text(next(self._ids), words)
        del message["from"]
        return await self._hears(message | sender, answers)

    async def is_watched(self):
        """Who reconciles has written lately, so that WhatsApp lets us tell them."""
        await self.says("menu", **{"from": KAMAU}, timestamp=str(int(now().timestamp())))

    async def system(self, kind, answers=1, *, told=None, **sender):
        """WhatsApp's word on an account."""
        about = {"type": kind, "body": "User A changed"} | (told or {})
        message = {"id": next(self._ids), "timestamp": "1795600000", "type": "system", "system": about}
        heard = await self._hears(message | sender, answers)
        await until(self._played)
        return heard

    async def _played(self):
        return "waiting" not in await self.door.stored("state")

    async def _hears(self, message, answers):
        before = len(self.door.graph.sent)
        assert (await self.door.update(envelope(message))).status == 200
        return (await self.door.hears(before + answers))[before:] if answers else []

    def work(self, connection):
        return Work(connection, self.door.vault, self.shop, now())

    async def person(self, phone):
        return await self._person(PHONE, f"+{phone}", conversations.c.phone_index)

    async def known_as(self, user_id):
        return await self._person(USER_ID, user_id, conversations.c.user_id_index)

    async def _person(self, name, value, column):
        indexes = self.door.vault.indexes(value, self.shop, name)
        async with self.door.database.reading(OWNER) as connection:
            return await connection.scalar(sa.select(conversations.c.person_id).where(column.in_(indexes)))

    async def save_method(self, phone):
        person = await self.person(phone)
        async with self.door.database.transaction(OWNER) as connection:
            method = PaymentMethod(provider="mpesa", label="********5678")
            await methods.save(self.work(connection), person, method, {"phone_number": f"+{phone}"})
        return person

    async def holds(self, phone, words):
        """A message to them that waits until they write."""
        indexes = self.door.vault.indexes(f"+{phone}", self.shop, PHONE)
        chat = sa.select(conversations.c.id).where(conversations.c.phone_index.in_(indexes))
        async with self.door.database.transaction(OWNER) as connection:
            row = {"tenant_id": self.shop, "conversation_id": await connection.scalar(chat), "state": "held"}
            row |= {"body_sealed": b"", "due_at": now(), "created_at": now()}
            # Or it would go out at once: they wrote a moment ago.
            shut = sa.update(conversations).where(conversations.c.id == row["conversation_id"])
            await connection.execute(shut.values(heard_at=None))
            held = await connection.execute(sa.insert(outbox).values(row).returning(outbox.c.seq))
            seq = held.scalar_one()
            body = json.dumps({"type": "text", "text": {"body": words}}).encode()
            sealed = self.door.vault.seal(body, self.shop, "outbox.body", str(seq))
            await connection.execute(sa.update(outbox).where(outbox.c.seq == seq).values(body_sealed=sealed))

    async def saved(self):
        async with self.door.database.reading(OWNER) as connection:
            return (await connection.execute(sa.select(saved_methods.c.person_id))).scalars().all()

    async def suspended(self, phone=ACHIENG):
        person = await self.person(phone)
        async with self.door.database.reading(OWNER) as connection:
            query = sa.select(staff.c.suspended_at).where(staff.c.person_id == person)
            return (await connection.scalar(query)) is not None

    async def alerts(self):
        async with self.door.database.reading(OWNER) as connection:
            query = sa.select(audit.c.action).where(audit.c.alert)
            return (await connection.execute(query)).scalars().all()


def words(message):
    return str(message.get("text", {}).get("body") or message["interactive"]["body"]["text"])


async def settled(street, **sender):
    """All that waited has been played: one more message is answered."""
    return words((await street.says("help", **sender))[-1])


async def test_a_customer_with_another_user_id_loses_the_saved_methods_and_is_told(street):
    await street.says("menu", **{"from": WANJIKU}, from_user_id=WAS)
    await street.save_method(WANJIKU)
    told = await street.says("menu", 2, **{"from": WANJIKU}, from_user_id=IS)
    assert any("your saved ways to pay" in words(each) for each in told)
    assert await street.saved() == []
    assert await street.alerts() == []  # nothing of the shop's was at stake


async def test_whoever_shows_a_user_id_for_the_first_time_loses_nothing(street):
    await street.says("menu", **{"from": WANJIKU})
    person = await street.save_method(WANJIKU)
    assert len(await street.says("menu", **{"from": WANJIKU}, from_user_id=WAS)) == 1
    assert await street.saved() == [person]


async def test_rights_rest_when_the_user_id_is_another_one_and_owners_are_told(street):
    await street.is_watched()
    assert "Balance" in str(await street.says("menu", **{"from": ACHIENG}, from_user_id=WAS))
    answers = await street.says("balance", 3, **{"from": ACHIENG}, from_user_id=IS)
    spoken = [words(each) for each in answers]
    assert any("until the operator has verified" in each for each in spoken)
    assert any("Their rights at" in each for each in spoken)
    assert not any("Available" in each for each in spoken)
    assert await street.suspended()
    assert await street.alerts() == ["identity.changed"]
    assert "For staff" not in await settled(street, **{"from": ACHIENG}, from_user_id=IS)


async def test_the_operator_verifies_and_rights_are_as_before(street):
    await street.is_watched()
    await street.says("menu", **{"from": ACHIENG}, from_user_id=WAS)
    await street.says("menu", 3, **{"from": ACHIENG}, from_user_id=IS)
    async with street.door.database.transaction(OWNER) as connection:
        work = street.work(connection)
        person = await member(work, "0722 000 001")
        assert person is not None
        assert await changes.verify(work, person)
        assert not await changes.verify(work, person)
    assert not await street.suspended()
    assert words((await street.door.hears(6))[-1]).startswith("Thank you, you are verified.")
    assert "For staff" in await settled(street, **{"from": ACHIENG}, from_user_id=IS)


async def test_who_is_not_on_the_staff_cannot_be_verified(street):
    await street.says("menu", **{"from": WANJIKU})
    async with street.door.database.transaction(OWNER) as connection:
        work = street.work(connection)
        customer = await member(work, f"+{WANJIKU}")
        assert customer is not None
        for person in (customer, new_id()):
            with pytest.raises(NotFound):
                await changes.verify(work, person)


async def test_a_new_number_takes_the_person_along_and_leaves_a_stranger_behind(street):
    await street.says("pay 500", **{"from": WANJIKU}, from_user_id=WAS)
    person = await street.save_method(WANJIKU)
    told = {"wa_id": NEW_PHONE, "user_id": IS, "previous_user_id": WAS}
    await street.system("user_changed_number", 0, told=told, **{"from": WANJIKU})
    written = {"from": NEW_PHONE, "timestamp": str(int(now().timestamp()))}  # which opens WhatsApp's window
    notices = await street.says("menu", 2, **written, from_user_id=IS)
    assert any("your saved ways to pay" in words(each) for each in notices)
    assert {each["to"].lstrip("+") for each in notices} == {NEW_PHONE}
    assert await street.person(NEW_PHONE) == person
    assert await street.person(WANJIKU) != person
    greeting = await street.says("menu", **{"from": WANJIKU}, from_user_id="KE.3333333333")
    assert words(greeting[0]).startswith("Hello, this is")  # nothing is known of who has it now


async def test_a_new_user_id_without_a_number_is_found_by_the_previous_one(street):
    await street.says("menu", from_user_id=WAS)
    person = await street.known_as(WAS)
    told = {"user_id": IS, "previous_user_id": WAS}
    await street.system("user_changed_user_id", 0, told=told, from_user_id=IS)
    await street.says("menu", from_user_id=IS)
    assert await street.known_as(IS) == person


async def test_another_key_of_the_same_account_is_no_longer_trusted(street):
    await street.is_watched()
    await street.says("menu", **{"from": ACHIENG})
    identity = {"acknowledged": "true", "created_timestamp": "1795600000", "hash": "AbCdEf"}
    await street.system("customer_identity_changed", 2, told={"identity": identity}, **{"from": ACHIENG})
    assert await street.suspended()


@pytest.mark.parametrize("system", [{"type": "group_renamed"}, {"type": 5}, {}, [], "x", None])
async def test_other_words_of_the_system_change_nothing(street, system):
    await street.says("menu", **{"from": ACHIENG})
    message = {
        "id": "wamid.odd",
        "timestamp": "1795600000",
        "type": "system",
        "system": system,
        "from": ACHIENG,
    }
    assert (await street.door.update(envelope(message))).status == 200
    assert "For staff" in await settled(street, **{"from": ACHIENG})
    assert not await street.suspended()


async def test_a_stranger_who_has_nothing_hears_nothing(street):
    await street.says("menu", **{"from": WANJIKU}, from_user_id=WAS)
    await street.says("menu", **{"from": WANJIKU}, from_user_id=IS)
    await until(street._played)
    assert len(street.door.graph.sent) == 2


def keyed(told, second=0, **sender):
    """Written in that second of an hour ago."""
    return {"identity": {"acknowledged": True, "hash": told}, "timestamp": str(AN_HOUR_AGO + second)} | sender


async def test_rights_rest_once_when_the_account_has_another_key(street):
    await street.is_watched()
    sender = {"from": ACHIENG}
    await street.says("menu", **sender)  # a number that does not ask for keys
    await street.says("menu", **keyed("K1", **sender))
    await street.says("menu", **keyed("K1", **sender))
    assert not await street.suspended()
    told = [words(each) for each in await street.says("balance", 3, **keyed("K2", 1, **sender))]
    assert any("until the operator has verified" in each for each in told)
    assert not any("Available" in each for each in told)
    assert await street.suspended()
    await street.says("menu", **keyed("K2", 2, **sender))
    await street.says("menu", **sender)
    assert await street.alerts() == ["identity.changed"]


async def test_a_key_of_before_that_comes_late_changes_nothing(street):
    sender = {"from": WANJIKU}
    await street.says("menu", **keyed("K2", 100, **sender))
    person = await street.save_method(WANJIKU)
    await street.says("menu", **keyed("K1", 0, **sender))
    assert await street.saved() == [person]
    told = await street.says("menu", 2, **keyed("K3", 100, **sender))  # within the same second
    assert any("your saved ways to pay" in words(each) for each in told)
    assert await street.saved() == []


@pytest.mark.parametrize("identity", [None, [], {}, {"hash": ""}, {"hash": 5}, {"hash": "x" * 513}])
async def test_what_is_no_key_means_nothing(street, identity):
    sender = {"from": WANJIKU}
    await street.says("menu", **keyed("K1", **sender))
    person = await street.save_method(WANJIKU)
    await street.says("menu", **sender, identity=identity)
    assert await street.saved() == [person]


async def test_a_key_beside_the_contact_is_the_same_and_is_stored_hashed(street):
    body = envelope(text("wamid.contact", "menu", **{"from": WANJIKU}))
    value = body["entry"][0]["changes"][0]["value"]
    value["contacts"] = [{"wa_id": WANJIKU, "profile": {"name": "W"}, "identity_key_hash": "Sjvjlx8G6Z0="}]
    assert (await street.door.update(body)).status == 200
    await street.door.hears(1)
    async with street.door.database.reading(OWNER) as connection:
        query = sa.select(conversations.c.key_index).where(conversations.c.key_index.is_not(None))
        (kept,) = (await connection.execute(query)).scalars()
    assert kept == street.door.vault.mark("Sjvjlx8G6Z0=", street.shop, "conversations.key")
    person = await street.save_method(WANJIKU)
    await street.says("menu", **keyed("Sjvjlx8G6Z0=", 1, **{"from": WANJIKU}))
    assert await street.saved() == [person]


@pytest.mark.parametrize("known_by", ["key", "user id", "number"])
async def test_what_waited_for_them_is_told_to_nobody_else(street, known_by):
    sender = {"from": WANJIKU}
    before = keyed("K1", **sender) if known_by == "key" else sender | {"from_user_id": WAS}
    await street.says("menu", **before)
    await street.holds(WANJIKU, "Your receipt")
    if known_by == "number":
        told = {"wa_id": NEW_PHONE, "user_id": IS, "previous_user_id": WAS}
        await street.system("user_changed_number", 0, told=told, **sender)
    after = keyed("K2", 1, **sender) if known_by == "key" else sender | {"from_user_id": "KE.3333333333"}
    await street.says("menu", **after)
    await settled(street, **sender)
    assert "Your receipt" not in str(street.door.graph.sent)
    async with street.door.database.reading(OWNER) as connection:
        query = sa.select(outbox.c.state, outbox.c.error).order_by(outbox.c.seq)
        states = [tuple(row) for row in await connection.execute(query)]
    assert ("failed", "somebody else may be behind the chat") in states


@pytest.mark.parametrize("known_by", ["key", "user id"])
async def test_what_they_had_begun_is_shown_to_nobody_else(street, known_by):
    sender = {"from": WANJIKU}
    before = keyed("K1", **sender) if known_by == "key" else sender | {"from_user_id": WAS}
    begun = (await street.says("lugha", **before))[-1]
    after = keyed("K2", 1, **sender) if known_by == "key" else sender | {"from_user_id": IS}
    assert words(begun) not in words((await street.says("xyzzy", **after))[-1])
