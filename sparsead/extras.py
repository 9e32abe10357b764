"""Packages that not everybody needs: imported when they are used; where one is missing, how to get it is said."""

from __future__ import annotations

import importlib
from typing import Any

EXTRAS = {
    "click": "cli",
    "cupy": "cuda",
    "cupyx": "cuda",
    "cyipopt": "ipopt",
    "jax": "jax",
    "matplotlib": "plot",
    "mpi4py": "mpi",
    "openmdao": "openmdao",
    "petsc4py": "petsc",
    "pyomo": "pyomo",
    "pypardiso": "pardiso",
    "pytensor": "pytensor",
    "rich": "cli",
    "sksundae": "sundials",
}  # what is imported -> the extra of sparsead that installs it


def optional(module: str) -> Any:
    """Import a module of an optional package.

    Raises
    ------
    ModuleNotFoundError
        If it is not installed; the message names the extra.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise explained(error) from error


def explained(error: ModuleNotFoundError) -> ModuleNotFoundError:
    """Return the error with what to install, if it is about an optional package; else as it is."""
    package = (error.name or "").partition(".")[0]
    if package not in EXTRAS:
        return error
    message = f"this needs the package {package}, which is not installed: pip install 'sparsead[{EXTRAS[package]}]'"
    return ModuleNotFoundError(message, name=error.name)
