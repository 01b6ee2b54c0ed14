"""The command that draws the conversations."""

import sys


def flows() -> None:
    """The conversations as a Mermaid flowchart."""
    from flows.graph import mermaid
    from flows.lipachat import SCRIPT

    sys.stdout.write(mermaid(SCRIPT))
