"""A business in memory, and the teller of each of its people."""

from tests.fakes.business import FakeBusiness, mpesa
from tests.fakes.teller import FakeTeller

__all__ = ["FakeBusiness", "FakeTeller", "mpesa"]
