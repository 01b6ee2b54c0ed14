"""Graph: the conversations drawn from their signatures."""

import sys
from collections.abc import Iterator

from flows.script import Script
from flows.step import leads_to, understood


def edges(script: Script) -> set[tuple[str, str]]:
    """Every step to every step that it may lead to."""
    return {
        (name, to.__name__)
        for name, step in script.steps.items()
        for to in leads_to(step)
        if understood(step)
    }


def openings(script: Script) -> set[tuple[str, str]]:
    """Every word, piece of news and the like to every step that it may open."""
    return {(root, step.__name__) for root, steps in script.roots() for step in steps}


def drawn(module: str) -> set[tuple[str, str]]:
    """The edges that a module's docstring draws: lines of `Here -> There | Elsewhere`."""
    found = set()
    for line in (sys.modules[module].__doc__ or "").splitlines():
        here, arrow, there = line.partition("->")
        if arrow:
            found |= {(here.strip(), to.strip()) for to in there.split("|")}
    return found


def mermaid(script: Script) -> str:
    """A flowchart: words and news on the left, steps on the right, a step that ends its thread rounded.

    https://mermaid.js.org/syntax/flowchart.html
    """
    return "\n".join(_lines(script)) + "\n"


def _lines(script: Script) -> Iterator[str]:
    yield "flowchart LR"
    for name, step in sorted(script.steps.items()):
        yield f"    {name}[{name}]" if understood(step) else f"    {name}([{name}])"
    for root, steps in script.roots():
        for step in steps:
            yield f"    {_node(root)}{{{{{root}}}}} --> {step.__name__}"
    for here, there in sorted(edges(script)):
        yield f"    {here} --> {there}"


def _node(root: str) -> str:
    return "on_" + root.replace(" ", "_")
