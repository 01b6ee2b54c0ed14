"""Coverage: how much of the conversations the transcripts play, in every language.

A transcript is written in one language and means the same in all of them: choices are tapped by what they
are, whatever is written on them. So each is played once as it is written, and once with the whole cast
speaking each other language.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.jsons import dumps, loads
from bot.sandbox.graph_limits import check_message
from bot.whatsapp import outgoing
from bot.whatsapp.documents import PAPER, slot
from flows import graph
from flows.lipachat import SCRIPT
from flows.text import LANGUAGES, render
from tests.flows.transcript import Play, Recorded

FOLDER = Path(__file__).parents[1] / "transcripts"
TRANSCRIPTS = sorted(FOLDER.rglob("*.txt"))


class Translated(Play):
    """Everybody speaks one language. What the bot says must be what WhatsApp takes."""

    def __init__(self, language: str) -> None:
        super().__init__()
        people = self.business.people
        for name, me in people.items():
            people[name] = me.model_copy(update={"language": language})

    def tap(self, name, label, *, earliest=False):
        offered = self.said[name] if earliest else reversed(self.said[name])
        for reply in offered:
            for option in reply.options:
                if any(self.means(label, render(option.label, each)) for each in LANGUAGES):
                    return reply.tap(option)
        raise LookupError(f"nobody offered {name} [{label}]")

    def bodies(self, name, reply):
        """As they are sent. Raises GraphError for one that WhatsApp would refuse."""
        bodies = outgoing.bodies(reply, self.business.people[name].language)
        for body in bodies:
            if paper := body.pop(PAPER, None):
                slot(body, paper)["id"] = "1"
        sent = [loads(outgoing.addressed(dumps(body), "+254712345678", None, "1")) for body in bodies]
        for each in sent:
            check_message(each)
        return sent

    def _written(self, name, reply):
        self.bodies(name, reply)
        return super()._written(name, reply)


@dataclass(frozen=True)
class Covered:
    """What of the graph was walked in a language, and what was not."""

    language: str
    edges: frozenset[tuple[str, str]]
    openings: frozenset[tuple[str, str]]

    @property
    def missing(self) -> list[tuple[str, str]]:
        return sorted((graph.edges(SCRIPT) - self.edges) | (graph.openings(SCRIPT) - self.openings))

    @property
    def strayed(self) -> list[tuple[str, str]]:
        """Walked, though no signature leads there."""
        return sorted((self.edges - graph.edges(SCRIPT)) | (self.openings - graph.openings(SCRIPT)))

    @property
    def steps(self) -> set[str]:
        return {to for _, to in self.edges | self.openings}


async def covered(language: str, paths: Sequence[Path] = TRANSCRIPTS) -> Covered:
    Recorded.walked.clear()
    Recorded.opened.clear()
    for path in paths:
        await Translated(language).run(path.read_text())
    return Covered(language, frozenset(Recorded.walked), frozenset(Recorded.opened))
