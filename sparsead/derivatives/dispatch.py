"""The form of a derivative that a user asks for: of numbers, inside another function, guarded, on a device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sparsead.derivatives.roots  # noqa: F401  (root finders inside of functions)
from sparsead.derivatives.auxiliary import WithAux
from sparsead.derivatives.guard import Guarded
from sparsead.derivatives.nested import Nested, is_asked
from sparsead.stages import Watcher, reported
from sparsead.tracing.around import First


def asked_for(
    prepare: Callable[..., Any],
    nested: type[Nested],
    f: Callable[..., Any],
    args: tuple[Any, ...],
    options: Any,
    *,
    has_aux: bool = False,
    guard: str = "error",
    progress: bool | Watcher = False,
    on_device: Callable[[Any], Any] | None = None,
) -> Any:
    """Prepare the derivative that a user asks for, in the form that the arguments and some options call for.

    Parameters
    ----------
    prepare : callable
        Runs all stages: ``prepare(f, args, options)``.
    nested : type of Nested
        What stands for the derivative where the arguments are values of a function that is being traced.
    f, args, options
        The function, example arguments, and what the user chose.
    has_aux, guard, progress
        As in `jacobian`.
    on_device : callable, optional
        Makes, of what was prepared, what computes on a device.
    """
    f = First(f) if has_aux else f
    with reported(progress):
        made: Any
        if is_asked(args):
            made = nested.of(f, args, options.argnum)
        elif guard == "record":
            made = Guarded(prepare, f, args, options)
        else:
            made = prepare(f, args, options)
            made = made if on_device is None else on_device(made)
    return WithAux(made, f) if isinstance(f, First) else made
