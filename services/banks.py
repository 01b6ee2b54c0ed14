"""Banks: those of Kenya by their codes, and what a bank account must look like before money goes there."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from services.errors import Refusal

# Codes of the Central Bank of Kenya, which PesaLink and the providers use too; the largest banks first.
# https://www.centralbank.go.ke/bank-supervision/
BANKS = {
    "68": "Equity",
    "01": "KCB",
    "11": "Co-operative",
    "07": "NCBA",
    "03": "Absa",
    "02": "Standard Chartered",
    "57": "I&M",
    "63": "Diamond Trust",
    "31": "Stanbic",
    "70": "Family Bank",
    "12": "National Bank",
    "10": "Prime Bank",
    "06": "Bank of Baroda",
    "05": "Bank of India",
    "19": "Bank of Africa",
    "16": "Citibank",
    "23": "Consolidated Bank",
    "25": "Credit Bank",
    "26": "Access Bank",
    "35": "ABC",
    "43": "Ecobank",
    "50": "Paramount",
    "51": "Kingdom Bank",
    "53": "Guaranty Trust",
    "54": "Victoria Commercial",
    "55": "Guardian Bank",
    "59": "Development Bank",
    "60": "SBM",
    "61": "HFC",
    "65": "CIB",
    "66": "Sidian",
    "72": "Gulf African",
    "74": "Premier Bank",
    "75": "Dubai Islamic",
    "76": "UBA",
    "14": "M-Oriental",
    "17": "Habib AG Zurich",
    "18": "Middle East Bank",
}
_ALSO = {
    "Barclays": "03",
    "CBA": "07",
    "Coop": "11",
    "Co-op": "11",
    "DTB": "63",
    "GT": "53",
    "GTBank": "53",
    "HF": "61",
    "Housing Finance": "61",
    "Kenya Commercial": "01",
    "NBK": "12",
    "NIC": "07",
    "Stanchart": "02",
}
_NUMBER = re.compile(r"\d{6,16}", re.ASCII)
_CODE = re.compile(r"[0-9A-Za-z]{2,20}", re.ASCII)
_TILL = re.compile(r"\d{5,9}", re.ASCII)
_NAME_SIGNS = " .,'&()/-\N{RIGHT SINGLE QUOTATION MARK}"
_NAME_LENGTHS = range(3, 71)
_SEPARATORS = re.compile(r"[\s.\-]")


@dataclass(eq=False)
class InvalidDestination(Refusal):
    """A bank account or a till that cannot be one; `field` is what is wrong of it."""

    code: ClassVar[str] = "invalid_method_details"
    field: str


def bank_code(text: str) -> str:
    """One of those above. Raises InvalidDestination."""
    if text not in BANKS:
        raise InvalidDestination("bank_code")
    return text


def any_code(text: str) -> str:
    """Of a bank here or elsewhere. Raises InvalidDestination for what is no code at all."""
    if not _CODE.fullmatch(text):
        raise InvalidDestination("bank_code")
    return text


def code_named(text: str) -> str:
    """The code of a bank that is called so. Raises InvalidDestination."""
    code = _CALLED.get(_called(_seen(text)))
    if code is None:
        raise InvalidDestination("bank_code")
    return code


def account_number(text: str) -> str:
    """Digits, however they are spaced. Raises InvalidDestination."""
    return _digits(text, _NUMBER, "account_number")


def till_number(text: str) -> str:
    """Raises InvalidDestination."""
    return _digits(text, _TILL, "till_number")


def account_name(text: str) -> str:
    """The holder's: mostly letters, with the signs that names of firms have. Raises InvalidDestination."""
    name = " ".join(_seen(text).split())
    legible = all(sign in _NAME_SIGNS or unicodedata.category(sign)[0] in "LMN" for sign in name)
    letters = sum(unicodedata.category(sign)[0] == "L" for sign in name)
    if len(name) not in _NAME_LENGTHS or not legible or 2 * letters < len(name):
        raise InvalidDestination("account_name")
    return name


def initials(name: str) -> str:
    """A holder's name as it is kept and told: "Mama Njeri Duka" is "M. N. D."."""
    return " ".join(f"{letter.upper()}." for letter in re.findall(r"\b\w", name))


def named(label: str, details: Mapping[str, str]) -> str:
    """The label of a destination with its holder's name in full, for who chooses or decides; kept nowhere."""
    holder = details.get("account_name")
    return ", ".join([*label.split(", ")[:2], holder]) if holder else label


def _called(name: str) -> str:
    """However it is spaced and signed, and with "bank" or without."""
    letters = "".join(sign for sign in name.casefold() if sign.isalnum() or sign == "&")
    return letters.removesuffix("kenya").removesuffix("bank").removeprefix("bankof")


_CALLED = {_called(name): code for code, name in BANKS.items()} | {
    _called(name): code for name, code in _ALSO.items()
}


def _digits(text: str, shape: re.Pattern[str], field: str) -> str:
    bare = _SEPARATORS.sub("", _seen(text))
    if not shape.fullmatch(bare):
        raise InvalidDestination(field)
    return bare


def _seen(text: str) -> str:
    """Without what does not show; wide and narrow figures are the same."""
    folded = unicodedata.normalize("NFKC", text)
    return "".join(sign for sign in folded if unicodedata.category(sign) != "Cf").strip()
