"""Webhooks: what tenants' own systems are told of money, after the Standard Webhooks specification.

An event is written in the transaction of the fact that it tells (`telling`), once for each endpoint that
wants it, and sent after the commit by whichever worker takes it (`deliveries`). Those of one object go in
their order; whatever was not taken is sent again under the same id, for a day.
"""

from services.webhooks.telling import tell

__all__ = ["tell"]
