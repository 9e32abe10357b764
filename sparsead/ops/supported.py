"""The page of supported spellings, from the registry.

Written by ``python -m sparsead.ops.supported > docs/reference/supported.md``.
"""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy
import scipy

import sparsead.ops  # noqa: F401  (fills the registry)
from sparsead.ops.names import MODULES, answers, attributes
from sparsead.ops.registry import REFUSED, REGISTRY

HEAD = """# Supported NumPy and SciPy functions

Every entry below is held to laws by the tests: its value is NumPy's, its derivatives (first and second, in every
mode) agree with differences of the plain NumPy function, its pattern is exact at a generic point, and machine code
agrees with the interpreter. Arguments are bound by NumPy's own signature, by position or by name; a parameter that a
rule does not know is refused by name unless it has its default value, and so is a function that is not listed, with
the place in your file; nothing is guessed. A list that holds unknowns is an array to all of them. Indexing, slicing,
assignment, `@` with `scipy.sparse` matrices, iteration and the methods of arrays work as in NumPy. This page is
generated: `python -m sparsead.ops.supported > docs/reference/supported.md`.
"""

FAMILIES = {
    "elementwise": "Elementwise",
    "movement": "Moving elements",
    "assembly": "Building arrays from arrays",
    "creation": "Creating arrays",
    "reduction": "Reductions and running reductions",
    "contraction": "Products",
    "linear algebra": "Linear algebra, of any size, stacked",
    "sparse": "Sparse matrices of unknowns, and solves",
    "composite": "Defined by other functions",
    "interpolation": "Interpolators, called with traced values",
    "ufunc method": "Methods of ufuncs",
    "complex": "Complex values inside real functions",
    "special function": "Special functions that SciPy computes",
    "patched": "Functions that do not dispatch (replaced while tracing)",
    "query": "Questions about shape and type",
}

KINDS = ("handled", "answered", "plain", "refused")


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
    parts.append(counts())
    parts.append("## Refused, with the reason\n")
    parts += [f"- {', '.join(f'`{s}`' for s in names)}: {reason}" for reason, names in reasons.items()]
    return "\n".join(parts)


def versions() -> str:
    """Return what the counts of names are about."""
    return " and ".join(f"{m.__name__} {'.'.join(m.__version__.split('.')[:2])}" for m in (numpy, scipy))


def counts() -> str:
    """Return the table of how many public names there are of which kind."""
    lines = [
        "## Every public name\n",
        "Each public name is handled by a rule, answered while tracing, plain (a type, a constant, or a function that",
        f"is given no unknowns), or refused ({versions()}). Names of later versions are refused until a rule is",
        "stated.\n",
        "| module | handled | answered | plain | refused |",
        "|---|---|---|---|---|",
    ]
    tables = {module: answers(module) for module in MODULES} | {"numpy.ndarray": attributes()}
    for module, table in tables.items():
        kinds = Counter(answer.kind for answer in table)
        lines.append(f"| `{module}` | " + " | ".join(str(kinds[k]) for k in KINDS) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(page())
