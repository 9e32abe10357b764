"""The form of a derivative that a user asks for: of numbers, inside another function, guarded, on a device."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sparsead.derivatives.recording
import sparsead.derivatives.roots  # noqa: F401  (root finders inside of functions)
from sparsead.derivatives.auxiliary import WithAux
from sparsead.derivatives.guard import Guarded
from sparsead.derivatives.nested import Nested, are_traced
from sparsead.derivatives.preparation import Options
from sparsead.derivatives.validation import bind_named, check_options
from sparsead.stages import Watcher, reported
from sparsead.tracing.wrappers import First


def prepare_derivative(
    prepare: Callable[..., Any],
    nested: type[Nested],
    f: Callable[..., Any],
    args: tuple[Any, ...],
    named: Mapping[str, Any],
    options: Options,
    *,
    method: str = "ad",
    has_aux: bool = False,
    guard: str = "error",
    progress: bool | Watcher = False,
    device: str | None = None,
) -> Any:
    """Prepare a derivative in the form that the arguments and some options call for.

    Parameters
    ----------
    prepare : callable
        Runs all stages: ``prepare(f, args, options)``.
    nested : type of Nested
        What stands for the derivative where the arguments are values of a function that is being traced.
    f, args, named, options
        The function, example arguments by place and by name, and what the user chose.
    method, has_aux, guard, progress, device
        As in `jacobian`.
    """
    check_options(check=options.check, guard=guard, has_aux=has_aux, progress=progress, device=device)
    f, args = bind_named(f, args, named, nested.derivative)
    f = First(f) if has_aux else f
    to_device = None
    if device is not None:
        from sparsead.derivatives.device import on_device  # what few need

        to_device = on_device(nested.derivative, method, guard, options.format, options.triangle, has_aux)
    with reported(progress):
        made: Any
        if are_traced(args):
            made = nested.of(f, args, options.argnum)
        elif guard == "record" and method == "ad":  # differences call f, branches and all
            made = Guarded(prepare, f, args, options)
        else:
            made = prepare(f, args, options)
            made = made if to_device is None else to_device(made)
    return WithAux(made, f) if isinstance(f, First) else made
