"""What the shop's own program is posted in the sandbox: seen on its sheet, refused, sent again, forged."""

import asyncio
import json
import re

import aiohttp
import pytest
from playwright.async_api import expect


@pytest.fixture
async def sheet(phones):
    return phones.page.get_by_role("dialog", name="Webhooks")


async def opens(phones, url):
    await phones.open(url)
    await phones.page.get_by_role("button", name="Webhooks", exact=True).click()


def post_of(sheet, *words):
    """The latest post with all these words."""
    found = sheet.locator("#posts > li")
    for word in words:
        found = found.filter(has_text=word)
    return found.first


async def pays(phones, amount):
    await phones.says("Wanjiku", f"pay {amount}")
    await phones.hears("Wanjiku", f"Pay KES {amount}.00 to")
    await phones.taps("Wanjiku", "Pay")
    await phones.enters_pin("Wanjiku", f"{amount}.00")
    await phones.hears("Wanjiku", f"Paid: KES {amount}.00")


async def answers(sheet, label):
    await sheet.get_by_role("radio", name=label).check()


@pytest.mark.browser
@pytest.mark.timeout(180)
async def test_the_shops_program_is_told_refuses_and_is_told_again(sandbox, phones, sheet):
    with sandbox.running() as url:
        await opens(phones, url)
        await expect(sheet).to_contain_text(f"127.0.0.1:{sandbox.port + 1}/shop/webhooks")
        await expect(sheet).to_contain_text("Nothing was posted yet")
        await phones.says("Kamau", "hello")
        await is_shown_what_was_posted(phones, sheet)
        await refuses_with_500_and_is_told_again(phones, sheet)
        await is_gone_and_comes_back(phones, sheet)
    assert sandbox.complaints() == ""
    assert phones.complaints == []


async def is_shown_what_was_posted(phones, sheet):
    await pays(phones, 200)
    post = post_of(sheet, "payment.succeeded", "try 1")
    await expect(post).to_contain_text("signature right")
    await expect(post).to_contain_text("answered 200")
    await post.locator("summary").click()
    await expect(post).to_contain_text("webhook-signature")
    body = json.loads(await post.locator("pre").inner_text())
    assert (body["type"], body["data"]["amount"]) == ("payment.succeeded", "200.00")
    assert body["data"]["id"][-6:] in await post.locator("summary").inner_text()


async def refuses_with_500_and_is_told_again(phones, sheet):
    """What comes twice is seen to be the same by its webhook-id."""
    await answers(sheet, "500")
    await pays(phones, 300)
    first = post_of(sheet, "payment.succeeded", "answered 500")
    await expect(first).to_contain_text("try 1")
    waiting = sheet.get_by_role("list", name="To be sent again").get_by_role("listitem")
    await expect(waiting).to_have_count(1)
    await expect(waiting).to_contain_text(re.compile(r"payment.succeeded.*http_500.*next at \d\d:\d\d:\d\d"))
    await answers(sheet, "200")
    await waiting.get_by_role("button", name="Send now").click()
    again = post_of(sheet, "payment.succeeded", "300.00", "try 2", "answered 200")
    await expect(again).to_contain_text("signature right")
    await expect(waiting).to_have_count(0)
    await expect(again).not_to_contain_text("taken before")
    await again.locator("summary").click()
    await again.get_by_role("button", name="Send again").click()
    await expect(post_of(sheet, "300.00", "try 3")).to_contain_text("taken before")


async def is_gone_and_comes_back(phones, sheet):
    await answers(sheet, "410")
    await pays(phones, 400)
    await expect(sheet.locator("#endpoint")).to_contain_text("disabled: it answered 410")
    await phones.hears("Kamau", "wants no webhooks of Mama Njeri Duka any more")
    await pays(phones, 500)
    lost = sheet.get_by_role("list", name="Given up").get_by_role("listitem")
    await expect(lost).to_have_count(2)
    await answers(sheet, "200")
    await sheet.get_by_role("button", name="Enable again").click()
    await expect(sheet.locator("#endpoint")).to_contain_text("enabled")
    await sheet.get_by_role("button", name="Send all again").click()
    await expect(lost).to_have_count(0)
    for amount in ("400.00", "500.00"):
        await expect(post_of(sheet, "answered 200", amount)).to_contain_text("signature right")


@pytest.mark.browser
@pytest.mark.timeout(120)
async def test_what_somebody_else_posts_is_shown_as_forged_and_refused(sandbox, phones, sheet):
    with sandbox.running() as url:
        await opens(phones, url)
        await pays(phones, 200)
        await expect(post_of(sheet, "payment.succeeded")).to_contain_text("signature right")
        forged = b'{"type": "payment.succeeded", "timestamp": "2026-11-29T09:00:00Z", "data": {"id": "x"}}'
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{url}shop/webhooks", data=forged) as answer,
        ):
            assert answer.status == 401
        post = post_of(sheet, "signature wrong")
        await expect(post).to_contain_text("answered 401")
        await post.locator("summary").click()
        await expect(post).to_contain_text("webhook-id is missing")
    assert sandbox.complaints() == ""


@pytest.mark.browser
@pytest.mark.timeout(180)
async def test_the_program_is_told_on_another_port_after_a_start_and_still_knows_the_signature(
    sandbox, phones, sheet
):
    with sandbox.running() as url:
        await opens(phones, url)
        await pays(phones, 200)
        await expect(post_of(sheet, "payment.succeeded")).to_contain_text("signature right")
    sandbox.port = sandbox.port + 2
    with sandbox.running() as url:
        await opens(phones, url)
        await expect(sheet).to_contain_text("Nothing was posted yet")
        await pays(phones, 300)
        post = post_of(sheet, "payment.succeeded", "300.00")
        await expect(post).to_contain_text("signature right")
        await asyncio.sleep(0.1)
        await expect(sheet.locator("#posts > li")).to_have_count(1)
    assert sandbox.complaints() == ""


@pytest.mark.browser
@pytest.mark.timeout(120)
async def test_the_sheet_fills_a_narrow_window_and_is_left_by_the_keyboard(sandbox, phones, sheet):
    with sandbox.running() as url:
        await phones.page.set_viewport_size({"width": 390, "height": 780})
        await opens(phones, url)
        await expect(sheet.get_by_role("button", name="Close")).to_be_focused()
        box = await sheet.bounding_box()
        assert (box["x"], box["width"]) == (0, 390)
        assert await phones.page.evaluate("document.documentElement.scrollWidth") == 390
        await phones.page.keyboard.press("Shift+Tab")
        await expect(sheet.get_by_role("radio", name="200")).to_be_focused()
        await phones.page.keyboard.press("Escape")
        await expect(sheet).to_be_hidden()
        await expect(phones.page.get_by_role("button", name="Webhooks", exact=True)).to_be_focused()
