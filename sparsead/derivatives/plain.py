"""Calls with plain arguments, taken by machine code; see `sparsead.emit.entry` for what is plain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sparsead.emit.entry import SMALL, Slot, bound_call, plain_call
from sparsead.emit.frame import Frame
from sparsead.emit.pointer import CFunction, c_callable
from sparsead.emit.sweep import Sweep
from sparsead.errors import InputError
from sparsead.program.nodes import Program
from sparsead.tracing import trees
from sparsead.tracing.arguments import NUMBER, Signature
from sparsead.tracing.trees import Fixed, Leaf, Structure

Outputs = dict[str, tuple[int, ...]]  # the arrays that a call writes, with their shapes, in the order of its arguments
UNCHANGING = (int, float, complex, str, bytes, type(None))
Arrays = dict[str, np.ndarray]
Runs = list[tuple[list[Frame], list[int]]]


def never(*_: Any) -> bool:
    """Take no call."""
    return False


def plain_entry(
    program: Program, signature: Signature, sweeps: Sequence[Sweep], outputs: Outputs
) -> Callable[..., bool]:
    """Return what takes plain calls ``(x, *args, *outputs)`` of a small system, and tells whether it did.

    Parameters
    ----------
    program, signature
        What was traced, and the arguments of a call.
    sweeps : sequence of Sweep
        What a call runs, in this order.
    outputs : dict
        Arrays that the sweeps write.
    """
    slots = [_slot(argument) for argument in signature.arguments]
    if not signature.plain or None in slots:
        return never
    slots += [Slot(shape, written=True) for shape in outputs.values()]
    elements = sum(int(np.prod(slot.shape)) for slot in slots if slot) + sum(sweep.elements for sweep in sweeps)
    runs = None if elements > SMALL else _runs(sweeps, [*names_of(program, signature), *outputs])
    return never if runs is None else plain_call([slot for slot in slots if slot], runs) or never


def _slot(argument: Structure) -> Slot | None:
    """Return what a call takes as an argument; None for what the general way has to look at."""
    match argument:
        case Leaf(shape=shape):
            return Slot(shape)
        case Fixed(value=value) if isinstance(value, UNCHANGING):
            return Slot(fixed=value, is_fixed=True)
    return None


def repeated_call(
    program: Program, signature: Signature, sweeps: Sequence[Sweep], arguments: Sequence[Any], outputs: Arrays
) -> Callable[[], None] | None:
    """Return a function that runs sweeps of a small system on these very arrays; None where machine code cannot.

    Parameters
    ----------
    program, signature, sweeps
        As for `plain_entry`.
    arguments : sequence
        The arguments ``(x, *args)``, as `kept_arguments` returns them.
    outputs : dict
        Arrays that the sweeps write.
    """
    arrays = [*arguments, *outputs.values()]
    elements = sum(a.size for a in arrays if isinstance(a, np.ndarray)) + sum(sweep.elements for sweep in sweeps)
    runs = None if elements > SMALL else _runs(sweeps, [*names_of(program, signature), *outputs])
    return None if runs is None else bound_call(runs, arrays)


def kept_arguments(signature: Signature, arguments: Sequence[Any], written: np.ndarray) -> list[Any]:
    """Return arguments that are going to be read at later calls too: arrays themselves, numbers as arrays.

    Raises
    ------
    InputError
        If an array would have to be converted, or shares memory with what is written.
    """
    signature.convert(arguments)
    kept = []
    for k, (value, argument) in enumerate(zip(arguments, signature.arguments, strict=True)):
        name = "x" if k in signature.wrt else f"argument {k}"
        if isinstance(argument, Fixed):
            kept.append(value)
        elif k not in signature.wrt and argument == NUMBER and not isinstance(value, np.ndarray):
            kept.append(np.array(value, dtype=np.float64))
        else:
            kept.append(_kept(name, value, written))
    return kept


def _kept(name: str, value: Any, written: np.ndarray) -> np.ndarray:
    fits = type(value) is np.ndarray and value.dtype == np.float64 and value.flags.c_contiguous and value.flags.aligned
    if not fits:
        raise InputError(f"{name} is read again at every call, so it must be a contiguous float64 array")
    if np.may_share_memory(value, written):
        raise InputError(f"{name} and out share memory: the values would be written over what they depend on")
    return value


def c_function(
    name: str, program: Program, sweeps: Sequence[Sweep] | None, outputs: dict[str, tuple[str, int, bool]]
) -> CFunction:
    """Return sweeps as a function of C: of the runtime arguments, x first, then `outputs`.

    Raises
    ------
    InputError
        If Python takes part in the sweeps.
    """
    names = [node.name for node in program.inputs]
    runs = None if sweeps is None else _runs(sweeps, [*names, *outputs])
    if runs is None or sweeps is None:
        raise InputError(
            f"{program.name} cannot be called without Python: that takes backend='llvm', threads=1, and a "
            "function that is traced as a whole"
        )
    parameters = [(node.name, node.size, False) for node in program.inputs]
    works = any(sweep.sizes or sweep.source.sizes for sweep in sweeps)
    return c_callable(name, [*parameters, *outputs.values()], runs, reentrant=not works)


def names_of(program: Program, signature: Signature) -> list[str | None]:
    """Return what the sweeps call each argument of a call; None for what is fixed, and for containers."""
    others = iter(node.name for node in program.inputs[1:])
    names: list[str | None] = []
    for k, argument in enumerate(signature.arguments):
        found = ["x"] if k in signature.wrt else [next(others) for _ in trees.leaves(argument)]
        names.append(found[0] if k in signature.wrt or isinstance(argument, Leaf) else None)
    return names


def _runs(sweeps: Sequence[Sweep], names: Sequence[str | None]) -> Runs | None:
    """Return the functions of the sweeps, and which of `names` their arrays are; None if Python takes part."""
    places = {name: k for k, name in enumerate(names) if name is not None}
    found = [(sweep.frames(), [places[name] for name in sweep.given]) for sweep in sweeps]
    return None if any(frames is None for frames, _ in found) else found  # type: ignore[return-value]
