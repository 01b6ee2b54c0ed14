"""Catalogue: what the merchant sells, at what price, and how much of it is left.

`stock` is what the tenant file says; `reserved` is in orders that are not paid yet, and `sold` in those
that were paid since the file last said another stock. So applying the same file again brings nothing back.
"""

from typing import Any

import sqlalchemy as sa

from services.errors import UnknownProduct
from services.money import Money
from services.people import people
from services.shop.facts import Product
from services.store.schema import products
from services.work import Work


async def listed(work: Work) -> list[Product]:
    """All products, by name."""
    query = (
        sa.select(products)
        .where(products.c.tenant_id == work.tenant)
        .order_by(products.c.name, products.c.sku)
    )
    currency = (await people.tenant_of(work)).currency
    return [product_of(row, currency) for row in (await work.connection.execute(query)).all()]


async def find(work: Work, sku: str) -> Product:
    """Raises UnknownProduct."""
    query = sa.select(products).where(products.c.tenant_id == work.tenant, products.c.sku == sku)
    row = (await work.connection.execute(query)).first()
    if row is None:
        raise UnknownProduct(sku)
    return product_of(row, (await people.tenant_of(work)).currency)


def product_of(row: sa.Row[Any], currency: str) -> Product:
    """Of a row of the table. The file may say less than was promised already: then nothing is left."""
    left = None if row.stock is None else max(row.stock - row.reserved - row.sold, 0)
    return Product(
        sku=row.sku,
        name=row.name,
        price=Money(row.price, currency),
        description=row.description,
        left=left,
        image=row.image,
    )
