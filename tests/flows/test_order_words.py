"""Every state of an order and of an attempt at it has words."""

from sqlalchemy import CheckConstraint

from flows.staff.order import ORDER_STATUSES, TRY_STATES
from services.store import schema


def states(table, column):
    (rule,) = (
        str(rule.sqltext)
        for rule in table.constraints
        if isinstance(rule, CheckConstraint) and str(rule.sqltext).startswith(f"{column} IN")
    )
    return set(rule.split("'")[1::2])


def test_every_state_of_an_order_has_words():
    assert states(schema.orders, "status") == set(ORDER_STATUSES)


def test_every_state_of_an_attempt_has_words():
    assert states(schema.attempts, "state") == set(TRY_STATES)
