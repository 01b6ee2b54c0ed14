import base64

import pytest

from bot.settings import SettingsError, load
from bot.whatsapp.forms import FormsKey, new_key
from services.points import Crash
from services.providers import PROVIDERS

KEY = base64.b64encode(bytes(32)).decode()
NEEDED = {
    "LIPACHAT_SECRET_KEYS": KEY,
    "LIPACHAT_WHATSAPP__APP_SECRET": "old, new",
    "LIPACHAT_WHATSAPP__VERIFY_TOKEN": "word",
}


@pytest.fixture
def environment(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # away from any .env

    def put(**values):
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return put


def test_what_is_missing_is_named_all_at_once_with_its_fix(environment):
    with pytest.raises(SettingsError) as error:
        load()
    assert "LIPACHAT_SECRET_KEYS is not set; make one with: python -c" in str(error.value)
    assert "LIPACHAT_WHATSAPP__APP_SECRET" in str(error.value)


def test_the_defaults_are_those_of_the_manual(environment):
    environment(**NEEDED)
    settings = load()
    assert settings.database_url == "sqlite+aiosqlite:///.data/lipachat.db"
    assert settings.public_url == "http://127.0.0.1:8080"
    assert settings.redis_url is None
    assert settings.whatsapp.graph_url == "https://graph.facebook.com"
    assert settings.whatsapp.api_version == "v25.0"
    assert settings.provider_urls["mpesa"] == "https://api.safaricom.co.ke"


def test_several_secrets_and_keys_while_rotating(environment):
    environment(**NEEDED | {"LIPACHAT_SECRET_KEYS": f"{KEY}, {KEY}"})
    settings = load()
    assert settings.whatsapp.app_secrets == [b"old", b"new"]
    assert settings.keys == [bytes(32), bytes(32)]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("LIPACHAT_SECRET_KEYS", "c2hvcnQ=", "base64 of 32 bytes"),
        ("LIPACHAT_SECRET_KEYS", "not base64!", "base64 of 32 bytes"),
        ("LIPACHAT_DATABASE_URL", "mysql://x", "must begin with sqlite"),
        ("LIPACHAT_DATABASE_URL", "postgresql+asyncpg://x:secret@host:port/y", "cannot be read"),
        ("LIPACHAT_DATABASE_OWNER_URL", "postgres://owner@host/y", "must begin with sqlite"),
        ("LIPACHAT_REDIS_URL", "localhost:6379", "must begin with redis://"),
        ("LIPACHAT_PUBLIC_URL", "pay.example", "must begin with https://"),
        ("LIPACHAT_PUBLIC_URL", "https:///hooks", "must begin with https://"),
        ("LIPACHAT_WHATSAPP__GRAPH_URL", "graph.facebook.com", "must begin with https://"),
        ("LIPACHAT_MPESA__URL", "api.safaricom", "must begin with https://"),
        ("LIPACHAT_TRUSTED_PROXIES", "10.0.0.0/8, proxy.example", "must be addresses or networks"),
        ("LIPACHAT_TRUSTED_PROXIES", "10.0.0.1/8", "must be addresses or networks"),
        ("LIPACHAT_LOG_LEVEL", "loudly", "'debug', 'info', 'warning' or 'error'"),
        ("LIPACHAT_SECRETS_DIR", "/nowhere/at/all", "is no directory"),
        ("LIPACHAT_WHATSAPP__APP_SECRET", " , ", "must not be empty"),
        ("LIPACHAT_CRASH_AT", "payout.some", f"refused beside {min(PROVIDERS)}"),
        ("LIPACHAT_WHATSAPP__FORMS_KEY", "no pem", "make one with: python main.py forms key"),
    ],
)
def test_a_wrong_value_is_named_and_never_shown(environment, name, value, words):
    environment(**NEEDED | {name: value})
    with pytest.raises(SettingsError) as error:
        load()
    assert name in str(error.value)
    assert words in str(error.value)
    assert value not in str(error.value)


def test_one_that_is_missing_of_two_is_named_alone(environment):
    environment(**{name: value for name, value in NEEDED.items() if "VERIFY" not in name})
    with pytest.raises(SettingsError) as error:
        load()
    assert str(error.value) == (
        "LIPACHAT_WHATSAPP__VERIFY_TOKEN is not set; choose a word and enter it at Meta's webhook too"
    )


@pytest.fixture
def secrets_dir(environment, tmp_path):
    folder = tmp_path / "secrets"
    folder.mkdir()
    environment(LIPACHAT_SECRETS_DIR=str(folder))

    def put(**files):
        for name, content in files.items():
            (folder / name).write_bytes(content)

    return put


@pytest.mark.parametrize(
    ("keys", "secret", "token", "url"),
    [
        (
            "lipachat_secret_keys",
            "lipachat_whatsapp__app_secret",
            "lipachat_whatsapp__verify_token",
            "lipachat_mpesa__url",
        ),
        ("SECRET_KEYS", "WHATSAPP__APP_SECRET", "WHATSAPP__VERIFY_TOKEN", "MPESA__URL"),
        ("LIPACHAT_SECRET_KEYS", "whatsapp__app_secret", "Lipachat_WhatsApp__Verify_Token", "mpesa__url"),
    ],
)
def test_secrets_from_a_directory_of_files_named_as_the_variables(secrets_dir, keys, secret, token, url):
    secrets_dir(**{keys: KEY.encode(), secret: b"old, new\n", token: b"word", url: b"https://m.example"})
    settings = load()
    assert settings.keys == [bytes(32)]
    assert settings.whatsapp.app_secrets == [b"old", b"new"]
    assert settings.whatsapp.verify_token.get_secret_value() == "word"
    assert settings.mpesa.url == "https://m.example"


def test_a_variable_goes_before_a_file(environment, secrets_dir):
    environment(**NEEDED)
    secrets_dir(whatsapp__verify_token=b"another", lipachat_public_url=b"https://pay.example")
    settings = load()
    assert settings.whatsapp.verify_token.get_secret_value() == "word"
    assert settings.public_url == "https://pay.example"


def test_a_file_that_is_no_text_is_told(environment, secrets_dir):
    environment(**NEEDED)
    secrets_dir(secret_keys=b"\xff\xfe")
    with pytest.raises(SettingsError, match="a file in LIPACHAT_SECRETS_DIR is no text; save it as UTF-8"):
        load()


def test_a_group_that_is_no_json_is_told_and_not_shown(environment):
    environment(**NEEDED | {"LIPACHAT_MPESA": "hunter2"})
    with pytest.raises(SettingsError, match=r'cannot be read: .*"mpesa"') as error:
        load()
    assert "hunter2" not in str(error.value)


def test_nothing_secret_is_in_its_repr(environment):
    environment(**NEEDED)
    assert KEY not in repr(load())
    assert "old" not in repr(load())


def test_the_key_of_forms_is_a_pem_on_one_line_or_on_several(environment):
    environment(**NEEDED)
    assert load().whatsapp.forms is None
    pem = new_key()
    for written in (pem, pem.replace("\n", "\\n")):
        environment(**NEEDED | {"LIPACHAT_WHATSAPP__FORMS_KEY": written})
        key = load().whatsapp.forms
        assert key is not None
        assert key.public_pem == FormsKey(pem).public_pem


HERE = dict.fromkeys(
    ("LIPACHAT_WHATSAPP__GRAPH_URL", *(f"LIPACHAT_{name.upper()}__URL" for name in PROVIDERS)),
    "http://127.0.0.1:8081",
)


def test_a_process_is_only_killed_on_purpose_where_nothing_outside_is_reached(environment):
    environment(**NEEDED | HERE)
    assert load().crash is None
    environment(LIPACHAT_CRASH_AT="payout.begun:2")
    assert load().crash == Crash("payout.begun", 2)


@pytest.mark.parametrize("real", HERE)
def test_beside_any_address_of_outside_it_refuses_to_start(environment, real):
    far = {real: "https://127.0.0.1.example.com/"}
    environment(**NEEDED | HERE | far | {"LIPACHAT_CRASH_AT": "payout.begun"})
    with pytest.raises(SettingsError, match=r"LIPACHAT_CRASH_AT is for tests .*; unset it"):
        load()


def test_with_the_defaults_it_refuses_to_start(environment):
    environment(**NEEDED, LIPACHAT_CRASH_AT="payout.begun")
    with pytest.raises(SettingsError, match="LIPACHAT_CRASH_AT is for tests against emulators"):
        load()
