"""Registry: tenant files applied to a fresh database, and what that did to its tables."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from bot.sandbox.keys import certificate_pem, new_private_key
from services.ids import new_id
from services.news import News, read_news
from services.people import tenant_file
from services.people.apply import Applied, apply, id_of
from services.people.file_parts import TenantFile
from services.people.show import shown
from services.safety.vault import Vault
from services.store.database import Database
from services.store.schema import audit, inbox, metadata
from services.store.scope import OWNER, PLATFORM
from services.work import Work

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
CERTIFICATE, ANOTHER = (certificate_pem(new_private_key(), NOW) for _ in range(2))

# Every key of the contract but security_credential, which does not go with certificate.
FULL = f"""
[tenant]
slug = "mama-njeri"
name = "Mama Njeri Duka"
active = true
currency = "KES"
country = "KE"
timezone = "Africa/Nairobi"
language = "en"
payment_fee_percent = "1.5"
summary_at = "19:30"
fixed_fees = true
smart_order = false

[whatsapp]
phone_number_id = "106540352242922"
display_phone_number = "254711000100"
waba_id = "102290129340398"
access_token = "EAAsecrettoken"
bank_form = "1093847261"
templates = {{ withdrawal_request = {{ name = "asked", language = "en", languages = ["sw"] }} }}

[providers.mpesa]
shortcode = "600100"
till = "600200"
consumer_key = "mpesa-key"
consumer_secret = "mpesa-secret"
passkey = "mpesa-passkey"
b2c_shortcode = "600300"
b2b_shortcode = "600400"
b2b_receiver_type = "till"
pull = true
initiator_name = "lipachat"
initiator_password = "mpesa-password"
certificate = \"\"\"
{CERTIFICATE}\"\"\"
confirm_above = 5000

[providers.paystack]
public_key = "pk_test_1"
secret_key = "sk_test_paystack"

[providers.pesapal]
consumer_key = "pesapal-key"
consumer_secret = "pesapal-secret"

[providers.stripe]
public_key = "pk_test_2"
secret_key = "sk_test_stripe"
webhook_secret = "whsec_stripe"

[payout]
method_type = "bank_transfer"
method_details = {{ account_number = "0123456789", bank_code = "063", account_name = "Mama Njeri" }}

[limits]
per_withdrawal = "70000"
per_day = 150000
totp_above = "20000.50"
approvals = 2
approvals_above = [{{ amount = "50000", approvals = 3 }}]
approval_hours = 12
new_destination_hours = 6
per_destination = "50000"
per_maker = 40000
count_per_day = 12
count_per_destination = 3
blocked_hours = "22:00-05:00"
low_balance = "2500.50"

[[fees]]
method_type = "mpesa"
from = 0
to = "1000"
flat = "20"
percent = "0.5"
valid_from = 2026-12-01

[[fees]]
method_type = "mpesa"
from = "1000.01"
flat = 40
valid_from = 2026-12-01
valid_until = 2027-12-01

[[staff]]
name = "Achieng"
phone = "+254722000001"
role = "Cashier"
language = "sw"
email = "achieng@example.org"
tell = ["sale", "low_balance"]

[[staff]]
name = "Kamau"
phones = ["+254722000002", "+254733000002"]
role = "Owner"

[[staff]]
name = "Books"
scopes = ["finance:view", "finance:withdraw:approve"]
active = true

[[products]]
sku = "unga"
name = "Unga 2 kg"
price = "189.50"
description = "Maize flour"
stock = 40
image = "https://example.org/unga.jpg"
"""

SMALL = """
[tenant]
slug = "mama-njeri"

[[staff]]
name = "Kamau"
phone = "+254722000002"
role = "Owner"
"""


class Registry:
    def __init__(self, database: Database, vault: Vault) -> None:
        self.database, self.vault = database, vault

    async def apply(self, text: str) -> Applied:
        return await self.apply_parsed(tenant_file.read(text))

    async def apply_parsed(self, file: TenantFile) -> Applied:
        async with self.database.reading(PLATFORM) as connection:
            tenant = await id_of(connection, file.tenant.slug) or new_id()
        async with self.database.transaction(tenant) as connection:
            return await apply(Work(connection, self.vault, tenant, NOW), file)

    async def show(self, slug: str = "mama-njeri") -> dict[str, Any]:
        async with self.database.reading(PLATFORM) as connection:
            tenant = await id_of(connection, slug)
        assert tenant is not None
        async with self.database.transaction(tenant) as connection:
            return await shown(Work(connection, self.vault, tenant, NOW))

    async def tables(self) -> dict[str, list[Any]]:
        """Every row of every table; what is sealed as it is, so that sealing it again is a change."""
        found = {}
        async with self.database.reading(OWNER) as connection:
            for table in metadata.sorted_tables:
                columns = [
                    column for column in table.c if (table.name, column.name) != ("tenants", "version")
                ]
                rows = (await connection.execute(sa.select(*columns))).all()
                found[table.name] = sorted(str(row) for row in rows)
        return found

    async def told(self) -> list[News]:
        async with self.database.reading(OWNER) as connection:
            rows = (await connection.execute(sa.select(inbox).order_by(inbox.c.seq))).all()
        names = [(row, f"{row.kind}|{row.external_id}|{row.status}") for row in rows]
        return [
            read_news.validate_json(self.vault.open(row.body_sealed, row.tenant_id, "inbox.body", name))
            for row, name in names
        ]

    async def audited(self) -> list[tuple[str, str, Any]]:
        async with self.database.reading(OWNER) as connection:
            rows = (await connection.execute(sa.select(audit).order_by(audit.c.seq))).all()
        return [(row.actor, row.action, row.facts) for row in rows]


def differing(before: dict[str, list[Any]], after: dict[str, list[Any]]) -> set[str]:
    return {table for table in before if before[table] != after[table]}
