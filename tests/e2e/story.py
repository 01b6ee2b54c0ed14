"""Story: the main job, as people play it on the sandbox's page."""

from tests.e2e.phones import Phones


async def pays_and_saves(phones: Phones) -> None:
    await phones.says("Wanjiku", "pay 2000")
    await phones.hears("Wanjiku", "Pay KES 2,000.00 to Mama Njeri Duka", "********5678", "Change method")
    await phones.taps("Wanjiku", "Pay")
    await phones.hears("Wanjiku", "Enter your M-Pesa PIN")
    await phones.enters_pin("Wanjiku", "2,000.00")
    await phones.hears("Wanjiku", "Paid: KES 2,000.00", "Receipt", "Save it")
    await phones.taps("Wanjiku", "Save it")
    await phones.hears("Wanjiku", "Saved")


async def pays_with_one_tap(phones: Phones) -> None:
    await phones.says("Wanjiku", "pay 500")
    await phones.hears("Wanjiku", "Pay KES 500.00", "********5678")
    await phones.taps("Wanjiku", "Pay")
    await phones.enters_pin("Wanjiku", "500.00")
    assert "Save it" not in await phones.hears("Wanjiku", "Paid: KES 500.00")


async def pays_from_a_hidden_number(phones: Phones) -> None:
    """M-Pesa comes first, and asks for a number to be shared or typed; pages need none."""
    await phones.says("Juma", "pay 250")
    await phones.hears("Juma", "M-Pesa number", "KES 250.00", "in another way")
    await phones.says("Juma", "change")
    await phones.hears("Juma", "How do you want to pay")
    await phones.taps("Juma", "Choose method")
    rows = phones.of("Juma").get_by_role("dialog")
    await rows.get_by_role("button", name="Paystack").wait_for()
    await rows.get_by_role("button", name="Another number").click()
    await phones.hears("Juma", "M-Pesa number", "KES 250.00")
    await phones.taps("Juma", "Share phone number")
    await phones.taps("Juma", "Share")
    await phones.hears("Juma", "Pay KES 250.00", "********2111")
    await phones.taps("Juma", "Pay")
    await phones.enters_pin("Juma", "250.00")
    await phones.hears("Juma", "Paid: KES 250.00", "Save it")


async def asks_to_withdraw(phones: Phones, available: str = "2,750.00") -> None:
    await phones.says("Kamau", "hello")  # nobody is written to who has not written in 24 hours
    await phones.hears("Kamau", "Hello Kamau")
    await phones.says("Achieng", "balance")
    await phones.hears("Achieng", f"Available: KES {available}")
    await phones.says("Achieng", "withdraw 1000")
    await phones.hears("Achieng", "Fee: KES 33.00", "KES 967.00", "********3456")
    await phones.taps("Achieng", "Withdraw")
    await phones.hears("Achieng", "Requested")
    await phones.hears("Kamau", "Asked by: Achieng", "KES 1,000.00", "KES 967.00", "Approve")


async def approves(phones: Phones) -> None:
    await phones.taps("Kamau", "Approve")
    await phones.hears("Kamau", "KES 967.00 is being sent")
    await phones.hears("Achieng", "Kamau approved")
    await phones.hears("Achieng", "Paid out: KES 967.00")
    await phones.hears("Kamau", "Paid out: KES 967.00")


async def withdraws_to_a_bank(phones: Phones) -> None:
    """The account is entered in a form, wrongly first."""
    await phones.says("Kamau", "hello")
    await phones.says("Achieng", "withdraw 1000")
    await phones.hears("Achieng", "********3456")
    await phones.taps("Achieng", "Change destination")
    await phones.taps("Achieng", "Choose destination")
    await phones.of("Achieng").get_by_role("dialog").get_by_role("button", name="Bank account").click()
    await phones.hears("Achieng", "Fill in the form")
    await phones.taps("Achieng", "Fill in the form")
    form = phones.of("Achieng").get_by_role("dialog")
    await form.get_by_label("Bank").select_option(label="Equity")
    await form.get_by_label("Account number").fill("12")
    await form.get_by_label("Account holder's name").fill("Mama Njeri Duka")
    await form.get_by_role("button", name="Done").click()
    await form.get_by_text("An account number has 6 to 16 digits").wait_for()
    await form.get_by_label("Account number").fill("0123456789012")
    await form.get_by_role("button", name="Done").click()
    await phones.hears("Achieng", "KES 950.00", "To: Bank *********9012, Equity, Mama Njeri Duka")
    await phones.taps("Achieng", "Withdraw")
    await phones.hears("Kamau", "Equity, Mama Njeri Duka", "This destination is new", "Approve")
    await phones.taps("Kamau", "Approve")
    await phones.hears("Achieng", "Paid out: KES 950.00")


async def main_job(phones: Phones) -> None:
    for scene in (pays_and_saves, pays_with_one_tap, pays_from_a_hidden_number, asks_to_withdraw, approves):
        await scene(phones)
