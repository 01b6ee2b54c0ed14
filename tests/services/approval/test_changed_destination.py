"""A destination that was changed: what was to go to the old one does not, however it was asked for."""

from services.batches import asking
from services.ids import new_id
from services.news import Unsent
from services.people import tenant_file
from services.people.apply import apply
from services.store.schema import batches, payouts, withdrawals
from tests.services.approval.test_changes import EVIL, approve, ask, funded, pass_a_day
from tests.services.business import destination

__all__ = ["funded"]
HEADER = "to,number,amount,note\n"
TO_OLD, ELSEWHERE = "phone,0722000111,500,till\n", "phone,0712345678,500,rice\n"


async def ask_batch(business, text):
    async with business.work() as work:
        content = (HEADER + text).encode()
        return await asking.ask_file(work, business.cashier, new_id(), "pay.csv", content, ("mpesa",))


async def read_batch(business, text):
    """A draft, that its maker has not sent on."""
    batch_id = new_id()
    async with business.work() as work:
        chat = business.chats[business.cashier]
        await asking.take(work, business.cashier, chat, batch_id, "draft.csv", "media")
        await asking.check_file(work, business.cashier, batch_id, (HEADER + text).encode(), ("mpesa",))
    return batch_id


async def test_files_that_wait_and_payouts_that_are_not_sent_do_not_go_to_the_old_destination(funded):
    change = await approve(funded, await ask(funded, "destination", EVIL))
    funded.forward(hours=20)
    to_old, elsewhere = await ask_batch(funded, ELSEWHERE + TO_OLD), await ask_batch(funded, ELSEWHERE)
    draft, other_draft = await read_batch(funded, TO_OLD), await read_batch(funded, ELSEWHERE)
    ready = await funded.approved("100", destination("0722000111"))
    other = await funded.approved("100", destination("0712345678"))
    funded.forward(hours=-20)
    assert (await pass_a_day(funded, change)).state == "done"
    assert (await funded.row(batches, to_old.id)).state == "canceled"
    assert (await funded.row(batches, elsewhere.id)).state == "pending"
    assert (await funded.row(batches, draft)).state == "expired"
    assert (await funded.row(batches, other_draft)).state == "draft"
    assert (await funded.row(payouts, ready.payout)).because == Unsent.DESTINATION
    assert (await funded.row(withdrawals, ready.withdrawal.id)).status == "failed"
    assert (await funded.row(payouts, other.payout)).state == "created"


async def test_a_file_of_the_operator_that_changes_the_destination_ends_what_was_to_go_to_the_old(funded):
    to_old = await funded.withdraw("100", to=destination("0722000111"))
    other = await funded.withdraw("100", to=destination("0712345678"))
    ready = await funded.approved("100", destination("0722000111"))
    text = f"""
[tenant]
slug = "{funded.slug}"
[payout]
method_type = "mpesa"
method_details = {{ phone_number = "0733000666" }}
"""
    async with funded.work() as work:
        await apply(work, tenant_file.read(text))
    assert (await funded.row(withdrawals, to_old.id)).status == "canceled"
    assert (await funded.row(payouts, ready.payout)).because == Unsent.DESTINATION
    assert (await funded.row(withdrawals, ready.withdrawal.id)).status == "failed"
    assert (await funded.row(withdrawals, other.id)).status == "pending"
