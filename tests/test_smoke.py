"""The smoke tests themselves: run as somebody with credentials runs them, against emulators of ours; and left
out by everybody else."""

import asyncio
import base64
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from bot.sandbox.keys import new_private_key
from bot.sandbox.seed import accounts, daraja_app
from bot.sandbox.server import emulators
from bot.sandbox.world import World
from tests.bot.market import NOWHERE

ROOT = Path(__file__).parents[1]
KEY = new_private_key()
CREDENTIAL = base64.b64encode(KEY.public_key().encrypt(b"sandbox-initiator", PKCS1v15())).decode()
KEYS = {
    "MPESA__CONSUMER_KEY": "sandbox-consumer",
    "MPESA__CONSUMER_SECRET": "sandbox-consumer-secret",
    "MPESA__SHORTCODE": "600100",
    "MPESA__PASSKEY": "sandbox-passkey",
    "MPESA__INITIATOR_NAME": "lipachat",
    "MPESA__SECURITY_CREDENTIAL": CREDENTIAL,
    "PAYSTACK__SECRET_KEY": "sk_test_sandbox",
    "PESAPAL__CONSUMER_KEY": "sandbox-pesapal",
    "PESAPAL__CONSUMER_SECRET": "sandbox-pesapal-secret",
    "STRIPE__SECRET_KEY": "sk_test_stripe_sandbox",
}
GIVEN = {f"LIPACHAT_SMOKE_{name}": value for name, value in KEYS.items()}


@pytest.fixture
async def urls():
    """Emulators of all providers; nobody calls back."""
    world = World(
        app_url=NOWHERE,
        app_secret="x",
        shops=(),
        phones=(),
        daraja=(daraja_app(KEY),),
        **accounts(),
        prompt_timeout=0.5,
        now=lambda: datetime.now(UTC),
    )
    async with TestServer(emulators(world)) as server:
        at = str(server.make_url("")).rstrip("/")
        yield {
            "LIPACHAT_MPESA__URL": at,
            **{f"LIPACHAT_{name}__URL": f"{at}/{name.lower()}" for name in ("PAYSTACK", "PESAPAL", "STRIPE")},
        }


async def run(*arguments, **variables):
    """The exit code, and what it says."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LIPACHAT_")}
    command = [sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", "-q", "tests/smoke"]
    process = await asyncio.create_subprocess_exec(
        *command,
        *arguments,
        cwd=ROOT,
        env=inherited | variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


async def test_with_credentials_all_of_them_pass(urls):
    code, said = await run("--smoke", **GIVEN, **urls)
    assert code == 0, said
    assert "13 passed" in said, said
    assert "for want of LIPACHAT" not in said, said


async def test_without_the_flag_none_is_run_and_that_is_said(urls):
    code, said = await run(**GIVEN, **urls)
    assert code == pytest.ExitCode.NO_TESTS_COLLECTED, said
    assert "Left out, for want of --smoke: 13 tests." in said


async def test_without_credentials_what_is_wanted_is_named():
    code, said = await run("--smoke")
    assert code == pytest.ExitCode.NO_TESTS_COLLECTED, said
    assert "for want of LIPACHAT_SMOKE_PAYSTACK__SECRET_KEY: 3 tests." in said
    assert "LIPACHAT_SMOKE_MPESA__CONSUMER_KEY and LIPACHAT_SMOKE_MPESA__CONSUMER_SECRET: 4 tests." in said


@pytest.mark.parametrize(
    "live",
    [
        {"LIPACHAT_SMOKE_STRIPE__SECRET_KEY": "sk_live_1"},
        {"LIPACHAT_MPESA__URL": "https://api.safaricom.co.ke"},
    ],
)
async def test_what_moves_real_money_is_refused(live):
    code, said = await run("--smoke", **GIVEN | live)
    assert code == pytest.ExitCode.USAGE_ERROR, said
    assert "takes no live keys or addresses" in said


@pytest.mark.full
async def test_a_provider_that_answers_otherwise_fails_them(urls):
    wrong = GIVEN | {"LIPACHAT_SMOKE_STRIPE__SECRET_KEY": "sk_test_x"}
    code, said = await run("--smoke", "-k", "good", **wrong, **urls)
    assert code == pytest.ExitCode.TESTS_FAILED
    assert "1 failed, 3 passed" in said
