"""The outside of the project says the same everywhere, and names what exists."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

import sparsead as sad
from sparsead.extras import EXTRAS

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text())


def test_one_version():
    recipe = re.findall(r'version = "(.*)"', (ROOT / "conda" / "meta.yaml").read_text())
    assert PROJECT["version"] == sad.__version__ == CITATION["version"] == recipe[0]


def test_one_set_of_bounds():
    recipe = re.findall(r"^    - ([\w-]+ >=[\d.]+)$", (ROOT / "conda" / "meta.yaml").read_text(), re.MULTILINE)
    run = {line.replace(" ", "") for line in recipe}
    assert set(PROJECT["dependencies"]) <= run
    page = (ROOT / "docs" / "how-to" / "install.md").read_text()
    for requirement in (*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["plot"]):
        name, bound = requirement.split(">=")
        assert re.search(rf"^\| {name} \| {re.escape(bound)} \|", page, re.MULTILINE | re.IGNORECASE), requirement
    assert f"| Python | {PROJECT['requires-python'].removeprefix('>=')} |" in page


def test_the_extras_are_on_the_page():
    page = (ROOT / "docs" / "how-to" / "install.md").read_text()
    named = set(re.findall(r'pip install "\.\[(\w+)\]"', page))
    assert named == {*EXTRAS.values(), "cli", "plot"} <= set(PROJECT["optional-dependencies"])


def test_papers_have_what_it_takes_to_find_them():
    for paper in CITATION["references"]:
        assert {"title", "authors", "year", "doi", "notes"} <= set(paper), paper["title"]
        assert re.fullmatch(r"10\.\d{4}/\S+", paper["doi"])


def test_contributing_names_files_that_exist():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    for path in re.findall(r"`((?:sparsead|coloring|tests|docs)/[\w/.-]*)`", text):
        assert (ROOT / path).exists(), path
    made = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`?make (\w+)", text)) <= made
    assert "nox" in text


@pytest.mark.parametrize("file", sorted((ROOT / ".github").rglob("*.yml")), ids=lambda file: file.name)
def test_files_for_a_hosting_site_are_read(file):
    assert yaml.safe_load(file.read_text())
