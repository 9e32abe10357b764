"""Run a function once on traced arrays and keep what it computed."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

import sparsead.tracing.replacing.creation
import sparsead.tracing.replacing.drawing
import sparsead.tracing.replacing.iterating
import sparsead.tracing.replacing.mathlib
import sparsead.tracing.replacing.methods
import sparsead.tracing.replacing.numbers
import sparsead.tracing.replacing.raising
import sparsead.tracing.replacing.types  # noqa: F401  (they fill the tables of what is replaced)
from coloring.interrupts import deferred
from sparsead.errors import InputError, SparseADError, TracedBranchError, UnsupportedOperationError, remembered
from sparsead.memory import ADVICE, NoRoomError
from sparsead.program.index import index_dtype
from sparsead.program.nodes import Input, Program, Ref, constant, whole
from sparsead.tracing.arguments import Argnum, Signature, of_several, result_of, signature_of
from sparsead.tracing.array import TracedArray, traced_in
from sparsead.tracing.captured import CapturedArrays
from sparsead.tracing.complex import is_complex
from sparsead.tracing.conversions import stack_objects
from sparsead.tracing.decisions import Decisions, recording
from sparsead.tracing.foreign_errors import place_of, refuse_error, where
from sparsead.tracing.known import of_any_type
from sparsead.tracing.leftovers import collections_so_far, let_go, refuse, settle
from sparsead.tracing.loops.tape import is_tracing, new_tape
from sparsead.tracing.refusals import INTO_PLAIN_ARRAY
from sparsead.tracing.replacing.names import answered, as_traced, patched
from sparsead.tracing.selection import Places, Selection, refuse_count
from sparsead.tracing.trees import Leaf, Structure, taken_apart
from sparsead.tracing.unordered import require_order
from sparsead.tracing.wrappers import inner


def trace(
    f: Callable[..., Any],
    args: Sequence[Any],
    argnum: Argnum = 0,
    decisions: Decisions | None = None,
) -> tuple[Program, Signature]:
    """Run ``f(*args)`` on traced arrays.

    Parameters
    ----------
    f : callable
        NumPy code. A numba-compiled function is traced through its ``py_func``.
    args : sequence
        Example arguments: only their shapes matter, except integers and objects, which stay fixed.
    argnum : int, str, or a sequence of them
        The arguments to differentiate with respect to, by place or by name.
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
    if not callable(f):
        raise InputError(f"expected a function first, then the example arguments; got {type(f).__name__} in its place")
    known = 0 if decisions is None else len(decisions.taken)
    try:
        return _answered(f, args, argnum, decisions)
    except (UnsupportedOperationError, TracedBranchError) as error:
        if error.final:
            raise
        captured = CapturedArrays(f, signature_of(f, args, argnum))
        if not captured and not error.plain:
            raise
        if decisions is not None:
            decisions.forget(known)
        token = of_any_type.set(True)
        try:
            return _answered(f, args, argnum, decisions, captured)
        except SparseADError as again:  # which may be closer to what it is about
            raise (again if error.plain or str(again).startswith(INTO_PLAIN_ARRAY) else error) from None
        finally:
            of_any_type.reset(token)


def _answered(
    f: Callable[..., Any], args: Sequence[Any], argnum: Argnum, decisions: Decisions | None, *captured: CapturedArrays
) -> tuple[Program, Signature]:
    """Run a function on traced arrays, again where calls of ``float`` and its kin can be answered by then."""
    known = 0 if decisions is None else len(decisions.taken)
    while True:
        try:
            return _traced(f, args, argnum, decisions, *captured)
        except TracedBranchError as error:
            if is_tracing() or error.calling is None or not answered(error.calling):
                raise  # inside another trace, which has begun to change things, that one begins anew
        if decisions is not None:
            decisions.forget(known)


def _traced(
    f: Callable[..., Any],
    args: Sequence[Any],
    argnum: Argnum,
    decisions: Decisions | None,
    captured: CapturedArrays | None = None,
) -> tuple[Program, Signature]:
    """Run a function on traced arrays; the arrays that it has `captured` may be made constant ones."""
    signature = signature_of(f, args, argnum)
    nodes = signature.inputs()
    if decisions is not None:
        decisions.inputs |= _point(signature, nodes, args)
    inside = is_tracing()  # inside another trace, which is to end first
    with deferred() as interrupts, patched(inner(f)):
        given = signature if captured is None else captured.stand_in(signature)
        with new_tape() as tape, recording(decisions), interrupts.allowed():
            idle, begun, kept, failed = sys.getrefcount(tape), collections_so_far(), "", True
            try:
                output, result = _called(f, given.stand_ins(nodes, _stand_in))
                failed = False
            except BaseException as error:
                let_go(error)
                raise
            finally:
                if sys.getrefcount(tape) > idle and not inside and not failed:
                    gc.collect(1)  # what only waits to be freed is kept by nobody; it is young, as a rule
                if sys.getrefcount(tape) > idle and not inside:
                    kept = settle(tape, begun, _point(signature, nodes, args), failed)
        if kept:
            refuse(where(f), kept)
    signature.let_go(args)
    program = Program(tuple(nodes), nodes[0], output, getattr(f, "__name__", type(f).__name__))
    others = [node for node in program.nodes if isinstance(node, Input) and node not in nodes]
    if tape.left_open and not inside:
        require_order(tape, program, _point(signature, nodes, args), [] if decisions is None else decisions.conditions)
    if others and not inside:
        raise InputError(
            f"{where(f)} uses a value from inside a step of repeat, or from inside a function that is differentiated "
            "there, after that has ended: such a value belongs to one turn or call. Return what is needed later, as "
            "part of the state or of the result"
        )
    if others:  # inside another trace: what the function holds of that one are inputs, too
        program = replace(program, inputs=(*nodes, *others))
    return program, replace(signature, result=result)


def _point(signature: Signature, nodes: Sequence[Input], args: Sequence[Any]) -> dict[int, np.ndarray]:
    """Return the values of the inputs where the function is traced."""
    return {n.serial: a.reshape(n.shape) for n, a in zip(nodes, signature.convert(args), strict=True)}


def _stand_in(node: Input, start: int, leaf: Leaf) -> Any:
    """Return what stands for a leaf in the function: the numbers of an input from `start` on; a number stays one."""
    if leaf.shape == node.shape:
        ref = whole(node)
    else:
        ref = Ref(node, np.arange(start, start + leaf.size, dtype=index_dtype(node.size)).reshape(leaf.shape))
    array = TracedArray.of_ref(ref, leaf.positions())
    return array.element() if leaf.number else array


def _called(f: Callable[..., Any], args: Sequence[Any]) -> tuple[Ref, Structure]:
    """Call `f` and return the reading that is its value, and how the value is built of it.

    What was refused on the way is raised, even where `f` (or NumPy, on its way through) caught it or made another
    error of it: what came after it is not what `f` does with plain arrays.
    """
    with remembered() as refusals:
        try:
            output = output_ref(as_traced(f)(*args), f)
        except SparseADError as error:
            if error in refusals[:1] or not refusals:
                raise
        except NoRoomError:
            raise
        except MemoryError as error:
            raise NoRoomError(f"{error}, traced at {place_of(error, f)}: {ADVICE}") from error
        except Exception as error:
            if not refusals:
                refuse_error(error, f, args)
                raise
        else:
            if not refusals:
                return output
            refusals[0].add_note(f"{where(f)} caught this error and went on: what it then returns is refused.")
    raise refusals[0] from None


def output_ref(value: Any, f: Callable[..., Any]) -> tuple[Ref, Structure]:
    """Return the reading that is the value of `f`, and how the value is built of it."""
    if any(type(v) in (Selection, Places) for v in traced_in([value])):
        refuse_count("the number of elements that a traced mask selects, as the result,", where(f))
    if of_several(value):
        return _joined(value, f)
    value = stack_objects(value.to_numpy() if hasattr(type(value), "to_numpy") else value)  # a Series, a DataFrame
    if is_complex(value):
        raise InputError(f"{where(f)} returned complex values; expected real numbers: return their .real and .imag")
    if isinstance(value, TracedArray):
        ref = value.ref
        if ref.node.boolean:
            raise InputError(f"{where(f)} returned a condition (bool array); expected real numbers")
        return ref, Leaf(ref.shape, False)
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        array = np.empty((), object)
    if value is None or array.dtype.kind not in "fiub":
        raise InputError(
            f"{where(f)} returned {type(value).__name__}; expected an array, a number, or a list of them. "
            "Did you forget a return statement?"
        )
    return whole(constant(array.astype(np.float64))), Leaf(array.shape, False)


def _joined(value: Any, f: Callable[..., Any]) -> tuple[Ref, Structure]:
    """Return one array of all that a result is built of, one after the other."""
    result = result_of(value)
    refs = [output_ref(part, f)[0] for _, _, part in taken_apart(result, value)]
    flat: Any = np.concatenate([TracedArray.of_ref(ref).reshape(-1) for ref in refs])
    return flat.ref, result
