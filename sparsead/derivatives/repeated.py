"""A loop that stays a loop: `repeat`."""

from __future__ import annotations

import copy
import inspect
import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from sparsead.derivatives.nested import are_traced, without_values
from sparsead.derivatives.validation import check_options
from sparsead.errors import InputError, Origin, user_origin
from sparsead.kernels.lower import lower
from sparsead.program.cut import cut
from sparsead.program.nodes import Call, Program, serial_from_now, whole
from sparsead.program.same import same
from sparsead.sweeps.repeated.body import Body, Kind
from sparsead.sweeps.repeated.operation import Repeated
from sparsead.tracing import trees
from sparsead.tracing.arguments import Signature
from sparsead.tracing.array import TracedArray
from sparsead.tracing.conversions import reading, stack_objects, traced
from sparsead.tracing.loops.tape import is_tracing
from sparsead.tracing.trace import trace
from sparsead.tracing.trees import Fixed, Leaf, Structure


def repeat(
    step: Callable[..., Any], state: Any, steps: int, *args: Any, each: Any = (), keep: int | None = None
) -> Any:
    """Return what `state` is after ``for k in range(steps): state = step(state, *args)``.

    In plain NumPy that is all it does. In a traced function the loop stays a loop: the step is traced once, so that
    preparation takes as long for ten thousand steps as for one, and derivatives go through the loop as the values do.

    Parameters
    ----------
    step : callable
        ``step(state, *rows, *args)``, which returns the next state, built like the state and of the same shapes. It may
        use what the function around it has computed.
    state : array_like, float, or dict, list, tuple, named tuple or dataclass of them
        The state at first. It holds floats only.
    steps : int
        How many.
    *args
        What the step takes besides, the same at every turn. Floats and float arrays may depend on x.
    each : array_like or tuple of array_like
        What the step takes besides, another one at every turn: arrays of `steps` rows, of which turn k is given row
        k, after the state. Rows are float64.
    keep : int, optional
        How many states a gradient may keep at a time; with fewer than `steps` it computes some of them again. By
        default as many as fit into 32 MiB, and 16 at least.

    Returns
    -------
    state
        Built like the state at first.

    Raises
    ------
    InputError
        If the step returns another structure or other shapes than it was given, or `each` has other than `steps` rows.

    Examples
    --------
    >>> import numpy as np
    >>> import sparsead as sad
    >>> def heat(u, dt):
    ...     new = u.copy()
    ...     new[1:-1] += dt * (u[:-2] - 2.0 * u[1:-1] + u[2:])
    ...     return new
    >>> grad = sad.gradient(lambda u: sad.extend.repeat(heat, u, 10_000, 0.1)[2], np.ones(5))
    >>> grad(np.array([0.0, 1.0, 2.0, 3.0, 4.0])).round(6)
    array([0.5, 0. , 0. , 0. , 0.5])
    """
    if not callable(step):
        raise InputError(f"repeat expects a function first, then the state and the steps; got {type(step).__name__}")
    check_options(steps=steps, keep=keep)
    turns = operator.index(steps)
    rows = _rows(each, turns)
    if turns <= 0:
        return state
    if are_traced((state, *rows, *args)):
        return _traced(step, state, turns, args, rows, keep)
    return _plain(step, state, turns, args, rows, keep)


def _plain(step: Any, state: Any, turns: int, args: tuple[Any, ...], rows: tuple[Any, ...], keep: int | None) -> Any:
    before = copy.deepcopy(state) if is_tracing() else None  # the step may write to the state that it is given
    new = state
    for k in range(turns):
        new = step(new, *(row[k] for row in rows), *args)
        if k == 0 and are_traced((new,)):  # it uses traced values of the function around it
            return _traced(step, before, turns, args, rows, keep)
    return new


def _rows(each: Any, turns: int) -> tuple[Any, ...]:
    rows = each if isinstance(each, tuple) else (each,)
    rows = tuple(stack_objects(row) if isinstance(row, list) else row for row in rows)
    for row in rows:
        if not np.ndim(row) or np.shape(row)[0] != max(turns, 0):
            raise InputError(
                f"each= holds an array of shape {np.shape(row)}; expected one row for each of {turns} steps"
            )
    return rows


def _traced(step: Any, state: Any, turns: int, args: tuple[Any, ...], rows: tuple[Any, ...], keep: int | None) -> Any:
    place = f"the step of repeat, {_named(step)}"
    arrays = [traced(stack_objects(row)) for row in rows]
    examples = [0.0 if a.ndim == 1 else np.zeros(a.shape[1:]) for a in arrays]
    start = serial_from_now()
    program, signature = trace(step, [without_values(state), *examples, *map(without_values, args)])
    again, _ = trace(step, [without_values(state), *examples, *map(without_values, args)])
    if not same(program, again, start):
        raise InputError(
            f"{place}, is not the same at every turn: it computed something else when it was called again. It may keep "
            "or change something outside of itself, such as a counter: make that part of the state, or give it by each="
        )
    of = _state_of(signature, place)
    program = _ordered(program, of, signature.result, place)
    program, outer = cut(program, start)
    kernels = lower(program)
    inputs = (kernels.wrt, *kernels.arguments)
    each: list[Kind] = ["row"] * len(arrays)
    fixed: list[Kind] = ["fixed"] * (len(inputs) - 1 - len(arrays))
    body = Body(inputs, ("state", *each, *fixed), (kernels.output,), kernels.kernels)
    own = signature.convert([state, *[np.zeros(e) if e else 0.0 for e in map(np.shape, examples)], *args], _leaf)
    operands = [own[0], *arrays, *own[1 + len(arrays) :], *(TracedArray.of_ref(whole(node)) for node in outer)]
    operation = Repeated(body, turns, f"repeat of {program.name}, {turns} times", keep)
    refs = tuple(reading(np.reshape(o, -1)) for o in operands)
    call = Call(shape=(kernels.output.size,), operation=operation, args=refs, origin=user_origin())
    return trees.built(of, _leaves(TracedArray.of_node(call), of))


def _named(step: Any) -> str:
    code = getattr(inspect.unwrap(getattr(step, "py_func", step)), "__code__", None)
    name = getattr(step, "__name__", type(step).__name__)
    return f"{name} ({Origin(code.co_filename, code.co_firstlineno)})" if code is not None else name


def _state_of(signature: Signature, place: str) -> Structure:
    """Return how the state is built; refuse what would not change from turn to turn as it does in a loop."""
    of = signature.arguments[0]
    for path, part in _parts(of):
        if isinstance(part, Fixed):
            raise InputError(
                f"{place}, takes a state that holds {type(part.value).__name__} at {trees.spelled(path)!r}; expected "
                "floats and float arrays only: write 0.0 for a number that changes, and leave out what does not"
            )
    return of


def _parts(of: Structure, path: trees.Path = ()) -> Iterator[tuple[trees.Path, Structure]]:
    if isinstance(of, (Leaf, Fixed)):
        yield path, of
    else:
        for name, child in of.children.items():
            yield from _parts(child, (*path, name))


def _ordered(program: Program, of: Structure, result: Structure, place: str) -> Program:
    """Return the program of the step with the leaves of its result in the order of the state."""
    wanted = [(path, leaf.shape) for path, leaf in trees.leaves(of)]
    found = [(path, leaf.shape) for path, leaf in trees.leaves(result)]
    stacked = (len(wanted), *wanted[0][1])
    in_order = len({shape for _, shape in wanted}) == 1 and type(getattr(of, "like", None)) in (list, tuple)
    if found == wanted or (in_order and found == [((), stacked)]):
        return program
    if sorted(found) != sorted(wanted):
        raise InputError(f"{place}, returned {_shapes(found)}; expected what it was given, {_shapes(wanted)}")
    sizes = [int(np.prod(shape, dtype=np.int64)) for _, shape in found]
    ends = np.cumsum(sizes)
    ranges = {p: np.arange(e - s, e) for (p, _), e, s in zip(found, ends.tolist(), sizes, strict=True)}
    flat = TracedArray.of_ref(program.output).reshape(-1)[np.concatenate([ranges[path] for path, _ in wanted])]
    return Program(program.inputs, program.wrt, flat.ref, program.name)


def _shapes(leaves: Sequence[tuple[trees.Path, tuple[int, ...]]]) -> str:
    return ", ".join(f"{trees.spelled(path) or 'a state'} of shape {shape}" for path, shape in leaves) or "nothing"


def _leaf(value: Any, leaf: Leaf, title: str) -> Any:
    return np.reshape(traced(stack_objects(value)), -1)


def _leaves(flat: Any, of: Structure) -> Iterator[Any]:
    start = 0
    for _, leaf in trees.leaves(of):
        share = flat[start : start + leaf.size].reshape(leaf.shape)
        yield share.element() if leaf.number else share
        start += leaf.size
