"""Every case is measured, and its mode and passes are told."""

from benchmarks.cases import COLLECTION, Case
from benchmarks.collection import COLUMNS, one_case
from benchmarks.passes import counts
from sparsead.problems import PROBLEMS


def test_every_problem_is_in_the_collection():
    assert {case.name for case in COLLECTION} > set(PROBLEMS)


def test_a_row_tells_what_was_done():
    row, targets = one_case(Case("rosenbrock", 50))
    assert len(row) == len(COLUMNS)
    assert row[:4] == ("rosenbrock, hessian", "50", 148, "direct")
    assert row[9].endswith("of at least 2")
    assert [target.measured for target in targets] == [row[6]]


def test_a_jacobian_has_a_target_for_its_value_too():
    row, targets = one_case(Case("broyden", 50))
    assert [target.measured for target in targets] == [row[6], row[8]]


def test_colors_are_counted():
    n, found = counts(Case("brusselator", 12))
    assert n == 288
    assert set(found) == {"by columns", "by rows", "both"}
    assert all(6 <= bound <= colors for colors, bound in (found["by columns"], found["by rows"]))
    assert counts(Case("rosenbrock", 40))[1] == {"by columns": (3, 3), "star": (3, 3), "acyclic": (2, 2)}
