"""Vulnerabilities: whether a version that we pin has one that is known,
as pip-audit tells it from OSV's database.

Run, with pip-audit in an environment of its own:  python -m tests.vulnerabilities PATH/TO/pip-audit

It fails for one that is known and not accepted below. Where the database is not reached nothing is known:
that is said, loudly, and fails only with LIPACHAT_AUDIT_REQUIRE=1, so that who has no internet can build too.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CONSTRAINTS = Path(__file__).parents[1] / "constraints.txt"
# By its id: why it does not concern us. One that is told no more is named too, so that it is taken out.
ACCEPTED: dict[str, str] = {}
_SECONDS = 300


@dataclass(frozen=True)
class Verdict:
    """`unknown`: what could not be looked up."""

    known: Sequence[str]
    unknown: Sequence[str]
    outdated: Sequence[str] = ()

    def code(self, *, required: bool) -> int:
        return 1 if self.known or self.outdated or (self.unknown and required) else 0

    def lines(self) -> list[str]:
        if not (self.known or self.unknown or self.outdated):
            return ["No pinned version has a vulnerability that is known."]
        return [
            *(f"VULNERABLE: {each}" for each in self.known),
            *(f"NOT AUDITED: {each}" for each in self.unknown),
            *(f"TAKE OUT OF tests/vulnerabilities.py: {each} is told no more" for each in self.outdated),
        ]


def verdict(told: Mapping[str, Any], accepted: Mapping[str, str] = ACCEPTED) -> Verdict:
    """Of pip-audit's JSON."""
    known, unknown, seen = [], [], set()
    for each in told["dependencies"]:
        if "skip_reason" in each:
            unknown.append(f"{each['name']}: {each['skip_reason']}")
        for found in each.get("vulns", ()):
            names = {found["id"], *found["aliases"]}
            seen |= names
            if not names & accepted.keys():
                fixed = ", ".join(found["fix_versions"]) or "no version yet"
                known.append(f"{each['name']} {each['version']}: {found['id']}, mended in {fixed}")
    return Verdict(known, unknown, [] if unknown else sorted(accepted.keys() - seen))


def asked(program: str, *more: str) -> Verdict:
    """Raises CalledProcessError where pip-audit itself fails."""
    pins = ["--requirement", str(CONSTRAINTS), "--no-deps", "--disable-pip"]
    command = [
        program,
        *pins,
        "--vulnerability-service",
        "osv",
        "--format",
        "json",
        "--progress-spinner",
        "off",
    ]
    done = subprocess.run([*command, *more], capture_output=True, text=True, timeout=_SECONDS, check=False)
    if done.stdout.startswith("{"):  # it ends with 1 where it has found something
        return verdict(json.loads(done.stdout))
    last = (done.stderr.strip().splitlines() or ["nothing was said"])[-1]
    if any(
        sign in done.stderr for sign in ("ConnectionError", "ConnectTimeout", "ReadTimeout", "ServiceError")
    ):
        return Verdict((), [f"the database of vulnerabilities was not reached ({last})"])
    done.check_returncode()
    raise RuntimeError(f"pip-audit said nothing that can be read: {last}")


def main(program: str, *more: str) -> int:
    found = asked(program, *more)
    sys.stderr.write("\n".join(found.lines()) + "\n")
    return found.code(required=os.environ.get("LIPACHAT_AUDIT_REQUIRE") == "1")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
