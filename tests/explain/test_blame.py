"""The lines that bring entries in are named, with what each contributes and the operations on the way."""

import linecache

import numpy as np
import pytest

import sparsead as sad
from sparsead.explain.blame import row_lines
from sparsead.extend import operation

N = 40


def coupled(u, weight):
    total = np.sum(np.exp(u))  # the sum
    r = 2.0 * u  # the diagonal
    r[1:] -= u[:-1]  # the neighbours
    r[3] += total  # the long row
    return r + weight * u[0]  # the long column


@pytest.fixture(scope="module")
def jac():
    return sad.jacobian(coupled, np.ones(N), 0.5, backend="python")


def comments(explanation):
    """Return entries and exclusive entries by the comment at the end of the line of code."""
    return {line.text.split("# ")[1]: (line.entries.size, line.only) for line in explanation.lines}


def test_the_line_that_made_a_row_dense_comes_first(jac):
    found = jac.explain(row=3)
    assert comments(found) == {
        "the sum": (N, N - 3),
        "the diagonal": (1, 0),
        "the neighbours": (1, 0),
        "the long column": (1, 0),
    }
    assert [(s.operation, s.fan) for s in found.lines[0].chain] == [("add", 1), ("add", 1), ("sum", N), ("exp", 1)]
    assert found.lines[0].origin.line == linecache.getlines(__file__).index(f"    {found.lines[0].text}\n") + 1
    assert found.size == found.length == N and found.typical == 3
    assert (
        "an unknown s with the equation s = the sum of line" in found.advice[0] and "leave 4 entries" in found.advice[0]
    )


def test_a_row_without_the_sum_is_not_blamed_on_it(jac):
    assert comments(jac.explain(row=4)) == {"the diagonal": (1, 1), "the neighbours": (1, 1), "the long column": (1, 1)}


def test_the_line_that_made_a_column_dense(jac):
    assert comments(jac.explain(column=0)) == {
        "the long column": (N, N - 3),
        "the sum": (1, 0),
        "the diagonal": (1, 0),
        "the neighbours": (1, 0),
    }


def test_without_arguments_the_longest_of_each(jac):
    found = jac.explain()
    assert [(part.side, part.number) for part in found.parts] == [("row", 3), ("column", 0)]
    assert found.shape == f"{N} x {N}, 154 nonzeros, rows of 1 to 40 (median 3), columns of 2 to 40 (median 3) entries"
    assert found.advice[0].startswith("1 row and 1 column are much longer than the others; in direct mode")


def test_what_long_rows_cost_in_passes():
    forward = sad.jacobian(coupled, np.ones(N), 0.5, mode="forward", backend="python").explain()
    assert forward.advice == (
        "1 row and 1 column are much longer than the others: 40 passes; mode='direct' takes none.",
        "mode='bidirectional' can take the long rows apart; the others need at least 3 passes.",
    )


def test_nothing_stands_out():
    found = sad.jacobian(lambda x: x[1:] * x[:-1], np.ones(N), backend="python").explain()
    assert not found.parts
    assert found.advice == ("No row or column is much longer than the others.",)


@pytest.mark.filterwarnings("error")
def test_a_matrix_of_nothing():
    assert "No row or column is much longer" in str(sad.jacobian(lambda x: 2.0 * x, np.ones(0)).explain())


def test_a_hessian_names_where_two_unknowns_meet():
    def energy(x):
        s = np.sum(x)  # linear: nothing meets
        return s**2 + np.sum(x[1:] * x[:-1])  # here

    hess = sad.hessian(energy, np.ones(N), backend="python")
    (line,) = hess.explain(column=2).lines
    assert line.text.endswith("# here") and line.entries.size == N
    assert [(s.operation, s.fan) for s in line.chain] == [("power", 1), ("sum", N)]
    assert "keeps what the sum of line" in hess.explain().parts[0].advice[0]


def test_terms_that_are_not_used_couple_nothing():
    def f(x):
        product = x * x[0]
        return np.sum(product[2:4]) + np.sum(x**3)

    hess = sad.hessian(f, np.ones(6), backend="python")
    assert {tuple(line.entries) for line in hess.explain(row=5).lines} == {(5,)}


def test_loops_name_their_lines():
    def loop(x):
        s = 0.0
        for k in range(len(x)):
            s = s + x[k] ** 2  # sum
        r = np.zeros(len(x))
        for k in range(len(x) - 1):
            r[k] = x[k] * x[k + 1]
        r[2] = s * x[0]  # product
        return r

    found = sad.jacobian(loop, np.ones(N), backend="python").explain(row=2)
    assert comments(found) == {"sum": (N, N - 1), "product": (1, 0)}


def test_two_long_sums_have_two_lines():
    def loop(x, y):
        s = t = 0.0
        for k in range(len(x)):
            s = s + x[k]  # first
        for k in range(len(x)):
            t = t + x[k] * y[k]  # second
        return np.array([s, t])

    jac = sad.jacobian(loop, np.ones(N), np.ones(N), backend="python")
    assert [set(comments(jac.explain(row=row))) for row in (0, 1)] == [{"first"}, {"second"}]


def test_the_step_of_a_recurrence_is_named():
    def recurrence(x):
        y = np.zeros(len(x))
        y[0] = x[0]
        for k in range(1, len(x)):
            y[k] = 0.5 * y[k - 1] + np.sin(x[k])  # step
        return y

    jac = sad.jacobian(recurrence, np.ones(200), backend="python")
    assert comments(jac.explain(row=150)) == {"step": (151, 151)}
    assert jac.explain(column=150).size == 50


def test_operations_that_are_not_traced():
    smooth = operation(np.cumsum, jvp=lambda operands, tangents: np.cumsum(tangents[0]), pattern="dense", name="smooth")
    jac = sad.jacobian(lambda x: x + smooth(x), np.ones(N), backend="python")
    (line,) = jac.explain(row=7).lines
    assert set(line.operations) == {"add", "smooth"} and line.entries.size == N


def test_without_a_pattern_all_that_a_row_can_depend_on(jac):
    assert row_lines(jac.program, 3)[0].entries.size == N


def test_the_text_can_be_read(jac):
    text = str(jac.explain(row=3))
    assert (
        text.splitlines()[0]
        == "row 3 of the sparse Jacobian of coupled: 40 of 40 entries are nonzero (a typical row has 3)"
    )
    assert "add (line" in text and "<- sum of 40 (line" in text and text.count("<- x\n") == 4
    assert max(map(len, text.splitlines())) < 150


def test_rows_of_arrays_have_a_place():
    jac = sad.jacobian(lambda u: u * u.sum(), np.ones((3, 4)), backend="python")
    assert jac.explain(row=6).heading.startswith("row 6 [1, 2] of the sparse Jacobian")


@pytest.mark.parametrize("given", [{"row": N}, {"column": -N - 1}, {"row": 1.5}, {"row": 1, "column": 1}])
def test_bad_numbers_are_refused(jac, given):
    with pytest.raises(sad.InputError):
        jac.explain(**given)


def test_the_last_row_by_a_negative_number(jac):
    assert jac.explain(row=-1).number == N - 1


def test_differences_know_no_lines():
    jac = sad.jacobian(coupled, np.ones(N), 0.5, method="finite-difference")
    with pytest.raises(sad.InputError, match="explain needs method='ad'"):
        jac.explain(row=1)


def test_html_takes_no_markup_from_code():
    jac = sad.jacobian(lambda x: np.where(x < 1.0, x, 2 * x), np.ones(N), backend="python")
    html = jac.explain(row=1)._repr_html_()
    assert "x &lt; 1.0" in html and "x < 1.0" not in html
