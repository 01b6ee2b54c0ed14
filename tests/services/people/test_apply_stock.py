"""Stock that was sold stays sold, until the file counts anew."""

from services.money import Money
from services.people.apply import id_of
from services.shop import catalogue, stock
from services.shop.facts import Line
from services.store.scope import OWNER
from services.work import Work
from tests.services.people.registry import FULL, NOW

FLOUR = Line(sku="unga", name="Unga 2 kg", price=Money(18_950, "KES"), quantity=3)


async def work_in(registry, act):
    async with registry.database.transaction(OWNER) as connection:
        tenant = await id_of(connection, "mama-njeri")
        assert tenant is not None
        return await act(Work(connection, registry.vault, tenant, NOW))


async def left(registry):
    product = await work_in(registry, lambda work: catalogue.find(work, "unga"))
    return product.left


async def test_the_same_file_brings_nothing_back_and_another_stock_is_a_new_count(registry):
    await registry.apply(FULL)
    for _ in range(2):
        await work_in(registry, lambda work: stock.reserve(work, [FLOUR]))
    await work_in(registry, lambda work: stock.sell(work, [FLOUR], reserved=True))
    assert await left(registry) == 34
    assert (await registry.apply(FULL)).changed == []
    await registry.apply(FULL.replace("189.50", "190"))
    assert await left(registry) == 34
    await registry.apply(FULL.replace("stock = 40", "stock = 50"))
    assert await left(registry) == 47
    await registry.apply(FULL.replace("stock = 40", "stock = 2"))
    assert await left(registry) == 0
