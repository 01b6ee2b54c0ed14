"""Finding: one thing that the doctor says, with its fix."""

from dataclasses import asdict, dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """What is so, and what to do where it is not good."""

    level: Literal["good", "warning", "broken"]
    what: str
    fix: str | None = None

    def as_dict(self) -> dict[str, str | None]:
        return asdict(self)


def good(what: str) -> Finding:
    return Finding("good", what)


def warning(what: str, fix: str) -> Finding:
    return Finding("warning", what, fix)


def broken(what: str, fix: str) -> Finding:
    return Finding("broken", what, fix)


def lines(findings: list[Finding]) -> list[str]:
    """For people."""
    return [
        f"{finding.level:8} {finding.what}" + (f"\n         fix: {finding.fix}" if finding.fix else "")
        for finding in findings
    ]


def exit_code(findings: list[Finding]) -> int:
    """0 good, 1 warnings, 2 broken."""
    levels = {finding.level for finding in findings}
    return 2 if "broken" in levels else 1 if "warning" in levels else 0
