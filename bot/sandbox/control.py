"""Control: the JSON API by which the page, and tests, act for the people and arm faults.

Bodies are JSON objects; an error is {"error": sentence} with 400 (wrong), 404 (nothing such) or
409 (too late).
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict

from aiohttp import web

from bot.sandbox import daraja_payouts, daraja_prompts, paystack_transfers
from bot.sandbox.bodies import body_of, count, error, one_of, text
from bot.sandbox.chats import Chats
from bot.sandbox.daraja import Daraja
from bot.sandbox.emulated import Emulated
from bot.sandbox.faults import CATALOGUE, Fault
from bot.sandbox.forms import Forms
from bot.sandbox.person import Person
from bot.sandbox.receiver import Receiver
from bot.sandbox.world import CannotError, Json, Phone, Shop
from services.languages import LANGUAGES

MOST_TIMES = 1000
MOST_SHILLINGS = 1_000_000_000

Action = Callable[[Phone, Shop, Json], Awaitable[Json]]


class Control:
    """`others`: the providers beside M-Pesa."""

    def __init__(self, chats: Chats, daraja: Daraja, others: Sequence[Emulated], receiver: Receiver) -> None:
        self._chats, self._daraja, self._receiver = chats, daraja, receiver
        self._providers: Sequence[Emulated] = (daraja, *others)
        self._stage = chats.stage
        self._forms = Forms(chats)

    def routes(self) -> list[web.RouteDef]:
        phone = "/control/phones/{phone}"
        return [
            web.get("/control/state", self.state),
            web.get(phone + "/messages", self.messages),
            web.post(phone + "/text", self._for_phone(self.text)),
            web.post(phone + "/tap", self._for_phone(self.tap)),
            web.post(phone + "/share", self._for_phone(self.share)),
            web.post(phone + "/card", self._for_phone(self.card)),
            web.post(phone + "/file", self._for_phone(self.file)),
            web.post(phone + "/code", self._for_phone(self.code)),
            web.post(phone + "/form", self._for_phone(self.form)),
            web.post(phone + "/read", self._for_phone(self.read)),
            web.post(phone + "/window", self._for_phone(self.window)),
            web.post(phone + "/repeat", self._for_phone(self.repeat)),
            web.get("/control/prompts", self.prompts),
            web.post("/control/prompts/{id}", self.answer_prompt),
            web.post("/control/prompts/{id}/reverse", self.reverse),
            web.get("/control/payouts", self.payouts),
            web.post("/control/payouts/{id}", self.answer_payout),
            web.post("/control/float", self.set_float),
            web.get("/control/faults", self.faults),
            web.post("/control/faults", self.arm),
            web.delete("/control/faults", self.disarm),
            web.post("/control/reset", self.reset),
        ]

    # --- looking -------------------------------------------------------------------------------------

    async def state(self, _request: web.Request) -> web.Response:
        """All that a page shows, and `cursor`, after which the events go on."""
        world, daraja = self._stage.world, self._daraja
        ledger = await world.ledger()
        return web.json_response(
            {
                "cursor": self._stage.feed.cursor,
                "now": self._stage.now_ms,
                "languages": LANGUAGES,
                "shops": [
                    {"id": shop.phone_number_id, "name": shop.name, "number": shop.display_phone_number}
                    for shop in world.shops
                ],
                "phones": [_person(phone) for phone in world.everybody],
                "guide": [asdict(step) for step in world.guide],
                "chats": [self._chats.view(phone, shop) for phone in world.everybody for shop in world.shops],
                "prompts": self._asked(),
                "payouts": self._payouts(),
                "prompt_timeout": world.prompt_timeout,
                "sms": daraja.boxes.texts(),
                "floats": self._floats(),
                "faults": self._stage.faults.view(),
                "catalogue": CATALOGUE,
                "log": list(self._stage.lines),
                "ledger": ledger,
            }
        )

    async def messages(self, request: web.Request) -> web.Response:
        """The chat of a phone, oldest first: ?shop=phone_number_id, the first shop where unsaid."""
        phone, shop = self._phone(request), self._shop(request.query.get("shop"))
        return web.json_response(self._chats.view(phone, shop))

    async def prompts(self, _request: web.Request) -> web.Response:
        return web.json_response({"prompts": self._asked()})

    def _asked(self) -> list[Json]:
        return [prompt for each in self._providers for prompt in each.asked()]

    async def payouts(self, _request: web.Request) -> web.Response:
        return web.json_response({"payouts": self._payouts()})

    def _payouts(self) -> list[Json]:
        return [payout for each in self._providers for payout in each.sent()]

    def _floats(self) -> list[Json]:
        return [held for each in self._providers for held in each.floats()]

    async def faults(self, _request: web.Request) -> web.Response:
        return web.json_response({"faults": self._stage.faults.view(), "catalogue": CATALOGUE})

    # --- what a person does on a phone ---------------------------------------------------------------

    async def text(self, phone: Phone, shop: Shop, body: Json) -> Json:
        """{"text"}"""
        return Person(self._chats, phone, shop).write(text(body, "text")).view()

    async def tap(self, phone: Phone, shop: Shop, body: Json) -> Json:
        """{"choice": the id or title of a button or row, "message"?: the id of the message that has it}"""
        return Person(self._chats, phone, shop).tap(text(body, "choice"), body.get("message")).view()

    async def share(self, phone: Phone, shop: Shop, body: Json) -> Json:
        """{"number"?: another than the phone's own, "message"?: the contact request}"""
        return Person(self._chats, phone, shop).share(body.get("number"), body.get("message")).view()

    async def card(self, phone: Phone, shop: Shop, body: Json) -> Json:
        """{"number", "name"}"""
        person = Person(self._chats, phone, shop)
        return person.send_card(text(body, "number"), text(body, "name")).view()

    async def file(self, phone: Phone, shop: Shop, body: Json) -> Json:
        """{"name", "content": its text}"""
        person = Person(self._chats, phone, shop)
        return person.send_file(text(body, "name"), text(body, "content").encode()).view()

    async def code(self, phone: Phone, _shop: Shop, _body: Json) -> Json:
        """{"code", "seconds"}: what the authenticator app of one of the staff shows."""
        return await self._stage.world.codes(phone)

    async def form(self, phone: Phone, shop: Shop, body: Json) -> Json:
        """{"message", "data"?: what was filled in, else the form is opened}"""
        data = body.get("data")
        if data is not None and not isinstance(data, dict):
            raise CannotError("data is an object")
        return await self._forms.ask(phone, shop, text(body, "message"), data)

    async def read(self, phone: Phone, shop: Shop, _body: Json) -> Json:
        self._chats.look(phone, shop)
        return {}

    async def window(self, phone: Phone, shop: Shop, body: Json) -> Json:
        """{"open": whether the business may write freely}"""
        self._chats.set_window(phone, shop, open_=body.get("open") is True)
        return {}

    async def repeat(self, phone: Phone, shop: Shop, _body: Json) -> Json:
        if not self._chats.repeat(phone, shop):
            raise CannotError("nothing was sent from this phone yet")
        return {}

    # --- money and faults ----------------------------------------------------------------------------

    async def answer_prompt(self, request: web.Request) -> web.Response:
        """{"outcome": "pay", "wrong_pin", "no_funds", "cancel" or "ignore"}"""
        outcome = one_of(await body_of(request), "outcome", (*daraja_prompts.OUTCOMES, "ignore"))
        asked = request.match_info["id"]
        if not any(each.answer(asked, outcome) for each in self._providers):
            raise error(web.HTTPConflict, "this prompt does not ask any more")
        return web.json_response({})

    async def reverse(self, request: web.Request) -> web.Response:
        """M-Pesa gives a payment back by itself, and tells nobody."""
        paid = [each for each in self._daraja.prompts.all() if each.checkout == request.match_info["id"]]
        if not (paid and self._daraja.reversals.by_mpesa(paid[0].receipt)):
            raise error(web.HTTPConflict, "there is nothing to give back")
        return web.json_response({})

    async def answer_payout(self, request: web.Request) -> web.Response:
        """{"outcome": "succeed", "fail", "no_funds" or "initiator"; "give_back" of what a bank has got}"""
        known = (*daraja_payouts.OUTCOMES, paystack_transfers.GIVE_BACK)
        outcome = one_of(await body_of(request), "outcome", known)
        payout = request.match_info["id"]
        if not any(each.decide(payout, outcome) for each in self._providers):
            raise error(web.HTTPConflict, "this payout does not wait any more")
        return web.json_response({})

    async def set_float(self, request: web.Request) -> web.Response:
        """{"shortcode" (at Paystack the slug), "utility"?: whole shillings that payouts may draw on,
        "working"?: what payments come into, and payouts to tills draw on}"""
        body = await body_of(request)
        whose = text(body, "shortcode")
        given: dict[str, int] = {
            name: count(body, name, 0, MOST_SHILLINGS) for name in ("utility", "working") if name in body
        }
        if not given:
            raise CannotError("utility or working is how much there is")
        if not any(each.set_float(whose, given) for each in self._providers):
            raise error(web.HTTPNotFound, "no such shortcode")
        return web.json_response({"floats": self._floats()})

    async def arm(self, request: web.Request) -> web.Response:
        """{"at", "fault", "times"? = 1, "seconds"? = 5 (of a late callback)}"""
        body = await body_of(request)
        seconds = body.get("seconds", 5)
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
            raise CannotError("seconds is a number from 0")
        fault = Fault(text(body, "at"), text(body, "fault"), float(seconds))
        self._stage.faults.arm(fault, count({"times": 1, **body}, "times", 1, MOST_TIMES))
        return web.json_response({"faults": self._stage.faults.view()})

    async def disarm(self, request: web.Request) -> web.Response:
        """All, or those of ?at="""
        at = request.query.get("at")
        if at is not None and at not in CATALOGUE:
            raise error(web.HTTPNotFound, "no such place of faults")
        self._stage.faults.clear(at)
        return web.json_response({"faults": self._stage.faults.view()})

    async def reset(self, _request: web.Request) -> web.Response:
        """Empties phones, providers and the shop's own program; the app keeps what it knows."""
        self._chats.reset()
        for each in self._providers:
            each.reset()
        self._receiver.reset()
        self._stage.forget_shared()
        self._stage.lines.clear()
        self._stage.faults.clear()
        self._stage.feed.tell("reset", {})
        return web.json_response({})

    # --- inside --------------------------------------------------------------------------------------

    def _for_phone(self, action: Action) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            phone, body = self._phone(request), await body_of(request)
            return web.json_response(await action(phone, self._shop(body.get("shop")), body))

        return answer

    def _phone(self, request: web.Request) -> Phone:
        phone = self._stage.world.phone(request.match_info["phone"])
        if phone is None:
            raise error(web.HTTPNotFound, "no such phone")
        return phone

    def _shop(self, phone_number_id: str | None) -> Shop:
        shops = self._stage.world.shops
        shop = shops[0] if phone_number_id is None else self._stage.world.shop(phone_number_id)
        if shop is None:
            raise error(web.HTTPNotFound, "no such shop")
        return shop


def _person(phone: Phone) -> Json:
    return {
        "key": phone.key,
        "name": phone.name,
        "role": phone.role,
        "number": phone.number,
        "line": phone.line,
        "username": phone.username,
        "hints": phone.hints,
    }
