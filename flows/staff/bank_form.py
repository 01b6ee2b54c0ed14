"""The form of a bank account: what it says, and what is wrong with what is filled in.

Its layout at WhatsApp is bot/whatsapp/bank.json, whose places have the names of `words` and `options`.
"""

from collections.abc import Callable, Mapping

from flows.form import Form
from flows.refusals import worded
from flows.text import Text
from services import banks
from services.money import Money

NAME = "bank"
_CHECKS: Mapping[str, Callable[[str], str]] = {
    "bank_code": banks.bank_code,
    "account_number": banks.account_number,
    "account_name": banks.account_name,
}


def form(amount: Money) -> Form:
    return Form(
        name=NAME,
        label=Text("Fill in the form"),
        fields=tuple(_CHECKS),
        words={
            "heading": Text("Where should {amount} go?", amount=amount),
            "bank_label": Text("Bank"),
            "number_label": Text("Account number"),
            "name_label": Text("Account holder's name"),
            "done_label": Text("Done"),
        },
        options={"banks": {code: Text("{bank}", bank=name) for code, name in banks.BANKS.items()}},
        check=check,
    )


def check(values: Mapping[str, str]) -> dict[str, Text]:
    wrong = {}
    for name, checked in _CHECKS.items():
        try:
            checked(values.get(name, ""))
        except banks.InvalidDestination as refusal:
            wrong[name] = worded(refusal)
    return wrong


def details(values: Mapping[str, str]) -> dict[str, str]:
    """Of a bank account, of what was filled in; nothing is left out, so that all of it is checked."""
    return {name: values.get(name, "") for name in _CHECKS}
