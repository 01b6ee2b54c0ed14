"""Alerting: every action that the audit may keep as an alert, read off the syntax of what records it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from bot.mail import asked
from services.settings.kinds import SETTINGS

ROOT = Path(__file__).parents[3]
SOURCES = [
    path
    for folder in ("services", "bot")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "migrations" not in path.parts
]
# What fills the names that are put together, and who records what others name.
FILLED = {
    "{self.job}": ["payout", "refund"],
    "{kind.name}": list(asked.WAYS),
    "{setting.kind.name}": [each.kind.name for each in SETTINGS.values() if each.alerts],
    "{because}": ["returned"],
    "{action}": ["done"],
}
PASSED_ON = {"services/dispatch.py", "services/payments/record.py", "services/audit/__init__.py"}
_ACTION = re.compile(r"[a-z_{}.]+\.[a-z_{}]+")


def actions() -> set[str]:
    """Fails on one that cannot be told from the syntax."""
    found = set()
    for path in SOURCES:
        tree, where = ast.parse(path.read_text()), str(path.relative_to(ROOT))
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and _alerts(call):
                named = {each for arg in call.args for each in _named(arg, tree)}
                assert named or where in PASSED_ON, f"{where}:{call.lineno}: which action?"
                found |= named
    return {action for action in found if "{" not in action}


def _alerts(call: ast.Call) -> bool:
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    told = {word.arg: word.value for word in call.keywords}.get("alert")
    maybe = told is not None and not (isinstance(told, ast.Constant) and told.value is False)
    return name == "alert" or (name == "record" and maybe)


def _named(arg: ast.expr, tree: ast.Module) -> Iterator[str]:
    """Written out, put together, or a name of the same file: then whatever that may be."""
    match arg:
        case ast.Constant(value=str(word)) if _ACTION.fullmatch(word):
            yield word
        case ast.JoinedStr():
            yield from _filled(ast.unparse(arg)[2:-1])
        case ast.Name(id="kind"):
            words = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
            yield from (word for word in words if isinstance(word, str) and _ACTION.fullmatch(word))
        case ast.Name(id=name):
            for target, value in _assigned(tree):
                if ast.unparse(target) == name:
                    yield from _named(value, tree)
        case ast.IfExp():
            yield from (*_named(arg.body, tree), *_named(arg.orelse, tree))
        case ast.Tuple():
            yield from (word for each in arg.elts for word in _named(each, tree))


def _assigned(tree: ast.Module) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Each name, or what is like one, with what it is."""
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            yield node.target, node.value
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    yield from zip(target.elts, node.value.elts, strict=True)
                else:
                    yield target, node.value


def _filled(word: str) -> Iterator[str]:
    gap = next((each for each in FILLED if each in word), "")
    if not gap:
        yield word
    for each in FILLED.get(gap, ()):
        yield from _filled(word.replace(gap, each))
