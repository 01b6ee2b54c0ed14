"""Metrics: counters and histograms with bounded labels (never a phone, never an order)."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

registry = CollectorRegistry()

events = Counter("lipachat_events_total", "Events stored by intake", ["kind"], registry=registry)
turns = Counter("lipachat_turns_total", "Turns by outcome", ["outcome"], registry=registry)
turn_seconds = Histogram(
    "lipachat_turn_seconds",
    "From the arrival of an event to the commit of its turn",
    registry=registry,
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
sends = Counter("lipachat_sends_total", "Messages to WhatsApp by outcome", ["outcome"], registry=registry)
priced = Counter(
    "lipachat_priced_messages_total",
    "Messages by the category and type that WhatsApp charges them under",
    ["category", "type"],
    registry=registry,
)
calls = Counter(
    "lipachat_provider_calls_total",
    "Calls of providers by outcome",
    ["provider", "operation", "outcome"],
    registry=registry,
)
queue_depth = Gauge("lipachat_queue_depth", "Rows that wait", ["queue"], registry=registry)
queue_age = Gauge(
    "lipachat_queue_age_seconds", "Age of the oldest row that waits", ["queue"], registry=registry
)
breakers_open = Gauge(
    "lipachat_breakers_open",
    "Accounts of tenants at a provider that are not called, since they left calls unanswered",
    ["provider", "operation"],
    registry=registry,
)
books_age = Gauge(
    "lipachat_books_proven_age_seconds",
    "Since what the last proof of the books has seen",
    ["check"],
    registry=registry,
)
books_breaches = Gauge(
    "lipachat_books_breaches", "Rules broken in the books, not repaired", registry=registry
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
