"""The options of `jacobian` and `hessian`, for type checkers: what a call with them returns depends on two of them."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from sparsead.stages import Watcher
from sparsead.tracing.arguments import Argnum

Format = Literal["csr", "csc", "coo", "bsr", "dense"]
Triangle = Literal["full", "lower", "upper"]
Difference = Literal["finite-difference", "central-difference", "complex-step"]


class MatrixOptions(TypedDict, total=False):
    """What both take; see `jacobian`."""

    argnum: Argnum
    mode: str
    pattern: Any
    coloring: Any
    order: Any
    threads: int | None
    backend: str
    check: bool
    format: Format
    progress: bool | Watcher


class HessianOptions(MatrixOptions, total=False):
    """What `hessian` takes beside `guard`."""

    triangle: Triangle


class DifferenceOptions(TypedDict, total=False):
    """What `jacobian` takes with a `method` that calls the function."""

    argnum: Argnum
    mode: str
    pattern: Any
    coloring: Any
    order: Any
    step: Any
    check: bool
    format: Format
    progress: bool | Watcher
