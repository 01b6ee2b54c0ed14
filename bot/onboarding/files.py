"""Files: `.env` and the tenant file. Only their owner reads them, and a file is whole or as it was before."""

import io
import json
import os
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from services.people import tenant_file
from services.people.file_lines import decoded
from services.people.file_parts import TenantFile

Value = Any  # what a tenant file may hold: texts, numbers, lists and tables of them
_PLAIN = re.compile(r"[\w@%+=:,./-]*", re.ASCII)
_INSTEAD = "choose another, or put it into a file of its own in the directory LIPACHAT_SECRETS_DIR"


def quoted(value: str) -> str:
    """As it is written into `.env`: by itself, or in the quotes that leave all of it as it is. No escape is
    read alike by our loader, systemd and docker compose, so there is none: what would need one is refused.

    Raises ValueError, which does not repeat it: it may be a secret.
    """
    if (trouble := next(_in_the_way(value), None)) is not None:
        raise ValueError(f"a value with {trouble} is not read alike by all that read .env: {_INSTEAD}")
    if _PLAIN.fullmatch(value):
        return value
    quote = "'" if "'" not in value else '"'
    return f"{quote}{value}{quote}"


def _in_the_way(value: str) -> Iterator[str]:
    if any(sign not in "\n\t" and (sign < " " or sign == "\x7f") for sign in value):
        yield "a control sign"
    if any("\ud800" <= sign <= "\udfff" for sign in value):
        yield "a sign that is no text"
    if "${" in value:  # our own loader takes it for a variable, in any quotes
        yield "${"
    if "\\\\" in value or value.endswith("\\"):
        yield "two backslashes in a row, or one at its end"
    if "'" in value and any(sign in value for sign in '"\\$'):
        yield "' beside any of \" \\ $"


class EnvFile:
    """Variables, a line each or in quotes over several; what else is there stays as it is. Once written only
    its owner reads it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._text = path.read_text("utf-8") if path.exists() else ""

    def __contains__(self, name: str) -> bool:
        return name in self.values

    @property
    def values(self) -> Mapping[str, str | None]:
        return dotenv_values(self.path) if self.path.exists() else {}

    @property
    def is_open(self) -> bool:
        """Others than its owner may read it."""
        return self.path.exists() and bool(self.path.stat().st_mode & 0o077)

    def put(self, name: str, value: str) -> None:
        """In the place of an older one. Whoever calls has asked. Raises ValueError, as `quoted`."""
        line, parts = f"{name}={quoted(value)}\n", []
        for binding in parse_stream(io.StringIO(self._text)):
            part = binding.original.string
            if binding.key == name:  # with the empty lines before it
                part = part[: len(part) - len(part.lstrip())] + line
                line = ""
            parts.append(part)
        if line and parts and not parts[-1].endswith("\n"):
            parts.append("\n")
        self._text = "".join(parts) + line
        write(self.path, self._text)


class Draft:
    """A tenant file that grows part by part, each of them whole."""

    def __init__(self, path: Path) -> None:
        """Raises TenantFileError where one is there and wrong."""
        self.path, self.new = path, not path.exists()
        self._text = "" if self.new else decoded(path.read_bytes(), str(path))
        self.file: TenantFile | None = None if self.new else tenant_file.read(self._text, str(path))

    def add(self, header: str, *tables: Mapping[str, Value]) -> TenantFile:
        """Each of them under this header. Raises TenantFileError, and then nothing is written."""
        text = self._text
        for values in tables:
            gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
            lines = "".join(f"{key} = {toml(value)}\n" for key, value in values.items())
            text = f"{text}{gap}{header}\n{lines}"
        self.file = tenant_file.read(text, str(self.path))
        self._text = text
        write(self.path, text)
        return self.file


def write(path: Path, text: str) -> None:
    """All of it or nothing, for the owner alone."""
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(
            os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
        ) as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def toml(value: Value) -> str:
    """As it is written behind a key."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {toml(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    # TOML takes what JSON writes, but for DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
