"""Orders of WhatsApp's own catalogue, of any shape."""

from decimal import Decimal

import pytest

from bot.jsons import dumps
from bot.whatsapp.heard import hear
from flows.reply import Item, Ordered, Other


def heard(order):
    return hear(dumps({"message": {"type": "order", "order": order}}))


def item(**facts):
    [found] = heard({"product_items": [{"product_retailer_id": "SOAP", "quantity": 2} | facts]}).items
    return found


def test_an_order_is_heard_with_its_note():
    line = {"product_retailer_id": "SOAP", "quantity": 2, "item_price": 30.1, "currency": "KES"}
    order = {"catalog_id": "7", "text": "by the \u202egate", "product_items": [line]}
    assert heard(order) == Ordered(
        (Item(sku="SOAP", quantity=2, price=Decimal("30.1")),), note="by the \ufffdgate"
    )


@pytest.mark.parametrize(
    ("told", "quantity"),
    [(3, 3), ("3", 3), (-3, -3), (0, 0), (2.5, None), (True, None), (None, None), ("-3", None), ("🎉", None)],
    ids=str,
)
def test_a_quantity_is_a_whole_number_or_none(told, quantity):
    assert item(quantity=told).quantity == quantity


@pytest.mark.parametrize(
    ("told", "price"),
    [(30, Decimal(30)), (0.01, Decimal("0.01")), ("free", None), (None, None), ([1], None), (True, None)],
    ids=str,
)
def test_a_price_is_only_compared(told, price):
    assert item(item_price=told).price == price


@pytest.mark.parametrize("sku", [None, "", 7, ["SOAP"]], ids=str)
def test_a_product_without_a_name_is_asked_for_by_none(sku):
    assert item(product_retailer_id=sku).sku == "?"


def test_a_name_is_written_as_databases_take_it():
    assert item(product_retailer_id="A\x00B\u202eC" + "x" * 500).sku == "A\ufffdB\ufffdC" + "x" * 95


@pytest.mark.parametrize("order", [None, {}, {"product_items": []}, {"product_items": "SOAP"}, [1]], ids=str)
def test_what_is_no_order_is_answered_as_any_message(order):
    assert heard(order) == Other("order")


def test_what_is_no_item_stays_one_that_cannot_be_read():
    assert heard({"product_items": [7, None]}).items == (Item("?", None, None),) * 2
