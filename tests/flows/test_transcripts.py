"""Every transcript is played, and together they walk every edge of the graph, in every language."""

import os
import re

import pytest

from flows.lipachat import SCRIPT
from flows.text import LANGUAGES
from tests.flows.coverage import TRANSCRIPTS, covered
from tests.flows.messages import MOST, of_paid_orders
from tests.flows.transcript import Play

REFERENCE = re.compile(r"(?m)^([< ] .*)\b[0-9A-F]{6}\b")  # the end of a random id, in what the bot says


def same_references(text):
    while REFERENCE.search(text := REFERENCE.sub(r"\g<1>{reference}", text)):
        pass
    return text


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
async def test_the_conversation_goes_as_written(path):
    written = path.read_text()
    played = same_references(await Play().run(written))
    if os.environ.get("LIPACHAT_WRITE_TRANSCRIPTS"):
        path.write_text(played)
    assert played == written or os.environ.get("LIPACHAT_WRITE_TRANSCRIPTS")


@pytest.mark.parametrize("language", list(LANGUAGES))
async def test_transcripts_walk_all_of_the_graph_in_every_language(language):
    found = await covered(language)
    assert not found.missing, f"no transcript goes {found.missing}"
    assert not found.strayed, f"something led where its signature does not: {found.strayed}"
    assert found.steps == set(SCRIPT.steps)


async def test_an_order_paid_with_a_saved_method_takes_few_messages():
    counts = await of_paid_orders()
    assert counts
    assert all(count <= MOST for count in counts.values()), counts
