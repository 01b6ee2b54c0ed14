"""What binds a statement to one tenant, and what only looks as if it did."""

import pytest
import sqlalchemy as sa

from services.ids import new_id
from services.store.hot import POSTGRES, SQLITE, among
from services.store.reach import reach
from services.store.schema import (
    attempts,
    book_checks,
    fees,
    hooks,
    inbox,
    orders,
    payments,
    people,
    tenants,
)

A, B = new_id(), new_id()
p, a, o = payments.c, attempts.c, orders.c
mine = p.tenant_id == A
same = a.tenant_id == p.tenant_id
other = payments.alias("other")
paid = sa.select(p.order_id).where(p.status == "succeeded")
joined = payments.join(attempts, sa.and_(same, a.payment_id == p.id))
BOUND = {
    "by its tenant": sa.select(payments).where(mine, p.id == B),
    "by a named parameter": sa.select(p.id).where(p.tenant_id == sa.bindparam("whose")),
    "the other way round": sa.select(payments).where(sa.literal(A) == p.tenant_id),
    "tenants by their own id": sa.select(tenants).where(tenants.c.id == A),
    "a join that says so": sa.select(payments, attempts).select_from(joined).where(mine),
    "an outer join that says so": sa.select(payments).outerjoin(attempts, same).where(mine),
    "by way of the third": sa.select(payments)
    .join(attempts, same)
    .join(orders, sa.and_(o.tenant_id == a.tenant_id, o.id == p.order_id))
    .where(mine),
    "a subquery of the same tenant": sa.select(orders).where(
        o.tenant_id == A, o.id.in_(paid.where(p.tenant_id == A))
    ),
    "one that speaks of what is around it": sa.select(orders).where(
        o.tenant_id == A, sa.exists().where(p.tenant_id == o.tenant_id, p.order_id == o.id)
    ),
    "a union of two": sa.union_all(sa.select(p.id).where(mine), sa.select(o.id).where(o.tenant_id == A)),
    "what is counted of a subquery": sa.select(sa.func.count()).select_from(
        sa.select(p.id).where(mine).limit(5).subquery()
    ),
    "a table expression": sa.select(sa.select(payments).where(mine).cte("found")),
    "any of either, of one tenant": sa.select(payments).where(mine, sa.or_(p.status == "x", p.amount > 1)),
    "a list of one tenant": sa.select(payments).where(p.tenant_id.in_([A])),
    "an update": sa.update(payments).where(mine).values(status="failed"),
    "an update by another table": sa.update(payments).where(mine, same, a.state == "failed").values(amount=1),
    "a delete": sa.delete(fees).where(fees.c.tenant_id == A),
    "an insert": sa.insert(people).values(tenant_id=A, id=B),
    "inserts of several": sa.insert(people).values([{"tenant_id": A, "id": B}, {"tenant_id": A, "id": A}]),
    "what is no tenant's": sa.select(book_checks),
    "no table at all": sa.select(sa.literal(1)),
}
UNBOUND = {
    "nothing": sa.select(payments),
    "by its id alone": sa.select(payments).where(p.id == B),
    "any tenant but one": sa.select(payments).where(p.tenant_id != A),
    "or something else": sa.select(payments).where(sa.or_(mine, p.amount > 0)),
    "not": sa.select(payments).where(sa.not_(mine)),
    "its own tenant": sa.select(payments).where(p.tenant_id == p.tenant_id),
    "another column of that name": sa.select(payments).where(p.id == A),
    "a join that does not say": sa.select(payments).join(attempts, a.payment_id == p.id).where(mine),
    "an outer join that binds the wrong side": sa.select(payments).outerjoin(attempts, sa.and_(mine, same)),
    "a full join": sa.select(payments).join(attempts, same, full=True).where(mine),
    "beside another": sa.select(payments, orders).where(mine),
    "the same table twice, bound once": sa.select(payments).join(other, other.c.id == p.id).where(mine),
    "a subquery that is not": sa.select(orders).where(o.tenant_id == A, o.id.in_(paid)),
    "a column that is asked for": sa.select(sa.select(sa.func.count(a.id)).scalar_subquery(), p.id).where(
        mine
    ),
    "an exists that does not say": sa.select(orders).where(
        o.tenant_id == A, sa.exists().where(p.order_id == o.id)
    ),
    "the order of things": sa.select(p.id)
    .where(mine)
    .order_by(sa.select(sa.func.max(a.created_at)).scalar_subquery()),
    "one half of a union": sa.union_all(sa.select(p.id).where(mine), sa.select(o.id)),
    "a subquery bound from outside": sa.select(sa.select(payments).subquery("s")).where(
        sa.literal_column("s.tenant_id") == A
    ),
    "a table expression that is not": sa.select(sa.select(payments).cte("found")),
    "a list that is one parameter": sa.select(payments).where(among(p.tenant_id, "tenants")),
    "an update": sa.update(payments).where(p.id == B).values(status="failed"),
    "an update given away": sa.update(inbox).where(inbox.c.tenant_id == A).values(tenant_id=B),
    "an update by a table that is not": sa.update(payments)
    .where(mine, a.payment_id == p.id)
    .values(amount=1),
    "what it is set to": sa.update(payments)
    .where(mine)
    .values(amount=sa.select(sa.func.max(a.created_at)).scalar_subquery()),
    "a delete": sa.delete(hooks).where(hooks.c.target_id == A),
    "an insert that does not say": sa.insert(inbox).values(kind="hook"),
    "an insert of what is selected": sa.insert(people).from_select(
        ["tenant_id", "id"], sa.select(o.tenant_id, o.person_id)
    ),
    "a text": sa.text("SELECT * FROM payments"),
}


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRES], ids=["sqlite", "postgres"])
@pytest.mark.parametrize("what", BOUND)
def test_these_are_bound(what, dialect):
    statement = BOUND[what]
    compiled = statement.compile(dialect=dialect)
    found = reach(statement, compiled)
    assert found.unbound is None
    assert set(found.names) <= set(compiled.params)
    if found.uses - {("book_checks", "SELECT")}:
        assert found.names


@pytest.mark.parametrize("what", UNBOUND)
def test_these_are_not(what):
    statement = UNBOUND[what]
    assert reach(statement, statement.compile(dialect=SQLITE)).unbound is not None


def test_what_a_statement_uses_is_told_by_table():
    statement = sa.update(payments).where(mine, p.order_id.in_(sa.select(o.id).where(o.tenant_id == A)))
    found = reach(statement, statement.values(amount=1).compile(dialect=SQLITE))
    assert found.uses == {("payments", "UPDATE"), ("payments", "SELECT"), ("orders", "SELECT")}
    locking = sa.select(payments).where(mine).with_for_update()
    assert ("payments", "UPDATE") in reach(locking, locking.compile(dialect=SQLITE)).uses
