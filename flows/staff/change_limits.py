"""Change limits: one of the staff asks for another limit, other approvals, or another fee.

ChooseLimit -> EnterLimit | NotChanging
EnterLimit  -> ChangeShown | NotChanging
ChooseFee   -> EnterFee | NotChanging
EnterFee    -> ChangeShown | NotChanging
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from flows.reply import Said
from flows.staff.change_decide import ChangeShown, NotChanging, shown
from flows.staff.change_typed import fee_bands, limit_typed
from flows.staff.change_words import NONE, limit, nothing, value, way
from flows.staff.deciding import Cancel
from flows.step import Choice, Step
from flows.teller import Teller
from flows.text import Text
from services.ids import new_id

_AMOUNTS = ("per_withdrawal", "per_day", "per_destination", "per_maker", "totp_above")
_LIMITS = (*_AMOUNTS[:4], "count_per_day", "count_per_destination", "blocked_hours")
_APPROVALS = ("approvals", "approvals_above", "totp_above", "approval_hours", "new_destination_hours")
_ALWAYS_SET = ("approvals", "approval_hours", "new_destination_hours")


@dataclass(frozen=True)
class Limit(Choice):
    exact = True
    key: str
    now: Any = NONE

    @property
    def label(self) -> Text:
        return limit(self.key)

    @property
    def note(self) -> Text | None:
        told = value(self.key, self.now)
        return Text("now {value}", value=told[0] if isinstance(told, tuple) else told)


@dataclass(frozen=True)
class NoLimit(Choice):
    exact = True
    key: str

    @property
    def label(self) -> Text:
        return nothing(self.key)


@dataclass(frozen=True)
class FeeOf(Choice):
    exact = True
    method_type: str
    now: Any = ()

    @property
    def label(self) -> Text:
        return way(self.method_type)

    @property
    def note(self) -> Text | None:
        told = value("fees", self.now)
        return Text("now {value}", value=told[0] if isinstance(told, tuple) else told)


class UsualFee(Choice):
    exact = True
    label = Text("The usual fee")


class ChooseLimit(Step):
    """`now`: the values, masked."""

    of: Literal["limits", "approvals"]
    now: dict[str, Any]

    def says(self) -> Text:
        if self.of == "approvals":
            return Text("What of the approvals of {shop} do you want to change?")
        return Text("Which limit of withdrawals from {shop} do you want to change?")

    def choices(self) -> tuple[Choice, ...]:
        keys = _APPROVALS if self.of == "approvals" else _LIMITS
        return (*(Limit(key, self.now.get(key, NONE)) for key in keys), Cancel())

    def menu(self) -> Text | None:
        return Text("Choose")

    async def hears(self, answer: Limit | Cancel, teller: Teller) -> EnterLimit | NotChanging:  # noqa: ARG002
        match answer:
            case Limit(key=key, now=now):
                return EnterLimit(id=new_id(), key=key, now=now)
            case Cancel():
                return NotChanging()


class EnterLimit(Step):
    any_words = True
    id: UUID
    key: str
    now: Any = NONE

    def says(self) -> Text:
        return Text(
            "{limit}, now:\n{now}\n{how} Others have to approve it; what makes it easier to take money holds "
            "24 hours later.",
            limit=limit(self.key),
            now=value(self.key, self.now),
            how=self._how(),
        )

    def _how(self) -> Text:
        if self.key in _AMOUNTS:
            return Text("Type an amount, such as 50000.")
        if self.key == "approvals_above":
            return Text("Type how many above which amounts, such as: 2 above 50000; 3 above 1000000.")
        if self.key == "blocked_hours":
            return Text("Type the hours like 22:00-05:00.")
        return Text("Type a number, such as 2.")

    def choices(self) -> tuple[Choice, ...]:
        none = () if self.key in _ALWAYS_SET else (NoLimit(self.key),)
        return (*none, Cancel())

    async def hears(self, answer: Said | NoLimit | Cancel, teller: Teller) -> ChangeShown | NotChanging:
        match answer:
            case Said(text=typed):
                wanted = limit_typed(self.key, typed, teller.shop.currency)
                return await self._ask(wanted, teller)
            case NoLimit():
                return await self._ask([] if self.key == "approvals_above" else None, teller)
            case Cancel():
                return NotChanging()

    async def _ask(self, wanted: Any, teller: Teller) -> ChangeShown:
        return shown(await teller.settings.ask(self.id, "limits", {self.key: wanted}), teller)


class ChooseFee(Step):
    """`now`: the bands of each way, masked."""

    now: dict[str, Any]

    def says(self) -> Text:
        return Text("Which fee of withdrawals from {shop} do you want to change?")

    def choices(self) -> tuple[Choice, ...]:
        return (*(FeeOf(each, bands) for each, bands in self.now.items()), Cancel())

    def menu(self) -> Text | None:
        return Text("Choose")

    async def hears(self, answer: FeeOf | Cancel, teller: Teller) -> EnterFee | NotChanging:  # noqa: ARG002
        match answer:
            case FeeOf(method_type=method_type, now=now):
                return EnterFee(id=new_id(), method_type=method_type, now=now)
            case Cancel():
                return NotChanging()


class EnterFee(Step):
    any_words = True
    id: UUID
    method_type: str
    now: Any

    def says(self) -> Text:
        return Text(
            "Fee of {way}, now:\n{now}\nType the new one, such as 40, or 1.5%, or 40 + 1%; by amounts: "
            "20 up to 1000; 50. Others have to approve it, and it holds 24 hours later.",
            way=way(self.method_type),
            now=value("fees", self.now),
        )

    def choices(self) -> tuple[Choice, ...]:
        return UsualFee(), Cancel()

    async def hears(self, answer: Said | UsualFee | Cancel, teller: Teller) -> ChangeShown | NotChanging:
        match answer:
            case Said(text=typed):
                return await self._ask(fee_bands(typed, teller.shop.currency), teller)
            case UsualFee():
                return await self._ask([], teller)
            case Cancel():
                return NotChanging()

    async def _ask(self, bands: list[dict[str, str]], teller: Teller) -> ChangeShown:
        wanted = {"method_type": self.method_type, "bands": bands}
        return shown(await teller.settings.ask(self.id, "fees", wanted), teller)


async def choose(of: Literal["limits", "approvals"], teller: Teller) -> ChooseLimit:
    return ChooseLimit(of=of, now=await teller.settings.limits())


async def choose_fee(teller: Teller) -> ChooseFee:
    return ChooseFee(now=await teller.settings.fees())
