"""Shop: the tenant, its staff, and where its withdrawals go."""

from collections.abc import Mapping

from bot.onboarding.asker import Asker, Check, one_of
from bot.onboarding.checks import percent
from bot.onboarding.files import Draft, Value, toml
from services.errors import InvalidPhone
from services.languages import LANGUAGES
from services.money import PLACES
from services.people import tenant_file
from services.people.access import ROLES
from services.people.file_lines import TenantFileError
from services.phones import normalize

_TO_PHONE = "payout.method_details.phone_number"
_HANDS = """
The staff. A withdrawal takes two people: one who asks (Cashier or more), and another who approves
(Finance Admin or Owner). They are known by their WhatsApp numbers, and nobody approves their own."""


def _of_tenant(key: str, before: Check = str) -> Check:
    """As the tenant file takes it."""

    def check(answer: str) -> str:
        taken = before(answer)
        slug = "" if key == "slug" else 'slug = "any"\n'
        try:
            tenant_file.read(f"[tenant]\n{slug}{key} = {toml(taken)}\n")
        except TenantFileError as error:
            raise ValueError(error.wrong[0].what) from None
        return taken

    return check


# What is asked of each key, what Enter means, and how it is checked.
_TENANT: Mapping[str, tuple[str, str | None, Check]] = {
    "slug": ("A short name for commands and addresses, such as mama-njeri", None, _of_tenant("slug")),
    "name": ("The name that customers read", None, _of_tenant("name")),
    "currency": ("Currency", "KES", one_of(*PLACES)),
    "country": ("Country, in two letters", "KE", _of_tenant("country", str.upper)),
    "timezone": ("Time zone", "Africa/Nairobi", _of_tenant("timezone")),
    "language": (f"Language ({', '.join(LANGUAGES)})", "en", one_of(*LANGUAGES)),
    "payment_fee_percent": ("Your fee of each sale, in percent", "0", percent),
}


def tenant(asker: Asker, draft: Draft) -> None:
    asker.say(f"\nThe merchant: {draft.path}")
    while True:
        part = {
            key: asker.ask(f"tenant.{key}", f"  {text}", default, check=check)
            for key, (text, default, check) in _TENANT.items()
        }
        if added(asker, draft, "tenant", "[tenant]", part):
            return


def staff(asker: Asker, draft: Draft) -> None:
    assert draft.file is not None  # noqa: S101  the tenant is there
    asker.say(_HANDS)
    country = draft.file.tenant.country
    for person in draft.file.staff:
        asker.say(f"  There is already: {person.name}.")
    n = len(draft.file.staff)
    while asker.wants(f"staff.{n}", f"  Add {'another' if n else 'somebody'}?", default=n < 2):  # noqa: PLR2004  hands
        part = {
            "name": asker.ask(f"staff.{n}.name", "  Name"),
            "phone": asker.ask(f"staff.{n}.phone", "  Phone, such as +254722000001", check=_phone(country)),
            "role": asker.ask(
                f"staff.{n}.role",
                f"  Role ({', '.join(ROLES)})",
                "Owner" if n else "Cashier",
                check=one_of(*ROLES),
            ),
        }
        n += added(asker, draft, f"staff.{n}", "[[staff]]", part)


def payout(asker: Asker, draft: Draft) -> None:
    """A number at M-Pesa; other ways are written into the file by hand."""
    if asker.present and (draft.file is None or draft.file.providers.mpesa is None):
        return
    while True:
        phone = asker.ask(
            _TO_PHONE,
            "\nThe M-Pesa number that withdrawals go to (empty: asked each time)",
            "",
        )
        part: dict[str, Value] = {"method_type": "mpesa", "method_details": {"phone_number": phone}}
        if not phone or added(asker, draft, _TO_PHONE, "[payout]", part):
            return


def _phone(country: str) -> Check:
    def check(answer: str) -> str:
        try:
            normalize(answer, country)
        except InvalidPhone:
            raise ValueError("it is no phone number; write +254712345678") from None
        return answer

    return check


def added(asker: Asker, draft: Draft, key: str, header: str, *parts: Mapping[str, Value]) -> bool:
    """False where the file does not take them: that was said, of the answer with this key."""
    try:
        draft.add(header, *parts)
    except TenantFileError as error:
        for wrong in error.wrong:
            asker.refused(key, f"{wrong.where.rpartition('.')[2]}: {wrong.what}")
        return False
    return True
