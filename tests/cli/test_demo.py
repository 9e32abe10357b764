"""The demo: what it prints is true, its picture is there, bad input gets a message and status 2."""

import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from matplotlib.image import imread

from sparsead.cli import main
from sparsead.cli.group import group
from sparsead.problems import PROBLEMS


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    return lambda *args: CliRunner().invoke(group, list(args))


CASES = [
    ("brusselator", 6, 72, 432, 2),
    ("bratu", 3, 27, 135, 2),
    ("cavity", 3, 18, 107, 2),
    ("rosenbrock", 9, 9, 25, 1),
    ("broyden", 12, 12, 68, 2),
    ("burgers", 20, 20, 140, 2),
    ("burgers-2d", 8, 64, 832, 2),
    ("hyperelastic", 1, 12, 126, 2),
    ("power-flow", 1, 22, 146, 2),
    ("minimal-surface", 4, 16, 82, 1),
]


@pytest.mark.parametrize(("problem", "size", "shape", "nnz", "checks"), CASES)
def test_the_demo_tells_the_facts(run, problem, size, shape, nnz, checks):
    done = run("demo", problem, "--size", str(size))
    assert done.exit_code == 0, done.output
    assert f"{shape} x {shape}, {nnz} nonzeros" in done.output
    assert all(stage in done.output for stage in ("trace", "lower", "linearize", "detect", "color", "compile"))
    assert re.search(r"colors +\d+ \((optimal|proven lower bound ([2-9]|1\d))\)", done.output)
    differences = [float(d) for d in re.findall(r"(\d\.\de-\d\d) *\n", done.output)]
    assert len(differences) == checks and 0 < max(differences) < 1e-13
    assert imread(f"{problem}.png").shape[0] > 500


def test_every_problem_is_demonstrated():
    assert {name for name, *_ in CASES} == set(PROBLEMS)


def test_hyphens_may_be_left_out(run):
    assert "AC power flow" in run("demo", "powerflow", "--size", "1", "--no-plot").output


def test_a_large_problem_gets_the_picture_of_a_small_one(run):
    done = run("demo", "--size", "20", "--plot", "here.png")
    assert "(at size 6, to be legible): here.png" in done.output
    assert Path("here.png").exists()


@pytest.mark.parametrize("mode", ["forward", "reverse", "bidirectional", "direct", "compressed"])
def test_every_mode(run, mode):
    done = run("demo", "--size", "4", "--mode", mode)
    assert done.exit_code == 0, done.output
    assert re.search(r"passes +(none: entries|\d+ (JVP|VJP))", done.output)


def test_no_plot_writes_nothing(run, tmp_path):
    assert run("demo", "--size", "3", "--no-plot").exit_code == 0
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--size", "0"], "0 is not in the range x>=1"),
        (["--size", "-3"], "-3 is not in the range x>=1"),
        (["--size", "many"], "'many' is not a valid integer"),
        (["oregonator"], "'oregonator' is not one of 'bratu'"),
        (["rosenbrock", "--size", "1"], "must be at least 2, got 1"),
        (["--mode", "sideways"], "'sideways' is not one of 'auto'"),
        (["--plot", "missing/picture.png"], "there is no folder missing"),
        (["--size", "3", "--plot", "picture.docx"], "cannot write picture.docx: Format 'docx' is not supported"),
    ],
)
def test_bad_input_gets_a_message_and_status_2(run, args, message):
    done = run("demo", *args)
    assert done.exit_code == 2
    assert message in done.output
    assert "Traceback" not in done.output


def test_without_click_the_command_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "click", None)
    monkeypatch.delitem(sys.modules, "sparsead.cli.group")
    with pytest.raises(SystemExit, match=r"needs click: pip install 'sparsead\[cli\]'"):
        main()


def test_help_lists_the_commands(run):
    assert re.search(r"demo +Run the main job", run("--help").output)
