"""Goods: what the sandbox's merchant sells, with pictures that the emulators serve."""

from typing import NamedTuple


class _Good(NamedTuple):
    sku: str
    name: str
    price: str
    stock: int | None
    picture: str
    description: str


_GOODS = (
    _Good("UNGA-2", "Maize flour 2 kg", "189", 40, "unga", "Fine white maize flour for ugali."),
    _Good("RICE-1", "Pishori rice 1 kg", "230", 24, "rice", "Aromatic rice from Mwea, this year's harvest."),
    _Good("SUGAR-1", "Brown sugar 1 kg", "165", 30, "sugar", "Cane sugar from Kisumu."),
    _Good("TEA-250", "Kericho tea 250 g", "140", 18, "tea", "Black tea from the highlands of Kericho."),
    _Good("MILK-500", "Fresh milk 500 ml", "65", 12, "milk", "Comes in every morning at six."),
    _Good("OIL-1", "Cooking oil 1 litre", "320", 15, "oil", "Sunflower oil, for frying and for salads."),
    _Good("SOAP-BAR", "Bar soap 800 g", "185", 3, "soap", "For clothes and dishes; cuts into four."),
    _Good("EGGS-30", "Tray of 30 eggs", "450", 6, "eggs", "From Njeri's own hens."),
    _Good("BREAD", "White bread 400 g", "60", 0, "bread", "Baked next door; sold out by noon on most days."),
    _Good("SALT-1", "Sea salt 1 kg", "45", None, "salt", "From Malindi."),
    _Good("BEANS-1", "Rosecoco beans 1 kg", "210", 20, "beans", "Sorted by hand; soak them overnight."),
    _Good("MATCHES", "Matches, 10 boxes of 45 sticks", "70", None, "matches", "Keep them dry."),
)


def products(page_url: str) -> str:
    """Their part of the tenant file."""
    return "".join(_part(good, page_url) for good in _GOODS)


def pictures(page_url: str) -> dict[str, str]:
    """The address of each product's picture."""
    return {good.sku: f"{page_url}/static/products/{good.picture}.jpg" for good in _GOODS}


def _part(good: _Good, page_url: str) -> str:
    stock = "" if good.stock is None else f"stock = {good.stock}\n"
    return (
        f'\n[[products]]\nsku = "{good.sku}"\nname = "{good.name}"\nprice = "{good.price}"\n{stock}'
        f'description = "{good.description}"\nimage = "{pictures(page_url)[good.sku]}"\n'
    )
