"""Offered: where a withdrawal may go, as choices."""

from dataclasses import dataclass

from flows.staff.shown import in_a_row, whose
from flows.step import Choice
from flows.teller import Destination
from flows.text import Text
from services import banks


class AnotherNumber(Choice):
    label = Text("Another number")


class BankAccount(Choice):
    label = Text("Bank account")


class Till(Choice):
    label = Text("Till")


class TypeInstead(Choice):
    label = Text("Type it instead")


OTHER_WAYS: dict[str, Choice] = {"mpesa": AnotherNumber(), "bank_transfer": BankAccount(), "till": Till()}


@dataclass(frozen=True)
class SendTo(Choice):
    exact = True
    destination: Destination

    @property
    def label(self) -> Text:
        return in_a_row(self.destination)

    @property
    def note(self) -> Text | None:
        if self.destination.method_type == "bank_transfer":
            return whose(self.destination)
        return Text("From the settings") if self.destination.configured else Text("Used before")


@dataclass(frozen=True)
class AtBank(Choice):
    exact = True
    code: str

    @property
    def label(self) -> Text:
        return Text("{bank}", bank=banks.BANKS[self.code])
