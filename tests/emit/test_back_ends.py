"""Generated code: every scalar operation means on every back end what NumPy means, special values included."""

from __future__ import annotations

import itertools

import numba
import numpy as np
import pytest
import scipy.special

import sparsead as sad
from sparsead.emit.python import FUNCTIONS
from sparsead.emit.source import Source, literal
from sparsead.emit.sweep import BACKENDS, Engine, Sweep
from sparsead.program.scalar import OPS

SPECIAL = np.array([0.0, -0.0, 0.3, 1.0, -1.0, -2.5, 7.0, 1e-300, 1e300, np.inf, -np.inf, np.nan])
POLES = {"gammaln", "gamma"}
OVERFLOWS = np.isinf(scipy.special.rel_entr(1e300, 1e-300))  # older SciPy: the logarithm of an infinite ratio
OLD_NUMBA = numba.version_info < (0, 63)  # its cbrt is a power, good to 1.4e-14
BOOLEANS = {"logical_and", "logical_or", "logical_not"}


def sweep_of_all_operations(backend):
    """Return one sweep that applies every operation at every pair or triple of special values, and its operands."""
    source, results, n = Source("everything"), {}, len(SPECIAL)
    for op in OPS.values():
        results[source.array(f"of_{op.name}")] = np.empty(n**2)
    with source.block(f"for i in range({n}):"), source.block(f"for j in range({n}):"):
        source.write(f"a = {source.array('values')}[i]")
        source.write("b = values[j]")
        for op in OPS.values():
            operands = {"select": ("a > b", "a", "b")}.get(op.name, ("a", "b")[: op.arity])
            if op.name in BOOLEANS:
                operands = ("a > 0.5", "b > 0.5")[: op.arity]
            for k, operand in enumerate(operands):
                source.write(f"{op.name}_{k} = {operand}")
            code = op.code.format(*(f"{op.name}_{k}" for k in range(len(operands))))
            source.write(f"of_{op.name}[{n} * i + j] = {code}")
    return Sweep(source, {}, Engine(backend)), results


@pytest.mark.parametrize("backend", BACKENDS)
def test_operations_at_special_values(backend):
    sweep, results = sweep_of_all_operations(backend)
    sweep(values=SPECIAL, **results)
    a, b = (np.array(v) for v in zip(*itertools.product(SPECIAL, SPECIAL), strict=True))
    with np.errstate(all="ignore"):
        for op in OPS.values():
            operands = {"select": (a > b, a, b)}.get(op.name, (a, b)[: op.arity])
            if op.name in BOOLEANS:
                operands = (a > 0.5, b > 0.5)[: op.arity]
            expected = np.asarray(op.numpy(*operands), dtype=np.float64)
            if op.name in POLES:  # poles without end: SciPy and the C library take different limits there
                unsettled = a == -np.inf
                if np.isinf(scipy.special.gamma(-1.0)):  # SciPy before 1.15 takes another limit at each pole
                    unsettled |= (a <= 0) & (a == np.rint(a))
                expected[unsettled] = results[f"of_{op.name}"][unsettled]
            if op.name == "rel_entr" and OVERFLOWS:
                far = (np.minimum(a, b) > 0.0) & np.isfinite(a) & np.isfinite(b) & np.isin(a / b, [0.0, np.inf])
                expected[far] = (a * (np.log(a) - np.log(b)))[far]
            rtol = 2e-14 if op.name == "cbrt" and backend == "numba" and OLD_NUMBA else 4e-15
            np.testing.assert_allclose(results[f"of_{op.name}"], expected, rtol=rtol, err_msg=f"{op.name} on {backend}")


@pytest.mark.parametrize("op", ["add", "subtract", "multiply", "divide", "negative", "maximum"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_truth_values_in_arrays_of_floats_are_numbers(op, backend):
    """They are read where they were computed: NumPy's own would be combined by `or`, or not at all."""
    ufunc = getattr(np, op)
    x = np.array([0.3, 1.7, 2.6])

    def f(x):
        held = np.concatenate([np.ones(3), x > 0.5])
        return ufunc(*(held[3:], held[:2:-1])[: ufunc.nin]) * x + 0.0

    jac = sad.jacobian(f, x, check=False, backend=backend)
    with np.errstate(divide="ignore", invalid="ignore"):
        np.testing.assert_array_equal(jac.value(x), f(x))
        np.testing.assert_array_equal(jac(x).diagonal(), f(np.array([0.3, 1.0, 1.0])) / [0.3, 1.0, 1.0])


def test_every_function_is_known_to_the_llvm_back_end():
    from sparsead.emit.assembly import INTRINSICS, LIBM

    assert set(FUNCTIONS) == set(LIBM) - {"pow"} | INTRINSICS


@pytest.mark.parametrize("number", [0.1, -0.1, 1e-320, 1e308, np.inf, -np.inf, 5.0, -0.0])
def test_literals_are_read_back_exactly(number):
    value = eval(literal(number), {"inf": np.inf, "nan": np.nan})
    assert value == number and np.signbit(value) == np.signbit(number)


def test_source_is_readable_python():
    sweep, _ = sweep_of_all_operations("python")
    compile(sweep.source.text, "<test>", "exec")
    assert sweep.source.text.startswith("def everything(")
