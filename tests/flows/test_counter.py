import pytest

from flows.document import QrCode
from flows.staff.counter import counter
from tests.fakes import FakeBusiness, FakeTeller


@pytest.mark.parametrize(
    ("typed", "words"),
    [("", "pay"), ("500", "pay%20500"), ("kes 1,250", "pay%201250"), ("500.00", "pay%20500")],
)
async def test_the_code_opens_the_chat_with_words_that_it_understands(typed, words):
    business = FakeBusiness()
    business.person("Achieng", "+254722000001", "orders:edit")
    step = await counter(FakeTeller(business, "Achieng"), typed)
    document = step.document()
    assert document is not None
    assert document.content == QrCode(f"https://wa.me/254711000100?text={words}")
