"""Job: the main job, as people play it on their phones."""

from tests.e2e.town import Town


async def main_job(town: Town) -> None:
    """Pay, save the method, pay with it again, withdraw, approve."""
    wanjiku, achieng, kamau = (town.person(name) for name in ("wanjiku", "achieng", "kamau"))

    await wanjiku.says("pay 2000")
    await wanjiku.hears("Pay *KES 2,000.00* to *Mama Njeri Duka*", "********5678", "Change method")
    await wanjiku.taps("Pay")
    await wanjiku.hears("Enter your M-Pesa PIN")
    await town.answer_prompt("pay")
    await wanjiku.hears("Paid: KES 2,000.00", "Receipt", "Save it")
    await wanjiku.taps("Save it")
    await wanjiku.hears("Saved")

    await wanjiku.says("pay 500")
    await wanjiku.hears("Pay *KES 500.00*", "********5678")
    await wanjiku.taps("Pay")
    await wanjiku.hears("Enter your M-Pesa PIN")
    await town.answer_prompt("pay")
    assert "Save it" not in await wanjiku.hears("Paid: KES 500.00")

    await achieng.says("balance")
    await achieng.hears("Available: *KES 2,500.00*")
    await kamau.says("hello")  # WhatsApp lets nobody be written to who has not written in 24 hours
    await kamau.hears("Hello")
    await achieng.says("withdraw 1000")
    await achieng.hears("Fee: KES 33.00", "*KES 967.00*", "********3456")
    await achieng.taps("Withdraw")
    await achieng.hears("Requested")
    await kamau.hears("Achieng", "KES 1,000.00", "KES 33.00", "KES 967.00", "********3456", "Approve")
    await achieng.says("balance")
    await achieng.hears("Available: *KES 1,500.00*", "KES 1,000.00", "KES 2,500.00")
    await kamau.taps("Approve")
    await kamau.hears("is being sent")
    await achieng.hears("Kamau approved")
    await achieng.hears("Paid out: KES 967.00")
    await kamau.hears("Paid out: KES 967.00")
    await achieng.says("balance")
    await achieng.hears("Available: *KES 1,500.00*", "In all: KES 1,500.00")
