"""Words: what the scenarios of the contract are told in."""

import pytest

from tests.contract.stands import STANDS

PAID, NOTHING = ("500.00", "0.00", "500.00"), ("0.00", "0.00", "0.00")

by_all = pytest.mark.parametrize("stand", STANDS, ids=str)


def every(what):
    """Each stand with each of what it has of these."""
    return [pytest.param(each, one, id=f"{each}-{one}") for each in STANDS for one in getattr(each, what)]


async def asked(till, order=None, way=None):
    """500, of which the customer has been asked: a phone rings, or the link of a page is there."""
    paying = await till.business.pay("500", order=order, way=way or till.way)
    await till.market.work()
    return paying


async def state(till, paying):
    return await till.market.attempt(paying.attempt)


async def news(till, person=None):
    return await till.business.news(person or till.business.customer)
