"""Files: `.env` and the tenant file. Only their owner reads them, and a file is whole or as it was before."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from services.people import tenant_file
from services.people.file_lines import decoded
from services.people.file_parts import TenantFile

Value = str | Mapping[str, str]
_PLAIN = re.compile(r"[\w@%+=:,./-]*", re.ASCII)


class EnvFile:
    """Variables, a line each; what else is there stays as it is. Once written only its owner reads it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._text = path.read_text() if path.exists() else ""

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
        """In the place of an older one. Whoever calls has asked."""
        quoted = value if _PLAIN.fullmatch(value) else "'" + re.sub(r"(['\\])", r"\\\1", value) + "'"
        line = f"{name}={quoted}"
        older = re.compile(rf"^\s*(?:export\s+)?{re.escape(name)}\s*=.*$", re.MULTILINE)
        if older.search(self._text):
            self._text = older.sub(lambda _: line, self._text)
        else:
            gap = "" if not self._text or self._text.endswith("\n") else "\n"
            self._text += f"{gap}{line}\n"
        write(self.path, self._text)


class Draft:
    """A tenant file that grows part by part, each of them whole."""

    def __init__(self, path: Path) -> None:
        """Raises TenantFileError where one is there and wrong."""
        self.path, self.new = path, not path.exists()
        self._text = "" if self.new else decoded(path.read_bytes(), str(path))
        self.file: TenantFile | None = None if self.new else tenant_file.read(self._text, str(path))

    def add(self, header: str, values: Mapping[str, Value]) -> TenantFile:
        """Raises TenantFileError, and then nothing is written."""
        gap = "" if not self._text else "\n" if self._text.endswith("\n") else "\n\n"
        lines = "".join(f"{key} = {_toml(value)}\n" for key, value in values.items())
        text = f"{self._text}{gap}{header}\n{lines}"
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
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _toml(value: Value) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + " }"
    # TOML takes what JSON writes, but for DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
