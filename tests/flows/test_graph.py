"""The graph is in the signatures; docstrings and the picture only draw it."""

import sys
from datetime import timedelta

import pytest

from flows import graph
from flows.lipachat import SCRIPT
from flows.staff.deciding import Approve
from flows.staff.lend import Agree
from flows.step import understood

MODULES = sorted({step.__module__ for step in SCRIPT.steps.values() if understood(step)})


@pytest.mark.parametrize("module", MODULES)
def test_the_docstring_draws_the_edges_of_its_steps(module):
    names = {name for name, step in SCRIPT.steps.items() if step.__module__ == module}
    edges = {edge for edge in graph.edges(SCRIPT) if edge[0] in names}
    assert graph.drawn(module) == edges, sys.modules[module].__doc__


def test_mermaid_shows_every_step_and_edge():
    picture = graph.mermaid(SCRIPT)
    assert picture.startswith("flowchart LR\n")
    for here, there in graph.edges(SCRIPT):
        assert f"    {here} --> {there}\n" in picture
    assert "    on_pay{{pay}} --> ReviewOrder\n" in picture
    assert "    Paid([Paid])\n" in picture


def test_every_step_says_something_and_has_its_answers_typed():
    for step in SCRIPT.steps.values():
        assert "says" in {
            name for base in step.__mro__ for name in vars(base) if base.__module__ != "flows.step"
        }


DECIDING = {Approve, Agree}


def test_a5_buttons_by_which_another_persons_request_is_approved_grow_old():
    steps = [step for step in SCRIPT.steps.values() if DECIDING & set(understood(step))]
    assert len(steps) > len(DECIDING)
    assert {step.__name__ for step in steps if step.good_for != timedelta(minutes=15)} == set()
