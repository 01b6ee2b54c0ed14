"""A file that changes who approves, or how many have to, while a withdrawal stands open."""

from uuid import UUID

import pytest
import sqlalchemy as sa

from services import ledger
from services.ids import new_id
from services.ledger import WALLET, Transfer
from services.money import Money
from services.news import WithdrawalRequested
from services.store.schema import approvals
from services.store.scope import OWNER
from services.withdrawals import decide, destinations, request
from services.work import Work
from tests.services.people.registry import NOW

SHOP = """
[tenant]
slug = "mama-njeri"

[providers.mpesa]
shortcode = "600100"
consumer_key = "k"
consumer_secret = "s"
passkey = "p"

[limits]
approvals = 2
"""


def member(name, number, role):
    return f'\n[[staff]]\nname = "{name}"\nphone = "+25472200000{number}"\nrole = "{role}"\n'


MAKER = member("Achieng", 1, "Cashier")
FIRST, SECOND, THIRD = (
    member("Kamau", 2, "Owner"),
    member("Otieno", 3, "Finance Admin"),
    member("Baraka", 4, "Finance Admin"),
)


@pytest.fixture
async def open_request(registry):
    """Asked for by Achieng and approved by Otieno; two are needed. Its digest, and what applies a file and
    gives the digests that people were asked for by it."""
    applied = await registry.apply(SHOP + MAKER + FIRST + SECOND)
    people = {each["name"]: UUID(each["id"]) for each in applied.staff}
    amount = Money.parse("1000", "KES")
    async with registry.database.transaction(applied.tenant_id) as connection:
        work = Work(connection, registry.vault, applied.tenant_id, NOW)
        sale = Transfer("provider:mpesa", WALLET, Money.parse("5000", "KES"), "opening")
        await ledger.post(work, new_id(), [sale])
        to = destinations.of("mpesa", {"phone_number": "+254722000111"})
        quoted = await request.quote(work, amount, "mpesa")
        asked = await request.request(work, people["Achieng"], new_id(), quoted, to)
        await decide.approve(work, people["Otieno"], asked.id, asked.digest)

    async def asked_by(text):
        before = await requests()
        await registry.apply(text)
        return (await requests())[len(before) :]

    async def requests():
        return [
            each.withdrawal.digest for each in await registry.told() if isinstance(each, WithdrawalRequested)
        ]

    return asked.digest, asked_by


async def test_whose_approval_counts_no_more_those_left_and_new_are_asked(open_request):
    digest, asked_by = open_request
    assert await asked_by(SHOP + MAKER + FIRST + THIRD) == [digest, digest]


@pytest.mark.parametrize("away", ["", SECOND + "active = false\n"])
async def test_who_comes_back_has_approved_nothing_and_is_asked(registry, open_request, away):
    """Whoever let them go may have had no reason to trust what they had approved."""
    digest, asked_by = open_request
    assert await asked_by(SHOP + MAKER + FIRST + away) == [digest]
    assert await asked_by(SHOP + MAKER + FIRST + SECOND) == [digest]
    async with registry.database.reading(OWNER) as connection:
        assert (await connection.execute(sa.select(approvals))).all() == []


async def test_where_more_have_to_approve_all_are_asked_anew(open_request):
    digest, asked_by = open_request
    told = await asked_by(SHOP.replace("approvals = 2", "approvals = 3") + MAKER + FIRST + SECOND)
    assert len(told) == 2
    assert digest not in told


async def test_what_leaves_that_as_it_was_asks_nobody(open_request):
    _, asked_by = open_request
    same = SHOP.replace("approvals = 2", "approvals = 2\nper_day = 90000")
    assert await asked_by(same + MAKER + FIRST + SECOND) == []
