"""News of webhooks, to the owners and to the staff who manage integrations."""

from typing import Literal

from services.news.base import BaseNews


class EndpointDropped(BaseNews):
    """Nothing is sent to it any more: its server says that it is gone, or has taken nothing for days."""

    kind: Literal["endpoint_dropped"] = "endpoint_dropped"
    host: str
    because: Literal["gone", "failing"]


class EndpointSet(BaseNews):
    """To the owners: somebody has what becomes of the shop's money told to this host from now on."""

    kind: Literal["endpoint_set"] = "endpoint_set"
    host: str
    name: str
