"""Programs in which some nodes are parts of others: whatever reads the former is made to read the latter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from sparsead.program.index import is_identity, narrowed
from sparsead.program.nodes import Call, Constant, Input, Join, Map, Node, Ref, Scan, Sum, new_serial, whole

Places = Mapping[int, Ref]  # by serial number of a node: what is read in its place, in its shape


def moved(ref: Ref, places: Places) -> Ref:
    """Return what a reading has become."""
    place = places.get(ref.node.serial)
    if place is None:
        return ref
    return Ref(place.node, ref.index) if is_identity(place.index, place.node.size) else place.at(ref.index)


def renewed(node: Node, places: Places) -> Ref:
    """Return a node, as a new one, that reads others in place of those that it reads."""
    serial = new_serial()
    match node:
        case Map() | Call():
            return whole(replace(node, args=tuple(moved(r, places) for r in node.args), serial=serial))
        case Sum():
            return whole(replace(node, terms=moved(node.terms, places), memo={}, serial=serial))
        case Scan():
            bodies = tuple(moved(r, places) for r in node.bodies)
            return whole(replace(node, start=moved(node.start, places), bodies=bodies, serial=serial))
        case Join():
            return _joined(node, places)
    assert isinstance(node, (Input, Constant))
    return whole(node)


def _joined(join: Join, places: Places) -> Ref:
    """Return what an array that is put together has become: put together of fewer pieces, or read of a single one.

    One without elements is put together of nothing.
    """
    found = [places.get(piece.serial) or whole(piece) for piece in join.pieces]
    if not found:
        return whole(replace(join, serial=new_serial()))
    pieces = {place.node.serial: place.node for place in found}
    number = {serial: k for k, serial in enumerate(pieces)}
    owner = np.array([number[place.node.serial] for place in found], join.owner.dtype)[join.owner]
    offset = join.offset
    if not all(is_identity(place.index, place.node.size) for place in found):
        starts = np.cumsum([0, *(place.index.size for place in found[:-1])])
        offset = np.concatenate([place.index.reshape(-1) for place in found])[starts[join.owner] + offset]
    first = found[0].node
    if len(pieces) == 1 and (first.boolean, first.integer) == (join.boolean, join.integer):
        return Ref(first, offset.reshape(join.shape))
    return whole(
        replace(join, pieces=tuple(pieces.values()), owner=owner, offset=narrowed(offset), serial=new_serial())
    )
