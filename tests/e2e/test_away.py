"""An approver who has not written for a day, by the real program: the template reaches them, and decides."""

from contextlib import asynccontextmanager

import aiohttp

from tests.e2e.phones import Sandbox
from tests.e2e.town import Town


@asynccontextmanager
async def town(folder):
    with Sandbox(folder).running() as url:
        async with aiohttp.ClientSession() as http:
            yield Town(http, url.rstrip("/"))


async def closes(town, key):
    await town.post(f"/phones/{key}/window", {"open": False})


async def test_an_approver_outside_the_window_decides_by_the_template(tmp_path):
    async with town(tmp_path) as shop:
        wanjiku, achieng, kamau = (shop.person(key) for key in ("wanjiku", "achieng", "kamau"))
        await wanjiku.says("pay 2000")
        await wanjiku.hears("2,000.00")
        await wanjiku.taps("Pay")
        await closes(shop, "wanjiku")  # before the receipt, which Meta then refuses as it is
        await shop.answer_prompt("pay")
        await wanjiku.hears("Thank you. We have received KES 2,000.00", "template")
        await achieng.says("withdraw 1000")
        await achieng.hears("Withdraw *KES 1,000.00*")
        await achieng.taps("Withdraw")
        await kamau.hears("is waiting for your decision", "Asked by: Achieng", "'template'")
        await kamau.taps("Approve")
        await kamau.hears("Approved.")
        await achieng.hears("has arrived")
