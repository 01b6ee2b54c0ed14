"""Every transcript is played, and together they walk every edge of the graph."""

import os
import re
from pathlib import Path

import pytest

from flows import graph
from flows.lipachat import SCRIPT
from tests.flows.transcript import Play, Recorded

FOLDER = Path(__file__).parents[1] / "transcripts"
TRANSCRIPTS = sorted(FOLDER.rglob("*.txt"))
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


@pytest.fixture
async def played():
    """All of them, with what they walked and opened."""
    Recorded.walked.clear()
    Recorded.opened.clear()
    for path in TRANSCRIPTS:
        await Play().run(path.read_text())
    return Recorded.walked, Recorded.opened


async def test_transcripts_walk_every_edge(played):
    walked, _ = played
    missing = graph.edges(SCRIPT) - walked
    assert not missing, f"no transcript walks {sorted(missing)}"
    assert walked <= graph.edges(SCRIPT), "a step went where its signature does not lead"


async def test_transcripts_open_every_step_by_all_that_opens_it(played):
    _, opened = played
    missing = graph.openings(SCRIPT) - opened
    assert not missing, f"no transcript opens {sorted(missing)}"
    assert opened <= graph.openings(SCRIPT), "something opened what its signature does not name"
