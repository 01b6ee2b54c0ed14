"""Readers: what others make of a `.env`, as their sources have it.

`systemd`: `parse_env_file_internal` of systemd's src/basic/env-file.c. `compose`: the parser of compose-go's
dotenv package, for the quoting that we write.
"""

import re

_SINGLE, _DOUBLE = re.compile(r"[ \t]*'([^']*)'"), re.compile(r'[ \t]*"((?:\\.|[^"\\])*)"', re.DOTALL)
_BARE = re.compile(r"[ \t]*((?:\\.|[^\\\n\r])*)", re.DOTALL)
_BEFORE_A_KEY = re.compile(r"(?:[ \t\n\r]|[#;][^\n\r]*)*")


def systemd(text: str) -> dict[str, str]:
    """EnvironmentFile=. Quotes count before the first sign that stands in none."""
    found, at = {}, _end(_BEFORE_A_KEY, text, 0)
    while at < len(text):
        key, at, value = text[at : text.index("=", at)], text.index("=", at) + 1, ""
        while quoted := _SINGLE.match(text, at) or _DOUBLE.match(text, at):
            value += quoted[1] if quoted.re is _SINGLE else _of_double(quoted[1])
            at = quoted.end()
        bare = _BARE.match(text, at)
        assert bare is not None
        value += re.sub(r"\\(.)", lambda sign: sign[1].strip("\n\r"), bare[1].rstrip(" \t"), flags=re.DOTALL)
        found[key.rstrip(" \t")] = value
        at = _end(_BEFORE_A_KEY, text, bare.end())
    return found


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return at if match is None else match.end()


def _of_double(text: str) -> str:
    def told(escape: re.Match[str]) -> str:
        return escape[1] if escape[1] in '"\\`$' else "" if escape[1] == "\n" else escape[0]

    return re.sub(r"\\(.)", told, text, flags=re.DOTALL)


def compose(text: str) -> dict[str, str]:
    """env_file: with no variable to expand. Raises ValueError for what it cannot read."""
    found: dict[str, str] = {}
    rest = text
    while rest := rest.lstrip():
        if rest.startswith("#"):
            rest = rest.partition("\n")[2]
            continue
        name, _, rest = rest.partition("=")
        rest = rest.lstrip(" \t\v\f\r\x85\xa0")
        quote = rest[:1]
        if quote not in ("'", '"'):
            line, _, rest = rest.partition("\n")
            found[name.removeprefix("export").strip()] = _expanded(line.partition("#")[0].rstrip())
            continue
        end = next(n for n in range(1, len(rest)) if rest[n] == quote and rest[n - 1] != "\\")
        value = rest[:end].strip(quote)
        if quote == '"':
            value = _expanded(_unescaped(value))
        found[name.removeprefix("export").strip()], rest = value, rest[end + 1 :]
    return found


def _unescaped(value: str) -> str:
    named = re.sub(r"\\.", lambda found: {"\\n": "\n", "\\r": "\r"}.get(found[0], found[0]), value)
    return re.sub(r"\\([^$])", r"\1", named)


def _expanded(value: str) -> str:
    return re.sub(r"\\?\$(\{[^}]*\}|\w+)?", lambda found: found[0][1:] if found[0][0] == "\\" else "", value)
