"""Languages: those in which people can be spoken to, by code, each with its own name. English is what the
code is written in; every other one is a catalogue in `flows/locale`, and adding the file adds the language.
"""

from pathlib import Path

from babel import Locale

LOCALE = Path(__file__).parents[1] / "flows" / "locale"


def _own_name(code: str) -> str:
    name = Locale.parse(code).get_display_name() or code
    return name[0].upper() + name[1:]


LANGUAGES = {code: _own_name(code) for code in ("en", *sorted(path.stem for path in LOCALE.glob("*.po")))}
