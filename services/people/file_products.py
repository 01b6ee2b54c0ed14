"""Products of a tenant's file, made true."""

import sqlalchemy as sa

from services.people.file_parts import TenantFile
from services.store.schema import products
from services.work import Work
from services.written import minor_of


async def products_changed(work: Work, file: TenantFile) -> list[str]:
    """What was changed, as the file calls it."""
    wanted = {
        product.sku: {
            "name": product.name,
            "price": minor_of(product.price, file.tenant.currency),
            "description": product.description,
            "stock": product.stock,
            "image": product.image,
        }
        for product in file.products
    }
    query = (
        sa.select(products)
        .where(products.c.tenant_id == work.tenant)
        .order_by(products.c.sku)
        .with_for_update(key_share=True)  # as orders lock them
    )
    known = {row.sku: row for row in await work.connection.execute(query)}
    changed = []
    for sku in sorted(wanted.keys() | known.keys()):
        mine = (products.c.tenant_id == work.tenant, products.c.sku == sku)
        if sku not in wanted:
            await work.connection.execute(sa.delete(products).where(*mine))
        elif sku not in known:
            new = {"tenant_id": work.tenant, "sku": sku} | wanted[sku]
            await work.connection.execute(sa.insert(products).values(**new))
        elif any(getattr(known[sku], key) != value for key, value in wanted[sku].items()):
            counted = {"sold": 0} if known[sku].stock != wanted[sku]["stock"] else {}
            await work.connection.execute(sa.update(products).where(*mine).values(**wanted[sku] | counted))
        else:
            continue
        changed.append(f"products.{sku}")
    return changed
