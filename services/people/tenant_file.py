"""The tenant file: TOML, read strictly; each error names its line, what is wrong and what to do."""

import re
import tomllib
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from services.people.file_lines import Lines, TenantFileError, Wrong
from services.people.file_parts import TenantFile
from services.people.file_sense import senseless

_EXAMPLES = {
    "slug": "mama-njeri",
    "summary_at": "20:00",
    "country": "KE",
    "phone_number_id": "106540352242922",
    "bank_form": "1093847261",
    "waba_id": "102290129340398",
}


def read(text: str, name: str = "tenant.toml") -> TenantFile:
    """Raises TenantFileError."""
    facts = parsed(text, name)
    lines = Lines(text)
    try:
        file = TenantFile.model_validate(facts)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        raise TenantFileError(name, [told_wrong(each, lines) for each in found]) from None
    if wrong := list(senseless(file, lines)):
        raise TenantFileError(name, wrong)
    return file


def parsed(text: str, name: str) -> dict[str, Any]:
    """Raises TenantFileError."""
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except RecursionError:
        raise TenantFileError(name, [Wrong(1, "TOML", "nested too deep")]) from None
    except ValueError as error:  # a number of thousands of digits is none of TOML's own errors
        said = str(error)
        found = re.search(r" \(at line (\d+), column \d+\)| \(at end of document\)", said)
        line = int(found[1]) if found and found[1] else len(text.splitlines()) if found else 1
        what = said.replace(found[0], "") if found else said
        raise TenantFileError(name, [Wrong(max(line, 1), "TOML", what)]) from None


def told_wrong(error: Any, lines: Lines) -> Wrong:
    """An error of pydantic's, in our words."""
    where = tuple(part for part in error["loc"] if part != "function-after")
    if error["type"] == "string_pattern_mismatch":
        return lines.wrong(where, f'must be written like "{_EXAMPLES.get(str(where[-1]), "600100")}"')
    what = {
        "extra_forbidden": "unknown key; remove it or correct its spelling",
        "missing": "is missing",
        "string_type": "must be a text in quotes",
        "model_type": "must be a table",
    }.get(error["type"], error["msg"].removeprefix("Value error, "))
    return lines.wrong(where, what)
