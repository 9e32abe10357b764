"""Reports: missed targets come first, numbers are legible."""

import pytest

from benchmarks.report import Table, Target, shown, targets_table, write


@pytest.mark.parametrize(
    ("cell", "text"), [(None, "-"), ("a", "a"), (2000000, "2,000,000"), (0.123456, "0.123"), (1234.5, "1,234")]
)
def test_cells(cell, text):
    assert shown(cell) == text


def test_targets_know_their_direction():
    assert Target("ratio", 1.6, 1.5, at_least=True).met
    assert not Target("seconds", 1.6, 1.5).met


def test_missed_targets_come_first():
    parts = [Target("good", 1.0, 2.0, "s"), Target("bad", 3.0, 2.0, "s")]
    assert targets_table(parts).rows == [
        ("bad", "3 s", "at most 2 s", "**no**"),
        ("good", "1 s", "at most 2 s", "yes"),
    ]


def test_the_page_holds_targets_and_tables(tmp_path):
    page = tmp_path / "new" / "page.md"
    write([Table("Times", ("", "ms"), [("f", 1.5)], "A note."), Target("fast", 1.0, 2.0)], "make bench", page)
    text = page.read_text()
    assert text.index("| fast | 1 | at most 2 | yes |") < text.index(
        "## Times\n\n|  | ms |\n| --- | ---: |\n| f | 1.5 |"
    )
    assert text.endswith("A note.\n")
