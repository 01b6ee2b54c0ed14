"""`.env`: what is put there is read back as it was, by us, by systemd and by docker compose; or refused."""

import base64
import os
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import event, example, given
from hypothesis import strategies as st

from bot.onboarding.files import EnvFile
from bot.settings import load
from bot.whatsapp.forms import new_key
from tests.bot.onboarding.readers import compose, systemd

NAME = "LIPACHAT_WHATSAPP__VERIFY_TOKEN"
ODD = st.text(st.sampled_from("'\"\\$`#;{}()%=: \t\nabn0é中\u2028\ufeff🛒") | st.characters(codec="utf-8"))
PEM = new_key()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Where our own loader finds `.env`."""
    before, folder = Path.cwd(), tmp_path_factory.mktemp("env")
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("LIPACHAT_")}
    os.environ["LIPACHAT_SECRET_KEYS"] = base64.b64encode(bytes(32)).decode()
    os.environ["LIPACHAT_WHATSAPP__APP_SECRET"] = "app-secret"
    os.chdir(folder)
    yield folder / ".env"
    os.chdir(before)
    for name in ("LIPACHAT_SECRET_KEYS", "LIPACHAT_WHATSAPP__APP_SECRET"):
        del os.environ[name]
    os.environ.update(kept)


def read_back(path):
    """By everybody."""
    text = path.read_bytes().decode()
    return [dotenv_values(path), systemd(text), compose(text)]


@given(value=ODD)
@example("a ${HOME} b")
@example("it's $5")
@example("it's 5\nand 6")
@example("\"'")
@example("\\")
@example("ends in \\")
@example("two \\\\ of them")
@example("# no comment")
@example(" wide ")
@example("")
@example(PEM)
def test_what_is_written_is_read_back_by_all_of_them_or_refused(place, value):
    place.unlink(missing_ok=True)
    env = EnvFile(place)
    try:
        env.put(NAME, value)
    except ValueError:
        event("refused")
        assert not place.exists()
        return
    env.put("LIPACHAT_LOG_LEVEL", "debug")
    wanted = {NAME: value, "LIPACHAT_LOG_LEVEL": "debug"}
    assert read_back(place) == [wanted] * 3
    if value.strip(" ,"):
        settings = load()
        assert settings.whatsapp.verify_token.get_secret_value() == value
        assert settings.log_level == "debug"


@given(
    value=st.text(st.characters(codec="utf-8", exclude_characters="'\\$", exclude_categories=("Cc", "Cs")))
)
def test_nothing_that_they_read_alike_is_refused(place, value):
    place.unlink(missing_ok=True)
    for each in (value, value.replace("a", "\n"), f"{value}$x\\y", value.replace('"', "'")):
        EnvFile(place).put(NAME, each)
        assert read_back(place) == [{NAME: each}] * 3


@given(values=st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from(["", "x", "two\nQUJA=", PEM, "#"]))))
def test_a_value_of_many_lines_is_replaced_as_a_whole_and_what_else_is_there_stays(place, values):
    mine = "# mine\n\nMINE='1\n2'\n"
    place.write_text(mine)
    for name, value in values:
        EnvFile(place).put(name, value)
    assert place.read_text().startswith(mine)
    assert read_back(place) == [{"MINE": "1\n2"} | dict(values)] * 3
    for name in dict(values):  # a key of several lines may hold such signs too
        assert place.read_text().count(f"\n{name}=") == 1


def test_where_somebody_has_set_it_twice_it_is_there_once(place):
    place.write_text("A=1\n\n# between\nA='2\n3'\nB=4")
    EnvFile(place).put("A", "5")
    assert place.read_text() == "A=5\n\n# between\nB=4"


def test_a_key_of_many_lines_opens_forms_again(place):
    place.unlink(missing_ok=True)
    env = EnvFile(place)
    env.put(NAME, "x")
    env.put("LIPACHAT_WHATSAPP__FORMS_KEY", PEM)
    assert load().whatsapp.forms is not None
    assert PEM.strip() in place.read_text()  # as people know it


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("it's $5", "' beside"),
        ("a ${HOME}", "${"),
        ("a\\", "backslash"),
        ("a\\\\b", "backslash"),
        ("a\rb", "control"),
        ("a\0b", "control"),
        ("a\udc80", "no text"),
    ],
)
def test_a_refusal_says_what_is_in_the_way_and_what_to_do(place, value, why):
    place.unlink(missing_ok=True)
    with pytest.raises(ValueError, match="LIPACHAT_SECRETS_DIR") as refused:
        EnvFile(place).put(NAME, value)
    assert why in str(refused.value)
    assert value not in str(refused.value)
