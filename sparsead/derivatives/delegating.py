"""What derivatives that stand around another one share: what it is, and what it prints, is that of the inner one."""

from __future__ import annotations

from typing import Any

from sparsead.contract import Derivative, Kind
from sparsead.derivatives.printing import Printable
from sparsead.tracing.arguments import Signature


class Delegating(Printable, Derivative):
    """A derivative around another one, `_inner`."""

    @property
    def _inner(self) -> Any:
        raise NotImplementedError

    @property
    def derivative(self) -> Kind:  # type: ignore[override]
        """Which derivative it is."""
        return self._inner.derivative

    @property
    def signature(self) -> Signature:  # type: ignore[override]
        """How its arguments are built."""
        return self._inner.signature

    @property
    def accuracy(self) -> float:  # type: ignore[override]
        """Relative accuracy that can be expected of the entries."""
        return self._inner.accuracy

    def _heading(self) -> str:
        return self._inner._heading()

    def _facts(self) -> list[tuple[str, str]]:
        return self._inner._facts()

    def _picture(self) -> str:
        return self._inner._picture()
