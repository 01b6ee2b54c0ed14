"""Prompts: the emulated Paystack has M-Pesa ask a customer's phone, in its own name.

Source: https://paystack.com/docs/api/charge and /docs/payments/payment-channels#mobile-money. The phone asks
for three minutes (here for `World.prompt_timeout`); who does not pay is told of to whoever asks, and nobody
else.
"""

import asyncio
import re

from bot.sandbox.paystack_charges import Charges, Transaction
from bot.sandbox.paystack_transfers import PaystackError
from bot.sandbox.stage import Stage
from bot.sandbox.world import Json, PaystackAccount

_PHONE = re.compile(r"\+254[17]\d{8}")
_SAID = {
    "pay": "Approved",
    "wrong_pin": "The initiator information is invalid",
    "no_funds": "Insufficient Funds",
    "cancel": "Request cancelled by user",
}
_UNREACHED = "DS timeout user cannot be reached"
# As M-Pesa has them, for the page.
_CODES = {"pay": "0", "wrong_pin": "2001", "no_funds": "1", "cancel": "1032"}
_SOON = 0.1  # seconds


class Prompts:
    def __init__(self, stage: Stage, charges: Charges) -> None:
        self._stage, self._charges = stage, charges
        self._asked: dict[str, Transaction] = {}
        self._ended: dict[str, str] = {}  # by the page's words, or "" where nobody answered
        self._ignored: set[str] = set()

    def reset(self) -> None:
        self._asked.clear()
        self._ended.clear()
        self._ignored.clear()

    async def ask(self, account: PaystackAccount, body: Json, fault: str) -> Json:
        """Raises PaystackError."""
        money = body.get("mobile_money")
        if not isinstance(money, dict) or money.get("provider") != "mpesa":
            raise PaystackError(400, "Mobile money provider is not supported", "invalid_params")
        phone = str(money.get("phone"))
        if _PHONE.fullmatch(phone) is None:
            raise PaystackError(400, "Phone number is invalid", "invalid_params")
        made = self._charges.asked(account, body, phone)
        self._asked[made.reference] = made
        outcome = self._stage.faults.take_name("paystack.payer")
        if fault == "callback_first":
            await self._settle(made, outcome or "pay")
        else:
            self._tell(made)
            self._stage.wire.start(self._give_up(made))
            if outcome:
                self._stage.wire.start(self._answer_soon(made, outcome))
        return {
            "reference": made.reference,
            "status": "pay_offline",
            "display_text": "Please complete authorization process on your mobile phone",
        }

    def answer(self, reference: str, outcome: str) -> bool:
        """What the person does; False where the phone asks no more. Who is told of as not paying can pay all
        the same, as happens in life."""
        made, ended = self._asked.get(reference), self._ended.get(reference)
        if made is None or not (ended is None or (ended != "pay" and outcome == "pay")):
            return False
        if outcome == "ignore":
            self._ignored.add(reference)
            self._tell(made)
        else:
            self._stage.wire.start(self._settle(made, outcome))
        return True

    def views(self) -> list[Json]:
        return [self._view(made) for made in self._asked.values()]

    # --- inside

    def _view(self, made: Transaction) -> Json:
        phone, ended = self._stage.holder(made.phone or ""), self._ended.get(made.reference)
        asking = "ignored" if made.reference in self._ignored else "asking"
        return {
            "id": made.reference,
            "phone": phone.key if phone else None,
            "number": made.phone,
            "merchant": f"Paystack for {made.account.merchant}",
            "amount": made.amount // 100,
            "reference": made.access_code[:8].upper(),
            "at": int(made.at.timestamp() * 1000),
            "state": asking if ended is None else "done",
            "code": None if ended is None else _CODES.get(ended, "1037"),
            "description": made.said or "",
            "receipt": str(made.listed.get("id", "")) if ended == "pay" else "",
        }

    async def _answer_soon(self, made: Transaction, outcome: str) -> None:
        await asyncio.sleep(_SOON)
        self.answer(made.reference, outcome)

    async def _give_up(self, made: Transaction) -> None:
        await asyncio.sleep(self._stage.world.prompt_timeout)
        if made.reference not in self._ended and self._asked.get(made.reference) is made:
            await self._settle(made, "")

    async def _settle(self, made: Transaction, outcome: str) -> None:
        self._ended[made.reference] = outcome
        status = "success" if outcome == "pay" else "failed"
        self._charges.answered(made, status, _SAID.get(outcome, _UNREACHED))
        self._tell(made)
        if status == "success":
            await self._charges.tell(made)

    def _tell(self, made: Transaction) -> None:
        self._stage.feed.tell("prompt", self._view(made))
