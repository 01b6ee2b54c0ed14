"""File lines: where each key of a tenant file stands, and what is wrong with it there."""

import re
from dataclasses import dataclass

_TABLE = re.compile(r"^\s*(\[\[?)\s*([\w.\-\" ]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"^\s*([\w\-\"]+(?:\s*\.\s*[\w\-\"]+)*)\s*=")
_QUOTES = re.compile(r'"""|' + "'''")

Where = tuple[str | int, ...]


@dataclass(frozen=True)
class Wrong:
    """One mistake of a file, told by its line and key."""

    line: int
    where: str
    what: str


class TenantFileError(Exception):
    """Everything that is wrong with the file, a line each: FILE:LINE: where: what."""

    def __init__(self, name: str, wrong: list[Wrong]) -> None:
        self.wrong = wrong
        super().__init__("\n".join(f"{name}:{each.line}: {each.where}: {each.what}" for each in wrong))


def decoded(raw: bytes, name: str) -> str:
    """The text of a file, with or without a mark of byte order. Raises TenantFileError."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise TenantFileError(name, [Wrong(line, "file", "is not UTF-8 text; save it as UTF-8")]) from None


class Lines:
    """As far as TOML lets a simple reader see."""

    def __init__(self, text: str) -> None:
        self._at: dict[tuple[str, ...], int] = {}
        self._counts: dict[tuple[str, ...], int] = {}
        here: tuple[str, ...] = ()
        open_quotes = ""
        for number, line in enumerate(text.split("\n"), start=1):
            if not open_quotes:
                here = self._note(number, line, here)
            open_quotes = _left_open(line, open_quotes)

    def _note(self, number: int, line: str, here: tuple[str, ...]) -> tuple[str, ...]:
        if table := _TABLE.match(line):
            here = _path(table[2])
            if table[1] == "[[":
                self._at.setdefault(here, number)
                self._counts[here] = self._counts.get(here, -1) + 1
                here = (*here, str(self._counts[here]))
            self._at.setdefault(here, number)
        elif key := _KEY.match(line):
            self._at.setdefault((*here, *_path(key[1])), number)
        return here

    def of(self, where: Where) -> int:
        """The line of the key, or of the nearest thing that holds it."""
        path = tuple(map(str, where))
        while path and path not in self._at:
            path = path[:-1]
        return self._at.get(path, 1)

    def place(self, where: Where) -> str:
        """As one of its mistakes names another key."""
        return f"line {self.of(where)}"

    def wrong(self, where: Where, what: str) -> Wrong:
        return Wrong(self.of(where), ".".join(map(str, where)) or "file", what)


def _path(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip(' "') for part in dotted.split("."))


def _left_open(line: str, quotes: str) -> str:
    """The triple quotes that this line leaves open: what follows is a text, and no keys."""
    if not quotes and line.lstrip().startswith("#"):
        return ""
    for found in _QUOTES.findall(line):
        if not quotes:
            quotes = found
        elif quotes == found:
            quotes = ""
    return quotes
