"""What stands in a row of WhatsApp's list for a product whose name is longer than that."""

import pytest

from flows.customer.shop import row_title


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("Maize flour 2 kg", "Maize flour 2 kg"),
        ("Kabras sugar special 1 kg", "Kabras suga…special 1 kg"),
        ("Ariel washing powder lemon 500 g", "Ariel washin…lemon 500 g"),
        ("Ariel washing powder lavender 500 g", "Ariel washi…vender 500 g"),
        ("Ariel washing powder lemon 2 kg", "Ariel washing…lemon 2 kg"),
        ("Supercalifragilisticexpialidocious", "Supercalifr…pialidocious"),
    ],
)
def test_goods_that_begin_alike_are_told_apart_by_how_they_end(name, title):
    assert row_title(name) == title
    assert len(title) <= 24
