"""Reports: missed targets come first, numbers are legible."""

import pytest

from benchmarks.reasons import REASONS
from benchmarks.report import Lines, Race, Table, Target, markdown, shown, targets_table


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


RACE = Race("p", "P", 10, 20, {"ours": 0.1, "peer": 9.0}, {"f": 1.0, "ours": 0.5, "peer": 2.0},
            {"f": 1.0, "ours": 0.5, "peer": 2.0}, {"f": 2.0, "ours": 1.0, "peer": 4.0})  # fmt: skip


def test_a_race_is_a_table():
    table = RACE.table()
    assert table.title == "P: n = 10, 20 entries"
    assert table.rows[0] == ("f", None, 1.0, 1.0, 2.0)
    assert table.rows[2] == ("peer", 9.0, 2.0, 2.0, 4.0)


def test_the_page_holds_everything_in_order():
    parts = [
        Table("Times", ("", "ms"), [("f", 1.5)], "A note."), Target("fast", 1.0, 2.0), RACE,
        Lines("growth", "Growth", "n", {}),
    ]  # fmt: skip
    text = markdown(parts, "make bench", "pictures")
    inside = [
        "## Where something else is faster in evaluation\n\nNowhere in the 1 comparisons",
        "| fast | 1 | at most 2 | yes |",
        "![Growth](pictures/growth.svg)",
        "## Times\n\n|  | ms |\n| --- | ---: |\n| f | 1.5 |\n\nA note.",
        "## P: n = 10, 20 entries",
    ]
    places = [text.index(piece) for piece in inside]
    assert places == sorted(places)
