"""Values of other packages beside unknowns: fractions, units, matrices, labelled arrays; complex values viewed."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import sparsead as sad
from tests.reference import differences

X = np.array([0.31, 0.74, 0.52, 0.93, 0.17, 0.66])


def agrees(f):
    jac = sad.jacobian(f, X)
    np.testing.assert_allclose(jac.value(X), np.asarray(f(X), dtype=float), rtol=1e-13)
    np.testing.assert_allclose(jac(X).toarray(), differences(f, X), rtol=1e-8, atol=1e-9)


def test_fractions_are_numbers():
    agrees(lambda x: Fraction(1, 3) * x[0] * x - x / Fraction(1, 2) + x[1] ** Fraction(1, 2))
    agrees(lambda x: np.where(x > Fraction(1, 2), x, x**2) + Fraction(1, 2) ** x)


def test_quantities_of_pint_go_through_from_either_side():
    pint = pytest.importorskip("pint")
    u = pint.UnitRegistry()
    agrees(lambda x: (x * u.m).to("cm").magnitude + (u.m * x).magnitude)
    agrees(lambda x: (x * (3.0 * u.m)).to("cm").magnitude - ((3.0 * u.m) * x).magnitude)
    agrees(lambda x: (x * (np.arange(6.0) * u.m) + u.Quantity(x**2, "cm")).to("m").magnitude)
    agrees(lambda x: np.sin(u.Quantity(x, "degree")).magnitude)


def test_series_of_pandas():
    pd = pytest.importorskip("pandas")
    s = pd.Series(np.arange(1.0, 7.0))
    agrees(lambda x: np.array([x @ s, s @ x]) * x[0])
    agrees(lambda x: pd.Series(x) ** 2)
    agrees(lambda x: pd.DataFrame({"a": x, "b": x**2})["b"].values * x)
    np.testing.assert_array_equal(sad.jacobian(lambda x: x**2, s)(s).toarray(), np.diag(2.0 * s.to_numpy()))


@pytest.mark.filterwarnings("ignore:the matrix subclass")
@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.matrix(np.eye(6)) @ x,
        lambda x: x @ np.matrix(np.eye(6)),
        lambda x: x * np.matrix(np.eye(6)),
        lambda x: np.matrix(np.eye(6)) * x.reshape(6, 1),
        lambda x: np.dot(np.matrix(np.eye(6)), x),
        lambda x: np.matrix(np.eye(6)) + x,
    ],
)
def test_matrices_of_numpy_are_refused_with_what_to_write(f):
    with pytest.raises(sad.UnsupportedOperationError, match="@ for products"):
        sad.jacobian(f, X)


def written_through_a_view(x):
    z = np.exp(1j * x)
    v = z.view(float)
    v[::2] *= 2.0
    z *= 3.0
    return np.concatenate([v, z.real])


def test_computed_complex_values_are_viewed_as_floats():
    agrees(lambda x: np.exp(1j * x.reshape(2, 3)).view("f8"))
    agrees(written_through_a_view)

    def f(x):
        z = np.exp(1j * x)
        other, parts = z[::2], (z.real, z.imag)
        z.view(float)[1:] *= x[0]
        return np.concatenate([other.real, *parts])

    agrees(f)


OPERATORS = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b,
    "**": lambda a, b: a**b, "np.multiply": np.multiply, "np.hypot": np.hypot,
}  # fmt: skip
VALUES = np.arange(1.0, 7.0)


def labelled(package):
    """Return a labelled array of VALUES and what gives the plain one of it."""
    module = pytest.importorskip(package)
    if package == "pandas":
        return module.Series(VALUES, index=list("fedcba")), lambda s: s.to_numpy()
    return module.DataArray(VALUES, dims="i"), lambda a: a.values


@pytest.mark.parametrize("package", ["pandas", "xarray"])
@pytest.mark.parametrize("sign", OPERATORS)
def test_labelled_arrays_act_from_either_side(package, sign):
    known, plain = labelled(package)
    operate = OPERATORS[sign]
    agrees(lambda x: plain(operate(known, x)) + plain(operate(x, known)))
    agrees(lambda x: np.ravel(operate(known, x)) + np.asarray(operate(known, x[0])))
    agrees(lambda x: np.sin(operate(x, known)) * x[0])


@pytest.mark.parametrize("package", ["pandas", "xarray"])
def test_what_holds_unknowns_is_an_array_to_numpy(package):
    known, _ = labelled(package)
    agrees(lambda x: np.dot(known, x) * x + np.dot(x, known))
    agrees(lambda x: np.concatenate([known * x, x])[::2] * np.asarray(np.cumsum(x * known))[-1])
    agrees(lambda x: np.outer(known * x, x).ravel())
    agrees(lambda x: np.asarray((known * x).sum()) * x[0] + np.asarray((x * known).mean()) * x)
    agrees(lambda x: np.asarray((known * x).max()) * x[0] + np.asarray((x * known).std()) * x)


LISTS = {
    "array": lambda parts: np.array(parts),
    "asarray of a tuple": lambda parts: np.asarray(tuple(parts)),
    "nested": lambda parts: np.array([parts, parts])[1],
    "stack": lambda parts: np.stack(parts, axis=1),
    "concatenate": lambda parts: np.concatenate(parts),
    "sum": lambda parts: np.sum(parts, axis=0),
    "vstack": lambda parts: np.vstack(parts),
    "of one": lambda parts: np.array(parts[:1]),
}


@pytest.mark.parametrize("package", ["pandas", "xarray"])
@pytest.mark.parametrize("name", LISTS)
def test_lists_of_labelled_arrays_are_arrays(package, name):
    known, _ = labelled(package)
    agrees(lambda x: np.ravel(LISTS[name]([known * x, x * x, known])))
    agrees(lambda x: np.ravel(LISTS[name]([type(known)(x), type(known)(2.0 * x)])))


def test_labels_are_those_of_pandas():
    series, _ = labelled("pandas")
    agrees(lambda x: np.array([(x * series)["a"], (series * x)["f"]]) * x[:2])
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [4.0, 5.0, 6.0]})
    agrees(lambda x: (frame * x[:2]).sum(axis=1).to_numpy() * frame["a"] + (frame @ x[:2]))
    agrees(lambda x: pd.DataFrame({"a": x, "b": x**2}).mean().to_numpy())
    agrees(lambda x: np.array([(series * x).max(), (x * series).std(), (series * x).prod()]) * x[0])


@pytest.mark.parametrize("package", ["astropy.units", "unyt"])
def test_units_of_subclasses_are_refused_with_what_to_write(package):
    u = pytest.importorskip(package)
    for f in (
        lambda x: (x * u.m).value,
        lambda x: (u.m * x).value,
        lambda x: (x[0] * u.m).value * x,
        lambda x: (x / u.s).value,
        lambda x: (x * (3.0 * u.m)).value,
    ):
        with pytest.raises(sad.UnsupportedOperationError, match=r"test_wrappers.py(.|\n)*before, or use pint"):
            sad.jacobian(f, X)


@pytest.mark.parametrize("number", [np.complex128(1 + 2j), np.float32(1.5), np.int8(3), np.bool_(True)])
def test_numbers_of_numpy_are_no_foreign_objects(number):
    agrees(lambda x: np.abs(x * number) + np.abs(number - x) + np.abs(x[0] * number + number / (1.0 + x)))


class Field:
    """An array of the user's, in the way that NumPy's pages show first."""

    def __init__(self, data):
        self.data = data

    def __array__(self, dtype=None, copy=None):
        return np.array(self.data, dtype=dtype)


OF_FIELDS = {
    "asarray": lambda x, y: np.asarray(Field(x**2)) * np.array(Field(x), dtype=float),
    "ufunc": lambda x, y: np.sin(Field(x)) + np.multiply(Field(y), x),
    "operator": lambda x, y: x * Field(x) - Field(y) * x,
    "reduction": lambda x, y: np.sum(Field(x)) * np.linalg.norm(Field(x[1:])) * x,
    "joined": lambda x, y: np.concatenate([Field(x), Field(y), x]),
    "product": lambda x, y: np.dot(Field(x), y) + np.stack([Field(x), y]) @ y,
    "written": lambda x, y: written(Field(x), Field(y)) * x,
    "returned": lambda x, y: np.asarray(Field(np.sqrt(x))),
}


def written(first, second):
    out = np.zeros((2, 6))
    out[0], out[1] = first, second
    return out


@pytest.mark.parametrize("name", OF_FIELDS)
def test_objects_of_the_user_say_which_array_they_are(name):
    agrees(lambda x: OF_FIELDS[name](x, np.arange(6.0)))


def test_where_numpy_itself_asks_for_unknowns_it_is_said():
    plain = np.arange(6.0)
    with pytest.raises(sad.UnsupportedOperationError, match=r"np\.multiply\(a, b\)"):
        sad.jacobian(lambda x: plain * Field(x), np.ones(6))
