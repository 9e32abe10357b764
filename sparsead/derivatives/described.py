"""Objects that print what they are: one list of facts, for terminals and for notebooks."""

from __future__ import annotations

from coloring.pictures.html import facts


class Described:
    """Prints a heading and named facts; in a notebook beside a picture."""

    def _heading(self) -> str:
        raise NotImplementedError

    def _facts(self) -> list[tuple[str, str]]:
        """Return names and texts; a fact without a name goes on from the one above."""
        raise NotImplementedError

    def _picture(self) -> str:
        """Return a picture, as HTML."""
        return ""

    def __str__(self) -> str:
        return "\n".join([self._heading(), *(f"  {name:<9} {text}" for name, text in self._facts())])

    def _repr_html_(self) -> str:
        return facts(self._heading(), self._facts(), self._picture())
