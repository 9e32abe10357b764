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
from sparsead.tracing.trace import Signature

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
    shapes = [*(shape for shape in signature.shapes if shape is not None), *outputs.values()]
    elements = sum(int(np.prod(shape)) for shape in shapes) + sum(sweep.elements for sweep in sweeps)
    runs = None if elements > SMALL else _runs(program, signature, sweeps, outputs)
    fixed = [known for shape, known in zip(signature.shapes, signature.static, strict=True) if shape is None]
    if not all(isinstance(known, UNCHANGING) for known in fixed):  # the general way compares what may have changed
        return never
    slots = [
        Slot(fixed=known, is_fixed=True) if shape is None else Slot(shape)
        for shape, known in zip(signature.shapes, signature.static, strict=True)
    ]
    slots += [Slot(shape, written=True) for shape in outputs.values()]
    return never if runs is None else plain_call(slots, runs) or never


def repeated_call(
    program: Program, signature: Signature, sweeps: Sequence[Sweep], arguments: Sequence[Any], outputs: Arrays
) -> Callable[[], None] | None:
    """Return a function that runs sweeps of a small system on these very arrays; None where machine code cannot.

    Parameters
    ----------
    program, signature, sweeps
        As for `plain_entry`.
    arguments : sequence
        The arguments ``(x, *args)``, checked; where a number is meant, an array that holds it.
    outputs : dict
        Arrays that the sweeps write.
    """
    arrays = [*arguments, *outputs.values()]
    elements = sum(a.size for a in arrays if isinstance(a, np.ndarray)) + sum(sweep.elements for sweep in sweeps)
    runs = None if elements > SMALL else _runs(program, signature, sweeps, {k: a.shape for k, a in outputs.items()})
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
    for k, (value, shape) in enumerate(zip(arguments, signature.shapes, strict=True)):
        name = "x" if k == signature.argnum else f"argument {k}"
        if shape is None or not isinstance(value, np.ndarray):
            if k == signature.argnum or (shape is not None and shape != ()):
                raise InputError(
                    f"{name} is read again at every call, so it must be an array, got {type(value).__name__}"
                )
            kept.append(value if shape is None else np.array(value, dtype=np.float64))
            continue
        if value.dtype != np.float64 or not value.flags.c_contiguous or not value.flags.aligned:
            raise InputError(f"{name} is read again at every call, so it must be a contiguous float64 array")
        if np.may_share_memory(value, written):
            raise InputError(f"{name} and out share memory: the values would be written over what they depend on")
        kept.append(value)
    return kept


def c_function(
    name: str,
    program: Program,
    signature: Signature,
    sweeps: Sequence[Sweep] | None,
    outputs: dict[str, tuple[str, int, bool]],
) -> CFunction:
    """Return sweeps as a function of C: of the runtime arguments in their order, then `outputs`.

    Raises
    ------
    InputError
        If Python takes part in the sweeps.
    """
    shapes: Outputs = {array: (size,) for array, (_, size, _) in outputs.items()}
    runs = None if sweeps is None else _runs(program, signature, sweeps, shapes)
    if runs is None or sweeps is None:
        raise InputError(
            f"{program.name} cannot be called without Python: that takes backend='llvm', threads=1, and a "
            "function that is traced as a whole"
        )
    fixed = [k for k, shape in enumerate(signature.shapes) if shape is None]
    packed = [(frames, [k - sum(f < k for f in fixed) for k in places]) for frames, places in runs]
    parameters = [(node.name, node.size, False) for node in program.inputs]
    works = any(sweep.sizes or sweep.source.sizes for sweep in sweeps)
    return c_callable(name, [*parameters, *outputs.values()], packed, reentrant=not works)


def _runs(program: Program, signature: Signature, sweeps: Sequence[Sweep], outputs: Outputs) -> Runs | None:
    """Return the functions of the sweeps, and which argument each of their arrays is; None if Python takes part."""
    runtime = [k for k, shape in enumerate(signature.shapes) if shape is not None]
    places = {node.name: k for node, k in zip(program.inputs, runtime, strict=True)}
    places |= {name: len(signature.shapes) + k for k, name in enumerate(outputs)}
    found = [(sweep.frames(), [places[name] for name in sweep.given]) for sweep in sweeps]
    return None if any(frames is None for frames, _ in found) else found  # type: ignore[return-value]
