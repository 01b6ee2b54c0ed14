"""Paystack: the emulated API: transactions, cards and refunds of customers; recipients, transfers, balance,
banks.

Source: https://paystack.com/docs/api. Everything stands under /paystack here. The key says whose it is.
"""

import hmac
import json
from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.sandbox.emulated import Emulated
from bot.sandbox.faults import CATALOGUE
from bot.sandbox.paystack_charges import Charges, twisted
from bot.sandbox.paystack_events import Events
from bot.sandbox.paystack_lists import Transactions, page_of, transfers_of
from bot.sandbox.paystack_prompts import Prompts
from bot.sandbox.paystack_refunds import Refunds
from bot.sandbox.paystack_transfers import PaystackError, Transfers
from bot.sandbox.stage import Stage
from bot.sandbox.world import Json, PaystackAccount

BANKS = {"01": "KCB", "03": "Absa", "11": "Co-operative", "63": "Diamond Trust", "68": "Equity"}

# (the account, the request, its body, the name of the fault that strikes) -> the message and the data
Call = Callable[[PaystackAccount, web.Request, Json, str], Awaitable[tuple[str, object]]]


class Paystack(Emulated):
    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        events = Events(stage)
        self.transfers = Transfers(stage, events)
        self.transactions = Transactions(stage)
        self.charges = Charges(stage, events, self.transactions)
        self.prompts = Prompts(stage, self.charges)
        self.refunds = Refunds(stage, events, self.transactions)

    def routes(self) -> list[web.RouteDef]:
        transaction = "/paystack/transaction"
        return [
            web.post(f"{transaction}/initialize", self._answering("initialize", self._initialize)),
            web.post(f"{transaction}/charge_authorization", self._answering("charge", self._charge)),
            web.post("/paystack/charge", self._answering("prompt", self._prompt)),
            web.get(transaction + "/verify/{reference}", self._answering("check", self._check)),
            web.post("/paystack/customer/deactivate_authorization", self._answering("forget", self._forget)),
            web.post("/paystack/transferrecipient", self._answering("recipient", self._recipient)),
            web.post("/paystack/transfer", self._answering("transfer", self._transfer)),
            web.get("/paystack/transfer/verify/{reference}", self._answering("verify", self._verify)),
            web.get("/paystack/transfer", self._answering("list", self._list_transfers)),
            web.get("/paystack/transaction", self._answering("list", self._list_transactions)),
            web.post("/paystack/refund", self._answering("refund", self._refund)),
            web.get("/paystack/refund", self._answering("list", self._list_refunds)),
            web.get("/paystack/refund/{id}", self._answering("refund_check", self._fetch_refund)),
            web.get("/paystack/balance", self._answering("balance", self._balance)),
            web.get("/paystack/bank", self._answering("bank", self._banks)),
        ]

    def reset(self) -> None:
        for each in (self.transfers, self.transactions, self.refunds, self.charges, self.prompts):
            each.reset()

    def asked(self) -> list[Json]:
        return self.prompts.views()

    def answer(self, prompt: str, outcome: str) -> bool:
        return self.prompts.answer(prompt, outcome)

    def sent(self) -> list[Json]:
        return list(map(self.transfers.view, self.transfers.all()))

    def decide(self, payout: str, outcome: str) -> bool:
        return self.transfers.answer(payout, outcome)

    def floats(self) -> list[Json]:
        return self.transfers.floats()

    def set_float(self, whose: str, given: dict[str, int]) -> bool:
        """It has one balance, from which payouts leave."""
        return "utility" in given and self.transfers.set_balance(whose, given["utility"])

    async def _initialize(
        self, account: PaystackAccount, request: web.Request, body: Json, _fault: str
    ) -> tuple[str, object]:
        return "Authorization URL created", self.charges.initialize(account, body, str(request.url.origin()))

    async def _charge(
        self, account: PaystackAccount, request: web.Request, body: Json, fault: str
    ) -> tuple[str, object]:
        origin = str(request.url.origin())
        return "Charge attempted", await self.charges.charge(account, body, fault, origin)

    async def _prompt(
        self, account: PaystackAccount, _request: web.Request, body: Json, fault: str
    ) -> tuple[str, object]:
        return "Charge attempted", await self.prompts.ask(account, body, fault)

    async def _check(
        self, account: PaystackAccount, request: web.Request, _body: Json, fault: str
    ) -> tuple[str, object]:
        told = self.charges.verified(account, request.match_info["reference"])
        return "Verification successful", twisted(told, fault)

    async def _forget(
        self, account: PaystackAccount, _request: web.Request, body: Json, _fault: str
    ) -> tuple[str, object]:
        self.charges.deactivate(account, body)
        return "Authorization has been deactivated", None

    async def _recipient(
        self, account: PaystackAccount, _request: web.Request, body: Json, _fault: str
    ) -> tuple[str, object]:
        return "Transfer recipient created successfully", self.transfers.recipient(account, body)

    async def _transfer(
        self, account: PaystackAccount, _request: web.Request, body: Json, fault: str
    ) -> tuple[str, object]:
        transfer = await self.transfers.send(account, body, told_first=fault == "callback_first")
        asks = transfer["status"] == "otp"
        return "Transfer requires OTP to continue" if asks else "Transfer has been queued", transfer

    async def _verify(
        self, account: PaystackAccount, request: web.Request, _body: Json, _fault: str
    ) -> tuple[str, object]:
        return "Transfer retrieved", self.transfers.verified(account, request.match_info["reference"])

    async def _balance(
        self, account: PaystackAccount, _request: web.Request, _body: Json, _fault: str
    ) -> tuple[str, object]:
        told = {"currency": "KES", "balance": self.transfers.balance(account)}
        return "Balances retrieved", [told]

    async def _list_transfers(
        self, account: PaystackAccount, request: web.Request, _body: Json, _fault: str
    ) -> tuple[str, object]:
        return "Transfers retrieved", page_of(transfers_of(self.transfers, account), request.query)

    async def _list_transactions(
        self, account: PaystackAccount, request: web.Request, _body: Json, _fault: str
    ) -> tuple[str, object]:
        return "Transactions retrieved", page_of(self.transactions.of(account), request.query)

    async def _list_refunds(
        self, account: PaystackAccount, request: web.Request, _body: Json, _fault: str
    ) -> tuple[str, object]:
        listed = self.refunds.listed(account, request.query.get("transaction"))
        return "Refunds retrieved", page_of(listed, request.query)

    async def _refund(
        self, account: PaystackAccount, _request: web.Request, body: Json, fault: str
    ) -> tuple[str, object]:
        told = await self.refunds.create(account, body, told_first=fault == "callback_first")
        return "Refund has been queued for processing", told

    async def _fetch_refund(
        self, account: PaystackAccount, request: web.Request, _body: Json, _fault: str
    ) -> tuple[str, object]:
        return "Refund retrieved", self.refunds.fetched(account, request.match_info["id"])

    async def _banks(
        self, _account: PaystackAccount, _request: web.Request, _body: Json, _fault: str
    ) -> tuple[str, object]:
        listed = [
            {
                "name": name,
                "code": code,
                "country": "Kenya",
                "currency": "KES",
                "type": "kepss",
                "active": True,
            }
            for code, name in BANKS.items()
        ]
        return "Banks retrieved", listed

    # --- the door

    def _answering(self, what: str, call: Call) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        at = f"paystack.{what}"

        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                account = self._account(request)
                fault = self._stage.faults.take_name(at) if at in CATALOGUE else ""
                _refuse(fault)  # what is done all the same is refused after it
                message, data = await call(account, request, await _json(request), fault)
                _refuse(fault.removesuffix("_after"))
            except PaystackError as error:
                self._stage.log("paystack", f"{request.path}: {error.status} {error}", good=False)
                return web.json_response(error.body, status=error.status)
            if fault == "drop" and request.transport is not None:
                request.transport.close()
            status = 201 if what == "recipient" else 200
            return web.json_response({"status": True, "message": message, "data": data}, status=status)

        return answer

    def _account(self, request: web.Request) -> PaystackAccount:
        key = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
        for account in self._stage.world.paystack:
            if hmac.compare_digest(account.secret_key.encode(), key):
                return account
        raise PaystackError(401, "Invalid key", "invalid_Key")


def _refuse(fault: str) -> None:
    """Raises PaystackError for a fault that refuses."""
    match fault:
        case "500":
            raise PaystackError(500, "An error occurred", "unknown")
        case "spike":
            raise PaystackError(429, "Too many requests", "rate_limited")
        case "no_funds":
            raise PaystackError(
                400, "Your balance is not enough to fulfil this request", "insufficient_balance"
            )
        case "forbidden":
            message = "You cannot initiate third party payouts as a starter business"
            raise PaystackError(400, message, "transfer_unavailable")


async def _json(request: web.Request) -> Json:
    if not request.can_read_body:
        return {}
    try:
        body = json.loads(await request.read())
    except ValueError:
        raise PaystackError(400, "Invalid JSON", "invalid_params") from None
    if not isinstance(body, dict):
        raise PaystackError(400, "Invalid JSON", "invalid_params")
    return body
