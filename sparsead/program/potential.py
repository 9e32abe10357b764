"""Arrays of a trace that are gradients: the Jacobian of one is the Hessian of its function, and is prepared as that."""

from __future__ import annotations

from collections.abc import Sequence
from weakref import WeakKeyDictionary

from sparsead.program.index import is_identity
from sparsead.program.nodes import Node, Program, Ref

#: Nodes that are gradients: of which program, and what it was given as its inputs.
_GRADIENTS: WeakKeyDictionary[Node, tuple[Program, tuple[Ref, ...]]] = WeakKeyDictionary()


def keep_potential(gradient: Ref, program: Program, inputs: Sequence[Ref]) -> None:
    """Keep in mind that a reading is the gradient of a program at these inputs."""
    if _is_whole(gradient):
        _GRADIENTS[gradient.node] = program, tuple(inputs)


def potential_of(program: Program) -> Program | None:
    """Return the program of which another one computes the gradient, and nothing else, at the very inputs it has."""
    if not _is_whole(program.output) or program.output.node not in _GRADIENTS:
        return None
    potential, inputs = _GRADIENTS[program.output.node]
    own = program.inputs
    same = len(inputs) == len(own) == len(potential.inputs)
    return potential if same and all(_is_whole(r) and r.node is i for r, i in zip(inputs, own, strict=True)) else None


def _is_whole(ref: Ref) -> bool:
    return is_identity(ref.index, ref.node.size)
