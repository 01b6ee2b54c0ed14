"""Tracing: spans for a turn, a request of the API, a callback, and a provider's call, by OpenTelemetry, where
a collector is named (LIPACHAT_OTLP_ENDPOINT) and the extra `otel` installed.

Otherwise `span` is an empty context: no import, no clock. A span holds ids and words of ours: no body, no
address of a callback, no header, no phone. What is put into one passes the redaction of the log, and what an
exception says stays out.
"""

import contextlib
import importlib.util
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from bot.log import redact

Value = str | int | bool
Note = Callable[..., None]  # adds attributes to the span that is open


def _nothing(**_values: Value) -> None:
    """Of a span that nobody records."""


_NONE: AbstractContextManager[Note] = contextlib.nullcontext(_nothing)
_tracer: Any = None


def is_installed() -> bool:
    """Whether the extra is."""
    try:
        return importlib.util.find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:
        return False


def start(endpoint: str | None, service: str = "lipachat") -> None:
    """Of this process, to this collector, in a thread of the SDK's own; None records nothing."""
    if endpoint is None:
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
    record(BatchSpanProcessor(exporter), service)


def record(processor: Any, service: str = "lipachat") -> None:
    """What ends goes to this processor of the SDK's."""
    global _tracer  # noqa: PLW0603  one for the process, as OpenTelemetry has it
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(processor)
    _tracer = (provider, provider.get_tracer("lipachat"))


def stop() -> None:
    """What is recorded is sent, and nothing more is."""
    global _tracer  # noqa: PLW0603
    if _tracer is not None:
        _tracer[0].shutdown()
        _tracer = None


def span(name: str, **values: Value) -> AbstractContextManager[Note]:
    """Around a piece of work; what it yields adds more of what is known."""
    return _NONE if _tracer is None else _recorded(name, values)


@contextlib.contextmanager
def _recorded(name: str, values: dict[str, Value]) -> Any:
    from opentelemetry.trace import Status, StatusCode

    with _tracer[1].start_as_current_span(
        name, attributes=_attributes(values), record_exception=False, set_status_on_exception=False
    ) as current:

        def note(**more: Value) -> None:
            current.set_attributes(_attributes(more))

        try:
            yield note
        except Exception as error:
            if not getattr(error, "expected", False):
                current.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


def _attributes(values: dict[str, Value]) -> dict[str, Value]:
    return {f"lipachat.{name}": value for name, value in redact(None, "", dict(values)).items()}
