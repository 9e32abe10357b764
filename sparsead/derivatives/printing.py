"""Objects that print what they are: one list of facts, for terminals and for notebooks."""

from __future__ import annotations

import re
import textwrap

from coloring.pictures.html import facts

KEPT = "\N{NO-BREAK SPACE}"
NUMBER = re.compile(r"(?<=\d) (?=[a-z])")  # a number and what it counts stay on one line
WIDTH = 88  # columns of what is printed: fits a page of documentation


class Printable:
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
        lines = [self._heading(), *(f"  {name:<9} {text}" for name, text in self._facts())]
        wrapper = textwrap.TextWrapper(
            WIDTH, subsequent_indent=" " * 12, break_long_words=False, break_on_hyphens=False
        )
        return "\n".join(wrapper.fill(NUMBER.sub(KEPT, line)).replace(KEPT, " ") for line in lines)

    def _repr_html_(self) -> str:
        return facts(self._heading(), self._facts(), self._picture())
