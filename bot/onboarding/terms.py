"""Terms: what withdrawals cost, and where they are bounded. Without an answer the defaults hold."""

from collections.abc import Mapping
from typing import Any

from bot.onboarding.asker import Asker
from bot.onboarding.checks import NONE, amount, amount_or_none, percent
from bot.onboarding.files import Draft
from bot.onboarding.shop import added
from services.money import Money
from services.people.file_parts import TenantFile
from services.rails import RAILS

_WAYS = {"mpesa": "an M-Pesa number", "till": "a till", "bank_transfer": "a bank account"}
_LIMITS = """
Limits of withdrawals, in {currency}. What is above one is refused. Enter takes what stands in brackets, none
leaves that limit out. The staff change them later by the word settings, two of them together."""
# A person is offered the first two; what a file leaves out stays without.
_AMOUNTS = {
    "per_withdrawal": ("  The most in one withdrawal", "100000"),
    "per_day": ("  The most in 24 hours, of all withdrawals together", "300000"),
    "approvals_above": (
        "  Above how much in 24 hours must two others approve, instead of one",
        NONE,
    ),
    "totp_above": ("  Above how much in 24 hours does approving take a one-time code", NONE),
}


def limits(asker: Asker, draft: Draft) -> None:
    file = _file(draft)
    if "limits" in file.model_fields_set:
        asker.say("\nLimits of withdrawals: kept as they are in the file.")
        return
    if (told := asker.table("limits")) is not None:
        added(asker, draft, "limits", "[limits]", told)
        return
    currency = file.tenant.currency
    if not _pays_out(file) or not asker.present:
        return
    asker.say(_LIMITS.format(currency=currency))
    while asker.wants("limits", "  Set limits?", default=True):
        given = {
            key: asker.ask(f"limits.{key}", text, default, check=amount_or_none(currency))
            for key, (text, default) in _AMOUNTS.items()
        }
        if added(asker, draft, "limits", "[limits]", _limits(given)):
            return


def _limits(given: Mapping[str, str]) -> dict[str, Any]:
    """As the file has them; with no amount at all it still says that they were asked for."""
    part: dict[str, Any] = {"approvals": 1} | {key: told for key, told in given.items() if told != NONE}
    if (above := part.pop("approvals_above", None)) is not None:
        part["approvals_above"] = [{"amount": above, "approvals": 2}]
    return part


def fees(asker: Asker, draft: Draft) -> None:
    """One band for all amounts; more of them are written into the file by hand."""
    file = _file(draft)
    if file.fees:
        asker.say("\nFees of withdrawals: kept as they are in the file.")
        return
    if (told := asker.tables("fees")) is not None:
        added(asker, draft, "fees", "[[fees]]", *told)
        return
    ways = _pays_out(file)
    if not ways or not asker.present:
        return
    currency = file.tenant.currency
    usual = ", ".join(f"{_usual(way)} to {_WAYS[way]}" for way in ways)
    asker.say(f"\nFees of withdrawals, in {currency}, taken from the amount and yours: {usual}.")
    while asker.wants("fees", "  Others than these?"):
        bands = [band for way in ways if (band := _band(asker, way, currency))]
        if added(asker, draft, "fees", "[[fees]]", *bands):
            return


def _band(asker: Asker, way: str, currency: str) -> dict[str, str]:
    """Nothing where it is the usual one."""
    usual = _usual(way)
    flat = asker.ask(f"fees.{way}.flat", f"  To {_WAYS[way]}: for each", usual, check=amount(currency))
    more = asker.ask(f"fees.{way}.percent", "    and percent of the amount", "0", check=percent)
    return {} if (flat, more) == (usual, "0") else {"method_type": way, "flat": flat, "percent": more}


def _usual(way: str) -> str:
    return str(Money(RAILS[way].fee, "KES"))


def _pays_out(file: TenantFile) -> list[str]:
    """The ways out that its providers carry; in shillings alone."""
    if file.tenant.currency != "KES":
        return []
    return [way for way, rail in RAILS.items() if getattr(file.providers, rail.provider) is not None]


def _file(draft: Draft) -> TenantFile:
    assert draft.file is not None  # noqa: S101  the tenant is there
    return draft.file
