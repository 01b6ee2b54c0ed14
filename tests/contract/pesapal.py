"""Pesapal: pages, of which a lasting address is told that there is something to ask for."""

from services import hooks
from services.ids import new_id
from tests.bot.market import PESAPAL
from tests.contract.stand import NOBODY, Stand


class Pesapal(Stand):
    name, with_tokens = "pesapal", True
    settings, wrong_keys = PESAPAL, PESAPAL | {"consumer_key": "another"}
    asked_at, checked_at, told_at = "pesapal.order", "pesapal.status", "pesapal.notice"
    refunds_at = "pesapal.refund"
    forgeries = (
        "an address of nobody's",
        "an unknown order",
        "another order's id",
        "an unpaid order as paid",
    )

    async def pays(self, paying):
        return await self.market.fill_in(await self.open_page(paying), how="card") == 303

    async def refuses(self, paying):
        before = len(self.market.came)
        assert await self.market.fill_in(await self.open_page(paying), how="fail") == 303
        await self.posted(before)

    async def agrees_to_refund(self, paying):
        await self.market.act(f"payouts/{await self._tracking(paying)}", outcome="succeed")

    async def lies(self, paying, what):
        await self.lying(("pesapal.status", "unheard" if what == "status" else f"other_{what}"))
        await self.pays(paying)

    async def denies(self, paying):
        await self.lying(("pesapal.status", "denied"))
        await self._notify(paying)

    async def forged(self, paying, how):
        match how:
            case "an address of nobody's":
                return await self._notify(paying, path=f"/hooks/{NOBODY}")
            case "an unknown order":
                return await self._notify(paying, OrderTrackingId="a", OrderMerchantReference=str(new_id()))
            case "another order's id":
                return await self._notify(paying, OrderTrackingId="b945e4af-80a5-4ec1-8706-e03f8332fb04")
        return await self._notify(paying, status_code=1, payment_status_description="Completed")

    async def address(self, paying):
        async with self.business.work() as work:
            url = await hooks.lasting(work, self.market.app_url, "pesapal")
        return url.removeprefix(self.market.app_url)

    async def held(self):
        return sum(round(float(each["amount"]) * 100) for each in await self._in_state("completed"))

    async def receipts(self):
        return [each["receipt"] for each in await self._in_state("completed", "reversed")]

    async def _in_state(self, *states):
        orders = await self.market._look("orders", "pesapal/orders")
        return [each for each in orders if each["state"] in states]

    async def _tracking(self, paying):
        return (await self.reference(paying)).partition("/")[0]

    async def _notify(self, paying, path=None, **changes):
        told = {
            "OrderTrackingId": await self._tracking(paying),
            "OrderMerchantReference": str(paying.attempt),
            "OrderNotificationType": "IPNCHANGE",
        }
        return await self.post(path or await self.address(paying), told | changes)
