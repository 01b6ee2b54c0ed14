"""The words that merchants submit to Meta fit what is sent, and the page that shows them shows these."""

import re
from pathlib import Path

import pytest

from bot.template_words import WORDS
from bot.whatsapp.templates import TEMPLATES
from flows.text import LANGUAGES

PAGE = Path(__file__).parents[2] / "docs/templates.md"
EACH = [(purpose, language) for purpose in TEMPLATES for language in LANGUAGES]
_MOST_BODY, _MOST_BUTTON = 1024, 25


@pytest.mark.parametrize(("purpose", "language"), EACH, ids=str)
def test_the_words_fit_what_is_sent_and_what_meta_takes(purpose, language):
    words, template = WORDS[purpose][language], TEMPLATES[purpose]
    holes = re.findall(r"\{\{(\d+)\}\}", words.body)
    assert holes == [str(n) for n in range(1, len(template.parameters) + 1)]
    assert not words.body.startswith("{{")
    assert not words.body.endswith("}}")
    assert len(words.body) <= _MOST_BODY
    assert len(words.buttons) == len(template.buttons)
    assert all(len(button) <= _MOST_BUTTON for button in words.buttons)


def test_english_buttons_are_those_that_the_code_names():
    assert {p: WORDS[p]["en"].buttons for p in TEMPLATES} == {p: t.buttons for p, t in TEMPLATES.items()}


@pytest.mark.parametrize(("purpose", "language"), EACH, ids=str)
def test_the_page_shows_them(purpose, language):
    page = PAGE.read_text()
    words = WORDS[purpose][language]
    assert f"## `{purpose}`" in page
    assert words.body in page
    assert all(f"[{button}]" in page for button in words.buttons)
