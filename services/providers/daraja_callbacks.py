"""Callbacks: what Daraja posts to our addresses, read into the one word that matters.

Nothing signs them; the service trusts the address they came to, our references and our amount.
Source: https://developer.safaricom.co.ke/apis/MpesaExpressSimulate, /BusinessToCustomer, /BusinessBuyGoods,
/TransactionStatus and /Reversal (result parameters), and live bodies: `Balance` comes without a value, a
single parameter without a list.
"""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from services.providers import daraja_balances
from services.providers.base import Pending, Report, Succeeded, Unreadable, Word
from services.providers.bodies import Json, code_of, id_of, ids_of, json_object, legible, within
from services.providers.daraja_bodies import items_of, money_of
from services.providers.daraja_codes import (
    DONE,
    payout_word,
    prompt_word,
    query_failure,
    reversal_word,
    reversed_word,
    status_word,
)


def read(about: str, body: bytes) -> Report:
    """The report of one callback; `about` as in `Report`. Raises Unreadable, and nothing else."""
    told = json_object(body)
    if told is None:
        raise Unreadable("not a JSON object")
    match about:
        case "collect":
            return _prompt(told)
        case "payout":
            return _payout(told)
        case "query":
            return _query(told)
        case "refund":
            return _reversal(told)
        case "refund_query":
            return replace(_query(told), about="refund_query")
        case "refunded_query" | "paid_query":
            return _reversed(told) if about == "refunded_query" else _made(told)
        case "float":
            result, items = _result(told)
            references = ids_of(result, "ConversationID", "OriginatorConversationID")
            code, detail = _code(result, references), legible(result.get("ResultDesc"))
            return daraja_balances.told(code, detail, references, items)
        case "payout_timeout" | "query_timeout" | "refund_timeout" | "float_timeout":
            return _timeout(about, told)
        case _:
            raise Unreadable("no callback is about this")


def _prompt(told: Json) -> Report:
    callback = within(told, "Body", "stkCallback")
    items = items_of(within(callback, "CallbackMetadata").get("Item"), "Name")
    references = ids_of(callback, "CheckoutRequestID", "MerchantRequestID")
    facts = {
        "reference": id_of(callback.get("CheckoutRequestID")),
        "completed_at": id_of(items.get("TransactionDate")),
    }
    word = prompt_word(
        _code(callback, references),
        legible(callback.get("ResultDesc")),
        paid=_paid_in(id_of(items.get("MpesaReceiptNumber")), items.get("Amount")),
    )
    return Report("collect", references, word, _known(facts))


def _paid_in(receipt: str | None, amount: Any) -> Word:
    """A yes that credits needs its amount; where it is missing a query has to say."""
    money = money_of(amount)
    return Succeeded(receipt, money) if money else Pending("0 without an amount", unheard=True)


def _payout(told: Json) -> Report:
    result, items = _result(told)
    references = ids_of(result, "OriginatorConversationID", "ConversationID")
    code, detail = _code(result, references), legible(result.get("ResultDesc"))
    receipt = id_of(items.get("TransactionReceipt")) or id_of(result.get("TransactionID"))
    amount = "Amount" if "Amount" in items else "TransactionAmount"  # to a till, to a phone
    word = payout_word(code, detail, paid=_paid_out(receipt, items, amount))
    if "TransactionStatus" in items:  # a query's result at the payout's address: its 0 is no yes
        word = _status(code, detail, items)
    completed = items.get("TransactionCompletedDateTime") or items.get("TransCompletedTime")
    facts = {
        "reference": id_of(result.get("OriginatorConversationID")),
        "transaction_id": id_of(result.get("TransactionID")),
        "completed_at": id_of(completed),
        "utility_funds": money_of(items.get("B2CUtilityAccountAvailableFunds")),
    }
    return Report("payout", references, word, _known(facts))


def _reversal(told: Json) -> Report:
    result, items = _result(told)
    references = ids_of(result, "OriginatorConversationID", "ConversationID")
    code, detail = _code(result, references), legible(result.get("ResultDesc"))
    done = _paid_out(id_of(result.get("TransactionID")), items, "Amount")
    facts = {
        "original": id_of(items.get("OriginalTransactionID")),
        "completed_at": id_of(items.get("TransCompletedTime")),
        "charge": money_of(items.get("Charge")),
    }
    word = reversal_word(code, detail, done)
    if "TransactionStatus" in items:  # a query's result at the reversal's address: its 0 is no yes
        word = _status(code, detail, items)
    return Report("refund", references, word, _known(facts))


def _reversed(told: Json) -> Report:
    """About the payment that was to be given back: its own receipt is what it is known by."""
    result, items = _result(told)
    references = ids_of(result, "ConversationID", "OriginatorConversationID")
    code, detail = _code(result, references), legible(result.get("ResultDesc"))
    if code == DONE:
        word = reversed_word(code_of(items.get("TransactionStatus")))
    else:
        word = query_failure(code, detail)
    facts = {"original": id_of(items.get("ReceiptNo")), "completed_at": id_of(items.get("FinalisedTime"))}
    return Report("refunded_query", references, word, _known(facts))


def _made(told: Json) -> Report:
    """About a payment that a customer is said to have made, by its receipt. A yes has its amount."""
    result, items = _result(told)
    references = ids_of(result, "ConversationID", "OriginatorConversationID")
    code, detail = _code(result, references), legible(result.get("ResultDesc"))
    receipt = id_of(items.get("ReceiptNo"))
    if code == DONE:
        paid = _paid_in(receipt, items.get("Amount"))
        return Report(
            "collect", ids_of(items, "ReceiptNo"), status_word(code_of(items.get("TransactionStatus")), paid)
        )
    return Report("collect", references, query_failure(code, detail))


def _query(told: Json) -> Report:
    """The result's code tells of the query; the payout's fate is the parameter TransactionStatus."""
    result, items = _result(told)
    references = ids_of(result, "ConversationID", "OriginatorConversationID")
    word = _status(_code(result, references), legible(result.get("ResultDesc")), items)
    facts = {
        "payout_references": ids_of(items, "OriginatorConversationID", "ConversationID") or None,
        "completed_at": id_of(items.get("FinalisedTime")),
        "charge": _charge(items.get("DebitPartyCharges")),
    }
    return Report("query", references, word, _known(facts))


def _status(code: str, detail: str, items: Json) -> Word:
    if code != DONE:
        return query_failure(code, detail)
    paid = _paid_out(id_of(items.get("ReceiptNo")), items, "Amount")
    return status_word(code_of(items.get("TransactionStatus")), paid)


def _timeout(about: str, told: Json) -> Report:
    """No page shows this body: its ids are all that is taken of it. The real result may still follow."""
    result = within(told, "Result") or told
    references = ids_of(result, "OriginatorConversationID", "ConversationID")
    facts = {"reference": id_of(result.get("OriginatorConversationID"))}
    return Report(about, references, Pending("timed out in Daraja's queue"), _known(facts))


def _result(told: Json) -> tuple[Json, Json]:
    """The result and its parameters by key."""
    result = within(told, "Result")
    return result, items_of(within(result, "ResultParameters").get("ResultParameter"), "Key")


def _code(told: Json, references: frozenset[str]) -> str:
    code = told.get("ResultCode")
    if isinstance(code, Decimal):  # 0.0 is a code that nobody knows, and so pending
        code = str(code)
    if not code_of(code) or not references:
        raise Unreadable("without a result code or without an id")
    return code_of(code)


def _paid_out(receipt: str | None, items: Json, key: str) -> Word:
    """An amount that is missing is ours, by our id; one that cannot be read is looked into."""
    money = money_of(items.get(key))
    if money is None and key in items:
        return Pending(f"0 with an unreadable {key}", unheard=True)
    return Succeeded(receipt, money)


def _charge(told: Any) -> Any:
    """What the provider took: the last part of "Fee For B2C Payment|KES|22.40"."""
    return money_of(told.rpartition("|")[2]) if isinstance(told, str) else None


def _known(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: fact for name, fact in facts.items() if fact is not None}
