"""Run a function once on traced arrays and keep what it computed."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import sparsead.tracing.replacing.creation
import sparsead.tracing.replacing.mathlib  # noqa: F401  (both fill the table of patches)
from coloring.interrupts import deferred
from sparsead.errors import InputError, Origin, SparseADError, is_users
from sparsead.memory import ADVICE, NoRoomError
from sparsead.program.nodes import Input, Program, Ref, constant, whole
from sparsead.tracing.array import TracedArray, stack_objects
from sparsead.tracing.complex import is_complex
from sparsead.tracing.decisions import Decisions, recording
from sparsead.tracing.loops.tape import new_tape
from sparsead.tracing.replacing.methods import methods_replaced
from sparsead.tracing.replacing.names import patched
from sparsead.tracing.scalar import is_number

DOUBLE = np.dtype(np.float64)


@dataclass(frozen=True)
class Signature:
    """Which arguments are runtime values (real arrays and floats), and what the others were."""

    shapes: tuple[tuple[int, ...] | None, ...]
    static: tuple[Any, ...]
    argnum: int

    def convert(self, args: Sequence[Any]) -> list[np.ndarray]:
        """Return the runtime values among `args` as flat float64 arrays; raise InputError on a misfit."""
        if len(args) != len(self.shapes):
            raise InputError(f"expected {len(self.shapes)} arguments (x and *args), got {len(args)}")
        runtime = []
        for k, (value, shape) in enumerate(zip(args, self.shapes, strict=True)):
            if shape is None:
                self._check_static(k, value)
                continue
            array = real_array(value, k, self.argnum)
            if array.shape != shape:
                raise InputError(
                    f"{_title(k, self.argnum)} has shape {array.shape}, but this derivative was prepared for shape "
                    f"{shape}; prepare again for other shapes"
                )
            runtime.append(array.ravel())
        return runtime

    def _check_static(self, k: int, value: Any) -> None:
        known = self.static[k]
        if value is known or (type(value) is type(known) and np.array_equal(value, known)):
            return
        raise InputError(
            f"argument {k} was fixed when the derivative was prepared ({known!r}), got {value!r}; pass a float or a "
            "float array for what changes from call to call, or prepare again"
        )


def _title(k: int, argnum: int) -> str:
    return "x" if k == argnum else f"argument {k}"


def real_array(value: Any, k: int, argnum: int) -> np.ndarray:
    """Return `value` as a float64 array; integers are converted, anything else is refused."""
    array = np.asarray(value)
    if array.dtype is DOUBLE:
        return array
    if array.dtype.kind not in "fiub":
        raise InputError(f"{_title(k, argnum)} has dtype {array.dtype}; expected real numbers (float64)")
    return array.astype(DOUBLE)


def _is_runtime(value: Any, k: int, argnum: int) -> bool:
    """Floats and float arrays vary from call to call; integers, sparse matrices and objects are fixed."""
    if k == argnum:
        return True
    return isinstance(value, (float, np.floating)) or (isinstance(value, np.ndarray) and value.dtype.kind == "f")


def trace(
    f: Callable[..., Any], args: Sequence[Any], argnum: int = 0, decisions: Decisions | None = None
) -> tuple[Program, Signature]:
    """Run ``f(*args)`` on traced arrays.

    Parameters
    ----------
    f : callable
        NumPy code. A numba-compiled function is traced through its ``py_func``.
    args : sequence
        Example arguments: only their shapes matter, except integers and objects, which stay fixed.
    argnum : int
        The argument to differentiate with respect to.
    decisions : Decisions, optional
        Records the branches on traced values, which the example arguments then decide; without it they are refused.

    Returns
    -------
    Program, Signature

    Raises
    ------
    InputError
        If an argument or the value of `f` cannot be used.
    UnsupportedOperationError, TracedBranchError
        If `f` does something that cannot be traced; the message has the place in the user's file.
    """
    f = getattr(f, "py_func", f)
    if not -len(args) <= argnum < len(args):
        raise InputError(f"argnum={argnum}, but the function is called with {len(args)} arguments")
    argnum %= len(args)
    inputs: list[Input] = []
    stand_ins: list[Any] = []
    shapes: list[tuple[int, ...] | None] = []
    for k, value in enumerate(args):
        if not _is_runtime(value, k, argnum):
            stand_ins.append(value)
            shapes.append(None)
            continue
        shape = real_array(value, k, argnum).shape
        inputs.append(Input(shape=shape, name="x" if k == argnum else f"arg{k}"))
        if decisions is not None:
            decisions.inputs[inputs[-1].serial] = real_array(value, k, argnum)
        stand_ins.append(inputs[-1])
        shapes.append(shape)
    with (
        deferred() as interrupts, patched(f), methods_replaced(), new_tape(), recording(decisions),
        interrupts.allowed(),
    ):  # fmt: skip
        traced = [_traced(s, a) if isinstance(s, Input) else s for s, a in zip(stand_ins, args, strict=True)]
        output = output_ref(_called(f, traced), f)
    static = tuple(None if s is not None else a for s, a in zip(shapes, args, strict=True))
    wrt = next(i for i in inputs if i.name == "x")
    program = Program(tuple(inputs), wrt, output, getattr(f, "__name__", type(f).__name__))
    return program, Signature(tuple(shapes), static, argnum)


def _traced(node: Input, given: Any) -> Any:
    """Return what stands for an argument in the function: a number stays a number."""
    array = TracedArray.of_node(node)
    return array.element() if is_number(given) else array


def _called(f: Callable[..., Any], args: Sequence[Any]) -> Any:
    """Call `f`; where NumPy wrapped our error into one of its own, raise ours, and say of others when they arose."""
    try:
        return f(*args)
    except (SparseADError, NoRoomError):
        raise
    except MemoryError as error:
        frames = traceback.extract_tb(error.__traceback__)
        place = [Origin(frame.filename, frame.lineno or 0) for frame in frames if is_users(frame.filename)][-1:]
        raise NoRoomError(f"{error}, traced at {place[0] if place else _where(f)}: {ADVICE}") from error
    except Exception as error:
        if isinstance(error.__cause__, SparseADError):
            raise error.__cause__ from None
        error.add_note(
            f"{_where(f)} was being traced: it ran on arrays without values. If plain arrays are no problem, something "
            "that it calls reads their memory: register that with sparsead.extend, or use method='central-difference'."
        )
        raise


def output_ref(value: Any, f: Callable[..., Any]) -> Ref:
    """Return the reading that is the value of `f`."""
    value = stack_objects(value)
    if is_complex(value):
        raise InputError(f"{_where(f)} returned complex values; expected real numbers: return their .real and .imag")
    if isinstance(value, TracedArray):
        ref = value.ref
        if ref.node.boolean:
            raise InputError(f"{_where(f)} returned a condition (bool array); expected real numbers")
        return ref
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        array = np.empty((), object)
    if value is None or array.dtype.kind not in "fiub":
        raise InputError(
            f"{_where(f)} returned {type(value).__name__}; expected an array, a number, or a list of them. "
            "Did you forget a return statement?"
        )
    return whole(constant(array.astype(np.float64)))


def _where(f: Callable[..., Any]) -> str:
    code = getattr(f, "__code__", None)
    place = f" ({Origin(code.co_filename, code.co_firstlineno)})" if code is not None else ""
    return f"{getattr(f, '__name__', type(f).__name__)}{place}"
