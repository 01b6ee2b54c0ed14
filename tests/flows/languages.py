"""Languages: how complete each catalogue declares itself to be, in the comment above its first message.

`Covers: all` is the default; `Covers: customers` leaves out what only staff are told, which is then English.
"""

from flows.text import LANGUAGES, catalogue

OTHERS = [language for language in LANGUAGES if language != "en"]


def covers(language: str) -> str:
    lines = catalogue(language).header_comment.splitlines()
    named = [line.partition("Covers:")[2].strip() for line in lines if "Covers:" in line]
    return named[0] if named else "all"


COMPLETE = [language for language in OTHERS if covers(language) == "all"]
