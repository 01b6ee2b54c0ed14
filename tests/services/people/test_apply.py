"""The tenant file, applied: what differs is changed and named, and nothing else is touched."""

import re
import tomllib
from dataclasses import asdict
from datetime import UTC, datetime

import pytest
from pydantic import BaseModel

from services import ledger
from services.ids import new_id
from services.money import Money
from services.news import TenantChanged
from services.people.apply import CurrencyInUse, NumberTaken
from services.people.file_parts import TenantFile
from services.store.scope import OWNER
from services.work import Work
from tests.services.business import Business
from tests.services.people.registry import ANOTHER, CERTIFICATE, FULL, SMALL, differing

BOUNDARY = """to = "1000"
flat = "20"
percent = "0.5"
valid_from = 2026-12-01

[[fees]]
method_type = "mpesa"
from = "1000.01\""""

# What is written instead, what is named as changed, and whose rows may differ then.
CHANGES = [
    ('name = "Mama Njeri Duka"', 'name = "Njeri"', ["tenant.name"], {"tenants"}),
    ("active = true\ncurrency", "active = false\ncurrency", ["tenant.active"], {"tenants"}),
    ('timezone = "Africa/Nairobi"', 'timezone = "Africa/Kampala"', ["tenant.timezone"], {"tenants"}),
    ('summary_at = "19:30"', 'summary_at = "07:00"', ["tenant.summary_at"], {"tenants", "jobs"}),
    ("fixed_fees = true", "fixed_fees = false", ["tenant.fixed_fees"], {"tenants"}),
    ("smart_order = false", "", ["tenant.smart_order"], {"tenants"}),
    ('country = "KE"', 'country = "TZ"', ["tenant.country"], {"tenants"}),
    ('language = "en"\npay', 'language = "sw"\npay', ["tenant.language"], {"tenants"}),
    ('payment_fee_percent = "1.5"', "payment_fee_percent = 2", ["tenant.payment_fee_percent"], {"tenants"}),
    ('id = "106540352242922"', 'id = "1065"', ["whatsapp.phone_number_id"], {"tenants"}),
    ('"254711000100"', '"254711000200"', ["whatsapp.display_phone_number"], {"tenants"}),
    ('"EAAsecrettoken"', '"EAAnewtoken"', ["whatsapp.access_token"], {"credentials"}),
    ('waba_id = "102290129340398"', 'waba_id = "8"', ["whatsapp.waba_id"], {"tenants"}),
    (
        '"asked", language = "en", languages = ["sw"]',
        '"asked", language = "en"',
        ["whatsapp.templates"],
        {"tenants"},
    ),
    ('bank_form = "1093847261"', 'bank_form = "7"', ["whatsapp.bank_form"], {"tenants"}),
    ('{ name = "asked", l', '{ name = "ask", l', ["whatsapp.templates"], {"tenants"}),
    ('shortcode = "600100"', 'shortcode = "600101"', ["providers.mpesa"], {"credentials"}),
    ('till = "600200"', 'till = "600201"', ["providers.mpesa"], {"credentials"}),
    ('consumer_key = "mpesa-key"', 'consumer_key = "k"', ["providers.mpesa"], {"credentials"}),
    ('consumer_secret = "mpesa-secret"', 'consumer_secret = "s"', ["providers.mpesa"], {"credentials"}),
    ('passkey = "mpesa-passkey"', 'passkey = "p"', ["providers.mpesa"], {"credentials"}),
    ('b2c_shortcode = "600300"', 'b2c_shortcode = "600301"', ["providers.mpesa"], {"credentials"}),
    ('b2b_shortcode = "600400"', "", ["providers.mpesa"], {"credentials"}),
    ("pull = true", "pull = false", ["providers.mpesa"], {"credentials"}),
    ('b2b_receiver_type = "till"', 'b2b_receiver_type = "shortcode"', ["providers.mpesa"], {"credentials"}),
    ('initiator_name = "lipachat"', 'initiator_name = "api"', ["providers.mpesa"], {"credentials"}),
    (
        'initiator_password = "mpesa-password"',
        'initiator_password = "p"',
        ["providers.mpesa"],
        {"credentials"},
    ),
    (CERTIFICATE, ANOTHER, ["providers.mpesa"], {"credentials"}),
    ("confirm_above = 5000", 'confirm_above = "6000"', ["providers.mpesa"], {"credentials"}),
    ('public_key = "pk_test_1"', 'public_key = "pk_test_3"', ["providers.paystack"], {"credentials"}),
    ('secret_key = "sk_test_paystack"', 'secret_key = "sk_test_2"', ["providers.paystack"], {"credentials"}),
    ('consumer_key = "pesapal-key"', 'consumer_key = "k"', ["providers.pesapal"], {"credentials"}),
    ('consumer_secret = "pesapal-secret"', 'consumer_secret = "s"', ["providers.pesapal"], {"credentials"}),
    ('public_key = "pk_test_2"', 'public_key = "pk_test_4"', ["providers.stripe"], {"credentials"}),
    ('secret_key = "sk_test_stripe"', 'secret_key = "sk_test_3"', ["providers.stripe"], {"credentials"}),
    ('webhook_secret = "whsec_stripe"', 'webhook_secret = "whsec_2"', ["providers.stripe"], {"credentials"}),
    (
        'account_number = "0123456789"',
        'account_number = "0123456780"',
        ["payout.method_details"],
        {"tenants"},
    ),
    ('bank_code = "063"', 'bank_code = "064"', ["payout.method_details"], {"tenants"}),
    ('account_name = "Mama Njeri"', 'account_name = "Njeri"', ["payout.method_details"], {"tenants"}),
    ('per_withdrawal = "70000"', "per_withdrawal = 60000", ["limits.per_withdrawal"], {"tenants"}),
    ("per_day = 150000", 'per_day = "150000.50"', ["limits.per_day"], {"tenants"}),
    ('totp_above = "20000.50"', "totp_above = 20000.25", ["limits.totp_above"], {"tenants"}),
    ('per_destination = "50000"', "per_destination = 50001", ["limits.per_destination"], {"tenants"}),
    ("per_maker = 40000", "", ["limits.per_maker"], {"tenants"}),
    ("count_per_day = 12", "count_per_day = 13", ["limits.count_per_day"], {"tenants"}),
    ("count_per_destination = 3", "", ["limits.count_per_destination"], {"tenants"}),
    ('blocked_hours = "22:00-05:00"', 'blocked_hours = "21:00-05:00"', ["limits.blocked_hours"], {"tenants"}),
    ("approvals = 2", "approvals = 1", ["limits.approvals"], {"tenants"}),
    (
        'approvals_above = [{ amount = "50000", approvals = 3 }]',
        "approvals_above = [{ amount = 50000, approvals = 4 }]",
        ["limits.approvals_above"],
        {"tenants"},
    ),
    ("approval_hours = 12", "approval_hours = 13", ["limits.approval_hours"], {"tenants"}),
    ('low_balance = "2500.50"', "low_balance = 2500.75", ["limits.low_balance"], {"tenants"}),
    ('low_balance = "2500.50"', "", ["limits.low_balance"], {"tenants"}),
    ('tell = ["sale", "low_balance"]', 'tell = ["sale"]', ["staff.Achieng"], {"staff"}),
    ('email = "achieng@example.org"', 'email = "a@example.org"', ["staff.Achieng"], {"staff"}),
    ('email = "achieng@example.org"', "", ["staff.Achieng"], {"staff"}),
    ("new_destination_hours = 6", "", ["limits.new_destination_hours"], {"tenants"}),
    ('method_type = "mpesa"\nfrom = 0', 'method_type = "till"\nfrom = 0', ["fees"], {"fees"}),
    ("from = 0", "from = 10", ["fees"], {"fees"}),
    (BOUNDARY, BOUNDARY.replace("1000", "900"), ["fees"], {"fees"}),
    ("valid_until = 2027-12-01", "valid_until = 2027-12-02", ["fees"], {"fees"}),
    ('flat = "20"', "flat = 21", ["fees"], {"fees"}),
    ('percent = "0.5"', "percent = 0.6", ["fees"], {"fees"}),
    ('percent = "0.5"\nvalid_from = 2026-12-01', 'percent = "0.5"', ["fees"], {"fees"}),
    ('name = "Achieng"', 'name = "Achieng O."', ["staff.Achieng O."], {"people"}),
    ('role = "Cashier"', 'role = "Admin"', ["staff.Achieng"], {"staff"}),
    ('language = "sw"', 'language = "en"', ["staff.Achieng"], {"people"}),
    ('phone = "+254722000001"', 'phone = "+254722000009"', ["staff.Achieng"], {"people", "conversations"}),
    ('"+254733000002"', '"+254733000003"', ["staff.Kamau"], {"people", "conversations"}),
    ('scopes = ["finance:view", ', "scopes = [", ["staff.Books"], {"staff"}),
    ("active = true\n\n[[products]]", "active = false\n\n[[products]]", ["staff.Books"], {"staff"}),
    ('sku = "unga"', 'sku = "sukari"', ["products.sukari", "products.unga"], {"products"}),
    ('name = "Unga 2 kg"', 'name = "Unga"', ["products.unga"], {"products"}),
    ('price = "189.50"', "price = 190", ["products.unga"], {"products"}),
    ('description = "Maize flour"', "", ["products.unga"], {"products"}),
    ("stock = 40", "stock = 0", ["products.unga"], {"products"}),
    (
        'image = "https://example.org/unga.jpg"',
        'image = "https://a.org/b.jpg"',
        ["products.unga"],
        {"products"},
    ),
]
TOLD = {"audit", "audit_heads", "inbox"}


def keys_of(part):
    """Every key of the file that a model takes."""
    for name, field in part.model_fields.items():
        yield field.alias or name
        found = re.findall(r"services\.[\w.]+\.(\w+)", str(field.annotation))
        inner = [model for model in every_model(BaseModel) if model.__name__ in found]
        for model in inner:
            yield from keys_of(model)


def every_model(base):
    for model in base.__subclasses__():
        yield model
        yield from every_model(model)


def keys_in(table):
    for key, value in table.items():
        yield key
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                yield from keys_in(inner)


def test_the_full_file_has_every_key():
    assert set(keys_of(TenantFile)) - set(keys_in(tomllib.loads(FULL))) == {"security_credential"}


def test_every_key_of_the_full_file_is_changed_by_a_test():
    lines = re.findall(r"^(\w+) =", "\n".join(old for old, *_ in CHANGES), re.MULTILINE)
    inside = {
        "access_token",
        "display_phone_number",
        "phone_number_id",
        "templates",
        "certificate",
        "phones",
        "languages",
        "amount",
    }
    identity = {"slug", "currency"}
    tables = {"tenant", "whatsapp", "providers", "mpesa", "paystack", "pesapal", "stripe"}
    tables |= {"payout", "limits", "fees", "staff", "products"}
    details = {"method_details", "account_number", "bank_code", "account_name", "withdrawal_request"}
    assert set(keys_in(tomllib.loads(FULL))) - set(lines) - inside - identity - tables - details == set()


async def test_a_new_tenant_is_created_and_nothing_is_named_as_changed(registry):
    applied = await registry.apply(FULL)
    assert (applied.created, applied.changed, applied.slug) == (True, [], "mama-njeri")
    assert [(member["name"], member["role"]) for member in applied.staff] == [
        ("Achieng", "Cashier"),
        ("Kamau", "Owner"),
        ("Books", None),
    ]
    assert list(asdict(applied)) == ["tenant_id", "slug", "created", "changed", "staff", "warnings"]
    assert await registry.audited() == [("operator", "tenant.created", {"changed": []})]
    assert await registry.told() == []


async def test_applying_again_changes_nothing(registry):
    first = await registry.apply(FULL)
    before = await registry.tables()
    again = await registry.apply(FULL)
    assert asdict(again) == asdict(first) | {"created": False}
    assert await registry.tables() == before


@pytest.mark.parametrize(
    ("old", "new", "changed", "tables"), CHANGES, ids=[old.splitlines()[0] for old, *_ in CHANGES]
)
async def test_a_single_change_is_named_and_touches_nothing_else(registry, old, new, changed, tables):
    assert FULL.count(old) == 1
    await registry.apply(FULL)
    before = await registry.tables()
    applied = await registry.apply(FULL.replace(old, new))
    assert applied.changed == changed
    assert differing(before, await registry.tables()) == tables | TOLD
    assert (await registry.audited())[-1] == ("operator", "tenant.changed", {"changed": changed})
    assert set(await registry.told()) == {TenantChanged(changed=tuple(changed))}
    assert (await registry.apply(FULL.replace(old, new))).changed == []


async def test_each_chat_of_an_owner_is_told_once(registry):
    await registry.apply(FULL)
    await registry.apply(FULL.replace("approvals = 2", "approvals = 1"))
    assert len(await registry.told()) == 2  # Kamau has two phones


async def test_what_is_taken_out_of_the_file_is_taken_away(registry):
    await registry.apply(FULL)
    applied = await registry.apply(SMALL)
    assert set(applied.changed[-2:]) == {"staff.Achieng", "staff.Books"}
    parts = {"whatsapp.access_token", "providers.mpesa", "providers.paystack", "providers.pesapal"}
    assert parts | {"providers.stripe", "fees", "products.unga", "payout.method_type"} <= set(applied.changed)
    assert (await registry.apply(SMALL)).changed == []
    shown = await registry.show()
    assert not {"whatsapp", "providers", "payout", "fees", "products"} & set(shown)


async def test_another_tenants_number_is_refused_and_nothing_is_changed(registry):
    await registry.apply(FULL)
    before = await registry.tables()
    with pytest.raises(NumberTaken, match="106540352242922 belongs to tenant 'mama-njeri' already"):
        await registry.apply(FULL.replace('slug = "mama-njeri"', 'slug = "another"'))
    assert await registry.tables() == before


async def test_the_currency_stays_once_there_are_books_in_it(registry):
    applied = await registry.apply(SMALL)
    other = SMALL.replace("[tenant]", '[tenant]\ncurrency = "UGX"')
    assert (await registry.apply(other)).changed == ["tenant.currency"]
    await registry.apply(SMALL)
    sale = ledger.Transfer("provider:mpesa", ledger.WALLET, Money.parse("500", "KES"), "sale")
    async with registry.database.transaction(OWNER) as connection:
        work = Work(connection, registry.vault, applied.tenant_id, datetime(2026, 11, 24, tzinfo=UTC))
        await ledger.post(work, new_id(), [sale])
    before = await registry.tables()
    with pytest.raises(CurrencyInUse, match="has books in KES already"):
        await registry.apply(other)
    assert await registry.tables() == before


async def test_it_stays_too_once_somebody_was_asked_to_pay_in_it(registry):
    """The yes may come any day."""
    business = await Business(registry.database, registry.vault).open(slug="mama-njeri")
    await business.pay("500")
    with pytest.raises(CurrencyInUse, match="has books in KES already"):
        await registry.apply(SMALL.replace("[tenant]", '[tenant]\ncurrency = "UGX"'))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2026-12-01", "2026-12-01T00:00:00"),
        ("2026-12-01", "2026-11-30T21:00:00Z"),
        ("2026-12-01T08:00:00", "2026-12-01T08:00:00+03:00"),
        ("2026-12-01T08:00:00.123456", "2026-12-01 05:00:00Z"),
    ],
)
async def test_a_moment_is_the_same_however_it_is_written(registry, one, other):
    await registry.apply(FULL.replace("valid_from = 2026-12-01", f"valid_from = {one}"))
    again = await registry.apply(FULL.replace("valid_from = 2026-12-01", f"valid_from = {other}"))
    assert again.changed == []


async def test_a_fee_begins_at_midnight_of_the_tenants_own_day(registry):
    kampala = FULL.replace("Africa/Nairobi", "Africa/Lagos")
    await registry.apply(kampala)
    assert (await registry.show())["fees"][0]["valid_from"] == "2026-11-30T23:00:00Z"


def warnings(approvals, *people):
    staff = "".join(f'[[staff]]\nname = "{n}"\nrole = "{role}"\n' for n, role in enumerate(people))
    return f'[tenant]\nslug = "shop"\n[limits]\napprovals = {approvals}\n{staff}'


@pytest.mark.parametrize(
    ("approvals", "people", "warned"),
    [
        (1, (), True),
        (1, ("Owner",), True),
        (1, ("Cashier", "Admin"), True),
        (1, ("Cashier", "Owner"), False),
        (1, ("Owner", "Owner"), False),
        (2, ("Owner", "Owner"), True),
        (2, ("Cashier", "Owner", "Finance Admin"), False),
        (2, ("Owner", "Owner", "Finance Admin"), False),
        (3, ("Owner", "Owner", "Finance Admin"), True),
    ],
)
async def test_a_tenant_without_enough_hands_is_taken_with_a_warning(registry, approvals, people, warned):
    applied = await registry.apply(warnings(approvals, *people))
    assert applied.created
    assert len(applied.warnings) == int(warned)
    if warned:
        others = "another one" if approvals == 1 else f"{approvals} others"
        assert f"and {others} with finance:withdraw:approve" in applied.warnings[0]


async def test_who_is_switched_off_is_no_hand(registry):
    text = warnings(1, "Cashier", "Owner") + "active = false\n"
    assert (await registry.apply(text)).warnings


async def test_a_provider_that_moves_another_money_is_taken_with_a_warning(registry):
    applied = await registry.apply(
        FULL.replace('currency = "KES"', 'currency = "UGX"').replace(".50", "").replace("1000.01", "1001")
    )
    assert applied.warnings[0] == (
        "providers.mpesa: moves KES only and the tenant's currency is UGX, so nobody can pay or be paid by it"
    )


async def test_a_limit_that_nobody_can_step_over_is_taken_with_a_warning(registry):
    applied = await registry.apply(SMALL + '\n[limits]\ntotp_above = "20000"\n')
    assert any(w.startswith("limits.totp_above: ") and "above 20000" in w for w in applied.warnings)


MPESA = """
[providers.mpesa]
shortcode = "600100"
consumer_key = "key"
consumer_secret = "secret"
"""


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (MPESA, "providers.mpesa: nothing can be done with it yet: it lacks passkey; or initiator_name"),
        (MPESA + 'passkey = "x"\n', None),
        (MPESA + 'initiator_name = "x"\nsecurity_credential = "y"\n', None),
        ('[providers.stripe]\nsecret_key = "sk_test_1"\n', "providers.stripe: nothing can be done with it"),
        ('[providers.paystack]\nsecret_key = "sk_test_1"\n', None),
    ],
)
async def test_a_provider_that_can_do_nothing_is_taken_with_a_warning(registry, given, said):
    told = (await registry.apply(SMALL + given)).warnings
    told = [warning for warning in told if warning.startswith("providers.")]
    assert [warning[: len(said or "")] for warning in told] == ([said] if said else [])


@pytest.mark.parametrize(
    ("price", "more", "said"),
    [
        ("189", "", None),
        ("189.50", "", "products.unga: its price 189.50 is one that mpesa cannot take"),
        ("0.50", "", "products.unga: its price 0.50 is one that mpesa cannot take"),
        ("250001", "", "products.unga: its price 250001.00 is one that mpesa cannot take"),
        ("189.50", '[providers.paystack]\nsecret_key = "sk_test_1"\n', None),
    ],
)
async def test_a_price_that_no_provider_takes_is_taken_with_a_warning(registry, price, more, said):
    product = f'[[products]]\nsku = "unga"\nname = "Unga"\nprice = "{price}"\n'
    told = (await registry.apply(SMALL + MPESA + 'passkey = "x"\n' + more + product)).warnings
    assert [warning for warning in told if warning.startswith("products.")] == ([said] if said else [])


@pytest.mark.parametrize(("limit", "warned"), [("9", True), ("10", False), ("9.99", True)])
async def test_a_limit_below_what_can_be_sent_is_taken_with_a_warning(registry, limit, warned):
    limits = f'[limits]\nper_withdrawal = "{limit}"\n'
    told = (await registry.apply(SMALL + MPESA + limits)).warnings
    said = f"limits.per_withdrawal: {limit} is less than the least that can be sent, 10.00, so nothing"
    assert any(warning.startswith(said) for warning in told) is warned
