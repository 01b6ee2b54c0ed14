"""Change words: what the settings are called, and their values as people read them."""

import re
from typing import Any

from flows.refusals import provider_name
from flows.text import Text
from services.money import Money
from services.written import minor_of

_MONEY = re.compile(r"([A-Z]{3}) (\d+(?:\.\d+)?)", re.ASCII)
NONE = "-"


def limit(key: str) -> Text:  # noqa: C901  a case a limit
    match key:
        case "per_withdrawal":
            return Text("One withdrawal")
        case "per_day":
            return Text("All in 24 hours")
        case "per_destination":
            return Text("One place, 24 hours")
        case "per_maker":
            return Text("Each person, 24 hours")
        case "count_per_day":
            return Text("How many in 24 hours")
        case "count_per_destination":
            return Text("Times to one place, 24 h")
        case "blocked_hours":
            return Text("Hours without payouts")
        case "totp_above":
            return Text("One-time code above")
        case "approvals":
            return Text("Approvals needed")
        case "approvals_above":
            return Text("Approvals by amount")
        case "approval_hours":
            return Text("Hours to approve")
        case "new_destination_hours":
            return Text("New destination, hours")
    return Text("{key}", key=key)


def way(method_type: str) -> Text:
    """The way by which a fee is taken, or payouts go."""
    return Text("M-Pesa") if method_type == "mpesa" else provider_name(method_type)


def value(key: str, told: Any) -> Text | tuple[Text, ...]:
    """One value of a setting, of those that `services.settings` masks."""
    if isinstance(told, list):
        return tuple(_band(each) for each in told) or (nothing(key),)
    return nothing(key) if told == NONE else Text("{value}", value=amount(told))


def nothing(key: str) -> Text:
    match key:
        case "blocked_hours" | "approvals_above":
            return Text("none")
        case "totp_above":
            return Text("never")
    return Text("no limit")


def amount(told: str) -> Money | str:
    """ "KES 50000.00" as money, so that each language writes it its own way."""
    if found := _MONEY.fullmatch(told):
        return Money(minor_of(found[2], found[1]), found[1])
    return told


def _band(told: dict[str, Any]) -> Text:
    if "approvals" in told:
        return Text("{approvals} above {amount}", approvals=told["approvals"], amount=amount(told["amount"]))
    if told.get("usual"):
        return Text("{fee}, the usual fee", fee=fee(told))
    since, until = (str(told.get(key, "…"))[:10] for key in ("valid_from", "valid_until"))
    if (since, until) != ("…", "…"):
        return Text(
            "{amounts}: {fee}, from {since} to {until}",
            amounts=_amounts(told),
            fee=fee(told),
            since=since,
            until=until,
        )
    return Text("{amounts}: {fee}", amounts=_amounts(told), fee=fee(told))


def fee(told: dict[str, Any]) -> Text:
    flat, percent = amount(told["flat"]), told["percent"]
    if percent == "0":
        return Text("{amount}", amount=flat)
    if isinstance(flat, Money) and not flat.minor:
        return Text("{percent}%", percent=percent)
    return Text("{amount} + {percent}%", amount=flat, percent=percent)


def _amounts(told: dict[str, Any]) -> Text:
    low, high = amount(told.get("from", "")), told.get("to")
    begins = isinstance(low, Money) and bool(low.minor)
    if high is None:
        return Text("{amount} and more", amount=low) if begins else Text("all amounts")
    if begins:
        return Text("{low} to {high}", low=low, high=amount(high))
    return Text("up to {amount}", amount=amount(high))
