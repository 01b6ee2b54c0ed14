"""What the documents promise is there: links, variables, commands, the example tenant, the quoted
conversations."""

import re
from pathlib import Path

import pytest

import main
from bot import measured, metrics, run
from bot.api.every import ROUTES
from bot.settings import Settings
from services.people import tenant_file
from services.people.access import ROLES, SCOPES, granted
from services.providers import PROVIDERS
from tests.bot import examples
from tests.bot.examples import Example

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
SMOKE = "LIPACHAT_SMOKE_"
TRANSCRIPTS = [path.read_text() for path in (ROOT / "tests" / "transcripts").glob("*.txt")]


def anchors(text):
    """Of its headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def known(variable):
    if variable.startswith(SMOKE):
        name, key = variable.removeprefix(SMOKE).lower().split("__")
        return key in PROVIDERS[name].settings.model_fields
    where = Settings.model_fields
    for part in variable.removeprefix("LIPACHAT_").lower().split("__"):
        if part not in where:
            return False
        where = getattr(where[part].annotation, "model_fields", {})
    return True


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        there = path.parent / name if name else path
        assert there.exists(), target
        assert not anchor or anchor in anchors(there.read_text()), target


def test_each_decision_is_listed_once_and_in_order():
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"^\| \[\d{4}\]\((\S+)\)", (folder / "README.md").read_text(), re.MULTILINE)
    assert listed == sorted(path.name for path in folder.glob("0*.md"))


def test_variables_exist():
    named = {name for path in DOCUMENTS for name in re.findall(r"LIPACHAT_[A-Z_]+[A-Z]", path.read_text())}
    others = {
        "LIPACHAT_SECRETS_DIR",
        "LIPACHAT_WRITE_TRANSCRIPTS",
        "LIPACHAT_TEST_REQUIRE",
        "LIPACHAT_AUDIT_REQUIRE",
    }
    assert {name for name in named - others if not known(name)} == set()


def test_roles_are_told_with_their_scopes():
    text = (ROOT / "docs" / "operating.md").read_text()
    rows = dict(re.findall(r"^\| `([A-Z][A-Za-z ]+)` \| (.+) \|$", text, re.MULTILINE))
    every = frozenset(SCOPES)
    told = {
        role: frozenset(re.findall(r"`([a-z:]+)`", words)) for role, words in rows.items() if role in ROLES
    }
    told |= {"Owner": every, "Admin": every - told["Admin"]}
    assert rows["Owner"] == "all"
    assert rows["Admin"].startswith("all but ")
    assert told == ROLES


def test_a_proxy_is_told_how_long_an_unused_connection_is_kept():
    assert f"unused for {run._IDLE_SECONDS:.0f} seconds" in (ROOT / "docs" / "operating.md").read_text()


def commands(app):
    for command in app.registered_commands:
        yield command.name or command.callback.__name__
    for group in app.registered_groups:
        yield from (f"{group.name} {name}" for name in commands(group.typer_instance))


@pytest.mark.parametrize("command", sorted(set(commands(main.app)) - {"flows"}))
def test_operators_are_told_of_each_command(command):
    """But of the one that draws the conversations for who changes them."""
    assert re.search(rf"(main\.py |`){command}\b", (ROOT / "docs" / "operating.md").read_text())


def test_commands_exist():
    there = set(commands(main.app))
    for path in DOCUMENTS:
        for named in re.findall(r"main\.py ((?:[a-z]+ ?)+)", path.read_text()):
            words = named.split()
            assert words[0] in there or " ".join(words[:2]) in there, f"{path.name}: {named}"


def test_metrics_exist():
    there = {f"{family.name}_total" for family in metrics.registry.collect() if family.type == "counter"}
    there |= {family.name for family in metrics.registry.collect()} | set(measured.NAMES)
    named = {name for path in DOCUMENTS for name in re.findall(r"lipachat_[a-z]+_[a-z_]+", path.read_text())}
    assert named - {"lipachat_owner"} <= there


def test_the_example_tenant_is_one():
    file = tenant_file.read((ROOT / "docs" / "mama-njeri.toml").read_text())
    assert file.providers.mpesa is not None
    assert (file.providers.mpesa.can_collect, file.providers.mpesa.can_pay_out) == (True, True)
    may = [granted(each.role, each.scopes) for each in file.staff]
    assert set().union(*may) == set(SCOPES), "each call of the API can be tried with it"


def test_quoted_conversations_are_those_that_are_tested():
    quoted = re.findall(r"```text\n(> .+?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(quoted) == 3
    for conversation in quoted:
        pieces = conversation.split("…\n")
        assert any(in_order(pieces, transcript) for transcript in TRANSCRIPTS), conversation


def in_order(pieces, text):
    at = 0
    for piece in pieces:
        at = text.find(piece, at) + len(piece)
        if at < len(piece):
            return False
    return True


def test_every_call_of_the_api_has_an_example():
    """Write the call into docs/api-examples.md, and LIPACHAT_WRITE_TRANSCRIPTS=1 pytest
    tests/bot/test_api_examples.py writes its answer; read it."""
    shown = [each for each in examples.steps(examples.DOCUMENT.read_text()) if isinstance(each, Example)]
    called = {(each.method, f"/api/v1{each.path.partition('?')[0]}") for each in shown if each.answer}
    lacking = [
        f"{route.method} {route.path}"
        for route in ROUTES
        if not any(
            method == route.method and re.fullmatch(re.sub(r"{\w+}", r"\\$\\w+", route.path), path)
            for method, path in called
        )
    ]
    assert lacking == []
