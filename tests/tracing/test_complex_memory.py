"""Complex arrays that are computed lie in memory as NumPy's do, whichever of their parts has been filled up."""

from __future__ import annotations

import numpy as np
import pytest

from sparsead.tracing.trace import trace
from tests.tracing.compared import value

X = np.array([0.31, 0.74, 0.52, 0.93, 0.28, 0.67])
MAKES = {
    "imaginary": lambda x: 1j * x,
    "with a constant": lambda x: np.full_like(x, 2.0) + 1j * x,
    "constant in C order": lambda x: np.full(x.shape, 2.0) + 1j * x,
    "rotated": lambda x: x * np.exp(1j * x),
    "quotient": lambda x: x / (1.0 + 1j * x),
    "added": lambda x: x + (x * 2.0 - 1j),
    "real part only": lambda x: x + 0j,
    "conjugate": lambda x: np.conj(x * 1j),
    "chosen": lambda x: np.where(x > 0.5, x, 1j * x),
    "stacked": lambda x: np.stack([x, 1j * x], axis=1),
}
ORDERS = {
    "C": lambda x: x.reshape(2, 3) * 1.0,
    "F": lambda x: x.reshape(2, 3, order="F") * 1.0,
    "turned": lambda x: (x * 2.0).reshape(3, 2).T,
    "steps": lambda x: np.outer(x, x)[::3, ::2],
    "axes": lambda x: (x.reshape(1, 2, 3) * 1.0).transpose(2, 0, 1),
}
READS = {
    "flatten": lambda z: z.flatten("K"),
    "ravel": lambda z: z.ravel("A"),
    "of the transpose": lambda z: z.T.flatten("K"),
    "copy": lambda z: z.copy("K").ravel("K"),
    "elementwise": lambda z: (z * 2.0).ravel("K"),
}


@pytest.mark.parametrize("make", MAKES)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("read", READS)
def test_computed_arrays_have_the_order_of_their_operands(make, order, read):
    def f(x):
        z = READS[read](MAKES[make](ORDERS[order](x)))
        return np.concatenate([z.real, z.imag])

    np.testing.assert_allclose(value(f, trace(f, (X,))[0], X), f(X), rtol=1e-14)


@pytest.mark.parametrize("shape", [(), (1,), (2,), (2, 3)])
@pytest.mark.parametrize("order", "CF")
@pytest.mark.parametrize("copy", [np.copy, lambda z: z.astype(complex), lambda z: z.copy(), lambda z: +z])
def test_copies_can_be_written_to(shape, order, copy):
    def f(x):
        z = np.zeros(shape, complex, order=order)
        z[...] = 1j * x[0]
        w = np.asarray(copy(z))
        w += x[1]
        w[...] = w * x[2]
        return np.concatenate([part.ravel() for v in (z, w) for part in (v.real, v.imag)])

    np.testing.assert_allclose(value(f, trace(f, (X,))[0], X), f(X), rtol=1e-14)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("constant", [True, False])
@pytest.mark.parametrize("dtype", [float, complex])
def test_elements_that_share_memory_are_written_once_for_all(constant, dtype):
    def f(x):
        number = np.array(2.0 if constant else x[1], dtype)
        v = np.broadcast_arrays(np.zeros((2, 3), dtype), number)[1]
        v[1, 1:] = x[0]
        return np.concatenate([np.ravel(v).real, np.ravel(v).imag, np.ravel(number).real])

    program, _ = trace(f, (X,))
    np.testing.assert_allclose(value(f, program, X), f(X), rtol=1e-14)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide", "maximum"])
@pytest.mark.parametrize("places", [[0, 0], [1], [[0, 1], [1, 1]]])
def test_places_that_share_memory_are_met_again_and_again(name, places):
    def f(x):
        grid = np.meshgrid(x[:3] * 1.0, np.zeros(2), copy=False)[0]
        getattr(np, name).at(grid, places, x[3:])
        return grid

    np.testing.assert_allclose(value(f, trace(f, (X,))[0], X), f(X), rtol=1e-14)


def test_views_of_the_parts_keep_their_own_flags():
    def f(x):
        z = np.zeros(3, complex) + x[3:] * 1j
        real, shown = z.real, z[:]
        z.setflags(write=False)
        real[0] = x[0]
        shown[1] = x[1]
        assert not z.flags.writeable and not z.real.flags.writeable and not z.T.flags.writeable
        return np.concatenate([z.real, z.imag])

    np.testing.assert_allclose(value(f, trace(f, (X,))[0], X), f(X), rtol=1e-14)


LOOKS = {
    "ravel": lambda part: part.ravel(),
    "ravel K": lambda part: part.ravel("K"),
    "reshape": lambda part: part.reshape(-1),
    "F": lambda part: part.reshape(-1, order="F"),
    "one row": lambda part: np.atleast_2d(part.reshape(part.size)),
    "turned": lambda part: part.T.ravel(),
    "contiguous": lambda part: np.ascontiguousarray(part),
    "of the first": lambda part: part[:1].reshape(-1),
}
KINDS = {
    "real": lambda z: z.real,
    "imag": np.imag,
    "real of a slice": lambda z: z[1:].real,
    "floats": lambda z: z.view(float),
}


@pytest.mark.parametrize("make", MAKES)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", KINDS)
def test_parts_of_computed_arrays_are_views_with_steps(make, order, kind):
    def f(x):
        kept = []
        for look in LOOKS.values():
            z = MAKES[make](ORDERS[order](x))
            if kind == "floats":
                z = z.ravel("K").reshape(z.shape)
            part = KINDS[kind](z)
            seen = look(part)
            seen[..., :1] = 2.0  # z changes where that is a view
            z *= 3.0  # and what is seen does
            kept += [z.real.ravel(), z.imag.ravel(), seen.ravel(), float(seen.flags.c_contiguous) * x[:1]]
        return np.concatenate(kept)

    np.testing.assert_allclose(value(f, trace(f, (X,))[0], X), f(X), rtol=1e-14)
