"""Results survive on disk, and do not outlive the code that they measure."""

import json

import pytest

from benchmarks.report import Dots, Lines, Race, Table, Target
from benchmarks.store import keep, kept, source

PARTS = [
    Table("A", ["", "ms"], [["f", 1.5], ["g", None]], "A note."),
    Target("fast", 1.0, 2.0, "s", at_least=True),
    Race("p", "P", 10, 20, {"ours": 0.1}, {"f": 1.0, "ours": 0.5}, {"f": 1.0, "ours": 0.5}, {"f": 2.0, "ours": 1.0}),
    Lines("growth", "Growth", "n", {"ms": {"a": [[10, 1.0], [100, 2.0]]}}),
    Dots("passes", "Passes", "passes", ["a"], {"bound": [3.0]}),
]


def test_parts_come_back_as_they_were(tmp_path):
    found = keep("part", PARTS, tmp_path)
    assert kept("part", tmp_path) == found and found.parts == PARTS and found.day and found.where
    assert [path.name for path in tmp_path.iterdir()] == ["part.json"]


def test_nothing_is_kept_of_a_part_that_did_not_run(tmp_path):
    assert kept("part", tmp_path) is None


def test_results_of_other_code_count_only_when_asked_for(tmp_path):
    keep("part", PARTS, tmp_path)
    path = tmp_path / "part.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"source": "another"}))
    assert kept("part", tmp_path) is None
    assert kept("part", tmp_path, any_source=True).parts == PARTS


def test_a_file_that_is_no_result_is_not_taken_for_one(tmp_path):
    (tmp_path / "part.json").write_text("{")
    with pytest.raises(json.JSONDecodeError):
        kept("part", tmp_path)


def test_the_source_has_a_hash():
    assert len(source()) == 16 and source() == source()
