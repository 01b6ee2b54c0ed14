"""Seed: the merchant that the sandbox begins with, its staff and its customers."""

from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from bot.sandbox.world import (
    DarajaApp,
    PaystackAccount,
    PesapalAccount,
    Phone,
    Shop,
    Step,
    StripeAccount,
    Template,
)
from bot.template_words import WORDS

_CONSUMER_KEY, _CONSUMER_SECRET = "sandbox-consumer", "sandbox-consumer-secret"
_INITIATOR, _PASSWORD = "lipachat", "sandbox-initiator"
_PASSKEY = "sandbox-passkey"
_SHORTCODE = "600100"
SLUG = "mama-njeri"
_PAYSTACK_KEY = "sk_test_sandbox"
_PESAPAL_KEY, _PESAPAL_SECRET = "sandbox-pesapal", "sandbox-pesapal-secret"
_STRIPE_KEY, _STRIPE_SECRET = "sk_test_stripe_sandbox", "whsec_sandbox"

MANAGER = "+254722000002"  # who approves, and manages where the shop's own program listens
BANK_FORM = "1093847261"

SHOP = Shop(
    phone_number_id="106540352242922",
    display_phone_number="254711000100",
    access_token="sandbox-access-token",
    name="Mama Njeri Duka",
)

PHONES = (
    Phone(
        key="wanjiku",
        name="Wanjiku",
        role="customer",
        user_id="KE.1001",
        number="+254712345678",
        hints=("shop", "pay 2000", "lugha"),
    ),
    Phone(
        key="juma",
        name="Juma",
        role="customer",
        user_id="KE.1002",
        username="juma",
        sim="+254733222111",
        hints=("menu", "pay 250"),
    ),
    Phone(
        key="achieng",
        name="Achieng",
        role="cashier",
        user_id="KE.1003",
        number="+254722000001",
        hints=("balance", "withdraw 1000"),
    ),
    Phone(
        key="kamau",
        name="Kamau",
        role="finance manager",
        user_id="KE.1004",
        number=MANAGER,
        hints=("menu", "approvals", "history"),
    ),
)

GUIDE = (
    Step(
        phone="wanjiku",
        text="Wanjiku buys at Mama Njeri's. Tap *pay 2000* on her phone, then *Pay*, "
        "and enter any four digits as her PIN.",
        until="Paid:",
    ),
    Step(
        phone="wanjiku",
        text="Tap *Save it*. Then type *pay 500*: with the saved method it is one tap, and her PIN.",
        until="Paid: KES 500.00",
    ),
    Step(
        phone="juma",
        text="WhatsApp hides Juma's number. Tap *pay 250* on his phone and share it for M-Pesa, or type "
        "*change* and pay on Paystack's page.",
        until="Paid:",
    ),
    Step(
        phone="kamau",
        text="Kamau approves withdrawals. Tap *menu* on his phone first: "
        "a shop may only write to people who wrote to it within 24 hours.",
        until="Hello",
    ),
    Step(
        phone="achieng",
        text="Achieng works at the till. Tap *withdraw 1000* on her phone, then *Withdraw*.",
        until="Requested.",
    ),
    Step(
        phone="kamau",
        text="Tap *Approve* on Kamau's phone, and watch the ledger: nobody approves their own withdrawal.",
        until="Paid out:",
    ),
)

TEMPLATES = tuple(
    Template(purpose.value, language, words.body, words.buttons)
    for purpose, languages in WORDS.items()
    for language, words in languages.items()
)

FILE = """
[tenant]
slug = "{slug}"
name = "Mama Njeri Duka"

[whatsapp]
phone_number_id = "{phone_number_id}"
display_phone_number = "{display_phone_number}"
waba_id = "{account_id}"
access_token = "{access_token}"
bank_form = "{bank_form}"

[whatsapp.templates]
{templates}

[providers.mpesa]
shortcode = "{shortcode}"
consumer_key = "{consumer_key}"
consumer_secret = "{consumer_secret}"
passkey = "{passkey}"
pull = true
initiator_name = "{initiator}"
initiator_password = "{password}"
certificate = \"\"\"
{certificate}\"\"\"

[providers.paystack]
public_key = "pk_test_sandbox"
secret_key = "{paystack_key}"

[providers.pesapal]
consumer_key = "{pesapal_key}"
consumer_secret = "{pesapal_secret}"

[providers.stripe]
public_key = "pk_test_stripe_sandbox"
secret_key = "{stripe_key}"
webhook_secret = "{stripe_secret}"

[payout]
method_type = "mpesa"
method_details = {{ phone_number = "+254700123456" }}

[limits]
totp_above = "20000"

[[staff]]
name = "Achieng"
phone = "+254722000001"
scopes = [
    "finance:view", "finance:withdraw:initiate", "finance:reconcile", "orders:view", "orders:edit",
    "conversations:view", "handoff:perform",
]

[[staff]]
name = "Kamau"
phone = "{manager}"
role = "Finance Admin"
scopes = ["integrations:manage"]
"""


def file_text(certificate: str) -> str:
    """The tenant file, with Daraja's certificate."""
    return FILE.format(
        slug=SLUG,
        manager=MANAGER,
        paystack_key=_PAYSTACK_KEY,
        pesapal_key=_PESAPAL_KEY,
        pesapal_secret=_PESAPAL_SECRET,
        stripe_key=_STRIPE_KEY,
        stripe_secret=_STRIPE_SECRET,
        phone_number_id=SHOP.phone_number_id,
        display_phone_number=SHOP.display_phone_number,
        account_id=SHOP.account_id,
        access_token=SHOP.access_token,
        bank_form=BANK_FORM,
        templates="\n".join(
            f'{purpose} = {{ name = "{purpose}", language = "en", languages = ["sw", "fr"] }}'
            for purpose in WORDS
        ),
        shortcode=_SHORTCODE,
        consumer_key=_CONSUMER_KEY,
        consumer_secret=_CONSUMER_SECRET,
        passkey=_PASSKEY,
        initiator=_INITIATOR,
        password=_PASSWORD,
        certificate=certificate,
    )


def daraja_app(private_key: RSAPrivateKey) -> DarajaApp:
    return DarajaApp(
        merchant=SHOP.name,
        consumer_key=_CONSUMER_KEY,
        consumer_secret=_CONSUMER_SECRET,
        shortcode=_SHORTCODE,
        passkey=_PASSKEY,
        initiator_name=_INITIATOR,
        initiator_password=_PASSWORD,
        private_key=private_key,
        working=1_000_000,
    )


def accounts() -> dict[str, Any]:
    """At the providers beside M-Pesa, as a World has them."""
    return {
        "paystack": (paystack_account(),),
        "pesapal": (pesapal_account(),),
        "stripe": (stripe_account(),),
    }


def paystack_account() -> PaystackAccount:
    return PaystackAccount(merchant=SHOP.name, slug=SLUG, secret_key=_PAYSTACK_KEY)


def pesapal_account() -> PesapalAccount:
    return PesapalAccount(SHOP.name, _PESAPAL_KEY, _PESAPAL_SECRET)


def stripe_account() -> StripeAccount:
    return StripeAccount(SHOP.name, SLUG, _STRIPE_KEY, _STRIPE_SECRET)
