"""The tests with other versions than those at hand: ``nox``, or ``make versions``.

``lowest`` installs exactly the lower bounds that pyproject.toml declares, so a bound that is not true fails here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tomllib
from pathlib import Path

import nox

nox.needs_version = ">=2024.4"
nox.options.sessions = ["lowest", "newest", "jax", "bare"]
nox.options.reuse_existing_virtualenvs = True

PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
PROJECT = tomllib.loads(Path("pyproject.toml").read_text())["project"]
TOOLS = ["pytest>=8", "hypothesis>=6.100", "pytest-xdist>=3.5", "cloudpickle>=3", "joblib>=1.3", "pyyaml"]
SMOKE = [
    "tests/laws/test_registry.py::test_value_and_jacobian_are_those_of_numpy", "tests/ops/test_supported.py",
    "tests/tracing/test_recording.py", "tests/tracing/test_texts.py", "tests/tracing/test_raising.py",
    "tests/emit/test_back_ends.py", "tests/keeping/test_saving.py", "tests/coloring/test_round_trip.py",
    "tests/cli/test_function.py", "tests/test_imports.py", "tests/test_extras.py", "tests/test_project.py",
    "tests/solvers/test_openmdao.py", "tests/solvers/test_pyomo.py", "tests/solvers/test_pytensor.py",
]  # fmt: skip

if shutil.which("pyenv"):  # its interpreters, beside those that the path names
    root = subprocess.run(["pyenv", "root"], capture_output=True, text=True, check=True).stdout.strip()
    at_hand = [str(folder) for folder in Path(root).glob("versions/*/bin")]
    os.environ["PATH"] = os.pathsep.join([*at_hand, os.environ["PATH"]])  # before its shims, which may refuse


def extras(*names: str) -> list[str]:
    """Return what some of the package's extras require."""
    return [requirement for name in names for requirement in PROJECT["optional-dependencies"][name]]


def requirements() -> list[str]:
    """Return what the package and its command require."""
    return [*PROJECT["dependencies"], *extras("cli")]


def newest_python() -> str:
    """Return the newest Python at hand among those that are supported."""
    return next((p for p in reversed(PYTHONS) if shutil.which(f"python{p}")), PYTHONS[0])


def tested(session: nox.Session, *installed: str) -> None:
    """Run the tests: those named after ``--``, ``smoke`` for a few of every kind, or all but the slow ones."""
    session.install(*installed, *TOOLS)
    session.run("python", "-m", "pip", "list", "--format=freeze", silent=True)
    chosen = SMOKE if session.posargs == ["smoke"] else session.posargs
    folder = Path(session.create_tmp()).resolve()
    kept = {"SPARSEAD_CACHE": f"{folder}/code", "NUMBA_CACHE_DIR": f"{folder}/numba", "PYTHONPATH": os.getcwd()}
    session.run("python", "-m", "pytest", "-n", "2", "-p", "no:cacheprovider", "-m", "not slow", *chosen, env=kept)


@nox.session(python=PYTHONS[0])
def lowest(session: nox.Session) -> None:
    """Test with the lowest version of every dependency, on the oldest Python; with packages that want an old numba."""
    tested(session, *(r.replace(">=", "==") for r in requirements()), *extras("openmdao", "pyomo", "pytensor"))


@nox.session(python=newest_python())
def newest(session: nox.Session) -> None:
    """Test with what is newest, on the newest Python at hand."""
    tested(session, "--upgrade", *requirements())


@nox.session(python=PYTHONS)
def python(session: nox.Session) -> None:
    """Test on one version of Python."""
    tested(session, *requirements())


@nox.session(python=newest_python())
def jax(session: nox.Session) -> None:
    """Test the function for JAX by itself: JAX runs threads, beside which the tests must not fork processes."""
    session.install(*requirements(), *extras("jax"), "diffrax", "optimistix", *TOOLS)
    session.run("python", "-m", "pytest", "-p", "no:cacheprovider", "tests/solvers/test_jax.py")


@nox.session(python=newest_python())
def bare(session: nox.Session) -> None:
    """Build wheel and sdist, install the wheel alone, and run the examples of the README."""
    folder = Path(session.create_tmp()).resolve()
    session.install("build", "hatchling")
    session.run("python", "-m", "build", "--no-isolation", "--outdir", f"{folder}/dist", silent=True)
    fresh = folder / "venv"
    session.run("python", "-m", "venv", "--clear", f"{fresh}")
    wheel = max(folder.glob("dist/*.whl"))
    interpreter = f"{fresh}/bin/python"
    session.run(interpreter, "-m", "pip", "install", "--quiet", f"{wheel}", external=True)
    with session.chdir(folder):  # where no sparsead lies about
        session.run(interpreter, f"{Path(__file__).parent}/tests/bare.py", external=True)
