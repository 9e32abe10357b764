"""How code for many points is cut: statements that each point runs for itself, and what all of them share."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from sparsead.emit.parsing import walk


@dataclass(eq=False)
class Run:
    """Statements that run point by point.

    Attributes
    ----------
    statements : list of ast.stmt
        What runs.
    defined, read : set of str
        The names that are set, and that are read.
    awaited : set of str
        What is read before it is set, if it is: code that was written out sets a name again and again.
    """

    statements: list[ast.stmt] = field(default_factory=list)
    defined: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)
    awaited: set[str] = field(default_factory=set)

    def add(self, statement: ast.stmt) -> None:
        """Add a statement at the end."""
        names = [node for node in walk(statement) if isinstance(node, ast.Name)]
        read = {node.id for node in names if isinstance(node.ctx, ast.Load)}
        self.statements.append(statement)
        self.awaited |= read - self.defined
        self.read |= read
        self.defined |= {node.id for node in names if isinstance(node.ctx, ast.Store)}


@dataclass(frozen=True)
class Loop:
    """A loop or guard that all points share."""

    header: str
    body: list[Item]


Item = Run | Loop | str  # a string is a line that all points share
