"""A customer pays on providers' pages in the sandbox, saves the card, and pays with it by one tap."""

import pytest
from playwright.async_api import expect


async def chooses(phones, provider, amount):
    """Until the link is there."""
    await phones.says("Wanjiku", f"pay {amount}")
    await phones.hears("Wanjiku", f"Pay KES {amount}.00 to")
    await phones.taps("Wanjiku", "Change method")
    await phones.hears("Wanjiku", "How do you want to pay")
    await phones.taps("Wanjiku", "Choose method")
    rows = phones.of("Wanjiku").get_by_role("dialog")
    await rows.get_by_role("button", name=f"{provider} On its own page").click()
    await phones.hears("Wanjiku", f"With {provider}")
    await phones.taps("Wanjiku", "Pay")
    await phones.hears("Wanjiku", f"on the page of {provider}", "until")


async def opens_the_page(phones):
    link = phones.of("Wanjiku").get_by_role("link", name="Open the page").last
    async with phones.page.context.expect_page() as opened:
        await link.click()
    page = await opened.value
    await page.route("https://wa.me/**", lambda route: route.fulfill(body="the chat"))
    return page


async def pays_again(phones, label, amount):
    await phones.says("Wanjiku", f"pay {amount}")
    await phones.hears("Wanjiku", f"Pay KES {amount}.00 to", label)
    await phones.taps("Wanjiku", "Pay")
    assert "Save it" not in await phones.hears("Wanjiku", f"Paid: KES {amount}.00", label)


async def saves(phones):
    await phones.taps("Wanjiku", "Save it")
    await phones.hears("Wanjiku", "Saved")


@pytest.mark.browser
@pytest.mark.timeout(120)
async def test_a_customer_pays_by_pages_saves_the_cards_and_pays_with_them_by_a_tap(sandbox, phones):
    with sandbox.running() as url:
        await phones.open(url)
        await by_paystack(phones)
        await by_stripe(phones)
        rows = ("Wallet\t1,500.00\t–", "At Paystack\t-800.00\t–", "At Stripe\t-700.00\t–")
        await phones.shows_books(*rows)
    assert sandbox.complaints() == ""


async def by_paystack(phones):
    """Declined first."""
    await chooses(phones, "Paystack", 500)
    page = await opens_the_page(phones)
    await expect(page.get_by_text("KES 500", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Be declined").click()
    await expect(page.get_by_role("alert")).to_contain_text("declined")
    await page.get_by_role("button", name="Pay by card").click()
    await phones.hears("Wanjiku", "Paid: KES 500.00", "Paystack Visa ****4081", "Save it")
    await page.close()
    await saves(phones)
    await pays_again(phones, "Paystack Visa ****4081", 300)


async def by_stripe(phones):
    await chooses(phones, "Stripe", 400)
    page = await opens_the_page(phones)
    await page.get_by_role("button", name="Pay", exact=True).click()
    await phones.hears("Wanjiku", "Paid: KES 400.00", "Stripe", "****4242", "Save it")
    await page.close()
    await saves(phones)
    await pays_again(phones, "****4242", 300)
