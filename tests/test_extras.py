"""Missing packages name their extra; the other package named coloring is noticed; nothing is said at exit."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import coloring
import sparsead as sad
from sparsead.extras import EXTRAS, optional
from sparsead.namesake import require_ours

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def run(*command, path="", **environment):
    """Run an interpreter that finds sparsead behind `path`."""
    environment = {**os.environ, "PYTHONPATH": f"{path}{os.pathsep}{ROOT}", **environment}
    pipes = {"capture_output": True, "text": True, "timeout": 120, "cwd": path or ROOT}
    return subprocess.run([sys.executable, *command], env=environment, check=False, **pipes)


# -- extras ---------------------------------------------------------------------------------------------------------
def test_every_extra_that_is_named_exists():
    assert set(EXTRAS.values()) <= set(PROJECT["optional-dependencies"])


@pytest.mark.parametrize(
    ("package", "used"),
    [
        ("cyipopt", lambda: sad.solvers.IpoptProblem(lambda x: np.sum(x**2), np.ones(2)).problem()),
        ("petsc4py", lambda: sad.solvers.PetscSystem(lambda x: x**2, np.ones(2))),
        ("pypardiso", lambda: sad.solvers.newton(lambda x: x**2 - 2, np.ones(2), linear_solver="pardiso")),
        ("sksundae", lambda: optional("sksundae.cvode")),
        ("click", lambda: optional("click")),
        ("matplotlib", lambda: coloring.SparsityPattern.from_coo([0], [0], (1, 1)).spy()),
        ("matplotlib", lambda: coloring.color(np.eye(2)).spy()),
    ],
)
def test_what_is_missing_names_its_extra(package, used, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [_Without(package), *sys.meta_path])
    with pytest.raises(ModuleNotFoundError, match=re.escape(f"pip install 'sparsead[{EXTRAS[package]}]'")) as caught:
        used()
    assert caught.value.name.split(".")[0] == package


class _Without:
    """A finder that makes one package missing."""

    def __init__(self, package):
        self.package = package

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == self.package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def test_other_missing_modules_are_named_as_they_are():
    with pytest.raises(ModuleNotFoundError, match=r"^No module named 'nosuchmodule'$"):
        optional("nosuchmodule")


@pytest.mark.parametrize("package", ["click", "rich"])
def test_the_command_says_what_it_needs(package, tmp_path):
    missing = f"raise ModuleNotFoundError('missing', name={package!r})\n"
    (tmp_path / f"{package}.py").write_text(missing)
    done = run("-m", "sparsead", "color", "x.mtx", path=tmp_path)
    assert done.returncode == 1
    assert done.stderr == f"The sparsead command needs {package}: pip install 'sparsead[cli]'\n"


def test_python_m_is_the_command():
    done = run("-m", "sparsead", "--version")
    assert (done.returncode, done.stdout.strip()) == (0, f"sparsead, version {sad.__version__}")


# -- the package of the same name -----------------------------------------------------------------------------------
def test_a_file_of_the_same_name_is_noticed(tmp_path):
    (tmp_path / "coloring.py").write_text("red = '31'\n")
    done = run("-c", "import sparsead", path=tmp_path)
    assert done.returncode == 1
    assert f"but Python finds another one under that name:\n  {tmp_path}" in done.stderr


def test_a_package_written_over_ours_is_noticed(tmp_path):
    shutil.copytree(ROOT / "coloring", tmp_path / "coloring", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "coloring" / "__init__.py").write_text("def colored(text):\n    return text\n")
    done = run("-c", "import sparsead", path=tmp_path)
    assert done.returncode == 1
    assert "pip uninstall coloring" in done.stderr


def test_a_folder_without_its_init_is_noticed(tmp_path):
    """The other package was uninstalled, and its ``__init__.py`` had been written over ours."""
    (tmp_path / "coloring").mkdir()
    left = ModuleType("coloring")
    left.__path__ = [str(tmp_path / "coloring")]
    with pytest.raises(ImportError, match=re.escape(f"{[str(tmp_path / 'coloring')]} (a folder without __init__.py)")):
        require_ours(left)
    require_ours(coloring)


# -- the end of the process -----------------------------------------------------------------------------------------
HELD = """
import numba, numpy as np, sparsead as sad, sys
double = numba.njit(lambda x: 2 * x)
double(1.0)
jac = sad.jacobian(lambda x: x[1:] * x[:-1], np.ones(9), backend="llvm")
sys.kept = [sad.hessian(lambda x: np.sum(x**4), np.ones(9)), double]
sys.kept.append(sys.kept)
"""


@pytest.mark.parametrize("options", [(), ("-O",), ("-OO",), ("-X", "dev", "-W", "error")])
def test_nothing_is_said_at_the_end(options):
    done = run(*options, "-c", HELD)
    assert (done.returncode, done.stderr) == (0, "")
