"""Every problem is measured, and its mode and passes are told."""

from benchmarks.collection import SIZES, one_problem
from sparsead.problems import PROBLEMS


def test_every_problem_is_in_the_collection():
    assert set(SIZES) == set(PROBLEMS)


def test_a_row_tells_what_was_done():
    row, target = one_problem(PROBLEMS["rosenbrock"](50))
    assert row[:4] == ("rosenbrock, hessian", "50", 148, "direct")
    assert row[8].endswith("of at least 2")
    assert target.measured == row[6]
