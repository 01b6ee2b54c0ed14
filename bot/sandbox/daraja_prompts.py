"""Prompts: M-Pesa Express (STK push): the question on a customer's phone, and what became of it."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from bot.sandbox import daraja_checks as checks
from bot.sandbox.daraja_c2b import C2b, Paid
from bot.sandbox.daraja_callbacks import NAIROBI, Callbacks, Letter, described, prompt_callback
from bot.sandbox.daraja_checks import DarajaError
from bot.sandbox.money_box import MoneyBox
from bot.sandbox.stage import Stage
from bot.sandbox.world import DarajaApp, Json

OUTCOMES = {"pay": "0", "wrong_pin": "2001", "no_funds": "1", "cancel": "1032"}
UNREACHED, UNHEARD = "1037", "7777"
SOON = 0.1  # seconds


@dataclass(slots=True)
class Prompt:
    """`code` is the result code, None while the phone still asks."""

    checkout: str
    merchant_request: str
    app: DarajaApp
    number: str
    amount: int
    reference: str
    callback_url: str
    at: datetime
    code: str | None = None
    receipt: str = ""
    reversed: bool = False
    ignored: bool = False
    done: datetime | None = None  # when it was paid
    asked: int = 0

    @property
    def ids(self) -> tuple[str, str]:
        return self.merchant_request, self.checkout


class Prompts:
    def __init__(self, stage: Stage, callbacks: Callbacks, boxes: MoneyBox, c2b: C2b) -> None:
        self._stage, self._callbacks, self._boxes, self._c2b = stage, callbacks, boxes, c2b
        self._prompts: dict[str, Prompt] = {}

    def reset(self) -> None:
        self._prompts.clear()

    def all(self) -> list[Prompt]:
        return list(self._prompts.values())

    # --- what the merchant calls ---------------------------------------------------------------------

    async def push(self, app: DarajaApp, body: Json, fault: str) -> Json:
        checks.prompt(body, app)
        number = str(body["PhoneNumber"])
        if any(one.number == number and one.code is None for one in self._prompts.values()):
            raise DarajaError(500, "500.001.1001", described("1001").removesuffix("."))
        prompt = self._new(app, body, number)
        self._prompts[prompt.checkout] = prompt
        outcome = self._stage.faults.take_name("stk.outcome")
        if fault == "callback_first":
            await self._callbacks.send(self._settle(prompt, OUTCOMES.get(outcome, "0")))
        else:
            self._tell(prompt)
            self._stage.wire.start(self._give_up(prompt))
            if outcome:
                self._stage.wire.start(self._answer_soon(prompt, outcome))
        said = "Success. Request accepted for processing"
        return {
            "MerchantRequestID": prompt.merchant_request,
            "CheckoutRequestID": prompt.checkout,
            "ResponseCode": "0",
            "ResponseDescription": said,
            "CustomerMessage": said,
        }

    async def query(self, app: DarajaApp, body: Json, fault: str) -> Json:
        """What became of it; while the phone asks, by turns in both ways that Daraja has to say so."""
        if checks.text(body, "BusinessShortCode", 10) != app.shortcode:
            raise checks.bad("BusinessShortCode")
        checks.password(body, app)
        prompt = self._prompts.get(checks.text(body, "CheckoutRequestID"))
        if prompt is None or prompt.app.shortcode != app.shortcode:
            raise checks.bad("CheckoutRequestID")
        if prompt.code is None:
            prompt.asked += 1
            if prompt.asked % 2:
                raise DarajaError(500, "500.001.1001", "The transaction is being processed")
        code = UNHEARD if fault == "unheard" else prompt.code or "4999"
        return {
            "ResponseCode": "0",
            "ResponseDescription": "The service request has been accepted successfully",
            "MerchantRequestID": prompt.merchant_request,
            "CheckoutRequestID": prompt.checkout,
            "ResultCode": code,
            "ResultDesc": described(code),
        }

    # --- what the person does ------------------------------------------------------------------------

    def answer(self, checkout: str, outcome: str) -> bool:
        """Answers the prompt with one of OUTCOMES, or with "ignore". False where it asks no more; a prompt
        that was never reached can still be paid, as happens in life."""
        prompt = self._prompts.get(checkout)
        if prompt is None:
            return False
        late = prompt.code == UNREACHED and outcome == "pay"
        if not (prompt.code is None or late):
            return False
        if outcome == "ignore":
            prompt.ignored = True
            self._tell(prompt)
            return True
        letter = self._settle(prompt, OUTCOMES[outcome])
        self._send(letter)
        return True

    def view(self, prompt: Prompt) -> Json:
        phone = self._stage.holder(prompt.number)
        open_ = prompt.code is None
        return {
            "id": prompt.checkout,
            "phone": phone.key if phone else None,
            "number": "+" + prompt.number,
            "merchant": prompt.app.merchant,
            "amount": prompt.amount,
            "reference": prompt.reference,
            "at": int(prompt.at.timestamp() * 1000),
            "state": ("ignored" if prompt.ignored else "asking") if open_ else "done",
            "code": prompt.code,
            "description": described(prompt.code) if prompt.code else "",
            "receipt": prompt.receipt,
        }

    # --- inside --------------------------------------------------------------------------------------

    def _new(self, app: DarajaApp, body: Json, number: str) -> Prompt:
        now = self._stage.world.now()
        return Prompt(
            checkout=self._stage.ids.checkout(now.astimezone(NAIROBI).strftime("%d%m%Y%H%M%S"), number),
            merchant_request=self._stage.ids.request(),
            app=app,
            number=number,
            amount=checks.amount(body),
            reference=str(body["AccountReference"]),
            callback_url=body["CallBackURL"],
            at=now,
        )

    async def _answer_soon(self, prompt: Prompt, outcome: str) -> None:
        """After the merchant has its answer, as a person would."""
        await asyncio.sleep(SOON)
        self.answer(prompt.checkout, outcome)

    async def _give_up(self, prompt: Prompt) -> None:
        await asyncio.sleep(self._stage.world.prompt_timeout)
        if prompt.code is None and self._prompts.get(prompt.checkout) is prompt:
            self._send(self._settle(prompt, UNREACHED))

    def _settle(self, prompt: Prompt, code: str) -> Letter:
        prompt.code = code
        paid = None
        if code == "0":
            now = self._stage.world.now()
            prompt.receipt, prompt.done = self._stage.ids.receipt(), now
            paid = (prompt.amount, prompt.receipt, prompt.number, now)
            self._boxes.collected(prompt.app, prompt.amount)
            self._boxes.sms(
                prompt.number,
                f"{prompt.receipt} Confirmed. Ksh{prompt.amount:,}.00 sent to {prompt.app.merchant} "
                f"for account {prompt.reference} on {now.astimezone(NAIROBI):%d/%m/%y at %H:%M}.",
            )
            self._c2b.tell(
                Paid(prompt.app, prompt.receipt, prompt.number, prompt.amount, prompt.reference, now)
            )
        self._tell(prompt)
        body = prompt_callback(prompt.ids, code, paid)
        return Letter(prompt.callback_url, body, f"payment of {prompt.amount} ends with {code}")

    def _send(self, letter: Letter) -> None:
        self._stage.wire.start(self._callbacks.send(letter, self._stage.faults.take("stk.callback")))

    def _tell(self, prompt: Prompt) -> None:
        self._stage.feed.tell("prompt", self.view(prompt))
