"""Balances: M-Pesa's account balance query: queued, and told by a result, all accounts in one text.

Source: https://developer.safaricom.co.ke/apis/AccountBalance.
"""

import asyncio
from datetime import datetime

from bot.sandbox import daraja_checks as checks
from bot.sandbox.daraja_callbacks import NAIROBI, Callbacks, Letter, result, stamp
from bot.sandbox.daraja_payouts import QUEUED
from bot.sandbox.money_box import Box, MoneyBox
from bot.sandbox.stage import Stage
from bot.sandbox.world import DarajaApp, Json

INITIATOR_INVALID = "2001"


class Balances:
    def __init__(self, stage: Stage, callbacks: Callbacks, boxes: MoneyBox) -> None:
        self._stage, self._callbacks, self._boxes = stage, callbacks, boxes

    async def ask(self, app: DarajaApp, body: Json, _fault: str) -> Json:
        checks.balance_query(body, app)
        conversation = self._stage.ids.conversation(stamp(self._stage.world.now())[:8])
        own = self._stage.ids.request()
        self._stage.wire.start(self._tell(app, body, conversation, own))
        return {"OriginatorConversationID": own, "ConversationID": conversation, **QUEUED}

    async def _tell(self, app: DarajaApp, body: Json, conversation: str, own: str) -> None:
        await asyncio.sleep(self._stage.world.payout_delay / 4)
        code, parameters = INITIATOR_INVALID, None
        if checks.initiator_known(body, "Initiator", app):
            code, parameters = "0", _parameters(self._boxes.of(app), self._stage.world.now())
        told = result((conversation, own, self._stage.ids.receipt()), code, parameters)
        letter = Letter(body["ResultURL"], told, "answer to a balance query")
        await self._callbacks.send(letter, self._stage.faults.take("balance.callback"))


def _parameters(box: Box, now: datetime) -> Json:
    accounts = {
        "Working Account": box.working,
        "Float Account": 0,
        "Utility Account": box.utility,
        "Charges Paid Account": 0,
        "Organization Settlement Account": 0,
    }
    told = "&".join(f"{name}|KES|{held}.00|{held}.00|0.00|0.00" for name, held in accounts.items())
    return {"AccountBalance": told, "BOCompletedTime": f"{now.astimezone(NAIROBI):%Y%m%d%H%M%S}"}
