"""Language: a person chooses the language of the chat.

ChooseLanguage -> LanguageChosen
"""

from __future__ import annotations

from dataclasses import dataclass

from flows.step import Choice, Step
from flows.teller import Teller
from flows.text import LANGUAGES, Text
from flows.understanding import plain


@dataclass(frozen=True)
class Speak(Choice):
    language: str

    @property
    def label(self) -> Text:
        return Text("{language}", language=LANGUAGES[self.language])


class ChooseLanguage(Step):
    def says(self) -> Text:
        return Text("Which language shall we use?\nTutumie lugha gani?")

    def choices(self) -> tuple[Choice, ...]:
        return tuple(Speak(language) for language in LANGUAGES)

    async def hears(self, answer: Speak, teller: Teller) -> LanguageChosen:
        await teller.use_language(answer.language)
        return LanguageChosen()


class LanguageChosen(Step):
    def says(self) -> Text:
        return Text("Good, we'll speak English from now on. Type *menu* to go on.")


async def choose_language(teller: Teller, rest: str = "") -> ChooseLanguage | LanguageChosen:
    """A language may be named at once: "language Kiswahili"."""
    for code, name in LANGUAGES.items():
        if plain(rest) in (code, plain(name)):
            await teller.use_language(code)
            return LanguageChosen()
    return ChooseLanguage()
