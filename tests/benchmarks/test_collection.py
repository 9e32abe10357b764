"""Every problem is measured, and its mode and passes are told."""

from benchmarks.collection import one_problem
from sparsead.problems import PROBLEMS


def test_a_row_tells_what_was_done():
    row, target = one_problem(PROBLEMS["rosenbrock"](50))
    assert row[:4] == ("rosenbrock, hessian", "50", 148, "direct")
    assert row[8].endswith("of at least 2")
    assert target.measured == row[6]
