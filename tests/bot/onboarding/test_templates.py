"""Which templates of Meta's are filled in: those that fit, by their names, or by a person's word."""

import base64

import pytest
from pydantic import SecretStr

from bot.onboarding.asker import Answers
from bot.onboarding.files import Draft
from bot.onboarding.templates import _fill_in, templates, to_make
from bot.parts import CannotRun
from bot.settings import Settings, WhatsAppSettings
from bot.template_words import WORDS
from bot.whatsapp.templates import TEMPLATES

WHATSAPP = WhatsAppSettings(app_secret=SecretStr("x"), verify_token=SecretStr("y"))
SETTINGS = Settings(secret_keys=SecretStr(base64.b64encode(bytes(32)).decode()), whatsapp=WHATSAPP)
FILE = """
[tenant]
slug = "mama-njeri"
language = "sw"
[whatsapp]
phone_number_id = "1"
"""


class Person:
    """Answers what is asked by its key, else takes what is offered."""

    def __init__(self, present=True, **answers):
        self.present, self.answers, self.said, self.asked = present, answers, [], []

    def say(self, text=""):
        self.said.append(text)

    def ask(self, key, text, default=None, *, secret=False, check=str):
        self.asked.append(text)
        return check(self.answers.get(key.rpartition(".")[2], default))

    def confirm(self, key, text, *, default=False):
        return self.answers.get(key.rpartition(".")[2], default)

    def refused(self, key, why):
        self.said.append(why)


def listed(purpose, name=None, language="en", **more):
    words = WORDS[purpose]["en"]
    buttons = [{"type": "QUICK_REPLY", "text": text} for text in words.buttons]
    components = [{"type": "BODY", "text": words.body}, {"type": "BUTTONS", "buttons": buttons}]
    told = {"name": name or purpose.value, "language": language, "status": "APPROVED", "category": "UTILITY"}
    return told | {"components": components} | more


@pytest.fixture
def draft(tmp_path):
    (tmp_path / "tenant.toml").write_text(FILE)
    return Draft(tmp_path / "tenant.toml")


def filled(draft, told, person=None):
    known = draft.file.whatsapp.templates
    person = person or Person()
    _fill_in(person, draft, [each for each in TEMPLATES if each not in known], told)
    written = Draft(draft.path).file
    named = written.whatsapp.templates if written and written.whatsapp else {}
    return {key: (one.name, one.language, one.languages) for key, one in named.items()}


REQUEST, OUTCOME, RECEIPT, PAYMENT, PAY, ORDER, ACCOUNT, STAFF, SUMMARY = TEMPLATES


def test_those_that_are_called_so_are_taken_with_the_shops_language_first(draft):
    told = [listed(RECEIPT, language=each) for each in ("en_GB", "fr", "sw", "de")]
    assert filled(draft, told) == {"payment_receipt": ("payment_receipt", "sw", ["en_GB", "fr"])}


def test_of_several_the_plainest_name_and_none_that_would_not_be_sent(draft):
    told = [
        listed(RECEIPT, "njeri_payment_receipt_v2"),
        listed(RECEIPT, "njeri_payment_receipt"),
        listed(RECEIPT, "payment_receipt", status="REJECTED"),
        listed(SUMMARY, "summary", category="MARKETING"),
        listed(STAFF, "staff_notice", components=[{"type": "BODY", "text": "nothing to fill in"}]),
        "no template",
    ]
    person = Person()
    assert filled(draft, told, person) == {"payment_receipt": ("njeri_payment_receipt", "en", [])}
    assert person.asked == []
    assert person.said[:2] == [
        "  Not yet: staff_notice in en has 0 parameters, and 1 are sent.",
        "  Not yet: summary in en is in the category MARKETING, which costs more and stops with marketing.",
    ]


def test_one_that_meta_has_not_yet_approved_is_told(draft):
    person = Person()
    assert filled(draft, [listed(RECEIPT, status="PENDING")], person) == {}
    assert person.said == [
        "  Not yet: payment_receipt in en is PENDING: Meta sends it to nobody.",
        "  Meta has none yet that fits. What to make there is told in the end.",
    ]


def test_where_none_is_called_so_a_person_says_which_of_those_that_fit(draft):
    told = [listed(REQUEST, "approve_this"), listed(STAFF, "njeri_notes")]
    person = Person(withdrawal_request="Approve_This", staff_notice="njeri_notes")
    assert filled(draft, told, person) == {
        "withdrawal_request": ("approve_this", "en", []),
        "staff_notice": ("njeri_notes", "en", []),
    }
    assert person.asked == [
        "  For withdrawal_request, one of these: approve_this (Enter: none)",
        "  For account_notice, one of these: njeri_notes (Enter: none)",
        "  For staff_notice, one of these: njeri_notes (Enter: none)",
        "  For summary, one of these: njeri_notes (Enter: none)",
    ]


def test_where_nobody_sits_only_what_is_called_so_is_taken(draft):
    told = [listed(REQUEST, "approve_this"), listed(SUMMARY)]
    assert filled(draft, told, Person(present=False)) == {"summary": ("summary", "en", [])}


def test_a_no_leaves_the_file_as_it_was(draft):
    before = draft.path.read_text()
    assert filled(draft, [listed(SUMMARY)], Person(write=False)) == {}
    assert draft.path.read_text() == before


def test_what_was_approved_later_is_added_beside_the_first_and_what_is_named_stays(draft):
    filled(draft, [listed(SUMMARY)])
    assert filled(draft, [listed(SUMMARY, language="sw"), listed(RECEIPT)]) == {
        "summary": ("summary", "en", []),
        "payment_receipt": ("payment_receipt", "en", []),
    }


def test_beside_names_that_somebody_wrote_in_a_line_it_is_said_what_to_write(tmp_path):
    inline = 'templates = { summary = { name = "summary", language = "en" } }'
    (tmp_path / "tenant.toml").write_text(f"{FILE}{inline}\n")
    draft, person = Draft(tmp_path / "tenant.toml"), Person()
    assert set(filled(draft, [listed(RECEIPT)], person)) == {"summary"}
    assert person.said[-1].endswith(
        'beside the others: payment_receipt = { name = "payment_receipt", language = "en", languages = [] }'
    )


def test_what_is_to_be_made_is_told_in_the_shops_language_the_needed_ones_first(draft):
    filled(draft, [listed(REQUEST)])
    told = list(to_make(draft.file))
    assert told[2] == "    payment_receipt (sw, needed to go live)"
    assert told[3].strip() == WORDS[RECEIPT]["sw"].body
    assert "    payment_request (sw)   quick replies: Lipa, Si sasa, Badilisha njia" in told
    assert not any("withdrawal_request" in line for line in told)
    filled(draft, [listed(each) for each in TEMPLATES])
    assert list(to_make(draft.file)) == []


def test_a_template_in_a_file_of_answers_that_is_no_table_is_refused(draft):
    facts = {"whatsapp": {"templates": {"summary": "summary"}}}
    with pytest.raises(CannotRun, match=r"answers.toml: whatsapp.templates.summary is not taken: "):
        templates(Answers("answers.toml", facts, print), SETTINGS, draft)
    assert draft.path.read_text() == FILE
