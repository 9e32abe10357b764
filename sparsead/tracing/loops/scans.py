"""Values that are cut off, built in an order in which each is known before it is read.

Whole classes at once where nothing in a class depends on the class; else as a `Scan`, one value after another; else
level by level, which is how array code steps through time.
"""

from __future__ import annotations

import numpy as np

from sparsead.program.index import NUMBER, identity
from sparsead.program.nodes import Earlier, Join, Map, Node, Ref, Scan, constant, whole
from sparsead.tracing.loops.cuts import Cells, RecurrenceError, components, numbers
from sparsead.tracing.loops.expansion import Domain, Expansion, shaped
from sparsead.tracing.loops.sums import split

MOST_LEVELS = 1_000
MOST_CLASSES = 256  # kinds of values that are cut off, each to be an array operation
LONG_SCAN = 32  # steps from which on a recurrence is worth a scan, and
WIDE = 4  # values at each step from which on array operations are


class CutExpansion(Expansion):
    """Readings whose expressions end at the values that are cut off."""

    def run_cuts(self) -> None:
        """Build the values that are cut off: whole classes where nothing in them depends on the class itself."""
        assert self.cuts is not None
        classes = [self.cuts.records[part] for part in split(self.cuts.own[self.cuts.records])]
        if len(classes) > MOST_CLASSES:
            self.run_levels(self.cuts.records)
            return
        number = np.full(len(self.tape), -1, dtype=NUMBER)
        for k, records in enumerate(classes):
            number[records] = k
        reads = [{int(j) for e in self.cells_below([c]) for j in np.unique(number[e])} for c in classes]
        for component in components(reads):
            members = [classes[k] for k in sorted(component, key=lambda k: int(classes[k][0]))]
            if len(members) == 1 and component[0] not in reads[component[0]]:
                self.cells.add(members[0], self.run(members[0], cut=True))
            elif not self.run_in_order(members):
                self.run_levels(np.sort(np.concatenate(members)))

    def run_levels(self, records: np.ndarray) -> None:
        """Build values that are cut off level by level."""
        assert self.cuts is not None
        level, own = self.cuts.level[records], self.cuts.own[records]
        parts = split(level * np.int64(own.max(initial=0) + 1) + own)
        if len(parts) > MOST_LEVELS:
            raise RecurrenceError
        for part in sorted(parts, key=lambda part: int(level[part[0]])):
            self.cells.add(records[part], self.run(records[part], cut=True))

    def run_in_order(self, classes: list[np.ndarray]) -> bool:
        """Build classes of values that depend on each other as a `Scan`; False if they do not run in step.

        A class may have a few values more than another, from before or after the turns that they share.
        """
        assert self.cuts is not None
        turns, depth = min(c.size for c in classes), len(np.unique(self.cuts.level[np.concatenate(classes)]))
        if depth < LONG_SCAN or sum(c.size for c in classes) > WIDE * depth:
            return False
        for shared in ([c[:turns] for c in classes], [c[c.size - turns :] for c in classes]):
            rest = np.setdiff1d(np.concatenate(classes), np.concatenate(shared))
            before = rest[rest < min(c[0] for c in shared)]
            if rest.size > depth // 2 or not self.is_known(self.cells_below([before]) if before.size else [], before):
                continue
            self.run_levels(before)
            if self.scan(shared):
                self.run_levels(rest[before.size :])
                return True
        return False

    def is_known(self, read: list[np.ndarray], others: np.ndarray) -> bool:
        """Tell whether values that are read were built, or are among `others`."""
        return all(((self.cells.owner[e] >= 0) | np.isin(e, others)).all() for e in read)

    def scan(self, classes: list[np.ndarray]) -> bool:
        """Build classes of equal size as a `Scan`; False if a turn would need what a later one computes."""
        size = classes[0].size
        turn = np.full(len(self.tape), -1, dtype=NUMBER)
        for records in classes:
            turn[records] = np.arange(size)
        below = self.cells_below(classes)
        read = [e for e in below if (turn[e] >= 0).any()]
        if not read or not self.is_known(below, np.concatenate(classes)):
            return False
        if any(e.size != size or (turn[e] >= np.arange(size)).any() for e in read):
            return False
        start = np.unique(np.concatenate([e[turn[e] < 0] for e in read]))
        members = [start, *classes]
        earlier = Earlier(shape=(sum(m.size for m in members),))
        bodies = self.bodies(classes, np.concatenate(members), earlier)
        if bodies is None:
            return False
        first = self.cells.read(start, start.shape) if start.size else Ref(constant(np.zeros(1)), start)
        scan = Scan(shape=earlier.shape, earlier=earlier, start=first, bodies=bodies)
        for k, records in enumerate(classes):
            at = start.size + k * size
            self.cells.add(records, Ref(scan, identity(scan.size)[at : at + size]))
        return True

    def bodies(self, classes: list[np.ndarray], known: np.ndarray, earlier: Earlier) -> tuple[Ref, ...] | None:
        """Build the bodies of a scan; None if one has to be computed apart from the others."""
        before, outer = set(self.steps), self.cells
        self.cells = Cells(len(self.tape), within=outer)
        self.cells.add(known, whole(earlier))
        built = len(self.built)
        domain = Domain(classes[0].size, [], classes[0].shape)
        roots = [self.step(records, domain, force=True) for records in classes]
        for root in roots:
            for step in self.ordered(root):
                self.tape.memo[step.key] = self.build(step)
                self.built.append(step.key)
        bodies = tuple(numbers(shaped(self.tape.memo[root.key], domain.shape)) for root in roots)
        self.cells = outer
        for key in self.built[built:]:  # they are expressions inside the scan, not values of its elements
            self.tape.memo.pop(key, None)
        for key in set(self.steps) - before:
            del self.steps[key]
        return bodies if all(_is_computed_inside(body.node, earlier) for body in bodies) else None

    def cells_below(self, classes: list[np.ndarray]) -> list[np.ndarray]:
        """Return the values, cut off, that the expressions of some classes read: an array for each operand."""
        before = set(self.steps)
        roots = [self.step(records, Domain(records.size, []), force=True) for records in classes]
        steps = [step for root in roots for step in self.ordered(root)]
        found = [step.records for step in steps if isinstance(step.kind, Cells)]
        for key in set(self.steps) - before:
            del self.steps[key]
        return found


def _is_computed_inside(body: Node, earlier: Earlier) -> bool:
    """Tell whether only scalar operations lie between the body of a scan and what it reads of the scan."""
    depends: dict[int, bool] = {earlier.serial: True}
    found: dict[int, Node] = {}
    pending = [body]
    while pending:
        node = pending.pop()
        if node.serial not in found:
            found[node.serial] = node
            pending.extend(node.pieces if isinstance(node, Join) else (r.node for r in node.operands))
    for serial in sorted(found):
        node = found[serial]
        below = node.pieces if isinstance(node, Join) else [r.node for r in node.operands]
        depends[serial] = node is earlier or any(depends[n.serial] for n in below)
        if depends[serial] and not isinstance(node, (Earlier, Map)):
            return False
    return depends[body.serial]
