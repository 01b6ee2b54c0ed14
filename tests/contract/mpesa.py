"""M-Pesa: prompts, told of at an address of each attempt's own, which is the only credential."""

from services import hooks
from services.facts import Way
from tests.bot.market import MERCHANT, SETTINGS, prompt_told
from tests.contract.stand import NOBODY, Stand
from tests.services.business import NEW_WAY


class Mpesa(Stand):
    name, pages, with_tokens, tells_currency = "mpesa", False, True, False
    settings, wrong_keys = SETTINGS, SETTINGS | {"passkey": "wrong"}
    asked_at, checked_at, told_at = "stk.request", "stk.query", "stk.callback"
    refunds_at = "reversal.request"
    to_list = SETTINGS | {"pull": True}
    forgeries = ("an address of nobody's", "another checkout", "the address of another payment", "no amount")
    way = NEW_WAY

    async def pays(self, paying):
        asked = (await self.attempt(paying)).reference or (await self.market.prompts())[-1]["id"]
        url = f"{self.market.daraja_url}/control/prompts/{asked}"
        async with self.market._outside.post(url, json={"outcome": "pay"}) as answer:
            return answer.status == 200

    async def refuses(self, paying):
        await self._calls(paying, code=1037)

    async def lies(self, paying, what):
        """The query after it tells no amount: a yes of it proves nothing then."""
        await self.lying(("stk.callback", "lost"), *([] if what == "amount" else [("stk.query", "unheard")]))
        await self.pays(paying)
        receipt = (await self.receipts())[-1]
        if what == "amount":
            await self._calls(paying, amount=501.0, receipt=receipt)
        else:
            await self._calls(paying, code=7777)

    async def denies(self, paying):
        await self._calls(paying, code=1032)

    async def forged(self, paying, how):
        checkout = await self.reference(paying)
        match how:
            case "an address of nobody's":
                return await self.post(f"/hooks/{NOBODY}", prompt_told(checkout, 0, 500.0))
            case "another checkout":
                return await self.post(await self.address(paying), prompt_told("ws_CO_1", 0, 500.0))
            case "no amount":
                return await self.post(await self.address(paying), prompt_told(checkout, 0))
        other = await self.business.pay("500", way=Way(method=NEW_WAY.method, phone="+254700000002"))
        await self.market.work()
        return await self.post(await self.address(other), prompt_told(checkout, 0, 500.0))

    async def address(self, paying):
        """Each attempt may have several; M-Pesa knows one of them."""
        async with self.business.work() as work:
            return f"/hooks/{await hooks.mint(work, 'collect', paying.attempt)}"

    async def held(self):
        async with self.market._outside.get(f"{self.market.daraja_url}/control/state") as answer:
            box = next(each for each in (await answer.json())["floats"] if "working" in each)
        return (box["working"] + box["utility"] - MERCHANT.working - MERCHANT.utility) * 100

    async def receipts(self):
        return [each["receipt"] for each in await self.market.prompts() if each["code"] == "0"]

    async def _calls(self, paying, code=0, **more):
        checkout = await self.reference(paying)
        await self.post(await self.address(paying), prompt_told(checkout, code, **more))
