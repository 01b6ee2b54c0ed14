"""Paystack: the emulated part of its API that pays out: recipients, transfers and the balance.

Source: https://paystack.com/docs/api/transfer. A transfer is pending at first, and arrives a little later.
"""

import asyncio
import hmac
from typing import Any

from aiohttp import web

from bot.sandbox.bodies import body_of
from bot.sandbox.stage import Stage
from bot.sandbox.world import Json

BALANCE = 100_000_000  # in cents


class Paystack:
    """`key` is the merchant's secret one."""

    def __init__(self, stage: Stage, key: str) -> None:
        self._stage, self._key = stage, key
        self._recipients: dict[str, Json] = {}
        self._transfers: dict[str, Json] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/balance", self.balance),
            web.post("/transferrecipient", self.recipient),
            web.post("/transfer", self.transfer),
            web.get("/transfer/verify/{reference}", self.verify),
        ]

    async def balance(self, request: web.Request) -> web.Response:
        self._authorized(request)
        return _good("Balances retrieved", [{"currency": "KES", "balance": BALANCE}])

    async def recipient(self, request: web.Request) -> web.Response:
        self._authorized(request)
        body = await body_of(request)
        if body.get("type") != "kepss" or not str(body.get("account_number", "")).isdigit():
            return _bad(400, "Account number is invalid", "invalid_bank_code")
        code = f"RCP_{self._stage.ids.token()[:15].lower()}"
        self._recipients[code] = body
        return _good("Transfer recipient created successfully", {**body, "recipient_code": code}, 201)

    async def transfer(self, request: web.Request) -> web.Response:
        """Once for one reference."""
        self._authorized(request)
        body = await body_of(request)
        reference, to = str(body.get("reference")), self._recipients.get(str(body.get("recipient")))
        if to is None:
            return _bad(400, "Recipient specified is invalid", "invalid_recipient")
        if reference in self._transfers:
            return _bad(400, "Please provide a unique reference.", "duplicate_reference")
        told = {key: body.get(key) for key in ("amount", "currency", "reference", "reason")}
        code = f"TRF_{self._stage.ids.token()[:15].lower()}"
        self._transfers[reference] = {**told, "transfer_code": code, "status": "pending"}
        self._stage.log("paystack", f"transfer of {body.get('amount', 0) / 100:,.2f} to {to['name']}")
        self._stage.wire.start(self._arrive(reference))
        return _good("Transfer has been queued", self._transfers[reference])

    async def verify(self, request: web.Request) -> web.Response:
        self._authorized(request)
        transfer = self._transfers.get(request.match_info["reference"])
        if transfer is None:
            return _bad(404, "Transfer not found", "transfer_not_found")
        return _good("Transfer retrieved", transfer)

    async def _arrive(self, reference: str) -> None:
        await asyncio.sleep(self._stage.world.payout_delay)
        self._transfers[reference]["status"] = "success"
        self._stage.log("paystack", "the transfer has arrived")

    def _authorized(self, request: web.Request) -> None:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not hmac.compare_digest(key.encode(), self._key.encode()):
            raise web.HTTPUnauthorized(
                text='{"status": false, "message": "Invalid key", "code": "invalid_Key"}',
                content_type="application/json",
            )


def _good(message: str, data: Any, status: int = 200) -> web.Response:
    return web.json_response({"status": True, "message": message, "data": data}, status=status)


def _bad(status: int, message: str, code: str) -> web.Response:
    told = {"status": False, "message": message, "type": "api_error", "code": code}
    return web.json_response(told, status=status)
