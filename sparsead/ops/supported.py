"""The page of supported spellings, from the registry.

Written by ``python -m sparsead.ops.supported > docs/reference/supported.md``.
"""

from __future__ import annotations

from collections import defaultdict

import sparsead.ops  # noqa: F401  (fills the registry)
from sparsead.ops.registry import REFUSED, REGISTRY

HEAD = """# Supported NumPy and SciPy functions

Every entry below is held to laws by the tests: its value is NumPy's, its derivatives (first and second, in every mode)
agree with differences of the plain NumPy function, its pattern is exact at a generic point, and machine code agrees
with the interpreter. What is not listed raises `UnsupportedOperationError` with the place in your file; nothing is
guessed. Indexing, slicing, assignment, `@` with `scipy.sparse` matrices, iteration and the methods of arrays work as
in NumPy. This page is generated: `python -m sparsead.ops.supported > docs/reference/supported.md`.
"""

FAMILIES = {
    "elementwise": "Elementwise",
    "movement": "Moving elements",
    "assembly": "Building arrays from arrays",
    "creation": "Creating arrays",
    "reduction": "Reductions and running reductions",
    "contraction": "Products",
    "linear algebra": "Linear algebra of small matrices (up to 4 x 4, stacked)",
    "composite": "Defined by other functions",
    "interpolation": "Interpolators, called with traced values",
    "ufunc method": "Methods of ufuncs",
    "complex": "Complex values inside real functions",
    "patched": "Functions that do not dispatch (replaced while tracing)",
    "query": "Questions about shape and type",
}


def page() -> str:
    """Return the page as Markdown."""
    by_family: dict[str, list[str]] = defaultdict(list)
    for entry in REGISTRY:
        by_family[entry.family].append(entry.spelling.removesuffix(" of complex values"))
    parts = [HEAD]
    for family, title in FAMILIES.items():
        spellings = sorted(set(by_family.pop(family, [])), key=str.lower)
        parts.append(f"## {title}\n\n" + ", ".join(f"`{s}`" for s in spellings) + "\n")
    if by_family:
        raise AssertionError(f"families without a title: {sorted(by_family)}")
    reasons: dict[str, list[str]] = defaultdict(list)
    for spelling, reason in REFUSED.items():
        reasons[reason].append(spelling)
    parts.append("## Refused, with the reason\n")
    parts += [f"- {', '.join(f'`{s}`' for s in names)}: {reason}" for reason, names in reasons.items()]
    return "\n".join(parts)


if __name__ == "__main__":
    print(page())
