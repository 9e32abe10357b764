"""The bench: counts are those of the coloring package, files hold what the tables show, bad input gets a message."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import scipy.sparse
from click.testing import CliRunner
from matplotlib.image import imread

import coloring
import sparsead as sad
from sparsead.cli.group import group
from sparsead.problems import PROBLEMS

FEW = ("--order", "natural", "--order", "auto")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")

    def invoke(*args, status=0):
        done = CliRunner().invoke(group, ["bench", *args])
        assert done.exit_code == status, done.output
        assert "Traceback" not in done.output
        return done.output

    return invoke


def test_counts_are_those_of_the_coloring_package(run):
    run("brusselator", "minimal-surface", "--size", "5", "--count", "--csv", "counts.csv")
    rows = list(csv.DictReader(Path("counts.csv").read_text().splitlines()))
    assert {row["mode"] for row in rows} == {"forward", "reverse", "bidirectional", "star", "acyclic", "column"}
    terms = {
        "forward": ("nonsymmetric", "column", "direct"),
        "reverse": ("nonsymmetric", "row", "direct"),
        "bidirectional": ("nonsymmetric", "bidirectional", "direct"),
        "star": ("symmetric", "column", "direct"),
        "acyclic": ("symmetric", "column", "substitution"),
        "column": ("nonsymmetric", "column", "direct"),
    }
    for row in rows:
        problem = PROBLEMS[row["problem"]](5)
        detect = sad.jacobian_pattern if row["derivative"] == "jacobian" else sad.hessian_pattern
        result = coloring.color(detect(problem.f, problem.x0, *problem.args), *terms[row["mode"]], order=row["order"])
        assert (int(row["passes"]), int(row["lower_bound"])) == (result.num_colors, result.lower_bound)
        assert int(row["nnz"]) == result.pattern.nnz


def test_counting_alone_is_reproducible(run):
    first, second = (run("cavity", "--size", "4", "--count") for _ in range(2))
    assert first == second
    assert "Milliseconds" not in first


def test_everything_is_written(run):
    output = run(
        "rosenbrock", "bratu", "--scale", "picture", "--seconds", "0", *FEW,
        "--json", "all.json", "--markdown", "all.md", "--plot", "charts",
    )  # fmt: skip
    valley, heat = json.loads(Path("all.json").read_text())
    assert (valley["name"], valley["derivative"], valley["n"], valley["nnz"]) == ("rosenbrock", "hessian", 24, 70)
    assert list(heat["stages"]) == ["trace", "lower", "linearize", "detect", "color", "compile", "check"]
    assert heat["evaluations"]["compressed"]["passes"] == 7
    assert heat["f"] > 0
    assert all(e["seconds"] > 0 and e["of_f"] > 0 for e in heat["evaluations"].values())
    page = Path("all.md").read_text()
    assert [line for line in page.splitlines() if line.startswith("##")] == [
        "## Passes", "## Milliseconds to prepare", "## Evaluations",
    ]  # fmt: skip
    assert "| bratu | 64 | 352 | forward | 7 | 11 | **7** |" in page
    assert re.search(r"bratu +64 +352 +forward +7 +11 +7 ", output)
    for chart in ("passes", "stages", "evaluations"):
        assert imread(f"charts/{chart}.png").shape[1] > 500


def test_modes_and_orders_can_be_chosen(run):
    output = run("bratu", "--size", "3", "--mode", "reverse", "--order", "saturation", "--seconds", "0")
    assert output.count("reverse") == 2  # counted, and evaluated
    assert not re.search("forward|bidirectional|natural", output)


def test_peers_are_compared_before_they_are_timed(run):
    pytest.importorskip("casadi")
    run("brusselator", "power-flow", "--size", "3", "--seconds", "0", "--peers", *FEW, "--json", "all.json")
    waves, network = json.loads(Path("all.json").read_text())
    assert waves["evaluations"]["CasADi SX"]["of_f"] > 0
    assert waves["evaluations"]["SciPy differences"]["passes"] > 1
    assert "TypeError" in network["evaluations"]["CasADi SX"]["error"]


def test_a_matrix_file_is_counted(run):
    scipy.io.mmwrite("tridiagonal.mtx", scipy.sparse.diags_array([1.0, 2.0, 1.0], offsets=[-1, 0, 1], shape=(9, 9)))
    output = run("tridiagonal.mtx", *FEW)
    assert re.search(r"tridiagonal.mtx +9 +25 +star +3 +3 +3", output)
    assert "Evaluations" not in output


def test_a_function_of_ones_own(run, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    Path("benched.py").write_text("def chain(x, factor):\n    return factor * x[1:] * x[:-1]\n")
    np.save("x.npy", np.ones(7))
    output = run("benched:chain", "--x0", "x.npy", "--arg", "2", "--seconds", "0", *FEW)
    assert re.search(r"chain +7 +12 +forward +2 +2 +2", output)
    assert "chain" in output.split("Evaluations")[1]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["oregonator"], "'oregonator' is not one of"),
        (["missing.mtx"], "missing.mtx: there is no such file; expected a Matrix Market file"),
        (["nowhere:f"], "cannot import nowhere"),
        (["math:sin"], "a function needs its point: --x0 X.npy"),
        (["rosenbrock", "--size", "1"], "must be at least 2, got 1"),
        (["bratu", "--size", "2", "--count", "--json", "missing/all.json"], "there is no folder missing"),
        (["bratu", "--order", "sideways"], "'sideways' is not one of"),
    ],
)
def test_bad_input_gets_a_message_and_status_2(run, args, message):
    assert message in run(*args, status=2)
