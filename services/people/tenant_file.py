"""The tenant file: TOML, read strictly; each error names its line, what is wrong and what to do."""

import re
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from services.people.file_lines import Lines, TenantFileError, Where, Wrong
from services.people.file_parts import TenantFile
from services.people.file_sense import senseless

_KEY = re.compile(r"\s*([^=]+?)\s*=")
_TYPES = {
    "string_type": "must be a text in quotes",
    "bool_type": "must be true or false, without quotes",
    "int_type": "must be a whole number, without quotes",
    "list_type": "must be a list in square brackets",
    "dict_type": "must be a table",
    "model_type": "must be a table",
}
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
        wrong = [told_wrong(each, lines) for each in found]
        raise TenantFileError(name, sorted(wrong, key=lambda each: each.line)) from None
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
        raise TenantFileError(name, [_unreadable(text, max(line, 1), what)]) from None


def told_wrong(error: Any, lines: Lines) -> Wrong:
    """An error of pydantic's, in our words."""
    where = tuple(part for part in error["loc"] if part != "function-after")
    if error["type"] == "string_pattern_mismatch":
        return lines.wrong(where, f'must be written like "{_EXAMPLES.get(str(where[-1]), "600100")}"')
    return lines.wrong(where, _words(error, where))


def _words(error: Any, where: Where) -> str:
    told = error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden":
            near = get_close_matches(str(where[-1]), _KEYS, n=1, cutoff=0.7)
            return "unknown key; remove it or correct its spelling" + (f": {near[0]}?" if near else "")
        case "missing":
            return f"is missing; add it to {_table(where[:-1])}" if len(where) > 1 else "is missing; add it"
        case "literal_error":
            return f"must be one of {told['expected'].replace(' or ', ', ')}"
        case "greater_than_equal":
            return f"must be {told['ge']} or more"
        case "less_than_equal":
            return f"must be {told['le']} or less"
        case "string_too_long":
            return f"must have {told['max_length']} letters at most"
        case "too_short" | "string_too_short":
            return "must not be empty; give it, or remove the line"
        case "too_long":
            return f"must have {told['max_length']} at most"
    return _TYPES.get(error["type"], str(error["msg"]).removeprefix("Value error, "))


def _table(where: Where) -> str:
    """As a file writes it, in double brackets where there are several."""
    names = ".".join(str(part) for part in where if isinstance(part, str))
    return f"this [[{names}]]" if isinstance(where[-1], int) else f"[{names}]"


def _unreadable(text: str, line: int, said: str) -> Wrong:
    """What TOML's own reader says, with what to do."""
    if said == "Cannot overwrite a value":
        key = _KEY.match(text.splitlines()[line - 1])
        return Wrong(line, key[1].strip() if key else "TOML", "is there twice; keep one of them")
    if said.startswith(("Cannot declare", "Cannot mutate")):
        return Wrong(line, "TOML", "this table is there twice; put all its keys into one")
    return Wrong(line, "TOML", said)


def _names(model: type[BaseModel]) -> Iterator[str]:
    """The keys of a table, and of those in it."""
    for name, field in model.model_fields.items():
        yield field.alias or name
        for part in _models(field.annotation):
            yield from _names(part)


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type):
        return [annotation] if issubclass(annotation, BaseModel) else []
    return [model for part in get_args(annotation) for model in _models(part)]


_KEYS = sorted(set(_names(TenantFile)))
