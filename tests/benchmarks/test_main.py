"""The command: what has run is kept, a run that was cut off goes on, the page holds all parts."""

import pytest
from click.testing import CliRunner

from benchmarks import __main__ as command
from benchmarks import store
from benchmarks.pages import QUESTIONS
from benchmarks.report import Dots, Table


@pytest.fixture
def ran(tmp_path, monkeypatch):
    """Return the names of the parts that ran, of two; the second can be made to fail."""
    names = []

    def part(name):
        def run():
            if name in failing:
                raise RuntimeError(name)
            names.append(name)
            return [
                Table(f"Table {name}", ["", "n"], [[name, 1]]),
                Dots(f"dots-{name}", name, "n", ["a"], {"b": [2.0]}),
            ]

        return run

    failing = set()
    monkeypatch.setattr(command, "PARTS", {name: part(name) for name in ("one", "two")})
    monkeypatch.setattr(command.main.params[0].type, "choices", ["one", "two"])
    monkeypatch.setattr(command, "ROOT", tmp_path)
    for function in ("keep", "kept"):
        original = getattr(store, function)
        monkeypatch.setattr(command, function, lambda *a, _f=original, **k: _f(*a, folder=tmp_path / "parts", **k))
    (tmp_path / "docs").mkdir()
    monkeypatch.setitem(QUESTIONS, "others", ("Others", ("one", "two")))
    return names, failing, tmp_path


def invoke(*args):
    return CliRunner().invoke(command.main, args)


def test_all_parts_make_the_page_and_its_pictures(ran):
    names, _, root = ran
    assert invoke().exit_code == 0
    assert names == ["one", "two"]
    assert "- [Others](benchmarks/others.md)" in (root / "docs" / "benchmarks.md").read_text()
    page = (root / "docs" / "benchmarks" / "others.md").read_text()
    assert "## Table one" in page and "## Table two" in page and "![two](dots-two.svg)" in page
    assert (root / "docs" / "benchmarks" / "dots-one.svg").exists()


def test_a_run_that_was_cut_off_goes_on(ran):
    names, failing, root = ran
    failing.add("two")
    assert isinstance(invoke().exception, RuntimeError)
    assert not (root / "docs" / "benchmarks.md").exists()
    failing.clear()
    assert invoke().exit_code == 0
    assert names == ["one", "two"]
    assert invoke("--again").exit_code == 0
    assert names == ["one", "two", "one", "two"]


def test_a_part_alone_writes_no_page_and_is_kept(ran):
    names, _, root = ran
    assert " two  1 " in invoke("two").output
    assert not (root / "docs" / "benchmarks.md").exists()
    assert invoke().exit_code == 0
    assert names == ["two", "one"]


def test_the_page_can_be_written_from_what_is_there(ran):
    names, _, root = ran
    assert invoke("one").exit_code == 0
    assert "no results of two" in invoke("--page").output
    assert names == ["one"]
    page = (root / "docs" / "benchmarks" / "others.md").read_text()
    assert "## Table one" in page and "Table two" not in page
