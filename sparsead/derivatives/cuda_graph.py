"""A call on a device as a CUDA graph: its launches queued together, on arrays that stay where they are."""

from __future__ import annotations

from typing import Any

from sparsead.errors import InputError


class CapturedCall:
    """A call of a derivative on a device as a CUDA graph. Made by ``jac.graph(x, *args)``.

    It is for these arrays: a launch reads what they contain then. It has work arrays of its own, so it may run beside
    other calls; not beside itself.

    Attributes
    ----------
    x : cupy.ndarray
        The point, for the user to write the next one into: ``graph.x[...] = x``.
    args : tuple
        The other arguments, as the graph reads them.
    out : cupy.ndarray, csr_matrix or tuple
        What a launch writes.
    """

    def __init__(self, made: Any, name: str, args: tuple[Any, ...], out: Any) -> None:
        call = getattr(made, name, None)
        if name not in _CALLS or call is None:
            raise InputError(f"of={name!r} is no call that a graph can have; expected one of {', '.join(_CALLS)}")
        cupy = made._cupy
        current = cupy.cuda.get_current_stream()
        if current.is_capturing():
            raise InputError("the current stream is capturing a graph already; make this one before")
        self.x, *rest = made._held(name, args)
        self.args = tuple(rest)
        stream = cupy.cuda.Stream(non_blocking=True)
        current.synchronize()  # what the arguments contain is there
        with stream:
            self.out = call(self.x, *rest, **({} if out is None else {"out": out}))  # compiles, allocates, complains
            stream.synchronize()
            stream.begin_capture()
            try:
                call(self.x, *rest, out=self.out)
            finally:
                self._graph = stream.end_capture()
        self._stream, self._made = stream, made  # whose work arrays it has; tables and kernels

    def __repr__(self) -> str:
        return f"<CUDA graph of {self._made!r}>"

    def launch(self, stream: Any = None) -> Any:
        """Queue the call on a stream, by default the current one; return `out`, which it writes."""
        self._graph.launch(stream)
        return self.out

    __call__ = launch


_CALLS = (
    "__call__", "values", "value", "gradient", "jvp", "vjp", "hvp", "value_and_jacobian", "value_gradient_and_hessian",
)  # fmt: skip
