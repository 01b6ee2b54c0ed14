"""What a tenant's settings let it do, and what a provider takes."""

from dataclasses import replace

import pytest

from services.errors import BelowMinimum, NotWholeShillings, ProviderNotConfigured
from services.facts import Shop
from services.money import Money
from services.providers import PROVIDERS, Provider
from services.providers.base import ProviderSettings
from services.rails import (
    RAILS,
    abilities,
    carrier,
    carriers,
    refuse_closed_till,
    refuse_closed_ways_out,
    refuse_uncollectable,
)
from tests.bot.market import SETTINGS
from tests.services.business import kes

KEYS = {name: SETTINGS[name] for name in ("shortcode", "consumer_key", "consumer_secret")}


def shop(settings, currency="KES"):
    parts = {} if settings is None else {"mpesa": settings}
    facts = {"name": "Mama Njeri", "currency": currency, "country": "KE", "timezone": "Africa/Nairobi"}
    return Shop(**facts, **abilities(parts, currency))


def test_with_all_settings_a_tenant_collects_and_pays_out():
    full = shop(SETTINGS)
    assert (full.collects_by, full.pays_out_by, full.payout_lacks) == (("mpesa",), ("mpesa", "till"), {})
    refuse_closed_till(full)
    refuse_closed_ways_out(full)


def test_without_a_passkey_nothing_is_collected():
    lacking = shop({key: value for key, value in SETTINGS.items() if key != "passkey"})
    assert (lacking.collects_by, lacking.pays_out_by) == ((), ("mpesa", "till"))
    with pytest.raises(ProviderNotConfigured):
        refuse_closed_till(lacking)


def test_without_an_initiator_nothing_is_paid_out_and_what_is_missing_is_named():
    lacking = shop(KEYS | {"passkey": "passkey"})
    assert (lacking.collects_by, lacking.pays_out_by) == (("mpesa",), ())
    with pytest.raises(ProviderNotConfigured) as refused:
        refuse_closed_ways_out(lacking)
    assert refused.value.missing == ("initiator_name", "initiator_password", "certificate")
    assert refused.value.paying_out


def test_settings_that_cannot_be_read_do_nothing_and_are_named():
    broken = shop(SETTINGS | {"shortcode": "none"})
    assert (broken.collects_by, broken.pays_out_by) == ((), ())
    assert broken.payout_lacks == dict.fromkeys(("mpesa", "till"), ("shortcode",))


@pytest.mark.parametrize(("settings", "currency"), [(None, "KES"), (SETTINGS, "UGX")])
def test_without_settings_or_in_another_money_nothing_is_offered(settings, currency):
    nothing = shop(settings, currency)
    assert (nothing.collects_by, nothing.pays_out_by, nothing.payout_lacks) == ((), (), {})
    with pytest.raises(ProviderNotConfigured) as refused:
        refuse_closed_ways_out(nothing)
    assert refused.value.missing == ()


def test_a_part_that_is_no_provider_of_ours_offers_nothing():
    assert "coins" not in PROVIDERS
    assert abilities({"coins": {"purse": "red"}}, "KES")["collects_by"] == ()


def test_an_amount_in_another_money_is_not_collected_by_mpesa():
    with pytest.raises(ProviderNotConfigured):
        refuse_uncollectable("mpesa", Money(50_000, "UGX"))
    with pytest.raises(ProviderNotConfigured):
        refuse_uncollectable("paystack", Money(50_000, "UGX"))


@pytest.mark.parametrize(("amount", "refusal"), [("0.50", NotWholeShillings), ("10.50", NotWholeShillings)])
def test_mpesa_collects_whole_shillings(amount, refusal):
    with pytest.raises(refusal):
        refuse_uncollectable("mpesa", kes(amount))


def test_less_than_the_least_is_refused():
    with pytest.raises(BelowMinimum):
        refuse_uncollectable("mpesa", Money.zero("KES"))


def test_providers_are_offered_in_the_order_of_their_lines():
    another = replace(PROVIDERS["mpesa"], pays_out=frozenset())
    can = abilities({"airtime": SETTINGS, "mpesa": SETTINGS}, "KES", {**PROVIDERS, "airtime": another})
    assert can["collects_by"] == ("mpesa", "airtime")


class PurseSettings(ProviderSettings):
    purse: str
    key: str = ""

    @property
    def missing_to_pay_out(self):
        return () if self.key else ("key",)


PURSE = {"purse": "red", "key": "right"}
AIRTIME = Provider(PurseSettings, PROVIDERS["mpesa"].open, "KES", pays_out=frozenset({"mpesa"}))
KNOWN = {"airtime": AIRTIME, **PROVIDERS}


def test_whoever_is_usual_for_a_way_out_carries_it_and_all_who_do_move_its_money():
    assert [way for way, rail in RAILS.items() if rail.provider not in carriers(way)] == []
    assert {way for each in PROVIDERS.values() for way in each.pays_out} == set(RAILS)
    assert {PROVIDERS[name].currency for way in RAILS for name in carriers(way)} == {"KES"}


@pytest.mark.parametrize(
    ("parts", "by", "lacks"),
    [
        ({"mpesa": SETTINGS, "airtime": PURSE}, "mpesa", {}),
        ({"airtime": PURSE}, "airtime", {}),
        ({"mpesa": KEYS, "airtime": PURSE}, "airtime", {"till": ("passkey",)}),
        ({"mpesa": SETTINGS, "airtime": {"purse": "red"}}, "mpesa", {}),
        ({"airtime": {"purse": "red"}}, "mpesa", {"mpesa": ("key",)}),
        ({}, "mpesa", {}),
    ],
)
def test_a_way_out_is_carried_by_the_first_who_can(parts, by, lacks):
    assert carriers("mpesa", KNOWN) == ("mpesa", "airtime")
    assert carrier("mpesa", parts, KNOWN) == by
    can = abilities(parts, "KES", KNOWN)
    assert can["pays_out_by"].count("mpesa") == (by in parts)
    assert set(can["payout_lacks"]) == set(lacks)
