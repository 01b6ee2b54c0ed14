"""Taps that are none of the tapper's, through the whole chat on both databases: they move nothing, and
the person hears where things stand."""

import base64
import itertools
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from services.people.identity import member
from services.safety import stepup
from services.store.schema import attempts, conversations, inbox, tenants, withdrawals
from services.store.scope import OWNER
from services.work import Work
from tests.bot.door import NUMBER, envelope, now, opened, text

OTHER_NUMBER = "777"
WANJIKU, JUMA = "254712345678", "254733222111"
ACHIENG, KAMAU = "254722000001", "254722000002"  # a cashier and an approver of both shops
LATE = "That button is "  # ... no longer in use, or from an earlier message


@pytest.fixture
async def street(database, vault):
    """Two shops, of the same staff."""
    async with opened(database, vault, worker=True) as door:
        street = Street(door, await door.open_shop(NUMBER))
        await door.open_shop(OTHER_NUMBER)
        yield street
        assert await street.unplayed() == []


class Street:
    def __init__(self, door, shop):
        self.door, self.shop = door, shop
        self._ids = (f"wamid.{n}" for n in itertools.count())

    async def says(self, phone, words, *, to=NUMBER):
        """The answers, until the next one speaks."""
        return await self._hears(text(next(self._ids), words, **{"from": phone}), to)

    async def taps(self, phone, id_, *, to=NUMBER, kind="button_reply"):
        tap = {"type": kind, kind: {"id": id_, "title": "Pay"}}
        message = text(next(self._ids), type="interactive", interactive=tap, **{"from": phone})
        del message["text"]
        return await self._hears(message, to)

    async def _hears(self, message, number):
        before = len(self.door.graph.sent)
        assert (await self.door.update(envelope(message, number=number))).status == 200
        while True:  # somebody else may be told of it first
            for n, sent in enumerate(await self.door.hears(before + 1)):
                if n >= before and sent["to"].lstrip("+") == message["from"]:
                    return sent
            before = len(self.door.graph.sent)

    async def rows(self, query):
        async with self.door.database.reading(OWNER) as connection:
            return (await connection.execute(query)).scalars().all()

    async def nothing_was_paid(self):
        return await self.rows(sa.select(attempts.c.id)) == []

    async def statuses(self):
        return await self.rows(sa.select(withdrawals.c.status))

    async def unplayed(self):
        """Events that failed."""
        return await self.rows(sa.select(inbox.c.error).where(inbox.c.error.is_not(None)))


def words(message):
    return str(message.get("text", {}).get("body") or message["interactive"]["body"]["text"])


def button(message, title):
    """The id of a button."""
    buttons = message["interactive"]["action"]["buttons"]
    return next(one["reply"]["id"] for one in buttons if one["reply"]["title"] == title)


async def test_another_persons_button_pays_nothing(street):
    pay = button(await street.says(WANJIKU, "pay 500"), "Pay")
    assert words(await street.taps(JUMA, pay)).startswith(LATE)
    await street.says(JUMA, "pay 20")
    answer = words(await street.taps(JUMA, pay))
    assert answer.startswith(LATE)
    assert "KES 20.00" in answer
    assert await street.nothing_was_paid()


async def test_the_button_of_another_shop_pays_nothing(street):
    pay = button(await street.says(WANJIKU, "pay 500"), "Pay")
    assert words(await street.taps(WANJIKU, pay, to=OTHER_NUMBER)).startswith(LATE)
    await street.says(WANJIKU, "pay 20", to=OTHER_NUMBER)
    assert words(await street.taps(WANJIKU, pay, to=OTHER_NUMBER)).startswith(LATE)
    assert await street.nothing_was_paid()
    assert "Enter your M-Pesa PIN" in words(await street.taps(WANJIKU, pay))


async def test_an_approval_is_tapped_by_its_approver_in_its_shop_alone(street):
    await street.door.fund(street.shop, "5000")
    await street.says(KAMAU, "hello")
    withdraw = button(await street.says(ACHIENG, "withdraw 1000"), "Withdraw")
    take_back = button(await street.taps(ACHIENG, withdraw), "Cancel withdrawal")
    asked = await street.door.hears(4)  # hello, the question, the request, and what the approver is asked
    approve = next(button(sent, "Approve") for sent in asked if "Reject" in str(sent))
    for phone, number in ((KAMAU, OTHER_NUMBER), (JUMA, NUMBER), (WANJIKU, OTHER_NUMBER)):
        assert words(await street.taps(phone, approve, to=number)).startswith(LATE)
        assert words(await street.taps(phone, take_back, to=number)).startswith(LATE)
    assert "Asked by: Achieng" in words(await street.taps(ACHIENG, approve))  # the maker sees it, no more
    assert await street.statuses() == ["pending"]
    await street.taps(KAMAU, approve)
    assert await street.statuses() == ["processing"]


async def test_a_typed_code_approves_and_is_kept_nowhere(street, vault):
    door = street.door
    await door.fund(street.shop, "5000")
    async with door.database.transaction(OWNER) as connection:
        await connection.execute(
            sa.update(tenants).where(tenants.c.id == street.shop).values(totp_above=500_00)
        )
        work = Work(connection, vault, street.shop, now())
        kamau = await member(work, KAMAU)
        assert kamau is not None
        (secret,) = parse_qs(urlsplit(await stepup.enrol(work, kamau)).query)["secret"]
    code = TOTP(base64.b32decode(secret), 6, SHA1(), 30).generate(int(now().timestamp())).decode()
    await street.says(KAMAU, "hello")
    await street.says(ACHIENG, "hello")
    await door.hears(3)  # that he has codes now is among them, however late
    withdraw = button(await street.says(ACHIENG, "withdraw 1000"), "Withdraw")
    await street.taps(ACHIENG, withdraw)
    for most in itertools.count(4):  # others may be told of other things first
        asked = [sent for sent in await door.hears(most) if "Reject" in str(sent)]
        if asked:
            break
    approve = button(asked[0], "Approve")
    assert "authenticator app" in words(await street.taps(KAMAU, approve))
    assert words(await street.says(KAMAU, code)).startswith("Approved.")
    assert await street.statuses() == ["processing"]
    async with door.database.reading(OWNER) as connection:
        events = (await connection.execute(sa.select(inbox))).all()
        places = (await connection.execute(sa.select(conversations))).all()
    opened_up = [
        vault.open(row.body_sealed, row.tenant_id, "inbox.body", f"{row.kind}|{row.external_id}|{row.status}")
        for row in events
    ]
    opened_up += [
        vault.open(row.place_sealed, row.tenant_id, "conversations.place", str(row.id))
        for row in places
        if row.place_sealed
    ]
    assert any(b"[code]" in body for body in opened_up)
    assert not any(code.encode() in body for body in opened_up)


GARBAGE = [
    "x",
    "|||",
    "main|ReviewOrder|n0nce|Pay.0",
    "main|Gone|n0nce|Pay.0",
    "main|||",
    f"w{uuid4()}|Decide|n0nce|Approve.0",
    "wnot-a-withdrawal|Decide|n0nce|Approve.0",
    f"p{uuid4()}|AwaitPayment|n0nce|Asked.0",
    "a|b|c|d|e",
    "x" * 256,
    "\x00|\ud800|'; DROP TABLE people; --|",
    "../../etc/passwd",
]


@pytest.mark.parametrize("kind", ["button_reply", "list_reply"])
async def test_a_tap_of_garbage_is_answered_and_moves_nothing(street, kind):
    for phone in (WANJIKU, KAMAU):
        for id_ in GARBAGE:
            assert words(await street.taps(phone, id_, kind=kind))
    assert await street.nothing_was_paid()
    assert await street.statuses() == []


async def test_a_forged_choice_within_the_persons_own_asking_is_not_understood(street):
    pay = button(await street.says(WANJIKU, "pay 500"), "Pay")
    asked, _, _ = pay.rpartition("|")
    for choice in ("Pay.1", "Pay.99", "Approve.0", "", "more"):
        assert words(await street.taps(WANJIKU, f"{asked}|{choice}"))
    assert await street.nothing_was_paid()
    assert "Enter your M-Pesa PIN" in words(await street.taps(WANJIKU, pay))
