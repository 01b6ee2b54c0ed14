"""Daraja: the emulated M-Pesa API, put together: OAuth, STK push and query, B2C v3, B2B to tills, reversals,
transaction status, account balance.

Source: https://developer.safaricom.co.ke/apis. Money moves only between the boxes of `money_box.py`.
"""

import asyncio

from aiohttp import web

from bot.sandbox import daraja_checks as checks
from bot.sandbox.daraja_balances import Balances
from bot.sandbox.daraja_c2b import C2b
from bot.sandbox.daraja_callbacks import Callbacks, Letter, result, stamp
from bot.sandbox.daraja_counter import Counter
from bot.sandbox.daraja_gateway import Gateway
from bot.sandbox.daraja_payouts import QUEUED, Payouts, status_parameters
from bot.sandbox.daraja_portal import Portal
from bot.sandbox.daraja_prompts import Prompts
from bot.sandbox.daraja_qr import Codes
from bot.sandbox.daraja_reversals import Reversals
from bot.sandbox.daraja_reversals import status_parameters as reversal_parameters
from bot.sandbox.daraja_tills import Tills
from bot.sandbox.daraja_tills import status_parameters as till_parameters
from bot.sandbox.emulated import Emulated
from bot.sandbox.money_box import MoneyBox
from bot.sandbox.stage import Stage
from bot.sandbox.world import DarajaApp, Json

# No page lists the code of a transaction that is not found; this is the one of reversals.
NOT_FOUND = "R000002"
INITIATOR_INVALID = "2001"


class Daraja(Emulated):
    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._gateway = Gateway(stage)
        self._callbacks = Callbacks(stage)
        self.boxes = MoneyBox(stage)
        self.c2b = C2b(stage, self._callbacks, self.boxes)
        self.codes = Codes(stage)
        self.prompts = Prompts(stage, self._callbacks, self.boxes, self.c2b)
        self.payouts = Payouts(stage, self._callbacks, self.boxes)
        self.tills = Tills(stage, self._callbacks, self.boxes)
        self.reversals = Reversals(stage, self._callbacks, self.boxes, self.prompts)
        self.balances = Balances(stage, self._callbacks, self.boxes)
        self.counter = Counter(stage, self.boxes, self.prompts, self.c2b)
        self.portal = Portal(stage, self.counter, self.payouts, self.tills, self.reversals)

    def routes(self) -> list[web.RouteDef]:
        door = self._gateway
        return [
            *door.routes(),
            door.route("/mpesa/stkpush/v1/processrequest", "stk.request", self.prompts.push),
            door.route("/mpesa/stkpushquery/v1/query", "stk.query", self.prompts.query),
            door.route("/mpesa/b2c/v3/paymentrequest", "b2c.request", self.payouts.pay),
            door.route("/mpesa/b2b/v1/paymentrequest", "b2b.request", self.tills.pay),
            door.route("/mpesa/reversal/v1/request", "reversal.request", self.reversals.reverse),
            door.route("/mpesa/c2b/v2/registerurl", "c2b.register", self.c2b.register),
            door.route("/mpesa/qrcode/v1/generate", "qr.draw", self.codes.draw),
            door.route("/pulltransactions/v1/query", "pull.query", self.counter.pull),
            door.route("/mpesa/accountbalance/v1/query", "balance.query", self.balances.ask),
            door.route("/mpesa/transactionstatus/v1/query", "status.query", self.transaction_status),
        ]

    def reset(self) -> None:
        """Forgets the money, not the tokens: the app still holds one."""
        self.boxes.reset()
        self.prompts.reset()
        self.payouts.reset()
        self.tills.reset()
        self.reversals.reset()
        self.counter.reset()

    def asked(self) -> list[Json]:
        return list(map(self.prompts.view, self.prompts.all()))

    def answer(self, prompt: str, outcome: str) -> bool:
        return self.prompts.answer(prompt, outcome)

    def sent(self) -> list[Json]:
        return [*map(self.payouts.view, self.payouts.all()), *map(self.tills.view, self.tills.all())]

    def decide(self, payout: str, outcome: str) -> bool:
        return self.payouts.answer(payout, outcome) or self.tills.answer(payout, outcome)

    def floats(self) -> list[Json]:
        return self.boxes.view()

    def set_float(self, whose: str, given: dict[str, int]) -> bool:
        return self.boxes.set(whose, **given)

    async def transaction_status(self, app: DarajaApp, body: Json, _fault: str) -> Json:
        """Queued; the answer comes by callback."""
        checks.status_query(body, app)
        conversation = self._stage.ids.conversation(stamp(self._stage.world.now())[:8])
        own = self._stage.ids.request()
        self._stage.wire.start(self._tell_status(app, body, conversation, own))
        return {"OriginatorConversationID": own, "ConversationID": conversation, **QUEUED}

    async def _tell_status(self, app: DarajaApp, body: Json, conversation: str, own: str) -> None:
        await asyncio.sleep(self._stage.world.payout_delay / 2)
        receipt = str(body.get("TransactionID") or "")
        parameters = self._status(app, str(body.get("OriginalConversationID") or ""), receipt)
        code = "0" if parameters else NOT_FOUND
        if not checks.initiator_known(body, "Initiator", app):
            code, parameters = INITIATOR_INVALID, None
        told = result((conversation, own, self._stage.ids.receipt()), code, parameters)
        letter = Letter(body["ResultURL"], told, "answer to a status query")
        await self._callbacks.send(letter, self._stage.faults.take("status.callback"))

    def _status(self, app: DarajaApp, originator: str, receipt: str) -> Json | None:
        if reversal := self.reversals.find(originator, app):
            return reversal_parameters(reversal)
        payout = self.payouts.find(originator, receipt)
        if payout and payout.app.shortcode == app.shortcode:
            return status_parameters(payout)
        sent = self.tills.find(originator, receipt)
        if sent and sent.app.shortcode == app.shortcode:
            return till_parameters(sent)
        if by_hand := self.counter.find(app, receipt):
            paid_in = {"TransactionStatus": "Completed", "Amount": f"{by_hand.amount}.00"}
            return paid_in | {"ReceiptNo": receipt, "FinalisedTime": stamp(by_hand.at)}
        paid = [prompt for prompt in self.prompts.all() if receipt and prompt.receipt == receipt]
        if not paid or paid[0].app.shortcode != app.shortcode:
            return None
        status = "Reversed" if paid[0].reversed else "Completed"
        return {"TransactionStatus": status, "Amount": str(paid[0].amount), "ReceiptNo": receipt}
