"""The phones page in a real browser, with a tiny bot behind it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import BaseTestServer, TestServer
from playwright.async_api import Locator, Page, async_playwright, expect

from bot.sandbox.clock import Clock
from bot.sandbox.keys import certificate_pem
from bot.sandbox.server import emulators
from bot.sandbox.world import DarajaApp, World
from tests.sandbox import tiny_forms
from tests.sandbox.merchant import Merchant
from tests.sandbox.tiny_bot import TinyBot
from tests.servers import chromium

pytestmark = pytest.mark.browser

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass
class Shown:
    """The page, and what it complained of on its console."""

    page: Page
    url: str
    session: ClientSession
    complaints: list[str]

    def phone(self, key: str) -> Locator:
        return self.page.locator(f"#phone-{key}")

    async def say(self, key: str, words: str) -> None:
        field = self.phone(key).locator(".words")
        await field.fill(words)
        await field.press("Enter")

    async def tap(self, key: str, title: str) -> None:
        await self.phone(key).get_by_role("button", name=title, exact=True).last.click()

    async def send(self, to: str, body: str) -> None:
        """The business writes by itself."""
        payload: dict[str, Any] = {"messaging_product": "whatsapp", "to": to, "text": {"body": body}}
        path = "/v25.0/106540352242922/messages"
        headers = {"Authorization": "Bearer token-1"}
        async with self.session.post(self.url + path, json=payload, headers=headers) as answer:
            assert answer.status == 200


@pytest.fixture
async def shown(world: World, merchant: DarajaApp, tmp_path: Path) -> AsyncIterator[Shown]:
    async with ClientSession() as session:
        bot = TinyBot(world.shops[0], session)
        async with TestServer(bot.application()) as bot_server:
            clock = Clock(tmp_path / "clock")
            placed = replace(
                world,
                app_url=_url(bot_server),
                ledger=bot.books,
                forms={tiny_forms.FLOW_ID: tiny_forms.LAYOUT},
                forms_key=tiny_forms.KEY.public_pem,
                now=clock,
                forward=clock.forward,
            )
            async with TestServer(emulators(placed)) as server:
                bot.url = _url(server)
                place = _Place(bot.url, placed.app_url, session)
                bot.merchant = Merchant(place, certificate_pem(merchant.private_key, datetime.now(UTC)))
                async with async_playwright() as driver:
                    browser = await driver.chromium.launch(executable_path=chromium(), args=list(QUIET))
                    page = await browser.new_page(viewport={"width": 1500, "height": 860})
                    told = Shown(page, bot.url, session, [])
                    page.on("console", lambda line: told.complaints.append(f"{line.type}: {line.text}"))
                    page.on("pageerror", lambda error: told.complaints.append(str(error)))
                    await page.goto(bot.url)
                    await expect(page.locator("#live")).to_contain_text("live")
                    yield told
                    await browser.close()


@dataclass
class _Place:
    """What `Merchant` needs of a sandbox."""

    url: str
    app_url: str
    session: ClientSession

    async def post(self, path: str, body: Any, token: str = "") -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {token}"}
        async with self.session.post(self.url + path, json=body, headers=headers) as answer:
            return answer.status, await answer.json()


def _url(server: BaseTestServer) -> str:
    return str(server.make_url("")).rstrip("/")


async def test_four_people_stand_side_by_side_without_a_complaint_of_the_browser(shown):
    await expect(shown.page.locator(".handset")).to_have_count(4)
    await expect(shown.phone("juma")).to_contain_text("number hidden")
    await expect(shown.page.locator("#light")).to_have_text("sums to zero")
    assert shown.complaints == []


async def test_a_chat_by_words_buttons_and_a_list(shown):
    await shown.say("achieng", "menu")
    await shown.tap("achieng", "Shop")
    await shown.tap("achieng", "See the shelf")
    await shown.phone("achieng").get_by_role("button", name="Milk 500 ml").click()
    last = shown.phone("achieng").locator(".bubble.theirs").last
    await expect(last).to_contain_text("You said Milk 500 ml.")
    await expect(last.locator("strong")).to_have_text("Milk 500 ml")
    ticks = shown.phone("achieng").locator(".bubble.mine .ticks").first
    await expect(ticks).to_have_attribute("aria-label", "read")
    assert shown.complaints == []


async def test_the_list_is_used_by_keyboard_alone(shown):
    await shown.say("achieng", "menu")
    await shown.tap("achieng", "Shop")
    opener = shown.phone("achieng").get_by_role("button", name="See the shelf")
    await opener.focus()
    await shown.page.keyboard.press("Enter")
    sheet = shown.phone("achieng").get_by_role("dialog")
    await expect(sheet).to_be_visible()
    await shown.page.keyboard.press("Escape")
    await expect(sheet).to_have_count(0)
    await expect(opener).to_be_focused()
    await shown.page.keyboard.press("Enter")
    await shown.page.keyboard.press("Tab")
    await shown.page.keyboard.press("Enter")
    await expect(shown.phone("achieng").locator(".bubble.theirs").last).to_contain_text("Maize flour")


async def test_a_prompt_is_paid_with_a_pin_and_the_books_move(shown):
    await shown.say("achieng", "pay")
    prompt = shown.phone("achieng").get_by_role("dialog", name="M-PESA asks Achieng")
    await expect(prompt).to_contain_text("Ksh 500.00 to MAMA NJERI DUKA account no. ORDER-12")
    await expect(prompt.get_by_role("button", name="OK")).to_be_disabled()
    await prompt.get_by_label("M-PESA PIN").fill("1234")
    await shown.page.keyboard.press("Enter")
    await expect(prompt).to_have_count(0)
    await expect(shown.phone("achieng").locator(".toast")).to_contain_text("Ksh500.00 sent to MAMA NJERI")
    await expect(shown.phone("achieng").locator(".bubble.theirs").last).to_contain_text("Paid, thank you!")
    await expect(shown.page.locator("#accounts tr").first).to_contain_text("500.00")
    await expect(shown.page.locator("#movements")).to_contain_text("paid")
    await expect(shown.page.locator("#floats li")).to_have_text(["MAMA NJERI DUKA at M-Pesa 17437910,000"])
    assert shown.complaints == []


@pytest.mark.parametrize(("button", "code"), [("Cancel", "1032"), ("Wrong PIN", "2001"), ("No funds", "1")])
async def test_a_prompt_can_end_without_money(shown, button, code):
    await shown.say("achieng", "pay")
    await shown.tap("achieng", button)
    await expect(shown.phone("achieng").locator(".bubble.theirs").last).to_contain_text(
        f"Not paid yet ({code})"
    )


async def test_juma_shares_his_hidden_number(shown):
    await shown.say("juma", "number")
    await shown.tap("juma", "Share phone number")
    field = shown.phone("juma").get_by_label("Phone number to share")
    await expect(field).to_have_value("+254733222111")
    await field.fill("+254733000777")
    await shown.page.keyboard.press("Enter")
    await expect(shown.phone("juma").locator(".contact")).to_contain_text("+254 733 000 777")
    await expect(shown.phone("juma").locator(".bubble.theirs").last).to_contain_text("+254733000777")


async def test_a_payout_is_a_text_on_the_phone_that_gets_it(shown):
    await shown.say("wanjiku", "withdraw")
    await expect(shown.phone("wanjiku").locator(".toast")).to_contain_text("received Ksh967.00")


async def test_a_message_that_meta_refuses_is_seen_where_it_should_have_arrived(shown):
    await shown.say("otieno", "wrong")
    await expect(shown.phone("otieno").locator(".note")).to_contain_text("131009")


async def test_a_link_button_opens_elsewhere(shown):
    await shown.say("achieng", "link")
    link = shown.phone("achieng").get_by_role("link", name="Open the receipt")
    await expect(link).to_have_attribute("href", "https://example.org/pay")
    await expect(link).to_have_attribute("rel", "noopener noreferrer")


async def test_markup_in_a_message_stays_text(shown):
    await shown.say("achieng", "<img src=x onerror=alert(1)><b>bold</b>")
    bubble = shown.phone("achieng").locator(".bubble.mine").last
    await expect(bubble).to_contain_text("<img src=x onerror=alert(1)><b>bold</b>")
    assert await bubble.locator("img").count() == 0
    assert shown.complaints == []


async def test_a_message_is_unread_until_its_person_takes_the_phone(shown):
    await shown.say("otieno", "hello")
    await shown.page.locator("h1").click()
    await shown.send("+254722000004", "Please approve")
    badge = shown.phone("otieno").locator(".badge")
    await expect(badge).to_have_text("1")
    await shown.phone("otieno").locator(".chat").hover()
    await expect(badge).to_be_hidden()


async def test_a_fault_is_armed_and_disarmed_on_the_page(shown):
    await shown.page.get_by_role("button", name="Payout fails").click()
    armed = shown.page.locator("#armed button")
    await expect(armed).to_contain_text("fails (2040)")
    await armed.click()
    await expect(armed).to_have_count(0)


async def test_the_window_can_be_closed_and_the_page_says_so(shown):
    await shown.say("achieng", "hello")
    window = shown.phone("achieng").get_by_role("switch")
    await expect(window).to_be_checked()
    await window.click()
    await expect(window).not_to_be_checked()
    await expect(shown.phone("achieng").locator(".banner")).to_be_visible()


async def test_the_clocks_move_on_and_the_chat_shows_the_day(shown):
    await shown.say("achieng", "hello")
    await expect(shown.phone("achieng").locator(".day")).to_have_text("Today")
    await shown.page.locator("#moves").click()
    await shown.page.get_by_role("button", name="25 hours").click()
    await expect(shown.phone("achieng").locator(".banner")).to_be_visible()
    await expect(shown.phone("achieng").locator(".day")).not_to_have_text("Today")
    await shown.say("achieng", "hello again")
    await expect(shown.phone("achieng").locator(".day").last).to_have_text("Today")
    await expect(shown.phone("achieng").get_by_role("switch")).to_be_checked()
    assert shown.complaints == []


async def test_somebody_without_a_number_is_added_and_talks(shown):
    await shown.page.locator("#add").click()
    await shown.page.get_by_label("Name").fill("Otieno")
    await shown.page.get_by_role("button", name="Add phone").click()
    await expect(shown.page.locator(".handset")).to_have_count(5)
    phone = shown.page.locator(".handset").last
    await expect(phone).to_contain_text("@otieno, number hidden")
    await phone.locator(".words").fill("number")
    await phone.locator(".words").press("Enter")
    await phone.get_by_role("button", name="Share phone number").click()
    await phone.get_by_label("Phone number to share").fill("+254799000111")
    await phone.get_by_role("button", name="Share", exact=True).click()
    await expect(phone.locator(".bubble.theirs").last).to_contain_text("You said +254799000111")
    assert shown.complaints == []


async def test_a_phones_language_is_told_to_the_shop(shown):
    await shown.phone("juma").get_by_label("Language of Juma").select_option("sw")
    await expect(shown.phone("juma").locator(".bubble.theirs")).to_contain_text("You said language Kiswahili")
    await expect(shown.phone("juma").get_by_label("Language of Juma")).to_have_value("")


async def test_a_form_is_filled_in_corrected_and_sent_off(shown):
    await shown.say("achieng", "form")
    await shown.tap("achieng", "Fill in the form")
    sheet = shown.phone("achieng").get_by_role("dialog")
    await expect(sheet).to_contain_text("Where should KES 500.00 go?")
    await sheet.get_by_label("Bank").select_option("68")
    await sheet.get_by_label("Account number").fill("abc")
    await sheet.get_by_label("Account holder's name").fill("Jane Wanjiku")
    await sheet.get_by_role("button", name="Done").click()
    await expect(sheet).to_contain_text("Digits only.")
    await expect(sheet.get_by_label("Account holder's name")).to_have_value("Jane Wanjiku")
    await sheet.get_by_label("Account number").fill("0123456789")
    await sheet.get_by_role("button", name="Done").click()
    await expect(sheet).to_have_count(0)
    await expect(shown.phone("achieng").locator(".bubble.theirs").last).to_contain_text("You said 0123456789")
    await expect(shown.phone("achieng").get_by_role("button", name="Sent")).to_be_disabled()
    assert shown.complaints == []


async def test_the_button_of_a_form_that_is_over_says_so(shown):
    await shown.say("achieng", "old form")
    await shown.tap("achieng", "Fill in the form")
    await expect(shown.phone("achieng").get_by_role("button", name="This form is over.")).to_be_disabled()


async def test_a_reloaded_page_shows_what_was_there(shown):
    await shown.say("achieng", "menu")
    await expect(shown.phone("achieng").get_by_role("button", name="Shop", exact=True)).to_be_visible()
    await shown.page.reload()
    await expect(shown.phone("achieng").get_by_role("button", name="Shop", exact=True)).to_be_visible()
    await shown.page.locator("#reset").click()
    menu = shown.page.locator(".menu:visible")
    await expect(menu).to_contain_text("The app keeps its books, orders, saved methods and staff")
    await menu.get_by_role("button", name="Empty phones and providers").click()
    await expect(shown.phone("achieng").locator(".bubble")).to_have_count(0)


@pytest.mark.parametrize("width", [400, 760, 1024, 1240, 1800])
async def test_nothing_hangs_over_the_edge_at_any_width(shown, width):
    await shown.page.set_viewport_size({"width": width, "height": 800})
    await shown.say("achieng", "menu")
    assert await shown.page.evaluate("document.documentElement.scrollWidth") <= width
    visible = shown.page.locator(".handset:visible")
    await expect(visible).to_have_count(1 if width < 760 else 4)
