"""Views and copies: every function that may return a view, on arrays of every kind and order, in both directions."""

from __future__ import annotations

import contextlib
import itertools
import warnings

import numpy as np
import pytest

import sparsead as sad
from tests.tracing.compared import POINTS, agree, outcome

#: Arrays of shape (2, 3) or (3, 2) in memory of every order: known ones, traced ones, and half-written ones.
BASES = {
    "zeros": lambda x: np.zeros((2, 3)),
    "F": lambda x: np.zeros((2, 3), order="F"),
    "turned": lambda x: np.zeros((3, 2)).T,
    "part": lambda x: np.ones((4, 6))[1:3, ::2],
    "backwards": lambda x: np.ones((2, 3))[::-1, ::-1],
    "complex": lambda x: np.zeros((2, 3), complex),
    "complex F": lambda x: np.zeros((2, 3), complex, order="F"),
    "imaginary part": lambda x: np.zeros((2, 3), complex).imag,
    "traced": lambda x: x.reshape(2, 3) * 1.0,
    "traced turned": lambda x: x.reshape(3, 2).T * 1.0,
    "traced F": lambda x: np.array(x.reshape(2, 3), order="F"),
    "traced complex": lambda x: x.reshape(2, 3) * 1j,
    "half": lambda x: _half(x),
    "computed": lambda x: -np.linspace(0.0, 1.0, 6).reshape(2, 3),
}
VIEWS = {
    name: eval("lambda a: " + name)
    for name in """
    a.T; a.mT; a.transpose(); np.transpose(a); a.swapaxes(0, 1); np.swapaxes(a, 0, 1); np.moveaxis(a, 0, 1)
    np.rollaxis(a, 1); np.permute_dims(a); np.matrix_transpose(a); a.reshape(-1); a.reshape(6, order="F")
    a.reshape(3, 2); a.reshape(3, 2, order="A"); np.reshape(a, 6); np.reshape(a, (3, 2), order="F"); a.ravel()
    a.ravel("F"); a.ravel("K"); a.ravel("A"); np.ravel(a); np.ravel(a, order="K"); a.flatten(); a.flatten("K")
    a.copy(); a.copy("F"); a.copy("K"); np.copy(a); np.copy(a, order="C"); np.array(a); np.array(a, copy=None)
    np.array(a, order="F"); np.array(a, copy=None, order="F"); np.array(a, ndmin=3); np.array(a, copy=None, ndmin=3)
    np.asarray(a); np.asarray(a, order="F"); np.asarray(a, order="C"); np.asanyarray(a); np.asarray(a, copy=True)
    np.ascontiguousarray(a); np.asfortranarray(a); a.astype(a.dtype); a.astype(a.dtype, copy=False); a.view()
    a.astype(a.dtype, order="F", copy=False); a[1]; a[:, 1]; a[::-1]; a[..., 1:]; a[None]; a[1, None, 1:]; a[[1, 0]]
    a[:, [0, 2]]; a[[True, False]]; a[0, ...]; a[()]; np.split(a, 3, axis=1)[1]; np.array_split(a, 2)[1]
    np.hsplit(a, 3)[0]; np.vsplit(a, 2)[1]; np.unstack(a)[1]; np.unstack(a, axis=1)[0]; np.squeeze(a[:1]); a.squeeze()
    np.expand_dims(a, 1); np.atleast_1d(a); np.atleast_2d(a[0]); np.atleast_3d(a); np.atleast_1d(a, np.arange(3))[0]
    np.flip(a); np.fliplr(a); np.flipud(a); np.rot90(a); np.rot90(a, 2); np.roll(a, 1); np.tile(a, 2); np.repeat(a, 2)
    np.diagonal(a); a.diagonal(1); np.diag(a); np.linalg.diagonal(a); np.broadcast_to(a, (2, 2, 3)); a.real; a.imag
    np.real(a); np.imag(a); a.conj(); np.conj(a); np.conjugate(a); np.real_if_close(a); np.nan_to_num(a, copy=False)
    np.nan_to_num(a); np.take(a, [0, 1], axis=0); np.compress([True, False], a, axis=0); np.delete(a, 0, axis=0)
    np.broadcast_arrays(a, np.zeros(3))[0]; np.meshgrid(a[0], a[1], copy=False)[0]; np.positive(a); +a; a * 1.0
    np.lib.stride_tricks.sliding_window_view(a, 2, axis=1); np.clip(a, None, None); a.view(float); np.concatenate([a])
    """.replace("\n", ";").split(";")
    for name in [name.strip()]
    if name
}
#: Of complex values that are traced.
UNKNOWN_OF_COMPLEX = (
    "np.clip(a, None, None)", "a.view(float)", "np.nan_to_num(a)", "np.nan_to_num(a, copy=False)",
    "np.real_if_close(a)",
)  # fmt: skip
WRITES = {
    "all": lambda a, x: a.__setitem__(..., x[0]),
    "some": lambda a, x: a.__setitem__((0, ...), x[1]),
    "times": lambda a, x: np.multiply(a, x[2], out=a),
    "constant": lambda a, x: a.__setitem__(..., 7.0),
}


def _half(x):
    out = np.zeros((2, 3))
    out[0] = x[:3]
    return out


def _parts(*arrays):
    flat = [np.ravel(a) for a in arrays]
    return np.concatenate([part for a in flat for part in (a.real, a.imag)])


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("direction", ["into the view", "into the base"])
def test_views_and_copies(base, direction):
    """What is written to one of a base and its view is seen in the other where NumPy sees it, and nowhere else."""
    writes = itertools.cycle(WRITES.values())
    for name, view in VIEWS.items():
        if base == "traced complex" and name in UNKNOWN_OF_COMPLEX:
            continue

        write = next(writes)

        def f(x, view=view, write=write):
            a = BASES[base](x)
            v = view(a)
            write(*((v, x) if direction == "into the view" else (a, x)))
            return _parts(a, v)

        try:
            agree(f)
        except Exception as error:
            raise AssertionError(f"{name} of {base}: {error}") from error


@pytest.mark.parametrize("base", [base for base in BASES if base != "traced complex"])
def test_questions_about_memory(base):
    """Strides, order, whether it can be written to, and what shares memory with what."""
    known = {}
    for name, view in VIEWS.items():
        with contextlib.suppress(ValueError, TypeError):  # real arrays have no view as float
            known[name] = questioned(BASES[base](POINTS[0]), view)
    answers = {}

    def f(x):
        answers.update((name, questioned(BASES[base](x), VIEWS[name])) for name in known)
        return x

    outcome(f, POINTS[:1])
    assert answers == known


def questioned(a, view):
    v = view(a)
    flags = v.flags.c_contiguous, v.flags.f_contiguous, bool(v.flags.writeable)
    return v.shape, v.dtype, flags, np.shares_memory(a, v), np.may_share_memory(v, a), v is a


def diagonal_by_einsum(x):
    out = np.eye(3) + 0.0 * x[0]
    np.einsum("ii->i", out)[:] = x[:3]
    np.einsum("ij->ji", out)[0, 1:] *= x[4]
    return out


def test_einsum_of_one_array_is_a_view_that_can_be_written():
    x = np.array([0.4, -1.3, 2.2, -0.9, 1.7])
    jac = sad.jacobian(diagonal_by_einsum, x, check=False)
    np.testing.assert_allclose(jac.value(2.0 * x), diagonal_by_einsum(2.0 * x), rtol=1e-15)
    y = np.broadcast_to(x[:, None], (5, 2))
    with pytest.raises(ValueError, match="read-only"):
        sad.jacobian(lambda x: np.einsum("ij->ji", np.broadcast_to(x[:, None], (5, 2))).fill(1.0), y[:, 0])


def written_through_what_numpy_shares(x):
    first, second = np.broadcast_arrays(np.arange(3.0), np.sum(np.ones(3)))
    spread = np.broadcast_arrays(1.5, np.zeros((2, 3)))[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        second[1] = x[0]
        spread -= x[1]
    return np.concatenate([first, second, spread.ravel()])


def test_elements_that_share_memory_share_it_in_constants_too():
    x = np.array([0.4, -1.3])
    jac = sad.jacobian(written_through_what_numpy_shares, x, check=False)
    np.testing.assert_array_equal(jac.value(2.0 * x), written_through_what_numpy_shares(2.0 * x))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.multiply(*np.broadcast_arrays(x, np.ones((3, 1)))),
        lambda x: np.multiply(*np.meshgrid(x, np.arange(3.0), copy=False)),
        lambda x: np.multiply(*np.broadcast_arrays(np.ones(6), x[:, None])),
        lambda x: np.linspace(x, np.ones((3, 1)), 5),
    ],
)
def test_what_is_spread_is_asked_for_its_flags_without_a_warning(f):
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        assert np.array_equal(sad.jacobian(f, np.ones(6)).value(np.ones(6)), f(np.ones(6)))


@pytest.mark.parametrize(
    "join",
    [
        lambda x, y: np.concatenate([x[:0], x, 2.0 * y[:0]]),
        lambda x, y: np.concatenate([x, x[:2], y[::-1]]),
        lambda x, y: np.stack([x, y * np.ones(4)]),
        lambda x, y: np.stack([x, y], axis=1),
        lambda x, y: np.concatenate([x[[0]], [3.0], y]),
        lambda x, y: np.stack([x.reshape(2, 2).T, y.reshape(2, 2)]),
    ],
)
def test_arrays_one_after_the_other(join):
    """Joined arrays that stay in turn, some of them empty, and those that do not: the function is affine."""

    def f(x):
        return join(x, -x).ravel()

    jac = sad.jacobian(f, np.arange(4.0), check=False)
    columns = np.stack([f(e) - f(np.zeros(4)) for e in np.eye(4)], axis=1)
    np.testing.assert_array_equal(jac(np.ones(4)).toarray(), columns)
    np.testing.assert_array_equal(jac.value(np.arange(4.0)), f(np.arange(4.0)))
