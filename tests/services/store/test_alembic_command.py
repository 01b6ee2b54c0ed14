"""Alembic's own command line, as developers use it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FOLDER = "services/store/migrations"


def alembic(*words, at=ROOT, code=0):
    done = subprocess.run(
        [sys.executable, "-m", "alembic", *words],
        cwd=at,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, (done.stdout, done.stderr)
    return done.stdout + done.stderr


@pytest.fixture
def url(tmp_path):
    return f"url=sqlite+aiosqlite:///{tmp_path}/dev.db"


def test_it_upgrades_and_checks_the_database_that_is_named(url):
    alembic("-x", url, "upgrade", "head")
    assert "(head)" in alembic("-x", url, "current")
    assert "No new upgrade operations detected" in alembic("-x", url, "check")


def test_a_revision_is_written_with_a_dated_name_and_our_own_types(url, tmp_path):
    shutil.copytree(
        ROOT / FOLDER, tmp_path / FOLDER, ignore=shutil.ignore_patterns("__pycache__", "versions")
    )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / FOLDER / "versions").mkdir()
    alembic("-x", url, "revision", "--autogenerate", "-m", "all of it", at=tmp_path)
    (written,) = (tmp_path / FOLDER / "versions").glob("20??-??-??-????_all_of_it.py")
    text = written.read_text()
    assert "sa.Column('created_at', schema.Moment(), nullable=False)" in text
    assert "SET LOCAL lock_timeout = '5s'" in text
    alembic("-x", url, "upgrade", "head", at=tmp_path)
    assert "No new upgrade operations detected" in alembic("-x", url, "check", at=tmp_path)


def test_without_a_database_it_says_how_to_name_one():
    said = alembic("upgrade", "head", code=255)
    assert said.strip().endswith("name the database: alembic -x url=sqlite+aiosqlite:///.data/dev.db ...")
