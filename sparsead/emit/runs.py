"""How code for many points is cut: statements that each point runs for itself, and what all of them share."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field


@dataclass(eq=False)
class Run:
    """Statements that run point by point."""

    statements: list[ast.stmt] = field(default_factory=list)

    @property
    def defined(self) -> set[str]:
        """The names that are set."""
        return self._names(ast.Store)

    @property
    def read(self) -> set[str]:
        """The names that are read."""
        return self._names(ast.Load)

    def _names(self, use: type[ast.expr_context]) -> set[str]:
        nodes = (node for statement in self.statements for node in ast.walk(statement))
        return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, use)}

    @property
    def awaited(self) -> set[str]:
        """What is read before it is set, if it is: code that was written out sets a name again and again."""
        found: set[str] = set()
        before: set[str] = set()
        for statement in self.statements:
            one = Run([statement])
            found |= one.read - before
            before |= one.defined
        return found


@dataclass(frozen=True)
class Loop:
    """A loop or guard that all points share."""

    header: str
    body: list[Item]


Item = Run | Loop | str  # a string is a line that all points share
