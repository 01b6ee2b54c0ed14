"""Every call of the API, part by part."""

from bot.api import (
    audit,
    batches,
    customers,
    lendings,
    orders,
    reconciliation,
    refunds,
    review,
    schedules,
    settings,
    statement,
    wallet,
    webhooks,
    withdrawals,
)
from bot.api.routes import Route

ROUTES: tuple[Route, ...] = (
    *customers.routes.all,
    *orders.routes.all,
    *wallet.routes.all,
    *withdrawals.routes.all,
    *batches.routes.all,
    *schedules.routes.all,
    *lendings.routes.all,
    *statement.routes.all,
    *refunds.routes.all,
    *review.routes.all,
    *reconciliation.routes.all,
    *settings.routes.all,
    *webhooks.routes.all,
    *audit.routes.all,
)
