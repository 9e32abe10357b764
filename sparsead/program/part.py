"""The part of a program that some elements of its value need, over the elements of its inputs that they read.

First, from the value back to the inputs, every node is asked which of its elements are needed; then the nodes are
made again over these, in order. A program over a grid, cut to a block of rows, is a program over the block and what
surrounds it, in the shapes of a grid.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from sparsead.program.index import IndexArray, index_dtype, narrowed, stored_part
from sparsead.program.kept import Kept, kept
from sparsead.program.nodes import Call, Constant, Earlier, Input, Join, Map, Node, Program, Ref, Scan, Sum, new_serial

Read = Callable[[Ref], Ref]


@dataclass(frozen=True, eq=False)
class Part:
    """A program over `numbers`, sorted: the elements of x, and of the inputs spread like it, that it reads."""

    program: Program
    numbers: IndexArray


def part_of(program: Program, rows: range, columns: range, spread: Collection[Node] = ()) -> Part:
    """Return the part of a program that computes `rows` of its value, flat.

    Parameters
    ----------
    program : Program
        The whole.
    rows : range
        Elements of its value that follow one another.
    columns : range
        Elements of x that are among its inputs, whether or not they are read.
    spread : collection of Node
        Inputs of the size of x of which the same elements are to be had as of x. All others stay whole.
    """
    shared = [program.wrt, *spread]
    masks: dict[int, np.ndarray] = {}
    output = kept(_marked(rows, program.output.index.size), program.output.shape, growth=1.0)
    _mark(masks, program.output.node, output.taken(program.output.index))
    found: dict[int, Kept] = {}
    for node in reversed(program.nodes):
        mask = masks.pop(node.serial, None)
        if node in shared:
            found[node.serial] = _everything(node) if mask is None else Kept(node.shape, flat=np.flatnonzero(mask))
        elif isinstance(node, (Input, Call, Scan, Earlier)) and (mask is not None or isinstance(node, Input)):
            found[node.serial] = kept(np.ones(node.size, np.bool_), node.shape)
            _ask_all(node, masks)
        elif mask is not None:
            found[node.serial] = kept(mask, node.shape)
            _ask(node, found[node.serial], masks)
    read = [k.flat for node in shared if (k := found[node.serial]).flat is not None]
    every = np.unique(np.concatenate([np.arange(columns.start, columns.stop), *read]))
    of_x = every.astype(index_dtype(program.wrt.size))
    found |= {node.serial: Kept(node.shape, flat=of_x) for node in shared}
    return Part(_cut(program, output, found), of_x)


def _everything(node: Node) -> Kept:
    return Kept(node.shape, flat=np.zeros(0, np.int64))


def _marked(rows: range, size: int) -> np.ndarray:
    mask = np.zeros(size, np.bool_)
    mask[rows.start : rows.stop] = True
    return mask


# -- which elements are needed --------------------------------------------------------------------------------------
def _mark(masks: dict[int, np.ndarray], node: Node, elements: IndexArray) -> None:
    """Note that elements of a node are needed."""
    if node.serial not in masks:
        masks[node.serial] = np.zeros(node.size, np.bool_)
    masks[node.serial][stored_part(elements)] = True


def _ask_all(node: Node, masks: dict[int, np.ndarray]) -> None:
    """Mark what the whole of a node reads."""
    if isinstance(node, Scan):
        _mark(masks, node.earlier, np.arange(node.size))
    for ref in node.operands:
        _mark(masks, ref.node, ref.index)


def _ask(node: Node, own: Kept, masks: dict[int, np.ndarray]) -> None:
    """Mark what the elements of a node that are needed read."""
    match node:
        case Map():
            for ref in node.args:
                _mark(masks, ref.node, own.wanted(ref.index))
        case Sum():
            terms = _terms(node, own)
            _mark(masks, node.terms.node, terms.wanted(node.terms.index))
        case Join():
            owner = own.wanted(node.owner.reshape(node.shape))
            offset = own.wanted(node.offset.reshape(node.shape))
            owner, offset = np.broadcast_arrays(owner, offset)
            for k in np.unique(owner):
                _mark(masks, node.pieces[int(k)], offset[owner == k])


def _terms(node: Sum, own: Kept) -> Kept:
    """Return the terms of the elements of a sum that are needed."""
    mask = np.zeros(node.size, np.bool_)
    mask[own.wanted(np.arange(node.size).reshape(node.shape))] = True
    wanted = np.broadcast_to(mask[stored_part(node.place)], node.place.shape)
    return kept(wanted.reshape(-1), node.place.shape, growth=1.0)


# -- the nodes, made again ------------------------------------------------------------------------------------------
def _cut(program: Program, output: Kept, found: Mapping[int, Kept]) -> Program:
    new: dict[int, Node] = {}

    def read(ref: Ref) -> Ref:
        return Ref(new[ref.node.serial], found[ref.node.serial].numbered(ref.index))

    def read_over(own: Kept) -> Read:
        return lambda ref: read(Ref(ref.node, own.taken(ref.index)))

    for node in program.nodes:
        if node.serial not in found:
            continue
        own = found[node.serial]
        match node:
            case Sum():
                terms = _terms(node, own)
                place = own.numbered(terms.taken(node.place))
                made: Node = replace(
                    node, shape=own.shape, terms=read_over(terms)(node.terms), place=place, memo={}, serial=new_serial()
                )
            case Join():
                made = _cut_join(node, own, new, found)
            case Constant():
                made = replace(node, shape=own.shape, value=own.taken(node.value), serial=new_serial())
            case Call() | Scan() | Earlier():
                made = again(node, read, new)
            case _:
                made = again(node, read_over(own), new, shape=own.shape)
        new[node.serial] = made
    inputs = tuple(new[node.serial] for node in program.inputs)
    value = read_over(output)(program.output)
    return Program(inputs, new[program.wrt.serial], value, program.name)  # type: ignore[arg-type]


def _cut_join(node: Join, own: Kept, new: Mapping[int, Node], found: Mapping[int, Kept]) -> Join:
    owner = np.array(own.taken(node.owner.reshape(node.shape)))
    offset = np.array(own.taken(node.offset.reshape(node.shape)))
    if own.needed is not None:  # the others may hold anything: something that is there
        first = np.flatnonzero(own.needed)[0]
        owner[~own.needed], offset[~own.needed] = owner.flat[first], offset.flat[first]
    present = np.unique(owner)
    pieces = [node.pieces[int(k)] for k in present]
    for k, piece in zip(present, pieces, strict=True):
        here = owner == k
        offset[here] = found[piece.serial].numbered(offset[here])
    return replace(
        node, shape=own.shape, pieces=tuple(new[p.serial] for p in pieces), offset=offset,
        owner=np.searchsorted(present, owner).astype(owner.dtype), serial=new_serial(),
    )  # fmt: skip


def again(node: Node, read: Read, new: Mapping[int, Node], **changes: object) -> Node:
    """Return a node made again, reading what `read` makes of its readings; `new` has the nodes that were made."""
    match node:
        case Map() | Call():
            changes["args"] = tuple(map(read, node.args))
        case Sum():
            changes |= {"terms": read(node.terms), "memo": {}}
        case Scan():
            changes |= {
                "earlier": new[node.earlier.serial], "start": read(node.start), "bodies": tuple(map(read, node.bodies)),
            }  # fmt: skip
    return replace(node, serial=new_serial(), **changes)  # type: ignore[arg-type]


def substituted(program: Program, given: Mapping[int, Ref]) -> Ref:
    """Return the value of a program whose inputs are given by readings, as a reading of new nodes.

    Parameters
    ----------
    program : Program
        What is computed.
    given : mapping
        Serial number of each input to a reading of its elements, of any shape.
    """
    new: dict[int, Node] = {}

    def read(ref: Ref) -> Ref:
        if ref.node.serial in given:
            return given[ref.node.serial].at(ref.index)
        return Ref(new[ref.node.serial], ref.index)

    for node in program.nodes:
        if node.serial in given:
            continue
        new[node.serial] = _joined_again(node, read) if isinstance(node, Join) else again(node, read, new)
    return read(program.output)


def _joined_again(node: Join, read: Read) -> Join:
    """Return a join whose pieces are what readings of them read."""
    offset = node.offset.astype(np.int64)
    pieces = []
    for k, piece in enumerate(node.pieces):
        here = node.owner == k
        reading = read(Ref(piece, offset[here]))
        pieces.append(reading.node)
        offset[here] = reading.index
    return replace(node, pieces=tuple(pieces), offset=narrowed(offset), serial=new_serial())
