"""A canary through the whole program: what it must keep to itself is in no log, even of debug level, and
nowhere in clear in its database."""

import asyncio

import pytest

from bot.sandbox.seed import PHONES
from tests.e2e.conftest import prepared, started
from tests.e2e.ear import listening
from tests.e2e.job import main_job

CREDENTIALS = {
    "key of WhatsApp": "sandbox-access-token",
    "consumer secret": "sandbox-consumer-secret",
    "passkey": "sandbox-passkey",
    "initiator password": "sandbox-initiator",
    "app secret": "app-secret",
    "verify token": "verify-token",
}
PAYOUT_PHONE = "+254700123456"
SAID = ("pay 2000", "withdraw 1000", "Paid: KES", "is being sent")


def bare_phones():
    """As people write them after the country's code; digits alone."""
    phones = {phone.line for phone in PHONES} | {PAYOUT_PHONE}
    return {phone.removeprefix("+254") for phone in phones if phone}


def leaks(text: bytes, secrets: dict[str, set[str]]) -> set[str]:
    found = {what for what, values in secrets.items() if any(value.encode() in text for value in values)}
    found |= {phone.user_id for phone in PHONES if phone.user_id.encode() in text}
    return found | {f"phone {phone}" for phone in bare_phones() if phone.encode() in text}


@pytest.fixture
async def overheard(backend_url, outside, tmp_path, http, request):
    """The main job was done at debug level, and all is stopped: (place, secrets)."""
    several = backend_url.startswith("postgresql")
    redis = {"LIPACHAT_REDIS_URL": request.getfixturevalue("redis_url")} if several else {}
    async with listening(http, outside[0].url) as ear:
        loud = {"LIPACHAT_LOG_LEVEL": "debug", "LIPACHAT_MPESA__URL": ear.url}
        async with prepared(tmp_path, outside, backend_url, **loud, **redis) as place:
            await started(place, http)
            await main_job(place.town)
            await asyncio.to_thread(place.installation.stop)
            found = ear.secrets()
            assert all(found.values()), found
            yield place, found | {what: {secret} for what, secret in CREDENTIALS.items()}


async def test_nothing_of_it_is_in_any_log(overheard):
    place, secrets = overheard
    logs = place.installation.logs()
    assert "serving" in logs
    assert leaks(logs.encode(), secrets) == set()
    assert not [words for words in SAID if words in logs]


@pytest.mark.parametrize("backend_url", ["sqlite"], indirect=True)
async def test_nothing_of_it_is_in_clear_in_the_file_of_the_database(overheard, tmp_path):
    _, secrets = overheard
    raw = b"".join(path.read_bytes() for path in tmp_path.glob("lipachat.db*"))
    assert len(raw) > 100_000
    assert leaks(raw, secrets) == set()
    assert not [words for words in SAID if words.encode() in raw]


def test_the_canary_itself_finds_what_leaks():
    assert leaks(b'{"to":"254712345678","x":"secret"}', {"a": {"secret"}}) == {"a", "phone 712345678"}
