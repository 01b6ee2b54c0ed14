"""Examples: docs/api-examples.md, read and written, and what of an answer is another each time."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DOCUMENT = Path(__file__).parents[2] / "docs" / "api-examples.md"
TIME = "2026-11-25T09:00:00Z"
DAY = "2026-11-25"
_WIDTH = 118
ANY = "…"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# Made of chance or of the time; whether they are right is tested where they are made.
_VARIES = (
    "digest",
    "hash",
    "previous",
    "number",
    "order_number",
    "via",
    "age_seconds",
    "next_cursor",
    "secret",
    "webhook_id",
    "body",
)
_NOUNS = {
    "payment-methods": "method",
    "checkout": "payment",
    "batches": "batch",
    "deliveries": "delivery",
    "approval-lendings": "lending",
    "undecided": "undecided",
    "suspense": "suspense",
}


@dataclass
class Example:
    method: str
    path: str
    person: str
    body: str
    answer: str | None  # as it stands after it, with its status before


@dataclass
class Meanwhile:
    """Something that nobody calls for by the API."""

    what: str


def steps(text: str) -> list[Example | Meanwhile]:
    pattern = (
        r"^Meanwhile: (?P<what>[^\n]+)\.$|^```http\n(?P<method>[A-Z]+) (?P<path>\S+) as (?P<person>\w+)\n"
        r"(?P<body>.*?)```\n(?:\n```json\n(?P<answer>.*?)```\n)?"
    )
    found: list[Example | Meanwhile] = []
    for each in re.finditer(pattern, text, re.MULTILINE | re.DOTALL):
        if each["what"]:
            found.append(Meanwhile(each["what"]))
        else:
            found.append(Example(each["method"], each["path"], each["person"], each["body"], each["answer"]))
    return found


def written(text: str, answers: list[str]) -> str:
    """The document with these answers, in their order."""
    told = iter(answers)
    pattern = r"(^```http\n.*?```\n)(?:\n```json\n.*?```\n)?"
    return re.sub(
        pattern, lambda each: f"{each[1]}\n```json\n{next(told)}```\n", text, flags=re.MULTILINE | re.DOTALL
    )


@dataclass
class Names:
    """What ids are called, each by the first answer that told it."""

    known: dict[str, str] = field(default_factory=dict)  # by the name

    def put(self, text: str) -> str:
        """The names in a request for what they stand for; the longest first."""
        for name in sorted(self.known, key=len, reverse=True):
            text = text.replace(f"${name}", self.known[name])
        return text

    def answer(self, path: str, status: int, body: Any) -> str:
        return f"{status}\n{laid(self._shown(body, '', _noun(path)))}\n"

    def _shown(self, value: Any, key: str, noun: str) -> Any:
        match value:
            case dict():
                return {name: self._shown(each, name, noun) for name, each in value.items()}
            case list():
                return [self._shown(each, key, noun) for each in value]
            case str() if _ID.fullmatch(value):
                return f"${self._name(value, key, noun)}"
            case str() if _TIME.fullmatch(value):
                return TIME
            case str() if _DAY.fullmatch(value):
                return DAY
            case str() | int() if key in _VARIES and not isinstance(value, bool):
                return ANY
            case str():
                return _ID.sub(ANY, value)
        return value

    def _name(self, id_: str, key: str, noun: str) -> str:
        for name, known in self.known.items():
            if known == id_:
                return name
        wanted = noun if key in ("id", "transaction_id", f"{noun}_id") else key.removesuffix("_id")
        name, n = wanted, 1
        while name in self.known:
            n += 1
            name = f"{wanted}{n}"
        self.known[name] = id_
        return name


def laid(value: Any, indent: int = 0) -> str:
    """JSON, in one line where it fits."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) + indent <= _WIDTH or not isinstance(value, dict | list):
        return line
    inner = " " * (indent + 1)
    if isinstance(value, dict):
        parts = [f"{json.dumps(key)}: {laid(each, indent + len(key) + 5)}" for key, each in value.items()]
        return "{" + f",\n{inner}".join(_filled(parts, indent)) + "}"
    return "[" + f",\n{inner}".join(laid(each, indent + 1) for each in value) + "]"


def _filled(parts: list[str], indent: int) -> list[str]:
    """Several to a line, where they fit."""
    lines = [parts[0]]
    for part in parts[1:]:
        if len(lines[-1]) + len(part) + indent + 3 <= _WIDTH and "\n" not in lines[-1] + part:
            lines[-1] += f", {part}"
        else:
            lines.append(part)
    return lines


def _noun(path: str) -> str:
    """What the ids of its answer are of: the last word of the path that is no id and no verb."""
    words = [word for word in path.partition("?")[0].split("/") if word and not word.startswith("$")]
    verbs = {"approve", "reject", "cancel", "check", "end", "stop", "resume", "close", "default"}
    word = next(word for word in reversed(words) if word not in verbs or len(words) == 1)
    return _NOUNS.get(word, word.removesuffix("s"))
