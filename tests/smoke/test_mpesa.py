"""Safaricom's sandbox: its published shortcode, and the one number that it rings."""

import pytest

from services.ids import new_id
from services.money import Money
from services.providers.abilities import Payout, Prompt
from services.providers.base import Accepted, Failed, Misconfigured, Pending, Succeeded
from tests.smoke.conftest import NOWHERE

pytestmark = [pytest.mark.smoke("mpesa"), pytest.mark.enable_socket]
NUMBER = "+254708374149"  # https://developer.safaricom.co.ke/test_credentials


async def test_its_keys_are_good_and_others_are_refused(client):
    assert await client("mpesa").prove_keys() is None
    assert isinstance(await client("mpesa", consumer_secret="wrong").prove_keys(), Misconfigured)


async def test_a_prompt_is_taken_and_something_known_becomes_of_it(client, told):
    """Its sandbox rings no phone that somebody holds: most often nobody answers."""
    mpesa = client("mpesa")
    answer = await mpesa.prompt(Prompt("mpesa", new_id(), Money(1_00, "KES"), NUMBER, "SMOKE1", NOWHERE))
    assert isinstance(answer, Accepted), answer
    assert isinstance(await told(mpesa, answer.reference), Succeeded | Failed | Pending)


async def test_a_wrong_passkey_is_a_setting_and_no_customers_fault(client):
    mpesa = client("mpesa", passkey="wrong")
    answer = await mpesa.prompt(Prompt("mpesa", new_id(), Money(1_00, "KES"), NUMBER, "SMOKE1", NOWHERE))
    assert isinstance(answer, Misconfigured), answer


async def test_a_code_is_drawn(client):
    picture = await client("mpesa").draw("SMOKE", "SMOKE1", Money(1_00, "KES"))
    assert isinstance(picture, bytes), picture


@pytest.mark.smoke("mpesa", "initiator_name", "security_credential")
async def test_a_payout_is_queued(client):
    payout = Payout(
        provider="mpesa",
        attempt_id=new_id(),
        amount=Money(10_00, "KES"),
        method_type="mpesa",
        details={"phone_number": NUMBER},
        callback_url=NOWHERE,
        timeout_url=NOWHERE,
        remarks="Smoke test",
    )
    answer = await client("mpesa").pay_out(payout)
    assert isinstance(answer, Accepted), answer
