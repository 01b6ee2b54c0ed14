"""A day of the staff, on the sandbox's page: money leaves by every way out, and comes back."""

import asyncio
import os
import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.e2e import story
from tests.e2e.phones import Phones

PICTURES = os.environ.get("LIPACHAT_PICTURES")  # a folder for what there is to look at


async def picture(phones: Phones, name: str) -> None:
    if PICTURES:
        await phones.page.screenshot(path=Path(PICTURES) / f"{name}.png")


async def pays(phones, amount, shown):
    await phones.says("Wanjiku", f"pay {amount}")
    await phones.hears("Wanjiku", f"Pay KES {shown}")
    await phones.taps("Wanjiku", "Pay")
    await phones.hears("Wanjiku", "Enter your M-Pesa PIN")
    await phones.enters_pin("Wanjiku", shown)
    await phones.hears("Wanjiku", f"Paid: KES {shown}")


async def goes_elsewhere(phones, way):
    await phones.taps("Achieng", "Change destination")
    await phones.hears("Achieng", "Where should")
    await phones.taps("Achieng", "Choose destination")
    await phones.of("Achieng").get_by_role("dialog").get_by_role("button", name=way).click()


async def code_of(phones, name):
    """What the authenticator on their phone shows."""
    await phones.taps(name, f"More for {name}")
    await phones.of(name).get_by_role("menuitem", name="One-time code").click()
    shown = phones.of(name).get_by_label("One-time code")
    await expect(shown).to_have_text(re.compile(r"\d{3} \d{3}"))
    await picture(phones, "code")
    code = await shown.inner_text()
    await phones.page.keyboard.press("Escape")
    return code


@pytest.mark.browser
@pytest.mark.timeout(180)
async def test_money_leaves_by_every_way_out_and_comes_back(sandbox, phones, tmp_path):
    with sandbox.running() as url:
        await phones.open(url)
        await story.pays_and_saves(phones)
        await pays(phones, 50000, "50,000.00")
        for scene in (
            to_a_phone,
            to_a_bank,
            to_a_till,
            rejected,
            unknown_at_first,
            refunded,
            a_file_of_them,
            above_the_limit,
        ):
            await scene(phones)
        await on_paper(phones, tmp_path)
        assert phones.complaints == []
    assert sandbox.complaints() == ""


async def to_a_phone(phones):
    await story.asks_to_withdraw(phones, available="52,000.00")
    await story.approves(phones)


async def to_a_bank(phones):
    await story.withdraws_to_a_bank(phones)


async def to_a_till(phones):
    await phones.says("Achieng", "withdraw 500")
    await phones.hears("Achieng", "Withdraw KES 500.00")
    await goes_elsewhere(phones, "Till")
    await phones.hears("Achieng", "Type the till number")
    await phones.says("Achieng", "600 100")
    await phones.hears("Achieng", "To: Till **0100")
    await phones.taps("Achieng", "Withdraw")
    await phones.hears("Kamau", "To: Till **0100", "Approve")
    await phones.taps("Kamau", "Approve")
    await phones.hears("Achieng", "Paid out", "Till **0100")


async def above_the_limit(phones):
    await phones.says("Achieng", "withdraw 25000")
    await phones.hears("Achieng", "KES 25,000.00", "********3456")
    await phones.taps("Achieng", "Withdraw")
    await phones.hears("Kamau", "Asked by: Achieng", "KES 25,000.00")
    await phones.taps("Kamau", "Approve")
    await phones.hears("Kamau", "takes a one-time code")
    code = await code_of(phones, "Kamau")
    await phones.hears("Kamau", "has given Kamau one-time codes")
    await phones.taps("Kamau", "Approve")
    await phones.hears("Kamau", "type the 6-digit code")
    await phones.says("Kamau", "000000" if code != "000 000" else "111111")
    await phones.hears("Kamau", "not the code of this moment")
    await phones.says("Kamau", code)
    await phones.hears("Kamau", "is being sent")
    await phones.hears("Achieng", "Paid out")
    await picture(phones, "above")


async def rejected(phones):
    await phones.says("Achieng", "withdraw 700")
    await phones.hears("Achieng", "KES 700.00")
    await phones.taps("Achieng", "Withdraw")
    await phones.hears("Kamau", "KES 700.00", "Reject")
    await phones.taps("Kamau", "Reject")
    await phones.hears("Kamau", "Why do you reject")
    await phones.says("Kamau", "Rent comes first")
    await phones.hears("Achieng", "rejected by Kamau", "Rent comes first")


async def unknown_at_first(phones):
    """Daraja takes it, answers nothing and its result is lost: it is asked, and nothing is sent again."""
    for point, kind in (("b2c.request", "500_after"), ("b2c.callback", "lost")):
        await arm(phones, point, kind)
    await phones.says("Achieng", "withdraw 900")
    await phones.hears("Achieng", "KES 900.00")
    await phones.taps("Achieng", "Withdraw")
    await phones.hears("Kamau", "KES 900.00", "Approve")
    await phones.taps("Kamau", "Approve")
    await phones.hears("Kamau", "is being sent")
    paid = asyncio.create_task(phones.hears("Achieng", "Paid out: KES 867.00"))
    while not paid.done():
        await phones.page.request.post(f"{phones.page.url}control/clock", data={"hours": 1})
        await asyncio.sleep(3)
    await paid


async def refunded(phones):
    for name in ("Kamau", "Achieng"):
        await phones.says(name, "hello")
    await phones.says("Wanjiku", "receipt")
    await phones.hears("Wanjiku", "Receipt", "KES 50,000.00", "Ask for refund")
    await phones.taps("Wanjiku", "Ask for refund")
    await phones.hears("Wanjiku", "Why do you want your money back")
    await phones.says("Wanjiku", "The bag was torn")
    await phones.hears("Wanjiku", "I have asked")
    await phones.hears("Achieng", "asks for a refund", "The bag was torn")
    await phones.taps("Achieng", "Refund it")
    await phones.hears("Achieng", "How much")
    await phones.says("Achieng", "200")
    await phones.hears("Achieng", "Type a few words")
    await phones.says("Achieng", "One bag of many")
    await phones.hears("Kamau", "KES 200.00", "One bag of many", "Approve")
    await phones.taps("Kamau", "Approve")
    await phones.hears("Wanjiku", "KES 200.00", "refund")


async def a_file_of_them(phones):
    lines = "to,number,bank,name,amount,note\nphone,0712345678,,,500,rice\ntill,123456,,,1200,\n"
    file = {"name": "pay.csv", "mimeType": "text/csv", "buffer": lines.encode()}
    await phones.of("Achieng").get_by_label("File from Achieng").set_input_files(file)
    await phones.hears("Achieng", "pay.csv: 2 withdrawals", "KES 1,700.00")
    await phones.taps("Achieng", "Ask for approval")
    await phones.hears("Kamau", "pay.csv: 2 withdrawals", "Asked by: Achieng", "Approve")
    await phones.taps("Kamau", "Approve")
    await phones.hears("Achieng", "Paid: 2, on the way: 0, not paid: 0")


async def on_paper(phones, folder):
    await phones.says("Achieng", "statement")
    await phones.hears("Achieng", "A statement of which period")
    await phones.of("Achieng").locator(".bubble").last.get_by_role("button").click()
    await phones.of("Achieng").get_by_role("dialog").get_by_role("button", name="This month").click()
    await phones.hears("Achieng", "Closing balance")
    await phones.taps("Achieng", "PDF")
    await phones.hears("Achieng", "Statement of")
    await picture(phones, "day")
    link = phones.of("Achieng").locator("a.file").last
    answer = await phones.page.request.get(await link.evaluate("it => it.href"))
    pdf = await answer.body()
    assert pdf.startswith(b"%PDF-")
    (Path(PICTURES or folder) / "statement.pdf").write_bytes(pdf)


async def arm(phones, at, fault):
    answer = await phones.page.request.post(
        f"{phones.page.url}control/faults", data={"at": at, "fault": fault}
    )
    assert answer.ok, await answer.text()
