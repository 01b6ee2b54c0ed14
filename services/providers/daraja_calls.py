"""Calls: the requests that we make of Daraja, and what each way of not accepting one means.

Source: https://developer.safaricom.co.ke/apis (each API's page, error codes). An error is {requestId,
errorCode, errorMessage} of M-Pesa or {"fault": ...} of the gateway before it. Only a plain no is a no: a
server error may come after the request was queued, so it is *unknown*, but for the few that are known to
be said before.
"""

import re
from dataclasses import dataclass
from http import HTTPStatus

from services.news import Unpaid
from services.providers.base import Misconfigured, NotSent, Pending, Refused, Unknown
from services.providers.bodies import Json, code_of, legible, within


@dataclass(frozen=True)
class Call:
    """A path, and which of its fields hold settings, so that a wrong one is not the customer's fault."""

    path: str
    settings: frozenset[str]
    forbidden: str = "the app is not allowed this call: see its products on the portal"


PROMPT = Call(
    "/mpesa/stkpush/v1/processrequest",
    frozenset(
        {
            "businessshortcode",
            "shortcode",
            "password",
            "timestamp",
            "callbackurl",
            "transactiontype",
            "partyb",
        }
    ),
)
PROMPT_QUERY = Call(
    "/mpesa/stkpushquery/v1/query", frozenset({"businessshortcode", "shortcode", "password", "timestamp"})
)
_INITIATED = frozenset(
    {"initiator", "initiatorname", "securitycredential", "commandid", "partya", "shortcode"}
    | {"queuetimeouturl", "resulturl", "identifiertype"}
)
# v1, which every app may call, takes no id of ours, so it has no guard against paying twice.
PAYOUT = Call(
    "/mpesa/b2c/v3/paymentrequest",
    _INITIATED,
    forbidden="ask Safaricom to enable B2C v3 for the app and its initiator (v1 is not used)",
)
TILL = Call(
    "/mpesa/b2b/v1/paymentrequest",
    _INITIATED | {"senderidentifiertype", "receiveridentifiertype", "recieveridentifiertype"},
    forbidden="ask Safaricom to enable B2B (BusinessBuyGoods) for the app and its initiator",
)
REVERSAL = Call(
    "/mpesa/reversal/v1/request",
    _INITIATED | {"receiverparty", "receiveridentifiertype", "recieveridentifiertype"},
    forbidden="ask Safaricom to enable reversals for the app and its initiator",
)
PAYOUT_QUERY = Call("/mpesa/transactionstatus/v1/query", _INITIATED)
FLOAT = Call(
    "/mpesa/accountbalance/v1/query",
    _INITIATED,
    forbidden="ask Safaricom to enable Account Balance for the app and its initiator",
)


@dataclass(frozen=True)
class Reply:
    """What came back, a JSON object in any case."""

    status: int
    body: Json

    @property
    def code(self) -> str:
        """Theirs, or the gateway's."""
        fault = code_of(within(self.body, "fault", "detail").get("errorcode"))
        return code_of(self.body.get("errorCode")) or fault

    @property
    def message(self) -> str:
        fault = self.body.get("fault")
        said = fault.get("faultstring") if isinstance(fault, dict) else self.body.get("errorMessage")
        return legible(said or self.body.get("ResponseDescription"))

    @property
    def accepted(self) -> bool:
        fine = HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES
        return fine and code_of(self.body.get("ResponseCode")) == "0"

    @property
    def token_refused(self) -> bool:
        """The token is not, or no more, the app's: the request was turned away before it was read."""
        said = self.message.lower()
        return (self.code in _TOKEN_CODES and "token" in said) or self.code in _TOKEN_FAULTS

    def __str__(self) -> str:
        # Apart, or the digits of status and code together pass for a card's, and are struck out of logs.
        return ", ".join(filter(None, (f"HTTP {self.status}", f"{self.code[:60]} {self.message}".strip())))


_TOKEN_CODES = {"404.001.03", "401.002.01", "400.003.01"}
_TOKEN_FAULTS = {
    "keymanagement.service.invalid_access_token",
    "keymanagement.service.access_token_expired",
    "oauth.v2.InvalidAccessToken",
}
_GATEWAY_LIMITS = ("spike arrest", "quota violation")
# Said of a setting wherever it is wrong; the third meaning of 500.001.1001 is the customer's.
_WRONG_SETTINGS = ("merchant does not exist", "wrong credentials")
_BUSY_PHONE = "unable to lock subscriber"
_NOT_ALLOWED = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED,
)
_UNREACHABLE = {"phonenumber", "partya"}
_BEING_PROCESSED = "being processed"
# Server errors of theirs that say nothing new: the query is asked again.
_PASSING = {"500.002.1001", "500.003.02", "500.003.1001"}
_INVALID = re.compile(r"invalid (\w+)")


def judge(call: Call, reply: Reply) -> Refused | NotSent | Misconfigured | Unknown:
    """What an answer that does not accept means for the request.

    "System is busy" stays unknown for prompts too: a second prompt beside one that rings might be paid.
    """
    said, why = reply.message.lower(), str(reply)
    if reply.status == HTTPStatus.TOO_MANY_REQUESTS or any(limit in said for limit in _GATEWAY_LIMITS):
        return NotSent(why)
    if "duplicate" in said:
        return Unknown(why)  # the first of this id exists
    if reply.token_refused:
        return NotSent(why)  # twice, the second time with a fresh one
    if reply.status == HTTPStatus.INTERNAL_SERVER_ERROR and reply.code == "500.001.1001":
        return _by_words(said, why)
    if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR or reply.status == HTTPStatus.REQUEST_TIMEOUT:
        return Unknown(why)
    if reply.status >= HTTPStatus.BAD_REQUEST and reply.code:
        return _client_error(call, reply)
    if code_of(reply.body.get("ResponseCode")) not in {"", "0"}:
        return Refused(Unpaid.PROVIDER, why)
    return Unknown(why)


def _by_words(said: str, why: str) -> Refused | Misconfigured | Unknown:
    """500.001.1001 has several meanings, told apart by its message alone."""
    if any(wrong in said for wrong in _WRONG_SETTINGS):
        return Misconfigured(why)
    if _BUSY_PHONE in said:
        return Refused(Unpaid.BUSY, why)
    return Unknown(why)


def _client_error(call: Call, reply: Reply) -> Refused | Misconfigured:
    why = str(reply)
    if reply.status == HTTPStatus.FORBIDDEN:
        return Misconfigured(f"{why}: {call.forbidden}")
    if reply.status in _NOT_ALLOWED:
        return Misconfigured(why)
    named = _INVALID.search(reply.message.lower())
    field = named[1] if named else ""
    if field in call.settings:
        return Misconfigured(why)
    if call is PROMPT and field in _UNREACHABLE:
        return Refused(Unpaid.UNREACHABLE, why)
    return Refused(Unpaid.RECEIVER if call in (PAYOUT, TILL) and field == "partyb" else Unpaid.PROVIDER, why)


def no_word(reply: Reply) -> Pending:
    """An answer to a query without a result: asked again later, alerted where it is none that we know."""
    answer = judge(PROMPT_QUERY, reply)
    passing = (
        isinstance(answer, NotSent | Misconfigured)
        or _BEING_PROCESSED in reply.message.lower()
        or reply.code in _PASSING
    )
    return Pending(str(reply), unheard=not passing, ours=isinstance(answer, Misconfigured))
