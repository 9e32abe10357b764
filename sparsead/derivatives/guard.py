"""Functions that branch on values: prepared for the branches of one point, prepared again where another is taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse

from sparsead.contract import AFTER_A_VECTOR, AT_A_POINT, OF_MANY_POINTS, Derivative, members
from sparsead.derivatives.calls import arranged
from sparsead.derivatives.delegating import Delegating
from sparsead.derivatives.nested import are_traced
from sparsead.emit.sweep import Engine
from sparsead.errors import NotOfferedError, TracedBranchError, unsupported
from sparsead.keeping.pickling import Recipe, Sendable
from sparsead.kernels.lower import lower
from sparsead.program.nodes import Program
from sparsead.sweeps.vector import value_sweep
from sparsead.tracing.array import TracedArray
from sparsead.tracing.decisions import Decisions
from sparsead.tracing.late import HANDLERS

MOST = 16  # prepared branches to keep


class Branch:
    """A derivative that holds where the recorded branches are taken."""

    def __init__(self, prepared: Any, decisions: Decisions, engine: Engine) -> None:
        self.prepared = prepared
        self.taken = np.array(decisions.taken, dtype=np.float64)
        self.origins = decisions.origins
        self._conditions = _condition_sweep(prepared.program, decisions, engine) if decisions.taken else None

    def holds(self, args: tuple[Any, ...]) -> bool:
        """Tell whether the function takes the same branches at these arguments."""
        if self._conditions is None:
            return True
        now = np.empty(self.taken.size)
        self._conditions(**self.prepared._inputs(args), y=now)
        return np.array_equal(now, self.taken)


class Guarded(Delegating, Sendable):
    """A prepared derivative of a function that branches on values. Made with ``guard="record"``.

    Before each evaluation the branch conditions are computed (compiled, at the cost of what they read) and compared
    with those of the trace; where one differs, the function is traced and prepared again at that point. Up to 16
    preparations are kept. The pattern belongs to the branches taken, so it can change from point to point; everything
    that a prepared object offers is offered for the branch of the latest evaluation, but for what computes many points
    without a look at the branches, which is refused.
    """

    def __init__(self, prepare: Callable[..., Any], f: Callable[..., Any], args: tuple[Any, ...], options: Any) -> None:
        self._prepare, self._function, self._options = prepare, f, options
        self._branches: list[Branch] = []
        self.preparations = 0
        self.branch = self._branch_at(args)

    def _branch_at(self, args: tuple[Any, ...]) -> Branch:
        for branch in self._branches:
            if branch.holds(args):
                return branch
        decisions, point = Decisions(), tuple(_kept(a) for a in args)
        try:
            prepared = self._prepare(self._function, point, self._options, decisions)
        except TracedBranchError:
            if not decisions.wants_masks:
                raise
            decisions = Decisions(masks=True)
            prepared = self._prepare(self._function, point, self._options, decisions)
        self.preparations += 1
        self._branches = [Branch(prepared, decisions, self._options.engine), *self._branches[: MOST - 1]]
        return self._branches[0]

    @property
    def _inner(self) -> Any:
        return self.branch.prepared

    @property
    def function(self) -> Callable[..., Any]:  # type: ignore[override]
        """What was differentiated."""
        return self._function

    def value(self, x: Any, *args: Any, **options: Any) -> float | np.ndarray:
        """Return the value of the function at x."""
        point, options = arranged(self.signature, "value", (x, *args), options)
        found: float | np.ndarray = self._at(point).value(*point, **options)
        return found

    def at(self, args: tuple[Any, ...]) -> Derivative:
        """Return the preparation for the branches that are taken at these arguments."""
        return self._at(args)

    def _at(self, args: tuple[Any, ...]) -> Any:
        if are_traced(args):
            raise unsupported(
                "a derivative with guard='record'",
                "Its branches are taken by values, which are not known here; write np.where, and leave out guard.",
            )
        self.branch = self._branch_at(args)
        return self.branch.prepared

    def __call__(self, x: Any, *args: Any, **options: Any) -> scipy.sparse.csr_array:
        """Return the matrix at x; see the class that `branch.prepared` is of."""
        point, options = arranged(self.signature, "__call__", (x, *args), options)
        return self._at(point)(*point, **options)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "branch":  # while it is unpickled there is no such attribute yet
            return super().__getattr__(name)  # type: ignore[misc]
        if name not in members(self.derivative):
            return getattr(self.branch.prepared, name)
        if name in FOR_ONE_BRANCH and self.branch.origins:
            raise NotOfferedError(
                f"{name} would take the branches of one point at all points; use jac.at((x, *args)).{name} where they "
                "are the same, or write np.where"
            )
        if name not in AT_A_POINT:
            return getattr(self.branch.prepared, name)

        def method(*args: Any, **keywords: Any) -> Any:
            args, options = arranged(self.signature, name, args, keywords)
            point = (args[0], *args[2:]) if name in AFTER_A_VECTOR else args
            return getattr(self._at(point), name)(*args, **options)

        return method

    def _to_send(self) -> Recipe:
        made = self.branch.prepared.recipe
        return Recipe(_again, (made.again, made.function), made.args, made.options)

    def _facts(self) -> list[tuple[str, str]]:
        places = sorted({str(o) for o in self.branch.origins})
        decided = ("branches", f"{len(self.branch.origins)} decided by values at:")
        return [*self.branch.prepared._facts(), decided, *(("", place) for place in places)]

    def __repr__(self) -> str:
        return f"<guarded {self.branch.prepared!r}>"


FOR_ONE_BRANCH = OF_MANY_POINTS | {"address", "c_function", "export", "prepared_call"}


def _again(made: tuple[Callable[..., Any], Callable[..., Any]], args: tuple[Any, ...], options: Any) -> Guarded:
    return Guarded(*made, args, options)


def _kept(value: Any) -> Any:
    """Return an argument that decides branches, safe from later changes."""
    return value.copy(order="K") if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value


def _condition_sweep(program: Program, decisions: Decisions, engine: Engine) -> Any:
    """Compile the conditions: 1.0 where a branch is taken."""
    answers = [np.where(TracedArray.of_ref(ref), 1.0, 0.0) for ref in decisions.conditions]
    output = HANDLERS[np.stack]([a.reshape(()) for a in answers]).ref
    return value_sweep(lower(Program(program.inputs, program.wrt, output, "conditions")), engine)
