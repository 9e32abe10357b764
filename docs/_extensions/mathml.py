"""Math rendered as MathML while building: browsers show it without scripts or fonts from elsewhere."""

import re

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml


def translated(tex, as_block):
    """Translate a formula; docutils reads the numbers of a fraction without braces as one."""
    if re.search(r"frac(?!\s*\{)", tex):
        raise ValueError(f"write the fraction with braces: {tex}")
    return tex2mathml(tex, as_block=as_block)


def visit_inline(self, node):
    """Write a formula in a line of text."""
    self.body.append(translated(node.astext(), as_block=False))
    raise nodes.SkipNode


def visit_block(self, node):
    """Write a formula on lines of its own."""
    self.body.append(f'<div class="formula">{translated(node.astext(), as_block=True)}</div>')
    raise nodes.SkipNode


def setup(app):
    """Register the renderer."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
