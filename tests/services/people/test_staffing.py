"""One entry of the staff is one person, whatever chats and names were there before: or four eyes may be
two of the same head."""

from uuid import UUID

import pytest
import sqlalchemy as sa

from services.errors import FourEyesViolation
from services.ids import new_id
from services.people.staffing import OnePersonEach
from services.store.schema import conversations, outbox, people, staff
from services.store.scope import OWNER
from services.withdrawals import decide
from tests.services.business import Business
from tests.services.people.registry import NOW, differing

HEAD = '[tenant]\nslug = "mama-njeri"\n'
FIRST, SECOND, OTHERS = "0722000001", "0733000009", "0722000002"


def entry(name, *phones, role="Owner", more=""):
    listed = ", ".join(f'"{phone}"' for phone in phones)
    return f'\n[[staff]]\nname = "{name}"\nphones = [{listed}]\nrole = "{role}"\n{more}'


async def tenant_of(registry) -> UUID:
    return UUID((await registry.show())["state"]["tenant_id"])


async def wrote(registry, phone) -> UUID:
    """A stranger's first word, as the intake keeps it: a person and a chat. Gives the person."""
    tenant, person, chat = await tenant_of(registry), new_id(), new_id()
    e164, column = f"+254{phone[1:]}", "conversations.phone"
    async with registry.database.transaction(OWNER) as connection:
        await connection.execute(
            sa.insert(people).values(tenant_id=tenant, id=person, name="a customer", created_at=NOW)
        )
        await connection.execute(
            sa.insert(conversations).values(
                tenant_id=tenant,
                id=chat,
                person_id=person,
                phone_sealed=registry.vault.seal(e164.encode(), tenant, column, str(chat)),
                phone_index=registry.vault.index(e164, tenant, column),
                place_sealed=b"where they stood",
                created_at=NOW,
            )
        )
    return person


async def speaks(registry, phone) -> UUID:
    tenant = await tenant_of(registry)
    indexes = registry.vault.indexes(f"+254{phone[1:]}", tenant, "conversations.phone")
    async with registry.database.reading(OWNER) as connection:
        query = sa.select(conversations.c.person_id).where(conversations.c.phone_index.in_(indexes))
        person: UUID = (await connection.execute(query)).scalar_one()
    return person


async def members(registry) -> set[UUID]:
    async with registry.database.reading(OWNER) as connection:
        return set((await connection.execute(sa.select(staff.c.person_id))).scalars())


async def refused(registry, text):
    before = await registry.tables()
    with pytest.raises(OnePersonEach) as error:
        await registry.apply(text)
    assert differing(before, await registry.tables()) == set()
    return error.value


@pytest.mark.parametrize("order", [(FIRST, SECOND), (SECOND, FIRST)])
async def test_a_member_who_wrote_as_a_customer_from_another_phone_stays_one_person(registry, order):
    await registry.apply(HEAD + entry("Achieng", FIRST))
    (achieng,) = await members(registry)
    assert await wrote(registry, SECOND) != achieng
    applied = await registry.apply(HEAD + entry("Achieng", *order))
    assert applied.changed == ["staff.Achieng"]
    assert await members(registry) == {achieng}
    assert await speaks(registry, FIRST) == await speaks(registry, SECOND) == achieng


async def test_nobody_approves_an_own_withdrawal_from_a_second_phone(database, vault, registry):
    """Attack A1: the operator adds the phone that the maker had once written "menu" from."""
    business = await Business(database, vault).open(slug="mama-njeri")
    await business.paid("5000")
    await registry.apply(HEAD + entry("Achieng", FIRST) + entry("Kamau", OTHERS))
    maker = await speaks(registry, FIRST)
    await wrote(registry, SECOND)
    withdrawal = await business.withdraw("1000", maker)
    await registry.apply(HEAD + entry("Achieng", SECOND, FIRST) + entry("Kamau", OTHERS))
    approver = await speaks(registry, SECOND)
    async with business.work() as work:
        with pytest.raises(FourEyesViolation):
            await decide.approve(work, approver, withdrawal.id, withdrawal.digest)


async def test_a_member_known_by_name_is_not_taken_for_the_customer_of_a_new_phone(registry):
    await registry.apply(HEAD + entry("Achieng", FIRST))
    (achieng,) = await members(registry)
    await wrote(registry, SECOND)
    await registry.apply(HEAD + entry("Achieng", SECOND))
    assert await members(registry) == {achieng}
    assert await speaks(registry, SECOND) == achieng
    assert await speaks(registry, FIRST) != achieng


async def test_a_customer_who_joins_the_staff_stays_who_they_are(registry):
    await registry.apply(HEAD + entry("Kamau", OTHERS))
    customer = await wrote(registry, FIRST)
    await registry.apply(HEAD + entry("Kamau", OTHERS) + entry("Achieng", FIRST))
    assert await speaks(registry, FIRST) == customer
    assert customer in await members(registry)


async def test_what_was_going_on_in_a_chat_that_changes_hands_is_forgotten(registry):
    await registry.apply(HEAD + entry("Achieng", FIRST))
    await wrote(registry, SECOND)
    await registry.apply(HEAD + entry("Achieng", FIRST, SECOND))
    async with registry.database.reading(OWNER) as connection:
        places = (await connection.execute(sa.select(conversations.c.place_sealed))).scalars().all()
    assert places == [None, None]


async def test_two_people_of_the_staff_are_never_made_one_entry(registry):
    await registry.apply(HEAD + entry("Achieng", FIRST) + entry("Kamau", OTHERS))
    error = await refused(registry, HEAD + entry("Njeri", SECOND) + entry("Achieng", FIRST, OTHERS))
    assert error.entry == 1
    assert "Achieng" in str(error)
    assert "Kamau" in str(error)
    assert FIRST[1:] not in str(error)


async def test_a_phone_of_another_member_with_ones_own_name_is_two_people(registry):
    """Else the maker, by name, becomes the person of the phone, and decides over the own request."""
    await registry.apply(HEAD + entry("Achieng", FIRST) + entry("Kamau", OTHERS))
    error = await refused(registry, HEAD + entry("Achieng", OTHERS))
    assert error.entry == 0
    await refused(registry, HEAD + entry("Achieng", OTHERS) + entry("Kamau", FIRST))


async def test_a_phone_is_handed_over_by_taking_it_away_first(registry):
    await registry.apply(HEAD + entry("Achieng", FIRST) + entry("Kamau", OTHERS))
    achieng = await speaks(registry, FIRST)
    left = entry("Kamau", more="active = false\n")
    await refused(registry, HEAD + entry("Achieng", FIRST, OTHERS) + left)
    await registry.apply(HEAD + entry("Achieng", FIRST) + left)
    await registry.apply(HEAD + entry("Achieng", FIRST, OTHERS) + left)
    assert await speaks(registry, OTHERS) == achieng


@pytest.mark.parametrize("newcomer_first", [True, False])
async def test_a_newcomer_of_the_same_name_is_another_person(registry, newcomer_first):
    await registry.apply(HEAD + entry("Achieng", FIRST))
    achieng = await speaks(registry, FIRST)
    entries = [entry("Achieng", SECOND), entry("Achieng Otieno", FIRST)]
    await registry.apply(HEAD + "".join(entries if newcomer_first else reversed(entries)))
    assert await speaks(registry, FIRST) == achieng
    assert await speaks(registry, SECOND) != achieng
    assert len(await members(registry)) == 2


async def test_one_person_is_not_two_entries(registry):
    """Both phones had come to one chat's person: a customer who shares it would be two of the staff."""
    await registry.apply(HEAD + entry("Kamau", OTHERS))
    customer = await wrote(registry, FIRST)
    await wrote(registry, SECOND)
    async with registry.database.transaction(OWNER) as connection:
        await connection.execute(sa.update(conversations).values(person_id=customer))
    error = await refused(registry, HEAD + entry("Achieng", FIRST) + entry("Njeri", SECOND))
    assert error.entry == 1


async def test_who_comes_back_by_name_is_who_they_were(registry):
    await registry.apply(HEAD + entry("Achieng", FIRST) + entry("Kamau", OTHERS))
    achieng = await speaks(registry, FIRST)
    applied = await registry.apply(HEAD + entry("Kamau", OTHERS))
    assert applied.changed == ["staff.Achieng"]
    await registry.apply(HEAD + entry("Achieng", SECOND) + entry("Kamau", OTHERS))
    assert await speaks(registry, SECOND) == achieng


async def test_each_is_named_once_as_changed(registry):
    await registry.apply(HEAD + entry("Achieng") + entry("Kamau", OTHERS))
    applied = await registry.apply(HEAD + entry("Achieng Otieno", FIRST) + entry("Kamau", OTHERS, SECOND))
    assert sorted(applied.changed) == sorted(set(applied.changed))
    assert applied.changed == ["staff.Achieng Otieno", "staff.Kamau", "staff.Achieng"]


GONE = entry("Achieng", FIRST, more="active = false")
MOVED = entry("Achieng", SECOND)


@pytest.mark.parametrize("after", ["", GONE, MOVED], ids=["left out", "not active", "another phone"])
async def test_what_waits_for_one_of_the_staff_is_told_to_nobody_who_is_not(registry, after):
    kamau = entry("Kamau", OTHERS)
    await registry.apply(HEAD + entry("Achieng", FIRST) + kamau)
    tenant = await tenant_of(registry)
    async with registry.database.transaction(OWNER) as connection:
        chats = (await connection.execute(sa.select(conversations.c.id, conversations.c.person_id))).all()
        rows = [
            {"tenant_id": tenant, "conversation_id": chat.id, "state": "held"}
            | {"body_sealed": b"", "due_at": NOW, "created_at": NOW}
            for chat in chats
        ]
        await connection.execute(sa.insert(outbox), rows)
    kamaus = await speaks(registry, OTHERS)
    await registry.apply(HEAD + after + kamau)
    async with registry.database.reading(OWNER) as connection:
        query = sa.select(outbox.c.conversation_id, outbox.c.state)
        states = dict(tuple(row) for row in await connection.execute(query))
    assert states == {chat.id: "held" if chat.person_id == kamaus else "failed" for chat in chats}
