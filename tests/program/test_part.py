"""Parts of programs, and programs sent as bytes: the same values to the bit, whatever rows are asked for."""

import io
import json
import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sparsead.ops  # noqa: F401  (fills the tables that tracing reads)
from sparsead import problems
from sparsead.program.evaluate import can_run, evaluate, run
from sparsead.program.index import identity
from sparsead.program.nodes import Input, Ref
from sparsead.program.part import part_of, substituted
from sparsead.program.sending import _Sender, packed, unpacked
from sparsead.tracing.trace import trace
from tests.laws.samples import ANCHORS, CALLS


def scattered(x):
    y = np.zeros(x.size)
    np.add.at(y, np.arange(x.size) // 2, np.sin(x))
    return y * x[::-1]


def joined(x):
    return np.concatenate([x[3:] ** 2, np.cumsum(x[:4]), [1.0], x[::2] * np.arange(x[::2].size)])


def recurrence(x):
    y = np.zeros(x.size)
    y[0] = x[0]
    for i in range(1, x.size):
        y[i] = 0.5 * y[i - 1] + x[i] ** 2
    return y


def solved(x):
    A = np.array([[4.0, 1.0], [1.0, 3.0]])
    return np.concatenate([np.linalg.solve(A * x[0], x[1:3]), x[3:]])


def called(x):
    return np.linalg.solve(np.diag(x) + 0.1, x**2)


def moved(x):
    a = x.reshape(4, -1)
    # Rounded correctly: the last bits of exponentials and powers of one element differ from those of many.
    return np.transpose(np.pad(np.sqrt(a) / (1.0 + a * a), 1, mode="wrap"))


def summed(x):
    a = x.reshape(4, -1)
    return np.sum(a * a, axis=1)[:, None] * a + np.mean(a, axis=0)


PLAIN = [scattered, joined, recurrence, solved, called, moved, summed]
PROBLEMS = ["bratu", "brusselator", "burgers", "burgers_2d", "cavity", "broyden"]


def traced(name):
    if callable(name):
        x0 = np.linspace(0.3, 1.2, 24)
        return trace(name, (x0,), 0), x0, ()
    problem = getattr(problems, name)(6)
    return trace(problem.f, (problem.x0, *problem.args), 0), problem.x0, problem.args


def value(program, arrays):
    inputs = {node.serial: array for node, array in zip(program.inputs, arrays, strict=True)}
    return (run(program, inputs) if can_run(program) else evaluate(program.output, inputs)).reshape(-1)


@pytest.mark.parametrize("name", [*PLAIN, *PROBLEMS], ids=lambda n: getattr(n, "__name__", n))
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_a_part_has_the_values_of_the_whole(name, data):
    (program, signature), x0, args = traced(name)
    x = x0 + 0.01 * np.random.default_rng(0).uniform(size=x0.shape)
    arrays = signature.convert((x, *args))
    whole = value(program, arrays)
    start, stop = sorted(data.draw(st.tuples(*[st.integers(0, whole.size)] * 2)))
    own = range(*sorted(data.draw(st.tuples(*[st.integers(0, x.size)] * 2))))
    part = part_of(program, range(start, stop), own)
    sent = unpacked(packed(part.program))
    sent.check()
    assert np.array_equal(part.numbers, np.unique(part.numbers)) and set(own) <= set(part.numbers.tolist())
    assert np.array_equal(value(sent, [arrays[0][part.numbers], *arrays[1:]]), whole[start:stop])


def test_a_part_reads_what_its_rows_read_and_no_more():
    (program, _), _, _ = traced("bratu")
    part = part_of(program, range(72, 108), range(72, 108))  # the third of six planes
    assert np.array_equal(part.numbers, np.arange(36, 144))


def test_a_part_is_as_large_as_its_rows():
    """No array of a part has more elements than the part reads or computes."""
    problem = problems.bratu(20)
    program, _ = trace(problem.f, (problem.x0, *problem.args), 0)
    part = part_of(program, range(800, 1200), range(800, 1200))  # one plane of twenty
    assert max(node.size for node in part.program.nodes) <= 3 * 22 * 22
    assert len(packed(part.program)) < len(packed(program)) / 5


def test_inputs_that_are_spread_are_cut_with_x():
    program, _ = trace(lambda x, k, c: k * x**2 + c, (np.ones(9), np.ones(9), np.ones(9)), 0)
    part = part_of(program, range(2, 4), range(2, 4), [program.inputs[1]])
    assert [node.size for node in part.program.inputs] == [2, 2, 9]


def test_inputs_can_be_given_by_readings():
    program, _ = trace(lambda x: np.concatenate([x, x[:2] ** 2]) * 2.0, (np.ones(4),), 0)
    longer = Input(shape=(8,), name="z")
    found = substituted(program, {program.wrt.serial: Ref(longer, identity(8)[::2])})
    z = np.arange(8.0)
    assert np.array_equal(evaluate(found, {longer.serial: z}), 2.0 * np.concatenate([z[::2], z[:4:2] ** 2]))


def test_long_programs_can_be_sent():
    def many(x):
        for _ in range(3000):
            x = np.sin(x)
        return x

    program, _ = trace(many, (np.ones(2),), 0)
    assert np.array_equal(value(unpacked(packed(program)), [np.ones(2)]), value(program, [np.ones(2)]))


OTHER = """
import json, sys
import numpy as np
import sparsead.derivatives.jacobian
from sparsead.program.evaluate import run
from sparsead.program.sending import unpacked
program = unpacked(sys.stdin.buffer.read())
print(json.dumps(run(program, {program.wrt.serial: np.linspace(0.3, 1.2, 24)}).tolist()))
"""


@pytest.mark.parametrize("f", [solved, called])
def test_another_process_understands(f):
    """Operations that no table has, and those that are not traced."""
    (program, _), x0, _ = traced(f)
    done = subprocess.run([sys.executable, "-c", OTHER], input=packed(program), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    assert np.array_equal(np.array(json.loads(done.stdout)), value(program, [x0]))


def test_what_a_block_holds_in_vain_asks_for_nothing():
    """Rows that begin behind a corner which another piece of a joined array fills: that piece is not there at all."""

    def corner(x):
        a = (x[:24] ** 2).reshape(4, 6)
        a[0, 0] = np.cos(x[24])
        return 2.0 * a

    program, _ = trace(corner, (np.ones(25),), 0)
    x = np.linspace(0.3, 1.2, 25)
    part = part_of(program, range(1, 13), range(0))
    assert part.numbers.tolist() == list(range(1, 13))
    assert np.array_equal(value(part.program, [x[1:13]]), 2.0 * x[1:13] ** 2)


HOLD_FUNCTIONS = [
    "scipy.special.jv",
    "np.linalg.svd",
    "np.linalg.qr",
    "np.linalg.eigh",
    "np.linalg.det-3",
    "np.linalg.solve-3",
    "np.linalg.solve of complex values-2",
    "np.interp-5",
    "scipy.interpolate.interpn-1",
    "scipy.interpolate.LinearNDInterpolator",
    "scipy.ndimage.map_coordinates-2",
    "scipy.linalg.solve_banded",
    "scipy.sparse.linalg.spsolve",
    "scipy.sparse.linalg.spsolve-1",
    "scipy.sparse.linalg.cg",
    "scipy.sparse.linalg.cg-1",
    "scipy.sparse.linalg.splu",
]  # one of each kind of operation that is not traced, and holds local functions


@pytest.mark.parametrize("name", [*HOLD_FUNCTIONS, "np.linalg.det"])
def test_operations_that_hold_local_functions_are_sent(name):
    """And so are parts of which no row is wanted."""
    program, signature = trace(CALLS[name].call, (ANCHORS[0],), 0)
    whole = value(program, signature.convert((ANCHORS[0],)))
    for rows in (range(whole.size // 2), range(whole.size // 2, whole.size)):
        part = part_of(program, rows, range(3, 6))
        sent = unpacked(packed(part.program))
        sent.check()
        found = value(sent, [ANCHORS[0].ravel()[part.numbers]])
        np.testing.assert_allclose(found, whole[rows.start : rows.stop], rtol=1e-13)


def test_local_functions_that_hold_themselves_and_defaults_are_sent():
    def factorial(n, *, last=1.0):
        return n * factorial(n - 1) if n > 1 else last

    file = io.BytesIO()
    _Sender(file).dump(factorial)
    sent = pickle.loads(file.getvalue())
    assert sent(5) == 120.0 and sent.__qualname__ == factorial.__qualname__ and sent is not factorial
    assert sent.__closure__[0].cell_contents is sent
