"""The main job as people do it, over signed HTTP against the real processes."""

import json

import pytest

from tests.e2e.job import main_job


async def test_pay_save_pay_again_withdraw_and_approve(place):
    await main_job(place.town)
    assert json.loads(place.installation.run("ledger", "check")) == {"ok": True, "breaches": []}
    assert json.loads(place.installation.run("events", "list")) == []


@pytest.mark.full
async def test_a_payment_that_fails_is_tried_again(place):
    town, wanjiku = place.town, place.town.person("wanjiku")
    await wanjiku.says("pay 300")
    await wanjiku.hears("Pay *KES 300.00*")
    await wanjiku.taps("Pay")
    await town.answer_prompt("wrong_pin")
    await wanjiku.hears("is not paid: the M-Pesa PIN was wrong", "Try again")
    await wanjiku.taps("Try again")
    await wanjiku.hears("Enter your M-Pesa PIN")
    await town.answer_prompt("pay")
    await wanjiku.hears("Paid: KES 300.00")


@pytest.mark.full
async def test_a_customer_without_a_number_shares_one(place):
    town, juma = place.town, place.town.person("juma")
    await juma.says("pay 250")
    await juma.hears("Which M-Pesa number will pay KES 250.00")
    await juma.shares()
    await juma.hears("Pay *KES 250.00*", "********2111")
    await juma.taps("Pay")
    await town.answer_prompt("pay")
    await juma.hears("Paid: KES 250.00")


@pytest.mark.full
async def test_a_rejected_withdrawal_gives_the_money_back(place):
    town = place.town
    wanjiku, achieng, kamau = (town.person(name) for name in ("wanjiku", "achieng", "kamau"))
    await wanjiku.says("pay 900")
    await wanjiku.hears("Pay *KES 900.00*")
    await wanjiku.taps("Pay")
    await town.answer_prompt("pay")
    await wanjiku.hears("Paid: KES 900.00")
    await kamau.says("hello")
    await achieng.says("withdraw 900")
    await achieng.hears("Fee: KES 33.00")
    await achieng.taps("Withdraw")
    await kamau.hears("is waiting for your decision")
    await kamau.taps("Reject")
    await kamau.hears("Why do you reject")
    await kamau.says("Not this week")
    await achieng.hears("was rejected by Kamau", "Not this week")
    await achieng.says("balance")
    await achieng.hears("Available: *KES 900.00*")
