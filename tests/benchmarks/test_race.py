"""Races: contenders compute the same matrix, and whoever is faster is found."""

from dataclasses import replace

import pytest

import sparsead as sad
from benchmarks.brusselator import exactness, pictures
from benchmarks.cases import Case
from benchmarks.contenders import Contender, compare
from benchmarks.race import ASDEX, HAND, MX, OURS, PASSES, SCIPY, SPARSEJAC, F, race
from benchmarks.report import Race, faster_table
from sparsead.problems import brusselator


def test_a_contender_that_computes_something_else_is_not_timed():
    p = brusselator(3)
    J = sad.jacobian(p.f, p.x0, *p.args)(p.x0, *p.args)
    right, wrong = (Contender(name, 0.0, lambda: None, lambda M=M: M) for name, M in (("a", J), ("b", 1.001 * J)))
    with pytest.raises(AssertionError, match=r"b differs from a by 1\.0e-03"):
        compare([right, wrong], {})


def test_a_race_times_every_tool_that_has_a_form():
    found, times = race(Case("broyden", 40), leave_out=(ASDEX, SPARSEJAC, MX), seconds=0.0)
    assert list(found.first)[:3] == [OURS, PASSES, HAND]
    assert (found.n, found.nnz) == (40, 264)
    assert set(found.ms) == set(times) >= {F, SCIPY, OURS, PASSES, HAND}
    assert found.of_ours[OURS] == 1.0 and found.of_f[F] == 1.0
    assert all(seconds > 0 for seconds in found.first.values())


def ran(hand, peer):
    ms = {F: 1.0, OURS: 1.0, PASSES: 0.5, HAND: hand, "peer": peer}
    first = {tool: 1.0 for tool in ms if tool != F}
    return Race("problem-100", "A problem", 100, 500, first, ms, ms, ms)


def test_faster_tools_are_told_first_and_loops_by_hand_after_them():
    table = faster_table([ran(2.0, 0.96), ran(0.5, 0.25)])
    assert table.rows == [
        ("A problem", 100, "peer", 0.25, 1.0, 4.0),
        ("A problem", 100, HAND, 0.5, 1.0, 2.0),
    ]


def test_lines_hold_every_tool_and_size():
    drawn = pictures([replace(ran(2.0, 3.0), n=50), ran(1.0, 1.0)])
    assert [len(panel["peer"]) for lines in drawn for panel in lines.panels.values()] == [2, 2]


def test_exactness_is_measured():
    assert all(target.met for target in exactness(8))
