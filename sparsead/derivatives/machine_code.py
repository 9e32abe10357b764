"""Prepared matrices as machine code: calls that check nothing any more, and functions of C."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from coloring import SparsityPattern
from coloring.cached import cached_property
from sparsead.derivatives import constant_entries
from sparsead.derivatives.fast_calls import c_function, kept_arguments, repeated_call
from sparsead.derivatives.nested import composable
from sparsead.derivatives.prepared import Prepared
from sparsead.derivatives.structure import FixedStructure
from sparsead.emit.c_callable import CFunction
from sparsead.errors import InputError
from sparsead.sweeps.assembly import Assembly


class WithMachineCode(Prepared):
    """What a prepared matrix offers to callers that want nothing of Python; part of `PreparedMatrix`."""

    pattern: SparsityPattern
    structure: FixedStructure
    _assembly: Assembly

    @composable
    def prepared_call(self, x: np.ndarray, *args: Any, out: Any, **named: Any) -> Callable[[], None]:
        """Return a function without arguments that evaluates at what these arrays hold when it is called.

        Parameters
        ----------
        x : ndarray of float64
            The point, C-contiguous: read anew at every call.
        *args
            The other arguments of the function. Arrays are read anew as well and must be contiguous float64;
            numbers stay what they are now.
        out : scipy.sparse.csr_array or ndarray of float64
            A matrix of an earlier call, or an array for its values in row order: overwritten at every call.

        Returns
        -------
        callable
            For a small system it is machine code that Python calls, 0.1 microseconds beside the loops. Nothing is
            checked any more: the arrays must not be resized. Not to be called from several threads at a time.

        Raises
        ------
        InputError
            If something does not fit, would have to be converted, or shares memory with `out`.

        Examples
        --------
        >>> import numpy as np
        >>> import sparsead as sad
        >>> x = np.array([1.0, 2.0])
        >>> jac = sad.jacobian(lambda x: x**2, x)
        >>> v = np.empty(2)
        >>> evaluate = jac.prepared_call(x, out=v)
        >>> x[:] = [3.0, 4.0]
        >>> evaluate()
        >>> v
        array([6., 8.])
        """
        data = self.structure.given_room(out)
        kept = kept_arguments(self.signature, self._args(x, args, named), data)
        constant_entries.leave_out(data)
        if (sweeps := self._assembly.all_sweeps()) is not None:
            call = repeated_call(self.program, self.signature, sweeps, kept, {"data": data})
            if call is not None:
                return call
        return lambda: self._assembly.fill(data, self._inputs(tuple(kept)))

    @cached_property
    def address(self) -> int:
        """Address of the compiled values: ``void (const double *x, .., double *values)``; see `c_function`."""
        return self._c_values.address

    @cached_property
    def _c_values(self) -> CFunction:
        return self.c_function()

    def c_function(self, what: str = "values") -> CFunction:
        """Return compiled code as a function of C, for numba, C libraries and whoever calls pointers.

        Parameters
        ----------
        what : str
            ``"values"``: of the matrix, in row order; ``"value"`` of the function; or a product, ``"jvp"`` and
            ``"vjp"`` of a Jacobian, ``"hvp"`` of a Hessian, which also has ``"gradient"``.

        Returns
        -------
        CFunction
            Its ``address``, its ``signature`` in C, and ``ctypes``, which compiled functions of numba can call. Every
            function has work arrays of its own; where it is not ``reentrant``, get one for each thread.

        Raises
        ------
        InputError
            If `what` is not known, or Python takes part in the evaluation.

        Examples
        --------
        >>> import numpy as np
        >>> import sparsead as sad
        >>> jac = sad.jacobian(lambda x: x**2, np.ones(2))
        >>> f = jac.c_function()
        >>> f.signature
        'void values(const double *x, double *values); /* x[2], values[2] */'
        >>> x, v = np.array([1.0, 2.0]), np.empty(2)
        >>> f.ctypes(x.ctypes, v.ctypes)
        >>> v
        array([2., 4.])
        """
        if not isinstance(what, str):
            what = repr(what)
        if self._rolled:
            return self._written_out.c_function(what)
        if what == "values":
            sweeps, outputs = self._assembly.all_sweeps(), {"data": ("values", self.structure.size, True)}
        elif what in (known := self._arrays_in_c()):
            sweeps, outputs = [self._sweep(what)], known[what]
        else:
            raise InputError(f"unknown function {what!r}; expected 'values', {', '.join(map(repr, known))}")
        return c_function(what, self.program, sweeps, outputs)

    def _arrays_in_c(self) -> dict[str, dict[str, tuple[str, int, bool]]]:
        """Return the functions beside the values: for each array of a sweep its name in C, size, if it is written."""
        known = {name: {f.array: (f.array, f.size, True)} for name, f in self._functions.items()}
        for product in self._products:
            given, returned = product.sizes(self.pattern.shape)
            known[product.name] = {
                product.source: (product.vector, given, False),
                product.target: ("out", returned, True),
            }
        return known
