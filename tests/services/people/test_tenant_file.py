"""The tenant file, read: what is wrong is refused with its line, all of it at once."""

import pytest

from services.people.file_lines import TenantFileError
from services.people.tenant_file import read
from tests.services.people.registry import FULL, SMALL, differing

WRONG = [
    ('slug = "mama-njeri"', 'slug = "Mama Njeri"', 'tenant.slug: must be written like "mama-njeri"'),
    ('slug = "mama-njeri"', "", "tenant.slug: is missing"),
    (
        "https://example.org/unga.jpg",
        "http://example.org/unga.jpg",
        "products.0.image: must begin with",
    ),
    ("https://example.org/unga.jpg", "unga.jpg", "products.0.image: is no address like https://"),
    ("https://example.org/unga.jpg", "https://[x/a.jpg", "products.0.image: is no address like https://"),
    ("https://example.org/unga.jpg", "https://a.org/a b.jpg", "products.0.image: is no address like"),
    ("https://example.org/unga.jpg", "https://a.org/a.webp?x=.jpg", "products.0.image: WhatsApp shows JPEG"),
    ("https://example.org/unga.jpg", "file:///etc/passwd.png", "products.0.image: is no address like"),
    ('name = "Mama Njeri Duka"', "name = 5", "tenant.name: must be a text in quotes"),
    ('name = "Mama Njeri Duka"', 'name = "a\\u0000b"', "tenant.name: holds a control character"),
    ('name = "Mama Njeri Duka"', 'name = " \\u200b\\n"', "tenant.name: has nothing in it that can be read"),
    ('name = "Mama Njeri Duka"', 'Name = "x"', "tenant.Name: unknown key; remove it or correct its spelling"),
    (
        "active = true\ncurrency",
        'active = "yes"\ncurrency',
        "tenant.active: must be true or false, without quotes",
    ),
    ('currency = "KES"', 'currency = "EUR"', "tenant.currency: must be one of 'KES'"),
    (
        "smart_order = false",
        'smart_order = "no"',
        "tenant.smart_order: must be true or false, without quotes",
    ),
    ("smart_order = false", "smartorder = false", "tenant.smartorder: unknown key; remove it or correct"),
    ('country = "KE"', 'country = "Kenya"', 'tenant.country: must be written like "KE"'),
    ('country = "KE"', 'country = "ZZ"', 'tenant.country: no country like "KE"'),
    ('"Africa/Nairobi"', '"Nairobi"', "tenant.timezone: no time zone like Africa/Nairobi"),
    ('"Africa/Nairobi"', '"../../etc/passwd"', "tenant.timezone: no time zone like Africa/Nairobi"),
    ('language = "en"\npay', 'language = "de"\npay', "tenant.language: must be one of 'en', 'fr', 'sw'"),
    ('percent = "1.5"', 'percent = "100.5"', "tenant.payment_fee_percent: not a percentage from 0 to 100"),
    ('percent = "1.5"', "percent = -1", "tenant.payment_fee_percent: not a percentage from 0 to 100"),
    ('percent = "1.5"', "percent = true", "tenant.payment_fee_percent: not a percentage from 0 to 100"),
    ('percent = "1.5"', "percent = nan", "tenant.payment_fee_percent: not a percentage from 0 to 100"),
    ('id = "106540352242922"', "id = 106540352242922", "whatsapp.phone_number_id: must be a text in quotes"),
    ('access_token = "EAAsecrettoken"', 'access_token = ""', "whatsapp.access_token: must not be empty"),
    ('name = "asked", l', 'nam = "asked", l', "whatsapp.templates.withdrawal_request.name: is missing"),
    ('shortcode = "600100"', 'shortcode = "six"', 'providers.mpesa.shortcode: must be written like "600100"'),
    ('shortcode = "600100"', "shortcode = 600100", "providers.mpesa.shortcode: must be a text in quotes"),
    ("confirm_above = 5000", "confirm_above = -5000", "providers.mpesa.confirm_above: not an amount like"),
    ("confirm_above = 5000", "confirm_above = 1.234", "providers.mpesa.confirm_above: 1.234 has more places"),
    ('passkey = "mpesa-passkey"', 'pass_key = "x"', "providers.mpesa.pass_key: unknown key"),
    ('b2b_shortcode = "600400"', 'security_credential = "x"', "providers.mpesa: give either security_cred"),
    ('secret_key = "sk_test_paystack"', "", "providers.paystack.secret_key: is missing"),
    ('shortcode = "600100"', "", "providers.mpesa.shortcode: is missing"),
    ('consumer_key = "mpesa-key"', "", "providers.mpesa.consumer_key: is missing"),
    ('consumer_secret = "mpesa-secret"', "", "providers.mpesa.consumer_secret: is missing"),
    (
        'consumer_secret = "mpesa-secret"',
        'consumer_secret = ""',
        "providers.mpesa.consumer_secret: must not be empty",
    ),
    ('consumer_key = "pesapal-key"', "", "providers.pesapal.consumer_key: is missing"),
    ('consumer_secret = "pesapal-secret"', "", "providers.pesapal.consumer_secret: is missing"),
    (
        'consumer_secret = "pesapal-secret"',
        'consumer_secret = ""',
        "providers.pesapal.consumer_secret: must not be empty",
    ),
    ('secret_key = "sk_test_stripe"', "", "providers.stripe.secret_key: is missing"),
    ('secret_key = "sk_test_stripe"', 'secret_key = ""', "providers.stripe.secret_key: is no secret key"),
    ('secret_key = "sk_test_paystack"', 'secret_key = ""', "providers.paystack.secret_key: is no secret key"),
    ('consumer_key = "pesapal-key"', "consumer_key = 1", "providers.pesapal.consumer_key: must be a text"),
    ("[providers.stripe]", "[providers.strype]", "providers.strype: unknown key"),
    ('method_type = "bank_transfer"', 'method_type = "cash"', "payout.method_type: must be one of 'mpesa'"),
    ('bank_code = "063", ', "", "payout.method_details: must be, for bank_transfer, exactly: account_name"),
    ('per_withdrawal = "70000"', "per_withdrawal = -1", "limits.per_withdrawal: not an amount like"),
    ('per_withdrawal = "70000"', "per_withdrawal = 1e3", "limits.per_withdrawal: not an amount like"),
    ("per_day = 150000", 'per_day = "1.234"', "limits.per_day: 1.234 has more places than KES"),
    ("per_day = 150000", "per_day = 150.000", "limits.per_day: 150.000 has more places than KES"),
    ("per_maker = 40000", "per_maker = 1.234", "limits.per_maker: 1.234 has more places than KES"),
    ("count_per_day = 12", "count_per_day = 0", "limits.count_per_day: must be 1 or more"),
    ('"22:00-05:00"', '"22-5"', 'limits.blocked_hours: must be written like "22:00-05:00"'),
    ('"22:00-05:00"', '"22:00-22:00"', "limits.blocked_hours: begins and ends at the same time"),
    ('low_balance = "2500.50"', "low_balance = -1", "limits.low_balance: not an amount like"),
    ('low_balance = "2500.50"', "low_balance = 1.234", "limits.low_balance: 1.234 has more places than KES"),
    ('at = "19:30"', 'at = "24:00"', 'tenant.summary_at: must be written like "20:00"'),
    ('at = "19:30"', "at = 19:30:00", "tenant.summary_at: must be a text in quotes"),
    ('tell = ["sale", ', 'tell = ["sales", ', "staff.0.tell.0: must be one of 'sale'"),
    ('tell = ["sale", "low_balance"]', 'tell = "sale"', "staff.0.tell: must be a list in square brackets"),
    ('role = "Cashier"', 'role = "Support Lead"', "staff.0: tell: low_balance takes finance:view"),
    ("approvals = 2", "approvals = 0", "limits.approvals: must be 1"),
    ("approvals = 2", "approvals = true", "limits.approvals: must be a whole number, without quotes"),
    ("approvals = 2", 'approvals = "2"', "limits.approvals: must be a whole number, without quotes"),
    ("from = 0", "from_ = 0", "fees.0.from_: unknown key"),
    ("from = 0", "from = -1", "fees.0.from: not an amount like"),
    ('to = "1000"', 'to = "-0.01"', "fees.0.to: not an amount like"),
    ("from = 0", 'from = "1000.01"', "fees.0.to: 1000 is below from, which is 1000.01"),
    ('flat = "20"', 'flat = "20.123"', "fees.0.flat: 20.123 has more places than KES"),
    ('percent = "0.5"', "percent = 101", "fees.0.percent: not a percentage from 0 to 100"),
    (
        'percent = "0.5"\nvalid_from = 2026-12-01',
        'percent = 1\nvalid_from = "soon"',
        "fees.0.valid_from: not a",
    ),
    (
        'percent = "0.5"\nvalid_from = 2026-12-01',
        "percent = 1\nvalid_from = 08:00:00",
        "fees.0.valid_from: not",
    ),
    (
        'percent = "0.5"\nvalid_from = 2026-12-01',
        "percent = 1\nvalid_from = 0001-01-01",
        "fees.0.valid_from: n",
    ),
    (
        'percent = "0.5"\nvalid_from = 2026-12-01',
        "percent = 1\nvalid_from = 20261201",
        "fees.0.valid_from: not",
    ),
    ('phone = "+254722000001"', 'phone = "12"', "staff.0.phone: is no phone number; write +254712345678"),
    ('phone = "+254722000001"', 'phone = "0722 000 002"', "staff.1.phones: this phone is there twice"),
    ('role = "Cashier"', 'role = "King"', "staff.0.role: must be one of 'Owner'"),
    ('role = "Cashier"', "", "staff.0: needs a role or scopes"),
    ('scopes = ["finance:view", ', 'scopes = ["finance:all", ', "staff.2.scopes.0: must be one of"),
    ('name = "Achieng"', 'name = "Kamau"', "staff.1.name: Kamau is there twice"),
    ('price = "189.50"', 'price = "free"', "products.0.price: not an amount like"),
    ("stock = 40", "stock = -1", "products.0.stock: must be 0"),
    ("stock = 40", "stock = 99999999999", "products.0.stock: must be 1000000000 or less"),
    ("[[products]]", "[[product]]", "product: unknown key"),
]


def wrong_in(text):
    with pytest.raises(TenantFileError) as refused:
        read(text, "file.toml")
    return str(refused.value)


def line_of(text, part):
    return text[: text.index(part)].count("\n") + 1


@pytest.mark.parametrize(("old", "new", "said"), WRONG, ids=[said for *_, said in WRONG])
def test_what_is_wrong_is_refused_with_its_line(old, new, said):
    text = FULL.replace(old, new, 1)
    assert text != FULL
    told = wrong_in(text)
    assert f": {said}" in told
    number = int(told.split(":")[1])
    near = text.split("\n")[number - 1]
    last = said.split(":")[0].split(".")[-3:]
    assert near.startswith("[") or any(key in near for key in last if not key.isdigit()), (number, near)


@pytest.mark.parametrize(("old", "new", "said"), WRONG[::9], ids=[said for *_, said in WRONG[::9]])
async def test_nothing_is_changed_by_a_file_with_a_mistake(registry, old, new, said):
    await registry.apply(SMALL)
    before = await registry.tables()
    with pytest.raises(TenantFileError):
        await registry.apply(FULL.replace(old, new, 1))
    assert differing(before, await registry.tables()) == set()


def test_all_mistakes_are_told_at_once():
    told = wrong_in(FULL.replace('"600100"', '"x"').replace("approvals = 2", "approvals = 11").split("[[")[0])
    assert [line.split(": ")[1] for line in told.splitlines()] == [
        "providers.mpesa.shortcode",
        "limits.approvals",
    ]


def test_no_value_is_shown_since_it_may_be_a_secret():
    told = wrong_in(FULL.replace('passkey = "mpesa-passkey"', 'pass = "mpesa-passkey"'))
    assert "mpesa-passkey" not in told


BANDS = '[tenant]\nslug = "shop"\n'


def bands(*rows):
    return BANDS + "".join(f'[[fees]]\nmethod_type = "{m}"\n{rest}\n' for m, rest in rows)


@pytest.mark.parametrize(
    "rows",
    [
        [("mpesa", ""), ("mpesa", "")],
        [("mpesa", "from = 0\nto = 100"), ("mpesa", "from = 100\nto = 200")],
        [("mpesa", "from = 50\nto = 60"), ("mpesa", "from = 10")],
        [("mpesa", "valid_from = 2026-12-01"), ("mpesa", "valid_from = 2026-12-01T00:00:00+03:00")],
        [("mpesa", "valid_until = 2026-12-01"), ("mpesa", "valid_until = 2027-01-01")],
    ],
)
def test_bands_of_one_method_and_date_do_not_overlap(rows):
    text = bands(*rows)
    told = wrong_in(text)
    second = text[: text.rindex("[[fees]]")].count("\n") + 1
    assert told == f"file.toml:{second}: fees.1: overlaps the band of line 3: from and to belong to it"


@pytest.mark.parametrize(
    "rows",
    [
        [("mpesa", ""), ("till", "")],
        [("mpesa", "to = 99.99"), ("mpesa", "from = 100")],
        [("mpesa", ""), ("mpesa", "valid_from = 2026-12-01"), ("mpesa", "valid_from = 2027-01-01")],
        [("mpesa", "valid_until = 2026-12-01"), ("mpesa", "valid_from = 2026-12-01")],
        [("mpesa", ""), ("mpesa", "to = 5\nvalid_from = 2026-12-01\nvalid_until = 2027-01-01")],
        [("mpesa", "from = 100\nto = 200\nvalid_until = 2026-12-01")],
        [("mpesa", "from = 100"), ("mpesa", "from = 0\nto = 99.99")],
    ],
)
def test_bands_side_by_side_are_taken(rows):
    assert len(read(bands(*rows)).fees) == len(rows)


@pytest.mark.parametrize(
    ("rows", "place", "what"),
    [
        ([("mpesa", "to = 99"), ("mpesa", "from = 100")], 1, "no band has 99.01 to 99.99"),
        ([("mpesa", "from = 100"), ("mpesa", "to = 99.98")], 0, "no band has 99.99 to 99.99"),
        (
            [
                ("mpesa", "to = 100\nvalid_until = 2026-12-01"),
                ("mpesa", "from = 100.01"),
                ("mpesa", "to = 50\nvalid_from = 2026-12-01"),
            ],
            1,
            "no band has 50.01 to 100.00 from 2026-11-30T21:00:00Z on",
        ),
        (
            [("mpesa", "valid_until = 2026-12-01"), ("till", ""), ("mpesa", "valid_from = 2027-01-01")],
            2,
            "none is in force from 2026-11-30T21:00:00Z on",
        ),
    ],
)
def test_bands_leave_no_gap(rows, place, what):
    text = bands(*rows)
    line = [n for n, each in enumerate(text.splitlines(), start=1) if each == "[[fees]]"][place]
    assert wrong_in(text) == f"file.toml:{line}: fees.{place}: leaves a gap: {what}"


def test_a_band_ends_after_it_begins():
    told = wrong_in(bands(("mpesa", "valid_from = 2026-12-01\nvalid_until = 2026-12-01")))
    assert told == "file.toml:6: fees.0.valid_until: is not after valid_from"


def test_a_percentage_may_be_all_of_it():
    assert read(FULL.replace('percent = "1.5"', "percent = 100")).tenant.payment_fee_percent == "100"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "file.toml:1: tenant: is missing"),
        ("# nothing yet\n", "file.toml:1: tenant: is missing"),
        ("[tenant]\nslug = \n", "file.toml:2: TOML: Invalid value"),
        ('[tenant]\nslug = "a"\nslug = "b"\n', "file.toml:3: slug: is there twice; keep one of them"),
        ('[tenant]\nslug = "open', "file.toml:2: TOML: Unterminated string"),
        ("[tenant]\nslug = " + "[" * 100_000, "file.toml:1: TOML: nested too deep"),
        ("[tenant]\nx = " + "9" * 5000, "file.toml:1: TOML: Exceeds the limit"),
        ('tenant = "x"', "file.toml:1: tenant: must be a table"),
    ],
)
def test_what_is_no_toml_is_told_in_a_sentence(text, told):
    assert wrong_in(text).startswith(told)


def test_lines_inside_a_text_are_no_keys():
    text = FULL.replace('"Maize flour"', '"""\n[limits]\napprovals = 1\n"""').replace(
        "approvals = 2", "approvals = 11"
    )
    assert wrong_in(text).startswith(f"file.toml:{line_of(text, 'approvals = 11')}: limits.approvals")


def test_a_name_is_one_line():
    file = read(FULL.replace('name = "Mama Njeri Duka"', 'name = " Mama\\n Njeri "'))
    assert file.tenant.name == "Mama Njeri"


def test_a_misspelt_key_is_told_with_what_it_may_have_been_and_mistakes_come_line_by_line():
    text = '[tenant]\nnmae = "X"\nslug = "x1"\nactive = "yes"\n[providers.mpesa]\nshortcode = "600100"\n'
    assert wrong_in(text).splitlines() == [
        "file.toml:2: tenant.nmae: unknown key; remove it or correct its spelling: name?",
        "file.toml:4: tenant.active: must be true or false, without quotes",
        "file.toml:5: providers.mpesa.consumer_key: is missing; add it to [providers.mpesa]",
        "file.toml:5: providers.mpesa.consumer_secret: is missing; add it to [providers.mpesa]",
    ]


def test_a_table_that_is_there_twice_is_told():
    said = wrong_in('[tenant]\nslug = "x1"\n[tenant]\nname = "X"\n')
    assert said == "file.toml:3: TOML: this table is there twice; put all its keys into one"
