"""Balances: what M-Pesa holds for an organisation, by its accounts.

https://developer.safaricom.co.ke/apis/AccountBalance. It is told by a result, in one text:
"Working Account|KES|46713.00|46713.00|0.00|0.00&Utility Account|KES|...": the account's name, the currency,
what it holds, how much of that is free, what is reserved and what is not cleared. Payouts to phones leave
Utility, those to tills Working.
"""

import re
from collections.abc import Iterator, Mapping

from services.money import Money
from services.providers.base import Accepted, Answer, Pending, Report, Succeeded, Unknown
from services.providers.bodies import Json, id_of
from services.providers.daraja_calls import FLOAT, Reply, judge
from services.providers.daraja_client import Daraja
from services.providers.daraja_codes import DONE, query_failure

_ACCOUNTS = {"utility account": "mpesa", "working account": "till", "mmf account": "till"}
_AMOUNT = re.compile(r"(-?)([0-9]{1,12})(?:\.([0-9]{1,2}))?", re.ASCII)
_CURRENCY, _NAME_TO_FREE = "KES", 4


async def ask(
    daraja: Daraja, initiated: Mapping[str, str], shortcode: str, callback_url: str, timeout_url: str
) -> Answer:
    """The reference of `Accepted` is the question's ConversationID."""
    body = {
        **initiated,
        "CommandID": "AccountBalance",
        "PartyA": shortcode,
        "IdentifierType": "4",  # a shortcode
        "Remarks": "Balance",
        "QueueTimeOutURL": timeout_url,
        "ResultURL": callback_url,
    }
    reply = await daraja.post(FLOAT, body)
    if not isinstance(reply, Reply):
        return reply
    if not reply.accepted:
        return judge(FLOAT, reply)
    conversation = id_of(reply.body.get("ConversationID"))
    return Accepted(conversation) if conversation else Unknown("accepted without a ConversationID")


def told(code: str, detail: str, references: frozenset[str], items: Json) -> Report:
    """Of a result's code and parameters. What cannot be read is left out, so it is not known."""
    if code != DONE:
        return Report("float", references, query_failure(code, detail))
    floats = dict(_floats(items.get("AccountBalance")))
    word = Succeeded() if floats else Pending("0 without a balance that can be read", unheard=True)
    return Report("float", references, word, {"floats": floats})


def _floats(said: object) -> Iterator[tuple[str, Money]]:
    """What is free, by the way out that leaves from it."""
    for account in said.split("&") if isinstance(said, str) else ():
        name, currency, *_, free = [*account.split("|")[:_NAME_TO_FREE], *[""] * _NAME_TO_FREE][
            :_NAME_TO_FREE
        ]
        way, amount = _ACCOUNTS.get(name.strip().lower()), _AMOUNT.fullmatch(free.strip())
        if way is not None and currency.strip() == _CURRENCY and amount is not None:
            sign, whole, cents = amount.groups()
            minor = int(whole) * 100 + int((cents or "").ljust(2, "0"))
            yield way, Money(-minor if sign else minor, _CURRENCY)
