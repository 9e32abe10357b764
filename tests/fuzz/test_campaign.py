"""A campaign counts each seed once, can be resumed, and keeps what fails."""

import json

import pytest
from click.testing import CliRunner

from tests.fuzz.__main__ import main
from tests.fuzz.campaign import Record, run_chunk


def fuzz(*arguments):
    return CliRunner().invoke(main, [*arguments, "--workers", "1"])


def test_a_record_is_resumed_where_it_ended(tmp_path):
    log = tmp_path / "log.json"
    arguments = ("matrices", "--first", "7", "--log", str(log))
    assert fuzz(*arguments, "--count", "30").exit_code == 0
    result = fuzz(*arguments, "--count", "40")
    known = json.loads(log.read_text())
    assert (known["first"], known["tried"], known["counts"]["matrices"], known["failures"]) == (7, 40, 40, [])
    assert "from seed 37" in result.output
    with pytest.raises(ValueError, match="records matrices from seed 7"):
        Record.resumed(log, "programs", 7)


def test_failures_are_kept_with_their_seeds(monkeypatch):
    def attempt(seed):
        raise AssertionError(f"wrong at {seed}")

    monkeypatch.setattr("tests.fuzz.matrices.attempt", attempt)
    chunk = run_chunk("matrices", range(3, 5))
    assert [(f["seed"], f["error"]) for f in chunk.failures] == [
        (3, "AssertionError: wrong at 3"),
        (4, "AssertionError: wrong at 4"),
    ]


def test_fresh_seeds_differ():
    assert Record.resumed(None, "programs", None).first != Record.resumed(None, "programs", None).first
