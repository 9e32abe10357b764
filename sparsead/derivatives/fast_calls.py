"""Fast calls: those with plain arguments, taken by machine code; see `sparsead.emit.entry` for what is plain."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from sparsead.emit.c_callable import CFunction, c_callable
from sparsead.emit.entry import SMALL, Slot, bound_call, plain_call
from sparsead.emit.frame import Frame
from sparsead.emit.sweep import Sweep
from sparsead.errors import InputError
from sparsead.program.nodes import Program
from sparsead.tracing import trees
from sparsead.tracing.arguments import NUMBER, Signature
from sparsead.tracing.floats import checked_leaf
from sparsead.tracing.trees import Fixed, Leaf, Structure

Outputs = Mapping[str, tuple[int, ...]]  # the arrays that a call writes, in order, and their shapes
UNCHANGING = (int, float, complex, str, bytes, type(None))
Arrays = dict[str, np.ndarray]
Runs = list[tuple[list[Frame], list[int]]]


def never(*_: Any) -> bool:
    """Take no call."""
    return False


def fast_entry(
    signature: Signature, sweeps: Sequence[Sweep], outputs: Outputs, shapes: Mapping[str, tuple[int, ...]] | None = None
) -> Callable[..., bool]:
    """Return what takes fast calls ``(x, *args, *outputs)``, and tells whether it did.

    Parameters
    ----------
    signature : Signature
        The arguments of a call.
    sweeps : sequence of Sweep
        What a call runs, in this order.
    outputs : dict
        Arrays that the sweeps write.
    shapes : dict, optional
        The shapes of float arguments that have another than was prepared, by the names that sweeps give them.
    """
    shapes = shapes or {}
    names, outs = names_of(signature), [Slot(shape, written=True) for shape in outputs.values()]
    direct = [
        Slot(shapes[name]) if name is not None and name in shapes else _slot(argument)
        for name, argument in zip(names, signature.arguments, strict=True)
    ]
    if None not in direct:
        return _entry(sweeps, [*names, *outputs], [*direct, *outs]) or never
    unpacked = signature.unpacked()
    if unpacked is None:
        return never
    inputs = list(itertools.chain(*signature.input_names()))
    leaves = [shapes.get(name, leaf.shape) for name, (_, leaf) in zip(inputs, unpacked.leaves, strict=True)]
    slots = [*map(Slot, leaves), *map(Slot.of, unpacked.known), *outs]
    entry = _entry(sweeps, [*inputs, *[None for _ in unpacked.known], *outputs], slots)
    return never if entry is None else unpacked.before(entry, len(outputs))


def _entry(
    sweeps: Sequence[Sweep], names: Sequence[str | None], slots: Sequence[Slot | None]
) -> Callable[..., bool] | None:
    runs = _runs(sweeps, names)
    elements = sum(slot.elements for slot in slots if slot) + sum(sweep.elements for sweep in sweeps)
    return None if runs is None else plain_call([slot for slot in slots if slot], runs, elements <= SMALL)


def _slot(argument: Structure) -> Slot | None:
    """Return what a call takes as an argument; None for what has to be taken apart, or compared."""
    match argument:
        case Leaf(shape=shape):
            return Slot(shape)
        case Fixed(value=value) if isinstance(value, UNCHANGING):
            return Slot(fixed=value, is_fixed=True)
    return None


def unchanged_inputs(signature: Signature) -> Callable[[Sequence[Any]], list[np.ndarray] | None]:
    """Return what converts arguments as `Signature.convert` does, with all fixed arrays compared in one compiled pass.

    It returns None where anything may have changed: the general way decides.
    """
    unpacked = None if all(isinstance(argument, Leaf) for argument in signature.arguments) else signature.unpacked()
    same = None if unpacked is None else plain_call(list(map(Slot.of, unpacked.known)), [])
    if unpacked is None or same is None:
        return lambda _: None
    unpack, leaves = unpacked.before(lambda *parts: parts), unpacked.leaves
    counts = [len(names) for names in signature.input_names()]

    def inputs(args: Sequence[Any]) -> list[np.ndarray] | None:
        parts = unpack(*args)
        if not parts or not same(*parts[len(leaves) :]):
            return None
        arrays = [checked_leaf(value, leaf, title) for value, (title, leaf) in zip(parts, leaves, strict=False)]
        rest = iter(arrays)
        return signature.joined([list(itertools.islice(rest, count)) for count in counts])

    return inputs


def repeated_call(
    program: Program, signature: Signature, sweeps: Sequence[Sweep], arguments: Sequence[Any], outputs: Arrays
) -> Callable[[], None] | None:
    """Return a function that runs sweeps of a small system on these very arrays; None where machine code cannot.

    Parameters
    ----------
    program, signature, sweeps
        As for `fast_entry`.
    arguments : sequence
        The arguments ``(x, *args)``, as `kept_arguments` returns them.
    outputs : dict
        Arrays that the sweeps write.
    """
    arrays = [*signature.leaves(arguments), *outputs.values()]
    elements = sum(array.size for array in arrays) + sum(sweep.elements for sweep in sweeps)
    runs = None if elements > SMALL else _runs(sweeps, [*itertools.chain(*signature.input_names()), *outputs])
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
        is_x = k in signature.wrt
        parts = trees.taken_apart(argument, value, ("x" if is_x and len(signature.wrt) == 1 else f"argument {k}",))
        leaves = [
            np.array(held, dtype=np.float64)
            if not is_x and part == NUMBER and not isinstance(held, np.ndarray)
            else _kept(trees.spelled(path), held, written)
            for path, part, held in parts
            if not isinstance(part, Fixed)
        ]
        kept.append(trees.built(argument, iter(leaves)))
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
    within = [(k, part) for k, node in enumerate(program.inputs) for part in node.parts]
    runs = None if sweeps is None else _runs(sweeps, [*names, *outputs, *(part.name for _, part in within)])
    if runs is None or sweeps is None:
        raise InputError(
            f"{program.name} cannot be called without Python: that takes backend='llvm', threads=1, and a "
            "function that is traced as a whole"
        )
    parameters = [(node.name, node.size, False) for node in program.inputs]
    works = any(sweep.sizes or sweep.source.sizes for sweep in sweeps)
    parts = [(k, part.start) for k, part in within]
    return c_callable(name, [*parameters, *outputs.values()], runs, reentrant=not works, parts=parts)


def names_of(signature: Signature) -> list[str | None]:
    """Return what the sweeps call each argument of a call; None for what is fixed, or built of several."""
    named = zip(signature.arguments, signature.input_names(), strict=True)
    return [names[0] if isinstance(argument, Leaf) else None for argument, names in named]


def _runs(sweeps: Sequence[Sweep], names: Sequence[str | None]) -> Runs | None:
    """Return the functions of the sweeps, and which of `names` their arrays are; None if Python takes part."""
    places = {name: k for k, name in enumerate(names) if name is not None}
    if any(name not in places for sweep in sweeps for name in sweep.given):  # such as x, where its parts are given
        return None
    found = [(sweep.frames(), [places[name] for name in sweep.given]) for sweep in sweeps]
    return None if any(frames is None for frames, _ in found) else found  # type: ignore[return-value]
