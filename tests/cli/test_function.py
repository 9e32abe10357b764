"""A user's function on the command line: its matrix is written, bad input gets a message and status 2."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import scipy.sparse
from click.testing import CliRunner

import sparsead as sad
from sparsead.cli.group import group

MODULE = """
import numpy as np

def chain(x, factor):
    return factor * x[1:] * x[:-1]

def energy(x):
    return np.sum(x[1:] ** 2 * x[:-1])

def branches(x):
    return x if x[0] > 0 else -x

def mean_field(x):
    return x * np.sum(x)

class Model:
    @staticmethod
    def rates(x):
        return x[1:] * x[:-1]

def lengths(x):
    return x[:3] + np.ones(2)

def logarithm(x):
    return np.log(x - 1.0)

def squares(x):
    return x * x

def jumps(x):
    return np.floor(x) * np.nan

def steps(x):
    return np.floor(x)

def start():
    return np.linspace(0.0, 1.0, 6)

def fails():
    return 1 / 0

def state():
    return {"u": 1.0}

calls = []

def longer(x):
    calls.append(1)
    return x * len(calls)

constant = 3.0
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "mine.py").write_text(MODULE)
    np.save("x.npy", np.arange(1.0, 6.0))
    np.save("words.npy", np.array(["three", "words"]))
    np.savez("several.npz", a=np.ones(2), b=np.ones(3))
    (tmp_path / "broken.py").write_text("def f(x:\n    return x\n")
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    return lambda *args: CliRunner().invoke(group, list(args))


def test_the_jacobian_is_written(run):
    done = run("jacobian", "mine:chain", "--x0", "x.npy", "--arg", "2", "-o", "J.npz")
    assert done.exit_code == 0, done.output
    assert "sparse Jacobian of chain: 4 x 5, 8 nonzeros" in done.output
    x = np.arange(1.0, 6.0)
    expected = 2.0 * (np.eye(4, 5) * x[1:, None] + np.eye(4, 5, 1) * x[:-1, None])
    np.testing.assert_allclose(scipy.sparse.load_npz("J.npz").toarray(), expected)


def test_the_hessian_in_a_chosen_mode(run):
    done = run("hessian", "mine:energy", "--x0", "x.npy", "--mode", "star")
    assert done.exit_code == 0, done.output
    assert "star: 3 HVP passes instead of 5" in done.output


def test_long_rows_are_explained(run):
    done = run("jacobian", "mine:mean_field", "--x0", "x.npy", "--explain")
    assert done.exit_code == 0, done.output
    assert re.search(r"5 +5  mine.py:14 +return x \* np.sum\(x\)\n", done.output)


def test_the_pattern_is_drawn(run):
    done = run("jacobian", "mine:chain", "--x0", "x.npy", "--arg", "2", "--picture")
    assert "sparsity pattern: 4 x 5, entries: 8 (0.4 of all), 2 per row\n[⠙⢦⡀]\n" in done.output


@pytest.mark.parametrize("args", [["mine:chain", "--arg", "2"], ["mine:energy", "--hessian"]])
def test_what_is_right_passes_the_check(run, args):
    done = run("check", *args, "--x0", "x.npy")
    assert done.exit_code == 0, done.output
    assert "FAILED" not in done.output and done.output.count("\nok ") >= 2


def test_what_is_wrong_already_as_it_is_prepared_fails_the_check(run):
    done = run("check", "mine:longer", "--x0", "x.npy")
    assert done.exit_code == 1
    assert "FAILED" in done.output


def test_what_is_wrong_fails_the_check(run, monkeypatch):
    def failing(prepared, x, *args):
        report = type("Report", (), {"__str__": lambda self: "FAILED somewhere"})()
        raise sad.CheckFailed(report)

    monkeypatch.setattr(sad, "check", failing)
    done = run("check", "mine:energy", "--x0", "x.npy")
    assert done.exit_code == 1
    assert "FAILED somewhere" in done.output


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["mine", "--x0", "x.npy"], "'mine' is not of the form MODULE:FUNCTION"),
        (["yours:f", "--x0", "x.npy"], "cannot import yours"),
        (["mine:nothing", "--x0", "x.npy"], "mine has no function nothing; it has"),
        (["mine:chains", "--x0", "x.npy"], "mine has no function chains; did you mean chain?"),
        (["mine:constant", "--x0", "x.npy"], "mine:constant is not a function but float"),
        (["mine.py:chain", "--x0", "x.npy"], "write mine:chain"),
        (["broken:f", "--x0", "x.npy"], "cannot import broken: SyntaxError"),
        (["mine:chain", "--x0", "x.npy"], "give --arg for each of the others"),
        (["mine:lengths", "--x0", "x.npy"], "lengths raised ValueError: operands could not be broadcast"),
        (["mine:lengths", "--x0", "x.npy"], "return x[:3] + np.ones(2)"),
        (["mine:lengths", "--x0", "x.npy"], "It was called with shapes (5,)."),
        (["mine:energy", "--x0", "several.npz"], "holds several arrays"),
        (["mine:energy", "--x0", "mine:state"], "mine:state is no array of numbers but dict"),
        (["mine:energy", "--x0", "words.npy"], "x has dtype <U5; expected real numbers"),
        (["mine:energy", "--x0", "mine.py"], "cannot read an array from mine.py"),
        (["mine:energy"], "Missing option '--x0'"),
        (
            ["mine:energy", "--x0", "missing.npy"],
            "missing.npy: there is no such file; expected a file (.npy, .txt, .csv)",
        ),
        (["mine:branches", "--x0", "x.npy"], "mine.py"),
        (
            ["mine:energy", "--x0", "x.npy", "--mode", "sideways"],
            "'sideways' is not one of 'auto', 'compressed', 'forward'",
        ),
        (["mine:energy", "--x0", "x.npy", "-o", "nowhere/J.npz"], "there is no folder nowhere"),
    ],
)
def test_bad_input_gets_a_message_and_status_2(run, args, message):
    done = run("jacobian", *args)
    assert done.exit_code == 2
    assert message in done.output
    assert "Traceback" not in done.output


def test_a_method_by_its_dotted_name(run):
    assert "sparse Jacobian of rates: 4 x 5" in run("jacobian", "mine:Model.rates", "--x0", "x.npy").output


def test_what_is_not_finite_is_said(run):
    done = run("jacobian", "mine:logarithm", "--x0", "x.npy", "-o", "J")
    assert done.exit_code == 0, done.output
    assert "values at x0: from 0.25 to 1; 1 of 5 are not finite" in done.output
    assert "written to J.npz;" in done.output
    assert scipy.sparse.load_npz("J.npz").nnz == 5


@pytest.mark.parametrize(
    ("given", "shape"),
    [("1000", 1000), ("zeros:7", 7), ("ones:2x5", 10), ("point.txt", 3), ("point.csv", 4), ("mine:start", 6)],
)
def test_the_point_in_every_form(run, given, shape):
    np.savetxt("point.txt", np.ones(3))
    np.savetxt("point.csv", np.ones((2, 2)), delimiter=",")
    done = run("jacobian", "mine:squares", "--x0", given)
    assert done.exit_code == 0, done.output
    assert f"{shape:,} x {shape:,}" in done.output
    assert "values at x0: from" in done.output


def test_arguments_are_numbers_where_points_are_sizes(run):
    done = run("jacobian", "mine:chain", "--x0", "5", "--arg", "2")
    assert "values at x0: from 2 to 2\n" in done.output


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("point.csv", "point.csv: there is no such file"),
        (".", ".: is a folder; expected a file"),
        ("mine:nothing", "mine has no function nothing"),
        ("mine:fails", "mine:fails raised ZeroDivisionError: division by zero"),
        ("words.txt", "cannot read an array from words.txt"),
        ("ones:99999999999x99999999999", "ones:99999999999x99999999999: "),
    ],
)
def test_points_that_are_none(run, given, message):
    Path("words.txt").write_text("three words here\n")
    done = run("jacobian", "mine:squares", "--x0", given)
    assert done.exit_code == 2
    assert message in done.output


def test_the_check_fails_where_nothing_was_compared(run):
    for name, message in {"steps": "nothing was compared with FUNCTION", "jumps": "nothing can be compared"}.items():
        done = run("check", f"mine:{name}", "--x0", "zeros:4")
        assert done.exit_code == 1
        assert message in done.output
    assert run("check", "mine:squares", "--x0", "4").exit_code == 0


def test_the_help_waits_for_nothing():
    """It loads click, and nothing of the rest: NumPy, SciPy and numba take ten times as long as all else."""
    heavy = ["numpy", "scipy", "numba", "networkx", "matplotlib", "rich"]
    code = f"""
import sys
from sparsead.cli import main
sys.argv = ["sparsead", "--help"]
try:
    main()
finally:
    print([name for name in {heavy} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")


@pytest.mark.parametrize(
    "command", [["color", "m.mtx"], ["bench", "rosenbrock", "--scale", "picture", "--seconds", "0.01"]]
)
def test_at_80_columns_no_number_is_cut(run, monkeypatch, command):
    monkeypatch.setenv("COLUMNS", "80")
    scipy.io.mmwrite("m.mtx", scipy.sparse.diags_array([1.0, 1.0, 1.0], offsets=[-1, 0, 1], shape=(30, 30)))
    done = run(*command)
    assert done.exit_code == 0, done.output
    assert "\u2026" not in done.output
    assert max(map(len, done.output.splitlines())) <= 80
