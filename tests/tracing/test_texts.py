"""Texts made of unknowns: printed, logged and raised they go on, but they decide nothing."""

from __future__ import annotations

import io
import linecache
import logging
import warnings

import numpy as np
import pytest

import sparsead as sad

X = np.array([0.7, -0.4, 1.3])
#: How a text is made, and whether Python keeps the one that a field gives.
MADE = {
    "str(x[0])": True, "repr(x)": True, "format(x[0], '.3g')": True, "f'{x[0]:.2f}'": True, "f'{x[0] * 1j}'": True,
    "'a' + f'{x[0]}' + 'b'": True, "str(x[0]).strip().ljust(30)": True, "f'{x[0]} and {x[1]:.3f}'": False,
    "'%s' % x[0]": False, "'{} {}'.format(x[0], x[1])": False, "', '.join(str(v) for v in x)": False,
    "f'{str(x[0]):>20} {1}'": False,
}  # fmt: skip
#: What decides by a text.
ASKED = (
    "T == '0.7'",
    "'0.7' == T",
    "'-' in T",
    "len(T)",
    "T.startswith('-')",
    "T[0] == '-'",
    "{T: 1.0}",
    "{'0.7': 1}.get(T)",
)
#: What only a text can refuse that knows what it is made of.
LATER = ("float(T)", "hash(T)", "sorted(T)", "T in ['0.7']", "max(T, 'a')", "[c for c in T]", "T.split('.')")


def function(*lines):
    """Return a function whose source can be looked up, as that of a file."""
    file = f"/texts/{abs(hash(lines))}.py"
    source = "\n    ".join(["def f(x):", *lines])
    linecache.cache[file] = len(source), None, source.splitlines(keepends=True), file
    names = {"__name__": "texts", "logging": logging, "warnings": warnings, "io": io}
    exec(compile(source, file, "exec"), names)
    return names["f"]


def refused(*lines):
    with pytest.raises(sad.SparseADError, match="a text made of an unknown needs") as caught:
        sad.jacobian(function(*lines), X, check=False)
    assert "/texts/" in str(caught.value) and "may be printed" in str(caught.value)


@pytest.mark.parametrize("made", MADE)
def test_deciding_by_a_text_is_refused(made):
    for how in (*ASKED, *LATER) if MADE[made] else ASKED:
        refused(f"return x * 2.0 if {how.replace('T', f'({made})')} else x")
        if not MADE[made] or how in ASKED:
            refused(f"t = {made}", f"return x * 2.0 if {how.replace('T', 't')} else x")


@pytest.mark.parametrize("made", MADE)
def test_texts_are_printed_logged_and_raised(made, caplog):
    for line in (
        "print(T, 'and', T, file=io.StringIO())",
        "warnings.warn(T)",
        "logging.getLogger('texts').warning('%s', T)",
        "io.StringIO().write(f'{T:>30}' + T)",
    ):
        with warnings.catch_warnings(action="ignore"):
            jac = sad.jacobian(function(f"t = {made}", line.replace("T", "t"), "return x**2"), X, check=False)
        assert jac.pattern.nnz == 3
    assert "<traced" in caplog.text
    with pytest.raises(OSError, match="traced"):
        sad.jacobian(function(f"raise OSError({made})"), X, check=False)


def test_formats_are_those_of_numpy_and_constants_have_values():
    def f(x):
        known = np.ones(2)
        for value, spec in ((x[0], "d"), (x, ".2f")):
            try:
                format(value, spec)
            except (TypeError, ValueError):
                x = x * 2.0
        return x * len(str(known)) * (f"{known}" == "[1. 1.]") * (repr(known)[:5] == "array")

    np.testing.assert_array_equal(sad.jacobian(f, X).value(X), f(X))
