"""A known vulnerability fails, and what was not looked up is never taken for good."""

import json
import stat
import sys

import pytest

from tests.vulnerabilities import asked, verdict

BAD = {
    "name": "jinja2",
    "version": "2.4.1",
    "vulns": [
        {
            "id": "PYSEC-2019-217",
            "fix_versions": ["2.10.1"],
            "aliases": ["CVE-2019-10906"],
            "description": "-",
        }
    ],
}
GOOD = {"name": "aiohttp", "version": "3.14.5", "vulns": []}
SKIPPED = {"name": "mako", "skip_reason": "not found"}


def judged(*dependencies, accepted=()):
    return verdict({"dependencies": list(dependencies), "fixes": []}, dict.fromkeys(accepted, "-"))


def test_one_that_is_known_fails_with_what_mends_it():
    found = judged(GOOD, BAD)
    assert found.code(required=False) == 1
    assert found.lines() == ["VULNERABLE: jinja2 2.4.1: PYSEC-2019-217, mended in 2.10.1"]


def test_none_is_good():
    assert judged(GOOD).code(required=True) == 0
    assert "No pinned version" in judged(GOOD).lines()[0]


def test_one_that_was_not_looked_up_is_named_and_fails_where_that_is_asked_for():
    found = judged(GOOD, SKIPPED)
    assert found.lines() == ["NOT AUDITED: mako: not found"]
    assert (found.code(required=False), found.code(required=True)) == (0, 1)


@pytest.mark.parametrize("name", ["PYSEC-2019-217", "CVE-2019-10906"])
def test_one_that_was_accepted_passes_until_it_is_told_no_more(name):
    assert judged(BAD, accepted=[name]).code(required=True) == 0
    assert judged(BAD, accepted=[name]).known == []
    gone = judged(GOOD, accepted=[name])
    assert (gone.code(required=False), gone.outdated) == (1, [name])


def program(tmp_path, body):
    """In the place of pip-audit."""
    path = tmp_path / "pip-audit"
    path.write_text(f"#!{sys.executable}\nimport sys\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_a_database_that_is_away_is_told_and_no_bug_is_taken_for_that(tmp_path):
    away = "sys.exit('requests.exceptions.ConnectionError: no such host')"
    (line,) = asked(program(tmp_path, away)).lines()
    assert line.startswith("NOT AUDITED: the database of vulnerabilities was not reached")
    told = json.dumps({"dependencies": [BAD]})
    assert asked(program(tmp_path, f"print({told!r}); sys.exit(1)")).code(required=False) == 1
    with pytest.raises(Exception, match="exit status 2"):
        asked(program(tmp_path, "sys.stderr.write('usage'); sys.exit(2)"))
