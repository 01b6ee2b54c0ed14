"""Money: integer minor units with a currency. No float, ever."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

# ISO 4217 places of the currencies that tenants may settle in. A provider's own exponent, where it
# differs, lives in its adapter.
PLACES = {"KES": 2, "UGX": 0, "TZS": 2, "NGN": 2, "GHS": 2, "ZAR": 2, "USD": 2}

_PLAIN = re.compile(r"\d{1,12}(\.(?P<cents>\d+))?", re.ASCII)


class NotAnAmount(ValueError):
    """Not a positive plain number with at most the currency's places."""


class CurrencyMismatch(ValueError):
    """Two currencies met in one sum: a bug, never a person's mistake."""


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount of minor units (cents) of one currency; may be negative in a sum."""

    minor: int
    currency: str

    @classmethod
    def parse(cls, text: str, currency: str) -> Self:
        """A positive plain number ("500", "1250.50") with at most the currency's places.

        Raises NotAnAmount for anything else; "10.50" is fine for KES, "1.500" is not: it may mean 1,500.
        """
        plain = _PLAIN.fullmatch(text)
        if plain is None or len(plain["cents"] or "") > PLACES[currency]:
            raise NotAnAmount(text)
        minor = int(Decimal(text).scaleb(PLACES[currency]))
        if minor <= 0:
            raise NotAnAmount(text)
        return cls(minor, currency)

    @classmethod
    def zero(cls, currency: str) -> Self:
        return cls(0, currency)

    @property
    def whole(self) -> bool:
        """Without cents."""
        return self.minor % int(10 ** PLACES[self.currency]) == 0

    def __str__(self) -> str:
        """The plain decimal with the currency's places, as the API writes it: "967.00"."""
        return f"{self.decimal:.{PLACES[self.currency]}f}"

    @property
    def decimal(self) -> Decimal:
        return Decimal(self.minor).scaleb(-PLACES[self.currency])

    def share(self, ppm: int) -> Self:
        """The part of `ppm` millionths, rounded half up to the minor unit (1 % is 10,000 ppm)."""
        return type(self)((self.minor * ppm + 500_000) // 1_000_000, self.currency)

    def __add__(self, other: Self) -> Self:
        return type(self)(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Self) -> Self:
        return type(self)(self.minor - self._same(other), self.currency)

    def __neg__(self) -> Self:
        return type(self)(-self.minor, self.currency)

    def __lt__(self, other: Self) -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: Self) -> bool:
        return self.minor <= self._same(other)

    def __gt__(self, other: Self) -> bool:
        return self.minor > self._same(other)

    def __ge__(self, other: Self) -> bool:
        return self.minor >= self._same(other)

    def __bool__(self) -> bool:
        return self.minor != 0

    def _same(self, other: Self) -> int:
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency}")
        return other.minor
