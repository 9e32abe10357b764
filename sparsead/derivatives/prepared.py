"""What every prepared derivative shares: the record of a preparation, functions, products, batches, compiled code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from coloring.cached import cached_property
from sparsead.checking.report import Report, unchecked
from sparsead.contract import ROUNDING, Derivative
from sparsead.derivatives.batch import Batch, batch_of
from sparsead.derivatives.calls import refuse_out
from sparsead.derivatives.export import exported
from sparsead.derivatives.fast_calls import fast_entry, unchanged_inputs
from sparsead.derivatives.nested import Nested, are_traced, composable
from sparsead.derivatives.printing import Printable
from sparsead.derivatives.products import Product
from sparsead.derivatives.record import Function, Preparation
from sparsead.derivatives.validation import check_options
from sparsead.derivatives.vectors import apart, new_or_checked
from sparsead.emit.sweep import Engine, Sweep, compile_together
from sparsead.errors import InputError
from sparsead.keeping.pickling import Sendable
from sparsead.kernels.kernel import CallKernel, Kernels, combined
from sparsead.kernels.lower import lower
from sparsead.program.nodes import Call
from sparsead.sweeps.vector import value_sweep
from sparsead.tracing.surroundings import Surroundings
from sparsead.tracing.trees import Leaf


class Prepared(Printable, Sendable, Derivative):
    """A derivative prepared once, evaluated many times.

    Attributes
    ----------
    function : callable
        What was differentiated.
    recipe : Recipe
        How it was prepared, for other processes.
    program, kernels
        What was traced; what it was lowered to. Both print themselves.
    signature : Signature
        How the arguments are built, and which of them x is.
    of_cell : OfCell or None
        What was prepared for one cell, where the function does the same in many.
    timings : Timings
        Seconds of each stage of the preparation.
    surroundings : Surroundings
        What `function` reads besides its arguments, as it was then.
    checked : Report
        What was compared with `function` before this was returned; its notes say what could not be, and why.
    """

    accuracy = ROUNDING
    _products: ClassVar[tuple[Product, ...]] = ()
    _together: ClassVar[tuple[str, ...]] = ()  # functions that are computed by one sweep
    checked: Report

    def __init__(self, made: Preparation) -> None:
        self.recipe, self.function = made.recipe, made.recipe.function
        self.program, self.signature, self._lowered = made.program, made.signature, made.lowered
        self.engine, self.timings, self.of_cell = made.engine, made.timings, made.of_cell
        self.checked = unchecked()
        self.surroundings = Surroundings(self.function)
        self._names = [node.name for node in self.program.inputs]
        self._sweeps: dict[str, Sweep] = {}
        built = None if isinstance(self.signature.result, Leaf) else self.signature.shaped
        self._functions = {"value": Function(lambda: self.kernels, "y", self.program.output.shape, "y = f(x)", built)}

    @cached_property
    def kernels(self) -> Kernels:
        """What the program was lowered to."""
        return self._lowered().functions["value"]

    @property
    def _marking(self) -> Kernels:
        return self.kernels if self.of_cell is None else self.of_cell.lowered.functions["value"]

    def _cells_in_words(self) -> list[tuple[str, str]]:
        return [] if self.of_cell is None else [("cells", str(self.of_cell))]

    @property
    def argnum(self) -> int:
        """Which argument x is; the first of several."""
        return self.signature.argnum

    # -- functions ------------------------------------------------------------------------------------------
    @composable
    def value_batch(self, X: Any, *args: Any, out: np.ndarray | None = None, axis: int = 0, **named: Any) -> np.ndarray:
        """Return the values of the function at many points.

        Parameters
        ----------
        X, *args, out, axis
            As in `batch`.

        Returns
        -------
        ndarray, shape (points, ...) or (..., points)
        """
        return self._batches("value")(self._args(X, args, named), out, axis)

    @cached_property
    def _known_batches(self) -> dict[str, Batch]:
        return {}

    def _batches(self, name: str) -> Batch:
        """Return the batches of a function."""
        if name not in self._known_batches:
            self._known_batches[name] = batch_of(self, name)
        return self._known_batches[name]

    def _evaluated(self, name: str, args: tuple[Any, ...], out: np.ndarray | None, fast: Callable[..., bool]) -> Any:
        """Return a function at a point: by machine code where `fast` takes the call."""
        function = self._functions[name]
        room = np.empty(function.shape) if out is None else out
        if fast(*args, room):
            return room if function.built is None else function.built(room)
        if are_traced(args):
            refuse_out(out)
            return getattr(self._nested, name)(*args)
        flat = new_or_checked(name, out, function.shape)
        self._sweep(name)(**apart(self._inputs(args), flat), **{function.array: flat})
        return flat.reshape(function.shape) if function.built is None else function.built(flat)

    def _fast_function(self, name: str) -> Callable[..., bool]:
        """Return what takes fast calls ``(x, *args, out)`` of a function."""
        function = self._functions[name]
        return fast_entry(self.signature, [self._sweep(name)], {function.array: function.shape})

    @property
    def _both(self) -> Kernels:
        """The kernels of all functions, and of what a matrix reads: one sweep for all."""
        return (self._lowered() if self.of_cell is None else self.of_cell.lowered).both

    @cached_property
    def _rolled(self) -> bool:
        """Whether turns that the function writes out have become loops, which are calls."""
        if self.of_cell is not None:
            return False
        calls = sum(isinstance(step, CallKernel) for step in self.kernels.kernels)
        return calls > 0 and calls > sum(isinstance(node, Call) for node in self.program.nodes)

    @cached_property
    def _written_out(self) -> Self:
        """This, prepared with all turns and cells written out, for those who cannot have Python in between."""
        if not self._rolled and self.of_cell is None:
            return self
        recipe = self.recipe
        made: Self = recipe.again(recipe.function, recipe.args, replace(recipe.options, loops=False))
        return made

    @cached_property
    def _kernels_written_out(self) -> Kernels:
        """The kernels with all turns written out, which have derivatives of every order."""
        return lower(self.program) if self._rolled else self.kernels

    @property
    def _nested(self) -> Nested:
        """What stands for this inside a function that is traced."""
        raise NotImplementedError

    # -- compiled code --------------------------------------------------------------------------------------
    def compile(self, *names: str) -> None:
        """Compile now what else is compiled at its first use: ``"value"``, ``"gradient"``, ``"jvp"``, .."""
        known = {*self._functions, *(p.name for p in self._products), *self._together}
        if wrong := [name for name in names if not isinstance(name, str) or name not in known]:
            raise InputError(f"{wrong[0]!r} is not compiled by itself; expected {', '.join(sorted(known))}")
        compile_together([self._sweep(name) for name in names])

    def export(self, path: Any) -> tuple[Path, Path]:
        """Write C code that computes the function and its derivatives without Python.

        Parameters
        ----------
        path : path-like
            Where, without a suffix: ``"folder/name"`` writes ``name.c`` and ``name.h``. Its functions are called
            ``name_value``, and ``name_jacobian``, ``name_jvp``, ``name_vjp`` of a Jacobian; ``name_gradient``,
            ``name_hessian``, ``name_hvp`` of a Hessian; ``name_gradient`` of a gradient. ``name_structure`` writes
            the structure of the matrix.

        Returns
        -------
        source, header : Path
            Standard C99, to be linked with the mathematical library (``-lm``) and nothing else. The header says what
            each function takes.

        Raises
        ------
        InputError
            If the name cannot begin C names, or the function calls Python at run time.
        """
        check_options(path=path)
        return exported(self._written_out, path)

    def _sweep(self, name: str) -> Sweep:
        """Return the sweep of a function or product, written when it is first asked for."""
        if name not in self._sweeps:
            made = None if self.of_cell is None else self.of_cell.sweep(name, self.engine, self._products)
            self._sweeps[name] = self._new_sweep(name, self.engine) if made is None else made
        return self._sweeps[name]

    def _new_sweep(self, name: str, engine: Engine) -> Sweep:
        """Return the sweep of a function or product as the function is written."""
        return value_sweep(self._functions[name].kernels, engine)

    def _args(self, x: Any, args: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
        """Return the arguments of a call in order; some may have been given by name."""
        return self.signature.placed((x, *args), named) if named else (x, *args)

    def _inputs(self, args: tuple[Any, ...]) -> dict[str, np.ndarray]:
        arrays = self._unchanged_inputs(args)
        return dict(zip(self._names, self.signature.convert(args) if arrays is None else arrays, strict=True))

    @cached_property
    def _unchanged_inputs(self) -> Callable[[Any], list[np.ndarray] | None]:
        return unchanged_inputs(self.signature)


class ScalarDerivative(Prepared):
    """What the derivatives of a function that returns one number share: its value, and its gradient."""

    _together = ("value_and_gradient",)

    def __init__(self, made: Preparation, *filled: Any) -> None:
        super().__init__(made, *filled)
        built = None if self.signature.plain else self.signature.like_x
        self._functions["gradient"] = Function(
            lambda: self.gradient_kernels, "g", self.program.wrt.shape, "g = the gradient", built
        )

    @cached_property
    def gradient_kernels(self) -> Kernels:
        """What computes the gradient."""
        return self._lowered().functions["gradient"]

    def value(self, x: Any, *args: Any, **named: Any) -> float:
        """Return ``f(x, *args)``, from the compiled kernels.

        Parameters
        ----------
        x, *args
            As in a call.

        Returns
        -------
        float
        """
        args = self._args(x, args, named)
        y = np.empty(1)
        if not self._fast_value(*args, y):
            if are_traced(args):
                return self._nested.value(*args)
            self._sweep("value")(**self._inputs(args), y=y)
        return float(y[0])

    @composable
    def value_and_gradient(self, x: Any, *args: Any, **named: Any) -> tuple[float, np.ndarray]:
        """Return ``f(x, *args)`` and its gradient, from one sweep.

        Parameters
        ----------
        x, *args
            As in a call.

        Returns
        -------
        value : float
        gradient : ndarray
            In the shape of x.
        """
        args = self._args(x, args, named)
        y, g = np.empty(1), np.empty(self.program.wrt.size)
        if not self._fast_value_and_gradient(*args, y, g):
            self._sweep("value_and_gradient")(**self._inputs(args), y=y, g=g)
        return float(y[0]), self.signature.like_x(g)

    @cached_property
    def _fast_value(self) -> Callable[..., bool]:
        return fast_entry(self.signature, [self._sweep("value")], {"y": (1,)})

    @cached_property
    def _fast_value_and_gradient(self) -> Callable[..., bool]:
        sweep, outputs = self._sweep("value_and_gradient"), {"y": (1,), "g": (self.program.wrt.size,)}
        return fast_entry(self.signature, [sweep], outputs)

    @cached_property
    def _fast_gradient(self) -> Callable[..., bool]:
        return self._fast_function("gradient")

    def _new_sweep(self, name: str, engine: Engine) -> Sweep:
        if name == "value_and_gradient":
            return value_sweep(combined(self.kernels, self.gradient_kernels), engine)
        return super()._new_sweep(name, engine)
