"""Facts of the shop, as frozen values that flows, the API and services share."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints

from services.money import Money

MOST_LINES = 50
MOST_OF_ONE = 999
MOST_NOTE = 300  # characters
UNPAID = ("open", "awaiting_payment")
_SHOWN_LINES, _LONGEST = 10, 300
_Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True)


class Product(_Facts):
    """What is sold. `left` is what nobody has bought or reserved yet, None where it is not counted;
    `image` the address of its picture."""

    sku: str
    name: str
    price: Money
    description: str | None = None
    left: int | None = None
    image: str | None = None

    @property
    def sold_out(self) -> bool:
        return self.left == 0


class Wanted(_Facts):
    """A product that is asked for. Its price is ours."""

    sku: str
    quantity: int


class Priced(_Facts):
    """What is not in the catalogue, at a price that the merchant's staff say."""

    name: _Name
    price: Money
    quantity: int


class Line(_Facts):
    """A line of an order, at the price when it was placed."""

    sku: str | None
    name: str
    price: Money
    quantity: int

    @property
    def total(self) -> Money:
        return Money(self.price.minor * self.quantity, self.price.currency)

    def stored(self) -> dict[str, Any]:
        """As the orders table keeps it."""
        return {"sku": self.sku, "name": self.name, "price": self.price.minor, "quantity": self.quantity}


class Order(_Facts):
    """What a person has ordered. One of an amount alone has no lines."""

    id: UUID
    number: str
    status: str
    total: Money
    lines: tuple[Line, ...]
    note: str | None
    person_id: UUID
    created_at: datetime
    delivery: bool | None = None  # whether it is brought to the person, where they were asked
    by_person: bool = False  # who ordered it themselves, and may take it back

    @property
    def unpaid(self) -> bool:
        return self.status in UNPAID


class OrderRow(_Facts):
    """An order in a list."""

    id: UUID
    number: str
    status: str
    total: Money
    created_at: datetime


class Short(_Facts):
    """What a cart held more of than can be bought now; nothing is left where it is no longer sold."""

    name: str
    left: int


class Cart(_Facts):
    """What a person has chosen, at the prices of now. `short`: what had to be taken out on this look."""

    lines: tuple[Line, ...] = ()
    note: str | None = None
    delivery: bool = False
    short: tuple[Short, ...] = ()

    @property
    def total(self) -> Money:
        """Of a cart that holds something."""
        return Money(sum(line.total.minor for line in self.lines), self.lines[0].price.currency)

    def quantity_of(self, sku: str) -> int:
        return sum(line.quantity for line in self.lines if line.sku == sku)


def summary(lines: Sequence[Line]) -> str:
    """What is ordered in a few words: "2 Bread, 1 Milk, …"."""
    shown = ", ".join(f"{line.quantity} {line.name}" for line in lines[:_SHOWN_LINES])
    whole = len(lines) <= _SHOWN_LINES and len(shown) <= _LONGEST
    return shown if whole else f"{shown[:_LONGEST]}…" if len(shown) > _LONGEST else f"{shown}, …"


def read_lines(stored: Sequence[dict[str, Any]], currency: str) -> tuple[Line, ...]:
    """What `Line.stored` made."""
    return tuple(Line(**line | {"price": Money(line["price"], currency)}) for line in stored)
