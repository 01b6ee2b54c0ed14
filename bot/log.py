"""Log: one chain of processors for our own lines and the libraries', with one place that redacts."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog

from bot.whatsapp.struck import strike_out

_SECRET_NAMES = re.compile(
    r"(?i)secret|token|passw|passkey|api_?key|authorization|credential|signature|private|\bpin\b"
)
# Where a number cannot begin or end: inside a word, a decimal or one of our hexadecimal ids.
_BEGINS = r"(?<!\w)(?<!\d[.-])(?<![0-9a-f]{4}-)"
_ENDS = r"(?!\w|[.-]\d|-[0-9a-f]{4})"
_GAP = r"[ \u00a0()-]{0,2}"
_PATTERNS = (
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]+"), r"\1 ***"),
    (re.compile(r"/hooks/[0-9a-f]{8,}|(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])"), "***"),
    (re.compile(r"(://[^/\s:@]*):[^/\s@]+@"), r"\1:***@"),
    (re.compile(r"\bEAA\w{10,}"), "***"),
    # A secret inside a text: password=x, "Password": "x".
    (
        re.compile(
            r"""(?i)((?:secret|token|passw|passkey|api_?key|credential)[\w-]{0,40}"""
            r"""(?:["']\s*:\s*(?:b?["'])|=["']?))[^\s"'&,;)}\]]+"""
        ),
        r"\1***",
    ),
    (re.compile(r"(?s)\[parameters: .*?\]\s*(?=\n|\(Background|$)"), "[parameters: ***]"),
    # M-Pesa's id of a prompt ends in the phone's nine digits, WhatsApp's of a message holds the phone.
    (re.compile(r"(?i)\b(ws_CO_\d*?)\d{5}(\d{4})(?![\d*])"), r"\1*****\2"),
    (re.compile(r"\b(wamid\.)[\w+/=-]+([\w+/=-]{6})"), r"\1***\2"),
    # A phone or account number; ids of ours are hexadecimal or have fewer digits in a row.
    (re.compile(r"(?i)%2B(?=\d{8})"), "+"),
    (re.compile(rf"{_BEGINS}\+?\d{{5,11}}(\d{{4}}){_ENDS}"), r"********\1"),
    # A phone as people write it.
    (
        re.compile(
            rf"{_BEGINS}\(?(?:\+|254|0[1-9])(?:{_GAP}\d){{4,9}}"
            rf"{_GAP}(\d){_GAP}(\d){_GAP}(\d){_GAP}(\d){_ENDS}"
        ),
        r"********\1\2\3\4",
    ),
)
_PHONE_SIZED = 10**9
# Of the audit: it opens nothing, and where nothing else holds the chain it is what the log is kept for.
_OF_THE_AUDIT = ("hash", re.compile(r"[0-9a-f]{64}"))


def configure(shape: Literal["json", "console"], level: str) -> None:
    """Everything goes to standard error, redacted."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    renderer: Any = structlog.processors.JSONRenderer(default=str)
    if shape == "console":
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.PositionalArgumentsFormatter(), *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, redact, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor of structlog: no phone and no secret passes it."""
    for name, value in event.items():
        if not name.startswith("_"):
            event[name] = _redacted(name, value)
    return event


def _redacted(name: str, value: Any) -> Any:
    if value is None or isinstance(value, bool | float) or (isinstance(value, int) and value < _PHONE_SIZED):
        return value
    if _SECRET_NAMES.search(name):
        return "***"
    if name == _OF_THE_AUDIT[0] and _OF_THE_AUDIT[1].fullmatch(str(value)):
        return value
    if isinstance(value, dict):
        return {key: _redacted(str(key), each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted(name, each) for each in value]
    return redacted(value if isinstance(value, str) else str(value))


def redacted(text: str) -> str:
    """Without phones, cards, tokens, secrets and the parameters of statements."""
    for pattern, shown in _PATTERNS:
        text = pattern.sub(shown, text)
    return strike_out(text)
