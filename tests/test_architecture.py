"""Who may import whom: one way only, main -> bot -> flows -> services -> providers."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FORBIDDEN = {
    "services": {"bot", "flows", "main"},
    "flows": {"bot", "main", "sqlalchemy", "redis", "aiohttp"},
    "bot": {"main"},
    "services/providers": {"sqlalchemy", "redis", "services.store", "services.people.tenants"},
    "bot/sandbox": {"bot.whatsapp", "services.providers"},
}
# Where a conversation leads back, so do the types of its steps.
LEADS_BACK = {
    ("flows.customer.shop", "flows.customer.cart"),
    ("flows.customer.page", "flows.customer.pay"),
    ("flows.customer.page", "flows.customer.waiting"),
    ("flows.customer.waiting", "flows.customer.pay"),
}
MOST_LINES_OF_A_FILE = 300
MOST_LINES_OF_A_FUNCTION = 70
SOURCES = sorted(
    path
    for folder in ("bot", "flows", "services")
    for path in (ROOT / folder).rglob("*.py")
    if "versions" not in path.parts
)


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path):
    name = path.relative_to(ROOT).as_posix()
    names = set(imported(ast.parse(path.read_text())))
    for folder, forbidden in FORBIDDEN.items():
        if name.startswith(folder + "/"):
            wrong = {n for n in names for f in forbidden if n == f or n.startswith(f + ".")}
            assert not wrong, f"{name} must not import {wrong}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_fit(path):
    text = path.read_text()
    assert len(text.splitlines()) <= MOST_LINES_OF_A_FILE, "split it by verb"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= MOST_LINES_OF_A_FUNCTION, f"{node.name} has {lines} lines"


def test_no_module_imports_itself_by_way_of_others():
    """Wherever an import stands, so that none has to stand inside a function."""
    trees = {module(path): ast.parse(path.read_text()) for path in SOURCES}
    graph = {
        name: {other for other in needed(tree, set(trees)) if (name, other) not in LEADS_BACK}
        for name, tree in trees.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


def module(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def needed(node, modules):
    """The modules of ours that it imports when it runs; their packages are left out."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                pass
            case ast.Import(names=names):
                yield from modules & {name.name for name in names}
            case ast.ImportFrom(module=package, names=names):
                inside = [f"{package}.{name.name}" for name in names]
                yield from modules & {one if one in modules else package for one in inside}
            case _:
                yield from needed(child, modules)
