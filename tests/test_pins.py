import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_pip_and_uv_are_told_the_same_pins():
    pins = (ROOT / "constraints.txt").read_text().split()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["tool"]["uv"]["constraint-dependencies"] == pins
    assert all("==" in pin for pin in pins)
