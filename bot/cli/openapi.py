"""The command that prints what the API is."""

import sys


def openapi() -> None:
    """The REST API as an OpenAPI 3.1 document."""
    from bot.api.openapi import written

    sys.stdout.write(written())
