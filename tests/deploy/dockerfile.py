"""Dockerfile: its instructions, stage by stage, and what `.dockerignore` lets into the build."""

import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"


@dataclass(frozen=True)
class Stage:
    """`steps`: the instruction and what follows it, in their order."""

    source: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def all(self, instruction: str) -> list[str]:
        return [rest for name, rest in self.steps if name == instruction]


def stages() -> list[Stage]:
    """Of ours: without heredocs, and with variables left as they are."""
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    found: list[Stage] = []
    for name, _, rest in (line.partition(" ") for line in lines if line.strip()):
        if name == "FROM":
            found.append(Stage(rest))
        elif found:
            found[-1].steps.append((name, rest.strip()))
    return found


def let_in() -> list[str]:
    """What `.dockerignore` lets in: it refuses everything, and names what it takes back."""
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert rules[0] == "*"
    return [rule[1:] for rule in rules if rule.startswith("!")]
