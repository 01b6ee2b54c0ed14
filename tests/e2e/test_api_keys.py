"""Keys of the API, by the real command line."""

import json

import pytest

from tests.bot.door import NUMBER, SHOP
from tests.e2e.installation import Installation

PHONE = "0722 000 001"


@pytest.fixture
def installation(tmp_path):
    """With a shop."""
    made = Installation(tmp_path, LIPACHAT_DATABASE_URL=f"sqlite+aiosqlite:///{tmp_path}/lipachat.db")
    made.run("db", "upgrade")
    path = made.folder / "shop.toml"
    path.write_text(SHOP.format(number=NUMBER, active="true"))
    made.run("tenant", "apply", str(path))
    return made


def test_a_key_is_made_for_one_of_the_staff_and_revoked_twice(installation):
    slug = f"shop-{NUMBER}"
    made = json.loads(installation.run("apikey", "create", "--tenant", slug, "--staff", PHONE))
    assert set(made) == {"api_key", "prefix", "staff_id", "scopes", "expires_at"}
    assert made["api_key"].startswith(made["prefix"])
    assert made["scopes"] == ["finance:view", "finance:withdraw:initiate", "orders:edit", "orders:view"]
    again = json.loads(installation.run("apikey", "create", "--tenant", slug, "--staff", made["staff_id"]))
    assert (again["staff_id"], again["api_key"] != made["api_key"]) == (made["staff_id"], True)
    # Whoever has found a key somewhere has the whole of it.
    said = [json.loads(installation.run("apikey", "revoke", made[name])) for name in ("prefix", "api_key")]
    assert said[0] == said[1]
    assert made["api_key"] not in json.dumps(said)
    new = json.loads(
        installation.run("apikey", "rotate", again["prefix"], "--overlap-hours", "1", "--days", "30")
    )
    assert new["replaces"] == again["prefix"]
    assert set(new) - set(made) == {"replaces", "replaced_until"}
    listed = json.loads(installation.run("apikey", "list", "--tenant", slug))
    assert {each["prefix"]: each["state"] for each in listed} == {
        made["prefix"]: "revoked",
        again["prefix"]: "active",
        new["prefix"]: "active",
    }
    assert new["api_key"] not in json.dumps(listed)
    assert "works no more" in installation.run("apikey", "rotate", made["prefix"], code=1)
    assert "No key" in installation.run("apikey", "rotate", "lipa_000000000000", code=1)
    refused = installation.run("apikey", "revoke", f"lipa_000000000000_{made['api_key'][18:]}", code=1)
    assert "No key has the prefix lipa_000000000000." in refused
    assert "active staff" in installation.run("apikey", "create", "--tenant", slug, "--staff", "x", code=1)


def test_one_time_codes_are_given_as_an_address_for_an_app(installation):
    slug = f"shop-{NUMBER}"
    made = json.loads(installation.run("staff", "totp", "--tenant", slug, "--staff", PHONE))
    assert set(made) == {"otpauth_uri"}
    assert made["otpauth_uri"].startswith("otpauth://totp/Mama%20Njeri:Achieng?")
    assert "active staff" in installation.run("staff", "totp", "--tenant", slug, "--staff", "x", code=1)
