"""Show: what can be laid beside the file, with every secret masked."""

import json
import tomllib
from decimal import Decimal

import sqlalchemy as sa

from services.people.file_parts import TenantFile
from services.store.schema import audit, tenants
from services.store.scope import OWNER
from tests.services.people.registry import CERTIFICATE, FULL, SMALL

SECRETS = (
    "EAAsecrettoken",
    "mpesa-key",
    "mpesa-secret",
    "mpesa-passkey",
    "mpesa-password",
    "sk_test_paystack",
    "pesapal-key",
    "pesapal-secret",
    "sk_test_stripe",
    "whsec_stripe",
)
NUMBERS = ("254722000001", "254722000002", "254733000002", "0123456789")


def in_file(text):
    return tomllib.loads(text, parse_float=Decimal)


async def test_it_has_the_tables_and_keys_of_the_file(registry):
    await registry.apply(FULL)
    shown, file = await registry.show(), in_file(FULL)
    del shown["state"]
    assert list(shown) == list(file)
    assert shown["tenant"] == file["tenant"]
    assert shown["limits"] == {
        "per_withdrawal": "70000.00",
        "per_day": "150000.00",
        "per_destination": "50000.00",
        "per_maker": "40000.00",
        "count_per_day": 12,
        "count_per_destination": 3,
        "blocked_hours": "22:00-05:00",
        "totp_above": "20000.50",
        "approvals": 2,
        "approvals_above": [{"amount": "50000.00", "approvals": 3}],
        "approval_hours": 12,
        "new_destination_hours": 6,
        "low_balance": "2500.50",
    }
    assert shown["fees"] == [
        {
            "method_type": "mpesa",
            "from": "0.00",
            "to": "1000.00",
            "flat": "20.00",
            "percent": "0.5",
            "valid_from": "2026-11-30T21:00:00Z",
        },
        {
            "method_type": "mpesa",
            "from": "1000.01",
            "flat": "40.00",
            "percent": "0",
            "valid_from": "2026-11-30T21:00:00Z",
            "valid_until": "2027-11-30T21:00:00Z",
        },
    ]
    assert shown["products"] == [file["products"][0]]
    assert shown["whatsapp"] == file["whatsapp"] | {"access_token": "********"}


async def test_secrets_are_eight_stars_and_numbers_their_last_four(registry):
    await registry.apply(FULL)
    shown = await registry.show()
    text = json.dumps(shown)
    for secret in (*SECRETS, *(f'*{secret[-4:]}"' for secret in SECRETS), *NUMBERS):
        assert secret not in text
    assert shown["providers"] == {
        "mpesa": {
            "shortcode": "600100",
            "till": "600200",
            "consumer_key": "********",
            "consumer_secret": "********",
            "passkey": "********",
            "b2c_shortcode": "600300",
            "b2b_shortcode": "600400",
            "b2b_receiver_type": "till",
            "pull": True,
            "initiator_name": "lipachat",
            "initiator_password": "********",
            "certificate": CERTIFICATE,
            "confirm_above": "5000",
        },
        "paystack": {"public_key": "pk_test_1", "secret_key": "********"},
        "pesapal": {"consumer_key": "********", "consumer_secret": "********"},
        "stripe": {"public_key": "pk_test_2", "secret_key": "********", "webhook_secret": "********"},
    }
    assert shown["payout"] == {
        "method_type": "bank_transfer",
        "method_details": {
            "account_number": "******6789",
            "bank_code": "063",
            "account_name": "Mama Njeri",
        },
    }


async def test_staff_is_shown_as_the_file_names_it_and_ids_stand_apart(registry):
    applied = await registry.apply(FULL)
    ids = {member["name"]: member["id"] for member in applied.staff}
    shown = await registry.show()
    assert shown["staff"] == [
        {
            "name": "Achieng",
            "phone": "********0001",
            "role": "Cashier",
            "language": "sw",
            "active": True,
            "email": "a***@example.org",
            "tell": ["sale", "low_balance"],
        },
        {"name": "Books", "scopes": ["finance:view", "finance:withdraw:approve"], "active": True},
        {"name": "Kamau", "phones": ["********0002", "********0002"], "role": "Owner", "active": True},
    ]
    assert shown["state"] == {
        "tenant_id": str(applied.tenant_id),
        "payouts_frozen": False,
        "staff": [{"id": ids[name], "name": name} for name in ("Achieng", "Books", "Kamau")],
    }


async def test_why_payouts_are_stopped_stands_apart_too(registry):
    await registry.apply(FULL)
    async with registry.database.transaction(OWNER) as connection:
        await connection.execute(sa.update(tenants).values(payouts_frozen=True, frozen_because="books"))
    state = (await registry.show())["state"]
    assert (state["payouts_frozen"], state["frozen_because"]) == (True, "books")


async def test_empty_parts_are_left_out(registry):
    await registry.apply(SMALL)
    assert list(await registry.show()) == ["tenant", "limits", "staff", "state"]
    assert (await registry.show())["limits"] == {
        "approvals": 1,
        "approval_hours": 24,
        "new_destination_hours": 0,
    }


async def test_with_its_secrets_put_back_it_is_a_file_that_changes_nothing(registry):
    await registry.apply(FULL)
    shown, file = await registry.show(), in_file(FULL)
    del shown["state"]
    shown["whatsapp"], shown["providers"], shown["payout"] = (
        file["whatsapp"],
        file["providers"],
        file["payout"],
    )
    phones = {member["name"]: member for member in file["staff"]}
    for member in shown["staff"]:
        written = phones[member["name"]].items()
        member |= {key: value for key, value in written if key.startswith(("phone", "email"))}
    for fee, written in zip(shown["fees"], file["fees"], strict=True):
        fee |= {key: value for key, value in written.items() if key.startswith("valid_")}
    assert (await registry.apply_parsed(TenantFile.model_validate(shown))).changed == []


async def test_the_audit_of_a_file_has_what_was_before_and_after_and_no_secret(registry):
    await registry.apply(FULL)
    changed = FULL.replace('per_withdrawal = "70000"', "per_withdrawal = 80000").replace(
        "EAAsecret", "EAAother"
    )
    changed = changed.replace('flat = "20"', 'flat = "25"').replace("+254722000001", "+254722000009")
    await registry.apply(changed)
    async with registry.database.reading(OWNER) as connection:
        query = sa.select(audit).where(audit.c.action == "tenant.changed")
        row = (await connection.execute(query)).one()
    assert row.facts["changed"] == ["limits.per_withdrawal", "whatsapp.access_token", "fees", "staff.Achieng"]
    assert row.before["limits"] == {"per_withdrawal": "70000.00"}
    assert row.after["limits"] == {"per_withdrawal": "80000.00"}
    assert [band["flat"] for band in row.before["fees"]] == ["20.00"]
    assert [band["flat"] for band in row.after["fees"]] == ["25.00"]
    assert [one["phone"] for one in row.after["staff"]] == ["********0009"]
    assert set(row.before) == set(row.after) == {"limits", "fees", "staff"}  # a secret is masked in both
    told = json.dumps([row.facts, row.before, row.after])
    assert not any(secret in told for secret in (*SECRETS, *NUMBERS, "254722000009"))
