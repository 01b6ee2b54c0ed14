"""M-Pesa, by Safaricom's Daraja: prompts on customers' phones, and payouts to phones and tills.

https://developer.safaricom.co.ke/apis/MpesaExpressSimulate (STK push, and its query beside it),
/BusinessToCustomer (version 3) and /TransactionStatus. The other parts: tills in `daraja_tills`, reversals in
`daraja_reversals`, settings in `mpesa_settings`, error bodies in `daraja_calls`, result codes in
`daraja_codes`, callbacks in `daraja_callbacks`, the wire in `daraja_client`.
"""

import base64
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from uuid import UUID

import aiohttp

from services.errors import Refusal
from services.money import Money
from services.news import Unpaid
from services.providers import daraja_balances, daraja_c2b, daraja_qr, daraja_tills
from services.providers.abilities import Payout, Prompt
from services.providers.base import (
    Accepted,
    Answer,
    Drawn,
    Misconfigured,
    NotSent,
    Pending,
    Refused,
    Report,
    Succeeded,
    Tokens,
    Unknown,
    Word,
)
from services.providers.bodies import code_of, id_of, legible
from services.providers.daraja_callbacks import read
from services.providers.daraja_calls import (
    PAYOUT,
    PROMPT,
    PROMPT_QUERY,
    Reply,
    judge,
    no_word,
)
from services.providers.daraja_client import TIMEOUT, Daraja
from services.providers.daraja_codes import LIMITS, prompt_word
from services.providers.daraja_pull import pull
from services.providers.daraja_reversals import query, reverse
from services.providers.listing import Listed
from services.providers.mpesa_settings import MpesaSettings
from services.providers.refunds import Refund

NAIROBI = timezone(timedelta(hours=3))  # East Africa Time has no summer

_PHONE = re.compile(r"\+(254[17][0-9]{8})")
_REFERENCE, _DESCRIPTION, _REMARKS = 12, "Payment", 100


class Mpesa:
    """Collects by STK push (to a paybill, or to a till where there is one), pays out by B2C v3 and to tills
    by B2B, and gives back by reversals."""

    def __init__(
        self,
        settings: MpesaSettings,
        http: aiohttp.ClientSession,
        url: str,
        tokens: Tokens,
        now: Callable[[], datetime],
        *,
        timeout: aiohttp.ClientTimeout = TIMEOUT,
    ) -> None:
        self._settings, self._now = settings, now
        keys = (settings.consumer_key, settings.consumer_secret)
        self._daraja = Daraja(keys, http, url, tokens, timeout)

    async def prove_keys(self) -> NotSent | Misconfigured | None:
        return await self._daraja.prove_keys()

    # --- collects ------------------------------------------------------------------------------------

    async def prompt(self, prompt: Prompt) -> Answer:
        """Ring the phone. The reference of `Accepted` is the CheckoutRequestID, which holds the phone."""
        if missing := self._settings.missing_to_collect:
            return _lacking(missing)
        if no := _beyond("collect", prompt.amount):
            return no
        phone = _PHONE.fullmatch(prompt.phone)
        if phone is None:
            return Refused(Unpaid.UNREACHABLE, "not a Kenyan mobile number")
        reply = await self._daraja.post(PROMPT, self._prompt_body(prompt, phone[1]))
        if not isinstance(reply, Reply):
            return reply
        if not reply.accepted:
            return judge(PROMPT, reply)
        checkout = id_of(reply.body.get("CheckoutRequestID"))
        if checkout is None:
            return Unknown("accepted without a CheckoutRequestID")
        return Accepted(checkout, id_of(reply.body.get("MerchantRequestID")))

    async def check(self, reference: str) -> Word | NotSent | Unknown:
        """What became of the prompt with this CheckoutRequestID. A yes has neither receipt nor amount."""
        if missing := self._settings.missing_to_collect:
            return Pending(_lacking(missing).detail, ours=True)
        body = self._signed() | {"CheckoutRequestID": reference}
        reply = await self._daraja.post(PROMPT_QUERY, body)
        if not isinstance(reply, Reply):
            return Pending(reply.detail, ours=True) if isinstance(reply, Misconfigured) else reply
        code = code_of(reply.body.get("ResultCode"))
        if not (reply.accepted and code):
            return no_word(reply)
        if id_of(reply.body.get("CheckoutRequestID")) not in {None, reference}:
            return Pending("the answer is about another prompt", unheard=True)
        return prompt_word(code, legible(reply.body.get("ResultDesc")), paid=Succeeded())

    def read(self, about: str, body: bytes) -> Report:
        """A callback; `about` as in `Report`. Raises Unreadable, and nothing else."""
        return daraja_c2b.heard(about, body, self._settings) or read(about, body)

    async def draw(self, merchant: str, number: str, amount: Money) -> Drawn:
        return await daraja_qr.draw(self._daraja, self._settings.shortcode, merchant, number, amount)

    async def register(self, told_at: str, asked_at: str) -> Answer:
        return await daraja_c2b.register(self._daraja, self._settings, told_at, asked_at)

    # --- pays out ------------------------------------------------------------------------------------

    async def pay_out(self, payout: Payout) -> Answer:
        """Send to details["phone_number"], where our attempt's id is Daraja's guard against paying twice; or
        to a till, where nothing is."""
        initiator = self._initiator()
        if isinstance(initiator, Misconfigured):
            return initiator
        if payout.method_type == "till":
            return await self._pay_till(payout, initiator)
        if no := _beyond("payout", payout.amount):
            return no
        phone = _PHONE.fullmatch(payout.details.get("phone_number", ""))
        if payout.method_type != "mpesa" or phone is None:
            return Refused(Unpaid.RECEIVER, "not a destination that B2C reaches")
        reply = await self._daraja.post(PAYOUT, self._payout_body(payout, phone[1], initiator))
        if not isinstance(reply, Reply):
            return reply
        if not reply.accepted:
            return judge(PAYOUT, reply)
        originator = id_of(reply.body.get("OriginatorConversationID")) or str(payout.attempt_id)
        return Accepted(originator, id_of(reply.body.get("ConversationID")))

    async def _pay_till(self, payout: Payout, initiator: dict[str, str]) -> Answer:
        if no := _beyond("till", payout.amount):
            return no
        amount = _shillings(payout.amount)
        return await daraja_tills.pay(self._daraja, initiator, self._settings, payout, amount)

    async def ask(
        self,
        attempt_id: UUID,
        reference: str | None,
        callback_url: str,
        timeout_url: str,
        method_type: str = "mpesa",
    ) -> Answer:
        """Ask what became of a payout. The reference of `Accepted` is the query's ConversationID."""
        initiator = self._initiator()
        if isinstance(initiator, Misconfigured):
            return initiator
        subject = {"OriginalConversationID": reference or str(attempt_id)}
        party = self._paying(method_type)
        return await query(self._daraja, initiator, party, subject, (callback_url, timeout_url))

    async def ask_float(self, method_type: str, callback_url: str, timeout_url: str) -> Answer:
        initiator = self._initiator()
        if isinstance(initiator, Misconfigured):
            return initiator
        party = self._paying(method_type)
        return await daraja_balances.ask(self._daraja, initiator, party, callback_url, timeout_url)

    def _paying(self, method_type: str) -> str:
        settings = self._settings
        return settings.till_paying_shortcode if method_type == "till" else settings.paying_shortcode

    # --- gives back ----------------------------------------------------------------------------------

    async def refund(self, refund: Refund) -> Answer:
        """Reverse the whole payment of this receipt; see `daraja_reversals`."""
        initiator = self._initiator()
        if isinstance(initiator, Misconfigured):
            return initiator
        if no := _beyond("collect", refund.amount):
            return no
        amount, party = _shillings(refund.amount), self._settings.shortcode
        return await reverse(self._daraja, initiator, party, refund, amount)

    async def ask_refund(
        self,
        receipt: str,
        reference: str | None,
        callback_url: str,
        timeout_url: str,
        attempt_id: UUID,  # noqa: ARG002  they do not know it
    ) -> Answer:
        initiator = self._initiator()
        if isinstance(initiator, Misconfigured):
            return initiator
        subject = {"OriginalConversationID": reference} if reference else {"TransactionID": receipt}
        party = self._settings.shortcode
        return await query(self._daraja, initiator, party, subject, (callback_url, timeout_url))

    # --- lists ---------------------------------------------------------------------------------------

    @property
    def lists(self) -> bool:
        return self._settings.pull

    async def list_lines(
        self, since: datetime, until: datetime, page: str | None
    ) -> Listed | Misconfigured | NotSent | Unknown:
        """What customers have paid in the last 48 hours; see `daraja_pull`."""
        shortcode = self._settings.till or self._settings.shortcode
        return await pull(self._daraja, shortcode, self._now(), since, until, page)

    # --- bodies --------------------------------------------------------------------------------------

    def _signed(self) -> dict[str, str]:
        """The shortcode with its password, base64 of shortcode, passkey and Nairobi's time."""
        stamp = self._now().astimezone(NAIROBI).strftime("%Y%m%d%H%M%S")
        passkey = self._settings.passkey.get_secret_value() if self._settings.passkey else ""
        password = base64.b64encode(f"{self._settings.shortcode}{passkey}{stamp}".encode()).decode()
        return {
            "BusinessShortCode": self._settings.shortcode,
            "Password": password,
            "Timestamp": stamp,
        }

    def _prompt_body(self, prompt: Prompt, phone: str) -> dict[str, str]:
        till = self._settings.till
        return self._signed() | {
            "TransactionType": "CustomerBuyGoodsOnline" if till else "CustomerPayBillOnline",
            "Amount": _shillings(prompt.amount),
            "PartyA": phone,
            "PartyB": till or self._settings.shortcode,
            "PhoneNumber": phone,
            "CallBackURL": prompt.callback_url,
            "AccountReference": prompt.reference[:_REFERENCE],
            "TransactionDesc": _DESCRIPTION,  # said to be optional, refused where it is missing
        }

    def _payout_body(self, payout: Payout, phone: str, initiator: dict[str, str]) -> dict[str, str]:
        remarks = legible(payout.remarks)[:_REMARKS]
        return {
            "OriginatorConversationID": str(payout.attempt_id),
            "InitiatorName": initiator["Initiator"],
            "SecurityCredential": initiator["SecurityCredential"],
            "CommandID": "BusinessPayment",
            "Amount": _shillings(payout.amount),
            "PartyA": self._settings.paying_shortcode,
            "PartyB": phone,
            "Remarks": remarks if len(remarks) > 1 else "Payout",
            "QueueTimeOutURL": payout.timeout_url,
            "ResultURL": payout.callback_url,
            "Occassion": "Payout",  # their spelling
        }

    def _initiator(self) -> dict[str, str] | Misconfigured:
        """In whose name anything is sent; or what of the settings keeps it from being sent."""
        if missing := self._settings.missing_to_pay_out:
            return _lacking(missing)
        try:
            credential = self._settings.credential()
        except ValueError as error:
            return Misconfigured(f"initiator_password or certificate is wrong: {error}")
        return {"Initiator": self._settings.initiator_name or "", "SecurityCredential": credential}


def _lacking(missing: tuple[str, ...]) -> Misconfigured:
    return Misconfigured(f"missing in the settings: {', '.join(missing)}")


def _beyond(rail: str, amount: Money) -> Refused | None:
    """The services refuse this long before; here it is only kept off the wire."""
    try:
        LIMITS[rail].refuse_beyond(amount)
    except Refusal as refusal:
        return Refused(Unpaid.LIMIT, refusal.code)
    return None


def _shillings(amount: Money) -> str:
    return str(int(amount.decimal))
