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


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda pd, x: pd.Series(x).rolling(2).mean(), "sliding_window_view"),
        (lambda pd, x: pd.Series(x).groupby([0, 0, 0, 1, 1, 1]).sum(), "np.bincount"),
        (lambda pd, x: pd.Series(x).groupby([0, 0, 0, 1, 1, 1]).mean(), "np.bincount"),
        (lambda pd, x: pd.DataFrame({"k": range(6), "v": x}).merge(pd.DataFrame({"k": [1, 2]}), on="k"), "np.bincount"),
    ],
)
def test_what_pandas_computes_by_compiled_code_says_what_to_write(f, words):
    pd = pytest.importorskip("pandas")
    with pytest.raises(sad.SparseADError, match=rf"a function of pandas(.|\n)*{words}"):
        sad.jacobian(lambda x: f(pd, x), VALUES)


def of_astropy():
    u = pytest.importorskip("astropy.units")
    return u, lambda quantity, unit: quantity.to_value(u.Unit(unit)), u.Quantity


def of_unyt():
    u = pytest.importorskip("unyt")
    return u, lambda quantity, unit: quantity.to(unit).value, u.unyt_array


def added_in_place(x, u):
    q = x * u.km
    q += 3 * u.m
    q *= 2.0
    return q


def written(x, u):
    q = np.zeros(6) * u.km
    q[1:3] = 5.0 * u.km
    q[4] = x[0] * u.km
    return q


#: Functions of unknowns and a module of units, and the unit of what they return.
QUANTITIES = {
    "unit to the right": ("cm", lambda x, u: x * u.m),
    "unit to the left": ("cm", lambda x, u: u.m * x),
    "per unit": ("1/hour", lambda x, u: x / u.s),
    "number": ("m", lambda x, u: (x[0] * u.km) * x),
    "known quantity to the right": ("cm", lambda x, u: x * (3.0 * u.m)),
    "known quantity to the left": ("cm", lambda x, u: (3.0 * u.m) * x),
    "sum of units": ("mm", lambda x, u: x * u.m + x**2 * u.cm),
    "known array to the right": ("m", lambda x, u: x * u.m + np.arange(6.0) * u.cm),
    "known array to the left": ("m", lambda x, u: np.arange(6.0) * u.cm - x * u.m),
    "known arrays alone": ("m**2", lambda x, u: (np.arange(6.0) * u.cm) ** 2 * x),
    "power": ("m**2", lambda x, u: (x * u.km) ** 2),
    "root": ("cm", lambda x, u: np.sqrt(x * u.m**2)),
    "hypot": ("m", lambda x, u: np.hypot(x * u.km, 3.0 * u.m)),
    "absolute": ("m", lambda x, u: abs(x * u.km - 300.0 * u.m) + (-(x * u.m))),
    "elements": ("m*s", lambda x, u: (x * u.m)[1] * (x * u.s)),
    "slices": ("cm", lambda x, u: (x * u.m)[1:4]),
    "shapes": ("m", lambda x, u: np.ravel((x * u.km).reshape(2, 3).T)),
    "sum": ("m**2", lambda x, u: np.sum(x * u.km) * (x * u.m)),
    "method sum": ("m**2", lambda x, u: (x * u.km).sum() * (x * u.m)),
    "mean": ("m**2", lambda x, u: (x * u.km).mean() * (x * u.m)),
    "deviation": ("m**2", lambda x, u: (x * u.km).std() * (x * u.m)),
    "largest": ("m**2", lambda x, u: np.max(x * u.km) * (x * u.m)),
    "differences": ("m", lambda x, u: np.diff(x * u.km)),
    "rolled": ("m", lambda x, u: np.roll(x * u.km, 1)),
    "sorted": ("m", lambda x, u: np.sort(x * u.km)),
    "joined": ("m", lambda x, u: np.concatenate([x * u.km, np.ones(2) * u.km])),
    "chosen": ("m", lambda x, u: np.where(x > 0.5, x * u.km, 3.0 * u.km)),
    "products": ("m**3", lambda x, u: np.dot(x * u.km, x * u.m) * (x * u.m)),
    "a matrix": ("m*s", lambda x, u: (np.arange(36.0).reshape(6, 6) * u.s) @ (x * u.m)),
    "in place": ("m", added_in_place),
    "written": ("m", written),
}


@pytest.mark.parametrize("package", [of_astropy, of_unyt])
@pytest.mark.parametrize("name", QUANTITIES)
def test_quantities_that_are_arrays_go_through_from_either_side(name, package):
    u, plain, _ = package()
    unit, f = QUANTITIES[name]
    agrees(lambda x: plain(f(x, u), unit))


@pytest.mark.parametrize("package", [of_astropy, of_unyt])
def test_quantities_are_made_of_unknowns_and_compared(package):
    u, plain, made = package()
    agrees(lambda x: plain(made(x, u.km), "m"))
    agrees(lambda x: plain(made([e * u.km for e in x]), "m"))
    agrees(lambda x: np.where(x * u.m > 50.0 * u.cm, x, 2.0 * x) + isinstance(x * u.m, made) * x)
    agrees(lambda x: np.asarray(np.sin(90.0 * x * u.degree)) + np.asarray(np.exp(x * u.m / (2.0 * u.m))))


def test_conversions_of_astropy():
    u = pytest.importorskip("astropy.units")
    c = pytest.importorskip("astropy.constants")
    agrees(lambda x: (x * u.um).to(u.THz, equivalencies=u.spectral()).value / 1e2)
    agrees(lambda x: (x * u.deg_C).to(u.K, u.temperature()).value + (x << u.km).to_value(u.m))
    agrees(lambda x: (np.arange(6.0) * u.m * c.G).si.value * 1e11 * x + (x * u.km / (2.0 * u.m)).decompose().value)
    agrees(lambda x: np.clip(x * u.m, 20.0 * u.cm, 70.0 * u.cm).value)
    agrees(lambda x: np.interp(x * u.m, np.linspace(0.0, 1.0, 5) * u.m, np.arange(5.0) ** 2 * u.s).to_value(u.ms))
    agrees(lambda x: np.trapezoid(x * u.km, dx=2.0 * u.s).to_value(u.m * u.s) * x)


@pytest.mark.parametrize("package", [of_astropy, of_unyt])
def test_results_may_have_units_and_second_derivatives(package):
    u, plain, _ = package()
    jac = sad.jacobian(lambda x: (x * u.km) ** 2, X)
    np.testing.assert_allclose(jac(X).toarray(), np.diag(2.0 * X), rtol=1e-14)
    hess = sad.hessian(lambda x: plain(((x * u.km) ** 3).sum(), "m**3"), X)
    np.testing.assert_allclose(hess(X).toarray(), np.diag(6e9 * X), rtol=1e-13)


@pytest.mark.parametrize("package", [of_astropy, of_unyt])
def test_arguments_with_units_are_fixed_and_x_has_none(package):
    u, plain, _ = package()
    f = lambda x, scale: plain(x * scale, "m")  # noqa: E731
    jac = sad.jacobian(f, X, 3.0 * u.km)
    np.testing.assert_allclose(jac(X, 3.0 * u.km).toarray(), 3000.0 * np.eye(6), rtol=1e-14)
    for other in (4.0 * u.km, 3.0 * u.cm):
        with pytest.raises(sad.InputError, match="was fixed when"):
            jac(X, other)
    with pytest.raises(sad.InputError, match=r"whose unit would be lost; pass its numbers(.|\n)*x \* unit"):
        sad.jacobian(lambda x: np.sin(x), X * u.degree)


def test_x_of_pint_is_refused():
    pint = pytest.importorskip("pint")
    with pytest.raises(sad.InputError, match="whose unit would be lost"):
        sad.jacobian(lambda x: np.sin(x), pint.UnitRegistry().Quantity(X, "degree"))


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


@pytest.mark.filterwarnings("error")
def test_fixed_quantities_are_compared_without_a_warning():
    quantity = pytest.importorskip("pint").UnitRegistry().Quantity
    c = np.linspace(1.0, 2.0, 5)
    jac = sad.jacobian(lambda x, q: (q * x).to_base_units().magnitude, np.ones(5), quantity(c, "km"))
    np.testing.assert_array_equal(jac(np.ones(5), quantity(c.copy(), "km")).diagonal(), 1000.0 * c)
    for other in (quantity(c + 1.0, "km"), quantity(c, "m")):
        with pytest.raises(sad.InputError, match="fixed"):
            jac(np.ones(5), other)
