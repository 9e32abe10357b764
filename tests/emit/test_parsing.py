"""Walks over generated code, and new code made of it."""

from __future__ import annotations

import ast

from sparsead.emit.parsing import Rewriter, walk

TEXT = """
for i in range(3):
    if 0 <= i:
        y[t[i] + 1] += -x[i] ** 2 if x[i] > 0.0 and (not z) else exp(s)
    s = 0.5 * s
""".strip()


class Renamed(Rewriter):
    def visit_Name(self, node):
        return ast.Name(f"{node.id}_new", node.ctx) if node.id in "xs" else node


def test_a_walk_comes_by_all_nodes_in_order():
    tree = ast.parse(TEXT)
    assert list(walk(tree)) == [node for node in ast.walk(tree) if not isinstance(node, ast.expr_context)]


def test_what_is_rewritten_stays_as_it_is():
    tree = ast.parse(TEXT)
    before, new = ast.dump(tree), Renamed().visit(tree)
    assert ast.dump(tree) == before
    assert (
        ast.unparse(new) == TEXT.replace("x[", "x_new[").replace("exp(s", "exp(s_new").replace(" s", " s_new").rstrip()
    )
    (loop,) = tree.body
    assert new.body[0].iter is loop.iter  # what is equal is shared
