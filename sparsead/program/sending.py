"""Programs as bytes, for another process: node by node, so that long programs need no deep recursion.

Scalar operations travel by name, and index arrays in the form that says most with least: what is repeated is sent once.
Functions that are defined inside others, which no name leads to, travel as their code and what they hold.
"""

from __future__ import annotations

import importlib
import io
import marshal
import pickle
import types
from typing import Any

import numpy as np

from sparsead.program.index import identity, is_identity, stored_part
from sparsead.program.nodes import Node, Program


class _Sender(pickle.Pickler):
    """Pickles nodes one after another; a node inside of another one goes by its number."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, protocol=5)
        self.now: Any = None

    def persistent_id(self, found: Any) -> Any:
        return found.serial if isinstance(found, Node) and found is not self.now else None

    def reducer_override(self, found: Any) -> Any:
        if isinstance(found, types.FunctionType) and "<locals>" in found.__qualname__:
            return _taken_apart(found)
        if type(found) is not np.ndarray or found.dtype.kind not in "iu" or found.size < 2:
            return NotImplemented
        if is_identity(found, found.size):
            return identity, (found.shape,)
        if any(n > 1 and stride == 0 for n, stride in zip(found.shape, found.strides, strict=True)):
            return np.broadcast_to, (np.ascontiguousarray(stored_part(found)), found.shape)
        return NotImplemented


def _taken_apart(function: types.FunctionType) -> Any:
    """Return how pickle makes a local function again: an open one first, for it may hold itself."""
    code = marshal.dumps(function.__code__)
    held = tuple(cell.cell_contents for cell in function.__closure__ or ())
    state = held, function.__defaults__, function.__kwdefaults__
    return _opened, (code, function.__module__, function.__qualname__), state, None, None, _closed


def _opened(code: bytes, module: str, qualname: str) -> types.FunctionType:
    made = marshal.loads(code)
    cells = tuple(types.CellType() for _ in made.co_freevars)
    function = types.FunctionType(made, vars(importlib.import_module(module)), made.co_name, None, cells)
    function.__qualname__ = qualname
    return function


def _closed(function: types.FunctionType, state: Any) -> None:
    held, function.__defaults__, function.__kwdefaults__ = state
    for cell, value in zip(function.__closure__ or (), held, strict=True):
        cell.cell_contents = value


class _Receiver(pickle.Unpickler):
    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.nodes: dict[int, Node] = {}

    def persistent_load(self, sent: Any) -> Any:
        return self.nodes[sent]


def packed(program: Program) -> bytes:
    """Return a program as bytes; raise what pickle raises, where an operation cannot be sent."""
    file = io.BytesIO()
    sender = _Sender(file)
    nodes = program.nodes
    sender.dump(len(nodes))
    for sender.now in nodes:
        sender.dump(sender.now)
    sender.now = None
    sender.dump(program)
    return file.getvalue()


def unpacked(sent: bytes) -> Program:
    """Return the program that `packed` made bytes of.

    Its nodes keep the numbers that they had where they were made: `part.substituted` gives it numbers of this process.
    """
    receiver = _Receiver(io.BytesIO(sent))
    for _ in range(receiver.load()):
        node = receiver.load()
        receiver.nodes[node.serial] = node
    program: Program = receiver.load()
    return program
