"""File sense: what has the right shape in a tenant file and makes no sense together."""

from collections.abc import Iterator

from services.errors import InvalidPhone
from services.people.file_bands import senseless_bands
from services.people.file_lines import Lines, Where, Wrong
from services.people.file_parts import TenantFile
from services.phones import normalize
from services.written import minor_of


def senseless(file: TenantFile, lines: Lines) -> Iterator[Wrong]:
    """Each mistake that only shows where several keys are seen together."""
    amounts = list(_amounts(file, lines))
    yield from amounts
    if not amounts:
        yield from senseless_bands(file, lines)
    yield from _phones(file, lines)
    yield from _twice("staff", "name", [person.name for person in file.staff], lines)
    yield from _twice("products", "sku", [product.sku for product in file.products], lines)


def _amounts(file: TenantFile, lines: Lines) -> Iterator[Wrong]:
    """With more places than the currency has."""
    currency = file.tenant.currency
    given: list[tuple[Where, str | None, str]] = [
        (("limits", key), getattr(file.limits, key), currency)
        for key in ("per_withdrawal", "per_day", "per_destination", "per_maker", "totp_above", "low_balance")
    ]
    given += [(("limits", "approvals_above"), band.amount, currency) for band in file.limits.approvals_above]
    given += [(("products", n, "price"), product.price, currency) for n, product in enumerate(file.products)]
    for n, fee in enumerate(file.fees):
        given += [
            (("fees", n, key), amount, file.currency_of(fee))
            for key, amount in (("from", fee.from_), ("to", fee.to), ("flat", fee.flat))
        ]
    for where, amount, unit in given:
        if amount is not None:
            try:
                minor_of(amount, unit)
            except ValueError as error:
                yield lines.wrong(where, str(error))


def _phones(file: TenantFile, lines: Lines) -> Iterator[Wrong]:
    seen: set[str] = set()
    for n, person in enumerate(file.staff):
        where: Where = ("staff", n, "phone" if person.phone is not None else "phones")
        for phone in person.all_phones:
            try:
                number = normalize(phone, file.tenant.country)
            except InvalidPhone:
                yield lines.wrong(where, "is no phone number; write +254712345678")
                continue
            if number in seen:
                yield lines.wrong(where, "this phone is there twice, here or at another member of staff")
            seen.add(number)


def _twice(table: str, key: str, names: list[str], lines: Lines) -> Iterator[Wrong]:
    for n, name in enumerate(names):
        if name in names[:n]:
            yield lines.wrong((table, n, key), f"{name} is there twice")
