"""A user's function on the command line: its matrix is written, bad input gets a message and status 2."""

import re
import sys

import numpy as np
import pytest
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


@pytest.mark.parametrize("args", [["mine:chain", "--arg", "2"], ["mine:energy", "--hessian"]])
def test_what_is_right_passes_the_check(run, args):
    done = run("check", *args, "--x0", "x.npy")
    assert done.exit_code == 0, done.output
    assert "FAILED" not in done.output and done.output.count("\nok ") >= 2


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
        (["mine:constant", "--x0", "x.npy"], "constant in mine is not a function but float"),
        (["mine.py:chain", "--x0", "x.npy"], "write mine:chain"),
        (["broken:f", "--x0", "x.npy"], "cannot import broken: SyntaxError"),
        (["mine:chain", "--x0", "x.npy"], "give --arg for each of the others"),
        (["mine:lengths", "--x0", "x.npy"], "lengths raised ValueError: operands could not be broadcast"),
        (["mine:lengths", "--x0", "x.npy"], "return x[:3] + np.ones(2)"),
        (["mine:lengths", "--x0", "x.npy"], "It was called with shapes (5,)."),
        (["mine:energy", "--x0", "several.npz"], "holds several arrays"),
        (["mine:energy", "--x0", "words.npy"], "x has dtype <U5; expected real numbers"),
        (["mine:energy", "--x0", "mine.py"], "cannot read an array from mine.py"),
        (["mine:energy"], "Missing option '--x0'"),
        (["mine:energy", "--x0", "missing.npy"], "cannot read an array from missing.npy"),
        (["mine:branches", "--x0", "x.npy"], "mine.py"),
        (["mine:energy", "--x0", "x.npy", "--mode", "sideways"], "unknown mode 'sideways'"),
        (["mine:energy", "--x0", "x.npy", "-o", "nowhere/J.npz"], "cannot write nowhere/J.npz"),
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
    assert "warning: 1 of 5 entries are not finite" in done.output
    assert "written to J.npz;" in done.output
    assert scipy.sparse.load_npz("J.npz").nnz == 5
