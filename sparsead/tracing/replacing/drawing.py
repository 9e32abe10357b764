"""Random numbers that a function draws, from a seed: arrays that take what depends on x."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sparsead.tracing.array import traced_in
from sparsead.tracing.known import on_values
from sparsead.tracing.replacing.names import patch

DEFAULT_RNG = np.random.default_rng  # the function itself


class Drawing:
    """A generator of NumPy's, whose new arrays are arrays of the trace."""

    __slots__ = ("_generator",)

    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return np.random.Generator

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._generator, name)
        return _drawn(found) if callable(found) and not name.startswith("_") else found

    def spawn(self, n_children: int) -> list[Drawing]:
        """Same as ``Generator.spawn``."""
        return [Drawing(child) for child in self._generator.spawn(n_children)]

    def __reduce__(self) -> Any:
        return self._generator.__reduce__()


def _drawn(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method that draws, unless it is given unknowns: what it says of these stays as it is."""

    def draw(*args: Any, **kwargs: Any) -> Any:
        unknown = any(not t.is_constant for t in traced_in((args, kwargs)))
        return original(*args, **kwargs) if unknown else on_values(original, args, kwargs)

    return draw


def _made(seed: Any = None) -> Any:
    if type(seed) is Drawing:
        return seed
    generator = DEFAULT_RNG(seed)
    return generator if generator is seed else Drawing(generator)


patch(DEFAULT_RNG, _made)
for _name in np.random.__all__:
    _function = getattr(np.random, _name)
    if not isinstance(_function, type) and _function is not DEFAULT_RNG:
        patch(_function, _drawn(_function))
