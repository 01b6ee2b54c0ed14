"""Picture: what the README shows, taken from the real sandbox after its main job was played.

Run: python -m tests.e2e.picture docs/images/sandbox.png
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from playwright.async_api import expect

from tests.e2e import story
from tests.e2e.phones import Phones, Sandbox, browser_page

_MOST_BYTES = 400_000


async def taken() -> bytes:
    with tempfile.TemporaryDirectory() as folder, Sandbox(Path(folder)).running() as url:
        async with browser_page(1400, 860, scale=1.1) as phones:
            await phones.open(url)
            await story.main_job(phones)
            await _ask_juma_again(phones)
            await _tidy(phones)
            return await phones.page.screenshot(animations="disabled")


async def _ask_juma_again(phones: Phones) -> None:
    """So that M-Pesa's question is in the picture."""
    await phones.taps("Juma", "Save it")
    await phones.hears("Juma", "Saved")
    await phones.says("Juma", "pay 120")
    await phones.hears("Juma", "Pay KES 120.00")
    await phones.taps("Juma", "Pay")
    await phones.prompt("Juma").wait_for()


async def _tidy(phones: Phones) -> None:
    """Every message read, no text of M-Pesa over a chat, the books as they are."""
    for name in ("Wanjiku", "Achieng", "Kamau"):
        await phones.of(name).get_by_role("log").hover()
    await phones.page.get_by_role("heading", name="Lipachat").hover()
    await expect(phones.page.locator(".toast")).to_have_count(0, timeout=15_000)
    await expect(phones.page.locator("#accounts tr")).to_have_count(3)


if __name__ == "__main__":
    picture = asyncio.run(taken())
    if len(picture) > _MOST_BYTES:
        raise SystemExit(f"The picture has {len(picture)} bytes, which is too much for a README.")
    Path(sys.argv[1]).write_bytes(picture)
