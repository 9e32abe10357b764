"""What cannot be traced is refused: what was met, where in the user's file, what to do. Never a wrong matrix."""

from __future__ import annotations

import dataclasses
import decimal
import hashlib
import inspect
import json
import math
import re
import statistics

import numpy as np
import pytest
import scipy.interpolate
import scipy.linalg
import scipy.ndimage
import scipy.sparse
import scipy.sparse.csgraph
import scipy.sparse.linalg
import scipy.spatial
import scipy.special
import scipy.stats

import sparsead as sad
from tests.reference import generic_points

X = generic_points(1, (6,))[0]
OUTSIDE = np.zeros(6)
SPLINE = scipy.interpolate.CloughTocher2DInterpolator([[0, 0], [3, 0], [0, 3], [3, 3.1]], np.arange(4.0))


def into_captured_array(x):
    out = OUTSIDE.copy()
    OUTSIDE[0] = x[0]
    return out


def add_at_captured_array(x):
    np.add.at(OUTSIDE, [0, 1], x[:2])
    return OUTSIDE


def out_into_captured_array(x):
    np.multiply(x, 2.0, out=OUTSIDE)
    return OUTSIDE


def integer_buffer(x):
    out = np.zeros(6, dtype=int)
    out[0] = x[0]
    return out


def integers_by_hand(x):
    out = np.array([1, 2, 3, 4, 5, 6])
    out[1:] = 2.0 * x[1:]
    return out


UNSUPPORTED = {
    into_captured_array: "np.zeros",
    add_at_captured_array: "np.zeros",
    out_into_captured_array: "np.zeros",
    integer_buffer: "takes what depends on x is one of floats: np.zeros(n)",
    integers_by_hand: "takes what depends on x is one of floats: np.zeros(n)",
    lambda x: np.full(6, 1, dtype=np.int32).__iadd__(x): "for one of integers cuts off digits",
    lambda x: hashlib.md5(x): "no memory to look at",
    lambda x: json.dumps([x[0]]): "write down outside",
    lambda x: decimal.Decimal(x[0]): "use the number itself",
    lambda x: np.ma.masked_where(x > 0.0, x).filled(0.0): "np.where(mask, fill, x)",
    lambda x: SPLINE(x.reshape(3, 2)): "compiled routine",
    lambda x: scipy.stats.rankdata(x): "scipy.stats.rankdata, which asks",
    lambda x: scipy.linalg.khatri_rao(x.reshape(2, 3), np.ones((2, 3))): "scipy.linalg.khatri_rao, which asks",
    lambda x: scipy.stats.gaussian_kde(x): "scipy.stats.gaussian_kde, which asks",
    lambda x: scipy.special.zetac(x): "scipy.special.zetac is not",
    lambda x: scipy.spatial.cKDTree(x[:, None]): "a compiled routine, which asks",
    lambda x: np.frompyfunc(lambda v: v * v, 1, 1)(x): "np.vectorize is traced",
    lambda x: np.ctypeslib.as_ctypes(np.zeros(3)) * x: "no memory to look at",
    lambda x: memoryview(x): "no memory to look at",
    lambda x: np.ndarray.dot(x, x): "of the array itself",
    lambda x: x.astype(object): "Numbers stay float64",
    lambda x: np.linalg.eigvals(x[:4].reshape(2, 2) + 1j): "the real matrix of twice the size",
    lambda x: np.abs(np.linalg.svd(x.reshape(2, 3) + 1j)[0]): "factor of modulus 1",
    lambda x: scipy.ndimage.median_filter(x, 3): "sliding_window_view",
    lambda x: scipy.linalg.bandwidth(np.diag(x)): "compiled routine",
    lambda x: np.sort(np.tile(x, 3)): "np.sort",
    lambda x: np.unique(x): "np.unique",
    lambda x: np.histogram(x): "np.histogram",
    lambda x: np.median(np.tile(x, 3)): "network of comparisons",
    lambda x: np.nanmedian(x): "np.nanmean",
    lambda x: scipy.special.zeta(x): "zeta",
    lambda x: x.astype(int): "float64",
    lambda x: x.tobytes(): "tobytes",
    lambda x: np.pad(x, 1, mode=lambda v, w, axis, options: None): "edge, wrap, reflect, symmetric",
}


@dataclasses.dataclass
class Held:
    value: float


def allowed(x):
    if np.any(x < 0.0):
        what = f"negative: {len(x)}"
        raise ValueError(what)
    return x


def asserted(x):
    assert x[0] + x[1] < 1e9, "large"
    return x


def returned_early(x):
    if x[0] < 0.0:
        return -x
    if len(x) > 9:
        raise ValueError
    return x


BRANCHES = {
    allowed: "It only raises: test in front of the call",
    asserted: 'or prepare with guard="record"',
    returned_early: "np.where(condition, a, b)",
    lambda x: x * (Held(x[0]) == Held(x[1])): "np.where",  # a method that is generated, in no file
    lambda x: x if x[0] > 0.0 else -x: "np.where",
    lambda x: x if (x > 0.0).all() else -x: "np.where",
    lambda x: [v for v in x if v > 0.5]: "np.where",
    lambda x: x * math.frexp(x[0])[0]: "np.where",
    lambda x: x * int(x[0]): "np.where",
    lambda x: x * math.ulp(x[0]): "math",
    lambda x: sum(x[k] for k in range(x[0])): "range",
    lambda x: x[x]: "indexing with a traced array",
    lambda x: x[x > 0.5]: "np.where",
    lambda x: [x, np.flatnonzero(x > 0.5)]: "np.where",
    lambda x: np.arange(6)[x > 0.5] * x: "indexing with what depends on x",
    lambda x: np.arange(6.0).tolist()[x[0]] * x: "indexing with what depends on x",
    lambda x: max((x[0], "a"), (x[1], "b")): "np.where",
    lambda x: sorted([*x, *x, *x]): "up to 16",
    lambda x: [x[0], x[1]].sort(): "use sorted",
    lambda x: x * (0.0 < x[0] < 1.0): "np.where",
}


def named(cases):
    return [pytest.param(f, m, id=re.sub(r"[^\w.]+", "_", inspect.getsource(f).strip())[:40]) for f, m in cases.items()]


def refused(f, error):
    """Return the message with which `f` is refused, after a look at the place that it names."""
    before = OUTSIDE.copy()
    with pytest.raises(error) as caught:
        sad.jacobian(f, X, backend="python")
    np.testing.assert_array_equal(OUTSIDE, before)
    lines, first = inspect.getsourcelines(f)
    place = re.search(r'File "(.*test_refusals\.py)", line (\d+)', str(caught.value))
    assert place, f"no place in the user's file: {caught.value}"
    assert first <= int(place[2]) < first + len(lines)
    return str(caught.value)


@pytest.mark.parametrize(("f", "hint"), named(UNSUPPORTED))
def test_what_is_not_supported_says_what_to_do(f, hint):
    assert hint in refused(f, sad.UnsupportedOperationError)


@pytest.mark.parametrize(("f", "hint"), named(BRANCHES))
def test_branches_on_values_say_what_to_do(f, hint):
    assert hint in refused(f, sad.TracedBranchError)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x + np.ones(5),
        lambda x: x.reshape(4, 2),
        lambda x: x @ np.ones((5, 2)),
        lambda x: scipy.sparse.eye_array(5) @ x,
        lambda x: np.concatenate([x, np.ones((2, 2))]),
        lambda x: np.stack([x, x[1:]]),
        lambda x: np.matmul(x, 2.0),
    ],
)
def test_misfits_raise_as_in_numpy(f):
    with pytest.raises(ValueError, match=r"shape|dimension|broadcast|reshape|0-d"):
        sad.jacobian(f, X)


def test_index_out_of_bounds_raises_as_in_numpy():
    with pytest.raises(IndexError, match="out of bounds"):
        sad.jacobian(lambda x: x[6], X)


def test_unknown_attribute():
    with pytest.raises(AttributeError, match="derivative"):
        sad.jacobian(lambda x: x.derivative(), X)


@pytest.mark.parametrize(
    ("f", "args"),
    [
        (lambda x, p: p * x, ()),
        (lambda x, *, p: p * x, (2.0,)),
        (lambda x: x, (2.0,)),
    ],
)
def test_missing_arguments_are_named(f, args):
    with pytest.raises(sad.InputError, match=r"cannot be called with the example .* argument"):
        sad.jacobian(f, X, *args)


def test_a_missing_argument_further_in_is_the_users_own_error():
    with pytest.raises(TypeError, match="missing 1 required positional argument") as met:
        sad.jacobian(lambda x: integer_buffer(), X)
    assert not getattr(met.value, "__notes__", [])


@pytest.mark.parametrize("name", ["fmean", "mean", "median", "pstdev", "variance"])
def test_statistics_names_the_functions_of_numpy(name):
    with pytest.raises(sad.TracedBranchError, match=rf"statistics.{name}(.|\n)*test_refusals(.|\n)*np.mean"):
        sad.jacobian(lambda x: x * getattr(statistics, name)(x), X)


def test_what_is_not_recorded_does_not_offer_it():
    for f, offered in ((statistics.median, True), (statistics.pstdev, False)):
        with pytest.raises(sad.TracedBranchError) as met:
            sad.jacobian(lambda x, f=f: x * f(x), X)
        assert ("guard=" in str(met.value)) is offered


def test_a_range_of_unknown_length_says_what_to_fix():
    with pytest.raises(sad.UnsupportedOperationError, match=r"np.arange(.|\n)*How many elements(.|\n)*np.linspace"):
        sad.jacobian(lambda x, end: x * np.arange(0.0, end, 0.5).sum(), X, 3.0)


def test_a_text_made_by_percent_is_named():
    with pytest.raises(sad.TracedBranchError, match=r"a text made by %(.|\n)*test_refusals"):
        sad.jacobian(lambda x: x * len("%.3f" % x[0]), X)  # noqa: UP031


@pytest.mark.parametrize(
    "f",
    [
        lambda x: scipy.linalg.sqrtm(4.0 * np.eye(6)) @ x,
        lambda x: scipy.linalg.lu(np.ones((6, 6)) + np.eye(6))[2] @ x,
        lambda x: np.asarray(scipy.linalg.null_space(np.ones((1, 6)))).T @ x,
        lambda x: np.require(np.full(6, 2.0), requirements="C") * x,
    ],
)
def test_what_is_refused_of_unknowns_is_computed_of_constants(f):
    np.testing.assert_allclose(sad.jacobian(f, X).value(X), f(X))


def test_errors_share_a_base():
    for error in (sad.UnsupportedOperationError, sad.TracedBranchError, sad.InputError):
        assert issubclass(error, sad.SparseADError)
    assert issubclass(sad.UnsupportedOperationError, TypeError)
    assert issubclass(sad.InputError, ValueError)


def test_errors_of_other_packages_say_that_the_function_was_being_traced():
    def table(x):  # what compiled code of another package does
        raise TypeError("expected a buffer")

    with pytest.raises(TypeError, match="expected a buffer") as caught:
        sad.jacobian(lambda x: table(x[:, None]), X)
    assert "it ran on arrays without values" in caught.value.__notes__[0]
    assert "test_refusals.py" in caught.value.__notes__[0]
    with pytest.raises(IndexError) as caught:
        sad.jacobian(lambda x, bounds: x[:3] * bounds, 0.0, np.ones(3))
    assert "as the examples are (a number, (3,))" in caught.value.__notes__[0]


FIELDS = [("a", float), ("b", float)]


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x: x * np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0]), "masked array(.|\n)*np.where"),
        (lambda x: np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0]) * x, "masks?(.|\n)*np.where"),
        (lambda x: np.ma.masked_where([True, False, True], x), "np.ma(.|\n)*np.where"),
        (lambda x: np.rec.fromarrays([x, x], names="a,b").a, "np.rec(.|\n)*an array for each field"),
        (lambda x: x.view(FIELDS), "an array for each field"),
    ],
)
def test_masks_and_fields_are_refused_with_what_to_write(f, words):
    with pytest.raises(sad.UnsupportedOperationError, match=words):
        sad.jacobian(f, np.ones(3))


def test_packages_that_tell_arrays_by_their_type_are_named(tmp_path, monkeypatch):
    package = tmp_path / "site-packages" / "tells_types"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(
        "import numpy as np\n\n\ndef take(a):\n    if type(a) is not np.ndarray:\n"
        "        raise TypeError(f'cannot take from {type(a)}')\n    return a[:1]\n"
    )
    monkeypatch.syspath_prepend(str(package.parent))
    package = pytest.importorskip("tells_types")
    with pytest.raises(
        sad.UnsupportedOperationError,
        match=r"code of tells_types that tells arrays(.|\n)*test_refusals.py(.|\n)*line 6",
    ):
        sad.jacobian(lambda x: (lambda *held: package.take(held[0]))(x), np.ones(3))


@pytest.mark.filterwarnings("ignore:you are shuffling")
@pytest.mark.parametrize("kind", [np.random.default_rng, np.random.RandomState])
def test_rows_that_compiled_code_exchanges(kind):
    """Elements it may exchange: they are numbers."""

    def shuffled(x, shape):
        y = x.reshape(shape).copy()
        kind(3).shuffle(y)
        return y.ravel()

    x = np.arange(6.0)
    assert np.array_equal(sad.jacobian(lambda x: shuffled(x, (6,)), x).value(x), shuffled(x, (6,)))
    with pytest.raises(sad.UnsupportedOperationError, match=r"an exchange of rows by compiled code"):
        sad.jacobian(lambda x: shuffled(x, (3, 2)), x)
    with pytest.raises(sad.UnsupportedOperationError, match=r"an exchange of rows by compiled code"):
        sad.jacobian(lambda x: shuffled(x + 1j * x, (3, 2)).imag, x)


def test_functions_of_graphs_are_named():
    with pytest.raises(sad.UnsupportedOperationError, match=r"scipy\.sparse\.csgraph"):
        sad.jacobian(lambda x: scipy.sparse.csgraph.laplacian(np.outer(x, x)), np.ones(3))


def test_views_by_strides_name_the_windows_that_are_traced():
    with pytest.raises(
        sad.UnsupportedOperationError, match=r"np.lib.stride_tricks.as_strided(.|\n)*sliding_window_view"
    ):
        sad.jacobian(lambda x: np.lib.stride_tricks.as_strided(x, (2, 2), (8, 8)).sum(0), np.ones(3))
