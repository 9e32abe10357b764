"""Reports: missed targets come first, numbers are legible."""

import pytest

from benchmarks import comparisons
from benchmarks.__main__ import MODULES
from benchmarks.pages import PROBLEMS, QUESTIONS, Measured, pages
from benchmarks.reasons import REASONS
from benchmarks.report import Lines, Race, Table, Target, shown, targets_table


@pytest.mark.parametrize(
    ("cell", "text"), [(None, "-"), ("a", "a"), (2000000, "2,000,000"), (0.123456, "0.123"), (1234.5, "1,234")]
)
def test_cells_have_three_digits(cell, text):
    assert shown(cell) == text


def test_targets_know_their_direction():
    assert Target("ratio", 1.6, 1.5, at_least=True).met
    assert not Target("seconds", 1.6, 1.5).met


def test_missed_targets_come_first():
    parts = [Target("good", 1.0, 2.0, "s"), Target("bad", 3.0, 2.0, "s")]
    assert targets_table(parts).rows == [
        ("bad", "3 s", "at most 2 s", "no"),
        ("good", "1 s", "at most 2 s", "yes"),
    ]


def test_a_missed_target_has_its_reason(monkeypatch):
    monkeypatch.setitem(REASONS, "bad", "It reads too much.")
    monkeypatch.setitem(REASONS, "good", "Never shown.")
    table = targets_table([Target("good", 1.0, 2.0), Target("bad", 3.0, 2.0)])
    assert table.note == "- bad: It reads too much."


RACE = Race("bratu-9", "P", 10, 20, {"ours": 0.1, "asdex": 9.0}, {"f": 1.0, "ours": 0.5, "asdex": 2.0},
            {"f": 1.0, "ours": 0.5, "asdex": 2.0}, {"f": 2.0, "ours": 1.0, "asdex": 4.0})  # fmt: skip


def test_a_race_is_a_table():
    table = RACE.table()
    assert table.title == "P: n = 10, 20 entries"
    assert table.rows[0] == ("f", None, 1.0, 1.0, 2.0)
    assert table.rows[2] == ("asdex", 9.0, 2.0, 2.0, 4.0)


def test_reasons_that_are_shared_are_said_once(monkeypatch):
    for claim, why in (("a", "Slow."), ("b", "Slow."), ("c", "Long.")):
        monkeypatch.setitem(REASONS, claim, why)
    assert targets_table([Target(c, 3.0, 2.0) for c in "abc"]).note == "- a; b: Slow.\n- c: Long."


@pytest.fixture
def written():
    table, race = Table("Times", ("", "ms"), [("f", 1.5)], "A note."), [RACE, Target("fast", 1.0, 2.0)]
    chart = Lines("growth", "Growth", "n", {})
    return pages({
        "growth": Measured([table, chart], "2026-01-02", "a PC"),
        "bratu-9": Measured([*race, Target("slow", 3.0, 2.0)], "2026-01-03", "a PC"),
    })  # fmt: skip


def test_each_problem_and_each_question_has_a_page(written):
    assert list(written) == [f"benchmarks{name}.md" for name in ("", "/bratu", "/evaluations", "/targets")]
    assert "## P: n = 10, 20 entries" in written["benchmarks/bratu.md"]
    assert "Measured on 2026-01-03." in written["benchmarks/bratu.md"]
    assert (
        "![Growth](growth.svg)\n\n## Times\n\n|  | ms |\n| --- | ---: |\n| f | 1.5 |"
        in written["benchmarks/evaluations.md"]
    )
    assert "| fast | 1 | at most 2 | yes |" in written["benchmarks/targets.md"]


def test_the_first_page_opens_with_a_summary_and_names_losses(written):
    inside = [
        "| [Bratu problem](benchmarks/bratu.md) | 10 | 0.5 | - | 4 |",
        "## Where something else is faster in evaluation\n\nNowhere in the 1 comparisons",
        "| slow | 3 | at most 2 | no |",
        "## How it is measured\n\nMeasured by `make bench` on a PC, between 2026-01-02 and 2026-01-03",
        "- [All targets](benchmarks/targets.md)",
    ]
    places = [written["benchmarks.md"].index(piece) for piece in inside]
    assert places == sorted(places) and "| fast" not in written["benchmarks.md"]


def test_all_races_have_a_page():
    assert {name.rpartition("-")[0] for name in comparisons.PARTS} <= set(PROBLEMS)
    assert set(MODULES) - {"brusselator", "rosenbrock"} <= {name for _, names in QUESTIONS.values() for name in names}
