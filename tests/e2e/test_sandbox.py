"""The sandbox as a stranger uses it: one command, one page, clicks and typing."""

import re
import socket

import pytest
from playwright.async_api import expect

from services.people import tenant_file
from tests.e2e import story
from tests.e2e.phones import Sandbox

browser = pytest.mark.browser


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One that runs for all tests that only look at chats; each empties its phones first."""
    with Sandbox(tmp_path_factory.mktemp("shared")).running() as url:
        yield url


@pytest.fixture
async def emptied(shared, phones):
    await phones.open(shared)
    async with phones.page.expect_response("**/control/reset"):
        await phones.page.locator("#reset").click()
        await phones.page.get_by_role("button", name="Empty phones and providers").click()
    await phones.open(shared)
    return phones


@browser
async def test_the_main_job_is_played_on_the_page(sandbox, phones):
    with sandbox.running() as url:
        await phones.open(url)
        guide = phones.page.get_by_label("First steps")
        await expect(guide).to_contain_text("1 of 6")
        await story.main_job(phones)
        await expect(guide).to_contain_text("That was the main job")
        await phones.shows_books("Wallet 1,750.00 –", "At M-Pesa -1,783.00 –", "Fees of withdrawals 33.00 –")
        await expect(phones.page.locator("#sum")).to_have_text("0.00")
        await expect(phones.page.locator("#light")).to_have_text("sums to zero")
        assert phones.complaints == []
        assert phones.hosts == {f"127.0.0.1:{sandbox.port + 1}"}
    assert sandbox.complaints() == ""


@browser
async def test_a_payment_with_the_wrong_pin_is_tried_again(emptied):
    await emptied.says("Wanjiku", "pay 300")
    await emptied.hears("Wanjiku", "Pay KES 300.00")
    await emptied.taps("Wanjiku", "Pay")
    await emptied.taps("Wanjiku", "Wrong PIN")
    await emptied.hears("Wanjiku", "is not paid: the M-Pesa PIN was wrong")
    await emptied.taps("Wanjiku", "Try again")
    await emptied.enters_pin("Wanjiku", "300.00")
    await emptied.hears("Wanjiku", "Paid: KES 300.00")
    assert emptied.complaints == []


@browser
async def test_an_order_is_paid_by_hand_with_its_number_after_a_prompt_was_dismissed(emptied):
    await emptied.says("Wanjiku", "pay 300")
    await emptied.hears("Wanjiku", "Pay KES 300.00")
    await emptied.taps("Wanjiku", "Pay")
    asked = await emptied.hears("Wanjiku", "Enter your M-Pesa PIN")
    await emptied.prompt("Wanjiku").get_by_role("button", name="Cancel").click()
    await emptied.hears("Wanjiku", "is not paid")
    await emptied.taps("Wanjiku", "More for Wanjiku")
    await emptied.of("Wanjiku").get_by_role("menuitem", name="Pay by hand").click()
    sheet = emptied.of("Wanjiku").get_by_role("dialog", name="Pay by hand")
    await sheet.get_by_label("Amount").fill("300")
    found = re.search(r"order (\w{6})", asked)
    assert found
    await sheet.get_by_label("Account number").fill(found[1].lower())
    await sheet.get_by_role("button", name="Pay", exact=True).click()
    await emptied.hears("Wanjiku", "Paid: KES 300.00", found[1])
    assert emptied.complaints == []


@browser
async def test_a_code_at_the_counter_is_a_picture_in_the_chat(emptied):
    await emptied.says("Achieng", "request")
    await emptied.hears("Achieng", "Who should pay")
    await emptied.says("Achieng", "0712345678")
    await emptied.hears("Achieng", "How much")
    await emptied.says("Achieng", "250")
    await emptied.hears("Achieng", "What is it for")
    await emptied.says("Achieng", "chairs")
    await emptied.taps("Achieng", "Send request")
    sent = await emptied.hears("Achieng", "Request", "is sent")
    found = re.search(r"Request (\w{6})", sent)
    assert found
    await emptied.says("Achieng", f"order {found[1]}")
    await emptied.hears("Achieng", "waits to be paid")
    await emptied.taps("Achieng", "M-Pesa QR")
    await emptied.hears("Achieng", "KES 250.00", f"account {found[1]}")
    picture = emptied.of("Achieng").locator(".bubble.theirs img").last
    await expect(picture).to_be_visible()
    assert emptied.complaints == []


@browser
async def test_while_a_payment_is_waited_for_the_ticks_are_blue_and_the_shop_is_typing(emptied):
    await emptied.says("Wanjiku", "pay 300")
    await emptied.hears("Wanjiku", "Pay KES 300.00")
    phone = emptied.of("Wanjiku")
    ticks = phone.locator(".bubble.mine .ticks")
    await expect(ticks.last).to_have_attribute("aria-label", "delivered")  # answered: no receipt is spent
    await emptied.taps("Wanjiku", "Pay")
    await expect(ticks.last).to_have_attribute("aria-label", "read")
    await expect(phone.locator(".subtitle")).to_have_text("typing…")
    await emptied.enters_pin("Wanjiku", "300.00")
    await emptied.hears("Wanjiku", "Paid: KES 300.00")
    await expect(phone.locator(".subtitle")).to_have_text("Business account")
    assert emptied.complaints == []


@browser
@pytest.mark.full
async def test_a_rejected_withdrawal_gives_the_money_back_with_the_reason(sandbox, phones):
    with sandbox.running() as url:
        await phones.open(url)
        await story.pays_and_saves(phones)
        await story.asks_to_withdraw(phones, available="2,000.00")
        await phones.shows_books("Wallet 2,000.00 1,000.00", "At M-Pesa -2,000.00 –")
        await phones.taps("Kamau", "Reject")
        await phones.hears("Kamau", "Why do you reject")
        await phones.says("Kamau", "Not this week")
        await phones.hears("Achieng", "was rejected by Kamau", "Not this week", "available again")
        await phones.shows_books("Wallet 2,000.00 –", "At M-Pesa -2,000.00 –")
        assert phones.complaints == []


@browser
@pytest.mark.full
async def test_a_bank_account_is_entered_in_a_form_and_paid_out(sandbox, phones):
    with sandbox.running() as url:
        await phones.open(url)
        await story.pays_and_saves(phones)
        await story.withdraws_to_a_bank(phones)
        await phones.shows_books(
            "Wallet 1,000.00 –",
            "At M-Pesa -2,000.00 –",
            "At Paystack 950.00 –",
            "Fees of withdrawals 50.00 –",
        )
        assert phones.complaints == []
    assert sandbox.complaints() == ""


@browser
@pytest.mark.timeout(180)  # it is started three times
async def test_money_and_saved_method_outlive_the_process_until_a_reset(sandbox, phones, tmp_path):
    with sandbox.running() as url:
        await phones.open(url)
        await story.pays_and_saves(phones)
    with sandbox.running() as url:
        await phones.open(url)
        await phones.shows_books("Wallet 2,000.00 –", "At M-Pesa -2,000.00 –")
        await story.pays_with_one_tap(phones)
    (tmp_path / "data" / "thesis.txt").write_text("not the sandbox's")
    with sandbox.running("--reset") as url:
        await phones.open(url)
        await phones.shows_books()
        await expect(phones.page.locator("#transfers")).to_contain_text("Nothing has moved yet")
    assert (tmp_path / "data" / "thesis.txt").exists()


def test_its_tenant_file_is_kept_for_an_installation_that_takes_its_emulators(sandbox, tmp_path):
    kept = tmp_path / "data" / "sandbox-tenant.toml"
    with sandbox.running():
        pass
    assert kept.stat().st_mode & 0o777 == 0o600
    file = tenant_file.read(kept.read_text(), kept.name)
    assert file.tenant.slug == "mama-njeri"
    assert file.providers.mpesa is not None
    kept.write_text("# another port's")
    with sandbox.running():
        pass
    assert "another port's" not in kept.read_text()


@browser
async def test_the_guide_can_be_skipped_and_hidden_and_brought_back(emptied):
    guide = emptied.page.get_by_label("First steps")
    await guide.get_by_role("button", name="Skip").click()
    await expect(guide).to_contain_text("2 of 6")
    await guide.get_by_role("button", name="Hide the guide").click()
    await emptied.page.reload()
    await expect(guide).to_be_hidden()
    await emptied.page.get_by_role("button", name="Guide", exact=True).click()
    await expect(guide).to_contain_text("1 of 6")


@browser
async def test_a_chat_fits_every_screen(emptied):
    await emptied.says("Wanjiku", "pay 2000")
    await emptied.hears("Wanjiku", "Pay KES 2,000.00")
    for width, height in ((390, 800), (1280, 720), (1500, 900)):
        await emptied.page.set_viewport_size({"width": width, "height": height})
        for seen in (
            emptied.page.get_by_label("First steps"),
            emptied.of("Wanjiku").get_by_role("button", name="Pay", exact=True),
            emptied.of("Wanjiku").get_by_role("button", name="Send"),
        ):
            await expect(seen).to_be_in_viewport(ratio=1)
        assert await emptied.page.evaluate("document.documentElement.scrollWidth") <= width


@browser
async def test_it_listens_on_this_machines_other_address_too(sandbox, phones):
    with sandbox.running("--host", "::1") as url:
        assert url == f"http://[::1]:{sandbox.port + 1}/"
        await phones.open(url)
        await story.pays_and_saves(phones)
        assert phones.complaints == []
        assert phones.hosts == {f"[::1]:{sandbox.port + 1}"}


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "example.org"])
def test_it_listens_on_this_machine_only(sandbox, host):
    assert "listens on this machine only" in sandbox.refused("--host", host)


def test_it_takes_no_live_keys(sandbox):
    told = sandbox.refused(LIPACHAT_PAYSTACK__SECRET_KEY="sk_live_0123456789")
    assert told == "The sandbox takes no live keys: unset LIPACHAT_PAYSTACK__SECRET_KEY.\n"


@pytest.mark.parametrize("offset", [0, 1])
def test_a_taken_port_is_told_with_what_to_do(sandbox, offset):
    with socket.create_server(("127.0.0.1", sandbox.port + offset)):
        told = sandbox.refused()
    assert told.count("\n") == 1
    assert f"Cannot listen on 127.0.0.1:{sandbox.port + offset}" in told
    assert "choose another --port" in told


def test_a_port_without_a_next_one_is_refused(tmp_path):
    assert "--port is a number from 1 to 65534" in Sandbox(tmp_path, 65535).refused()
