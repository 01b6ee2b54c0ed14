"""Msgids: every text in the code, read off its syntax."""

import ast
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = [
    *sorted((ROOT / "flows").rglob("*.py")),
    ROOT / "bot/chat.py",
    *(ROOT / "bot/whatsapp" / name for name in ("outgoing.py", "templates.py")),
]


def of_customers() -> list[Path]:
    """Where the texts are that a customer may read."""
    return [path for path in SOURCES if path.parent.name != "staff"]


def msgids(sources: Iterable[Path] = SOURCES) -> dict[str, str | None]:
    """Each msgid with its plural. Fails on a text that is not written out."""
    found: dict[str, str | None] = {}
    for path in sources:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Text" and node.args:
                if not all(isinstance(arg, ast.Constant) for arg in node.args):
                    assert path.name == "saying.py", f"{path}:{node.lineno}: not a constant"
                    continue  # the engine fills a text that was made elsewhere
                first, *plural = (arg.value for arg in node.args if isinstance(arg, ast.Constant))
                plural += [
                    named.value.value
                    for named in node.keywords
                    if named.arg == "plural" and isinstance(named.value, ast.Constant)
                ]
                found[str(first)] = str(plural[0]) if plural else None
    return found
