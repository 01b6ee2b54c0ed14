"""The recipe for a new language is true: one file, and a program that starts with it speaks it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SPOKEN = """
import asyncio
from flows.lipachat import SCRIPT
from flows.text import LANGUAGES, Text, render
from services.money import Money
from services.people.file_parts import TenantPart
from tests.flows.transcript import Play

assert LANGUAGES["pt"] == "Português", LANGUAGES
assert TenantPart(slug="loja", language="pt").language == "pt"
assert render(Text("{m}", m=Money(123450, "KES")), "pt") == "KES 1.234,50"
play = Play()
print(asyncio.run(play.run("> Wanjiku: language\\n> Wanjiku: portugues\\n> Wanjiku: pagar 500\\n")))
"""


def recipe() -> str:
    after = (ROOT / "docs" / "recipes.md").read_text().partition("## A new language\n")[2]
    (file,) = re.findall(r"```po\n(.*?)```", after.partition("\n## ")[0], re.DOTALL)
    return str(file)


def test_a_language_is_one_file(tmp_path):
    for package in ("flows", "services", "bot", "tests"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "flows" / "locale" / "pt.po").write_text(recipe())
    ran = subprocess.run(
        [sys.executable, "-c", SPOKEN],
        check=False,
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert "[English] [Français] [Português] [Kiswahili]" in ran.stdout
    assert "Pay *KES 500,00* to *Mama Njeri*" in ran.stdout  # what it lacks is English, with its figures
    assert "[Pagar] [Change method] [Cancel]" in ran.stdout
