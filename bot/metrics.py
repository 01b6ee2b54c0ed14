"""Metrics: what this process counts by itself. Labels are bounded: never a phone, an order, or what a tenant
or a caller has named. What follows from the rows of all processes is in `bot/measured.py`.

Of several processes behind one port (`serve --workers`) whichever answers tells of all: they keep their
numbers in files of one folder, by prometheus_client's own means.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

registry = CollectorRegistry()

_CALL_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 90)

events = Counter("lipachat_events_total", "Events stored by intake", ["kind"], registry=registry)
intake_seconds = Histogram(
    "lipachat_intake_seconds",
    "From the arrival of the first event of a commit until they are stored",
    registry=registry,
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
callbacks = Counter(
    "lipachat_callbacks_total",
    "Callbacks of providers by how they were answered; an unsigned one names nobody",
    ["provider", "status"],
    registry=registry,
)
turns = Counter("lipachat_turns_total", "Turns by outcome", ["outcome"], registry=registry)
turn_seconds = Histogram(
    "lipachat_turn_seconds",
    "From the arrival of an event to the commit of its turn",
    registry=registry,
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
sends = Counter("lipachat_sends_total", "Messages to WhatsApp by outcome", ["outcome"], registry=registry)
webhooks = Counter(
    "lipachat_webhooks_total",
    "Webhooks posted to tenants' systems by outcome",
    ["outcome"],
    registry=registry,
)
priced = Counter(
    "lipachat_priced_messages_total",
    "Messages by the category and type that WhatsApp charges them under",
    ["category", "type"],
    registry=registry,
)
message_costs = Counter(
    "lipachat_message_costs_total",
    "What messages cost by the rates that the operator has told, in whole units of the currency",
    ["category", "currency"],
    registry=registry,
)
messages_without_cost = Counter(
    "lipachat_messages_without_cost_total",
    "Messages that WhatsApp charges and whose rate nobody has told",
    ["category"],
    registry=registry,
)
calls = Counter(
    "lipachat_provider_calls_total",
    "Calls of providers by outcome",
    ["provider", "operation", "outcome"],
    registry=registry,
)
call_seconds = Histogram(
    "lipachat_provider_call_seconds",
    "How long a call of a provider took, with the fetching of a token where it needed one",
    ["provider", "operation"],
    registry=registry,
    buckets=_CALL_SECONDS,
)
api_requests = Counter(
    "lipachat_api_requests_total",
    "Requests of the API by route and status",
    ["method", "route", "status"],
    registry=registry,
)
api_seconds = Histogram(
    "lipachat_api_seconds",
    "From the head of a request of the API to its answer",
    ["method", "route"],
    registry=registry,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
api_refusals = Counter(
    "lipachat_api_refusals_total",
    "Calls of the API that were refused for who called, what they may, or how often",
    ["status", "code", "because"],
    registry=registry,
)
wrong_credentials = Counter(
    "lipachat_wrong_credentials_total",
    "Keys and tokens that nobody has",
    ["what"],
    registry=registry,
)
mails = Counter("lipachat_mails_total", "E-mails by kind and outcome", ["kind", "outcome"], registry=registry)

_folder: Path | None = None


@contextmanager
def shared_folder() -> Iterator[Path]:
    """For the processes that are begun meanwhile, and that `share` it. Raises OSError where no temporary
    folder can be made."""
    with tempfile.TemporaryDirectory(prefix="lipachat-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder  # read as prometheus_client is imported there
        yield Path(folder)


def share(folder: Path) -> None:
    """The numbers of this process are a part of those in the folder."""
    global _folder  # noqa: PLW0603  one registry, one place where its numbers are
    _folder = folder


def exposition(measured: Collector) -> bytes:
    """In Prometheus's text format: what is counted here, or by all that share the folder; and `measured`."""
    if _folder is None:
        return generate_latest(registry) + _written(measured)
    everybody = CollectorRegistry()
    MultiProcessCollector(everybody, str(_folder))  # type: ignore[no-untyped-call]
    return generate_latest(everybody) + _written(measured)


def _written(measured: Collector) -> bytes:
    alone = CollectorRegistry()
    alone.register(measured)
    return generate_latest(alone)
