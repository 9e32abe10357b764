"""Every option of every public call, given values of the wrong kind: an error that names it and says what it takes."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import sparsead as sad
from sparsead.contract import AT_A_POINT, members

X = np.array([0.5, 1.25, 2.0])
WRONG = ["nonsense", None, [], -1, float("nan"), {}, ("x",), np.array([7, 8])]
TAKEN = {  # what is none of these options' wrong values
    "argnum": [-1, ("x",)], "pattern": [None], "coloring": [None], "step": [None], "threads": [None],
    "triangle in a call": [None], "device": [None],
    "order in a call": [None], "axis": [-1], "row": [None], "column": [None], "out": [None], "r": [None],
    "weights": [None], "path": ["nonsense"],
}  # fmt: skip


def f(x):
    return np.sin(x) * np.roll(x, 1)


def g(x):
    return np.sum(f(x))


PREPARE = {"jacobian": (sad.jacobian, f), "hessian": (sad.hessian, g), "gradient": (sad.gradient, g)}
MADE = {name: prepare(of, X) for name, (prepare, of) in PREPARE.items()}
MADE["difference"] = sad.jacobian(f, X, method="complex-step")
MADE["guarded"] = sad.jacobian(f, X, guard="record")


def options_of(call):
    return [p.name for p in inspect.signature(call).parameters.values() if p.kind is p.KEYWORD_ONLY]


PREPARATIONS = [(name, option) for name, (prepare, _) in PREPARE.items() for option in options_of(prepare)]
CALLS = [
    (name, method, option)
    for name, made in MADE.items()
    if name != "guarded"
    for method in sorted({"__call__", "batch", "value_batch", "gradient_batch", *AT_A_POINT})
    if method == "__call__" or method in members(made.derivative)
    for option in options_of(getattr(made, method))
]


def wrong_for(option, in_a_call=False):
    taken = TAKEN.get(f"{option} in a call", TAKEN.get(option, [])) if in_a_call else TAKEN.get(option, [])
    return [value for value in WRONG if not any(value is known or _same(value, known) for known in taken)]


def _same(value, known):
    return type(value) is type(known) and not isinstance(value, np.ndarray) and value == known


def named(option, words):
    """Tell whether an error names an option."""
    spoken = {"backend": "back end", "argnum": "argnum", "coloring": "color", "order": "order"}
    return spoken.get(option, option) in words


@pytest.mark.parametrize(("name", "option"), PREPARATIONS)
def test_options_of_preparations(name, option):
    prepare, of = PREPARE[name]
    for value in wrong_for(option):
        if option in ("order", "step") and isinstance(value, (list, tuple, np.ndarray)) and len(value):
            continue  # lists of orders and permutations are the coloring's own; steps of another size: see below
        with pytest.raises(sad.InputError) as caught:
            prepare(of, X, **{option: value})
        assert named(option, str(caught.value)), f"{value!r}: {caught.value}"


def test_steps_of_another_size():
    with pytest.raises(sad.InputError, match="step must be a number, or one for each of 3 elements, got 2"):
        sad.jacobian(f, X, method="central-difference", step=np.array([1e-3, 1e-4]))


@pytest.mark.parametrize(("name", "method", "option"), CALLS)
def test_options_of_calls(name, method, option):
    made = MADE[name]
    vector = (X,) if method in ("jvp", "vjp", "hvp") else ()
    point = np.stack([X, X]) if "batch" in method else X
    for value in wrong_for(option, in_a_call=True):
        with pytest.raises(sad.InputError) as caught:
            getattr(made, method)(point, *vector, **{option: value})
        assert named(option, str(caught.value)), f"{value!r}: {caught.value}"


@pytest.mark.parametrize("value", WRONG)
def test_other_calls(value, tmp_path):
    jac = MADE["jacobian"]
    calls = {"seed": lambda: sad.check(jac, X, seed=value)}
    if value is not None and not isinstance(value, int):  # rows are counted from the end, too
        calls |= {"row": lambda: jac.explain(row=value), "column": lambda: jac.explain(column=value)}
    if value != "nonsense" if not isinstance(value, np.ndarray) else True:
        calls |= {"path": lambda: jac.save(value), "path ": lambda: sad.load(value, f, X)}
        calls |= {"path  ": lambda: jac.export(value)}
    for option, call in calls.items():
        with pytest.raises(sad.InputError, match=option.strip()):
            call()
    with pytest.raises(sad.InputError, match="is not compiled by itself"):
        jac.compile(value)
    with pytest.raises(sad.InputError, match="unknown function"):
        jac.c_function(value)


@pytest.mark.parametrize("option", ["jvp", "vjp", "shape", "linear", "name"])
def test_options_of_operations(option):
    for value in WRONG:
        if (value is None and option != "linear") or (option == "name" and isinstance(value, str)):
            continue
        given = {"jvp": lambda operands, tangents: tangents[0], option: value}
        with pytest.raises(sad.InputError, match=f"{option} must be"):
            sad.extend.operation(np.sin, **given)


def test_options_of_repeat():
    for step, *others in ((X, np.sin, 3), (3, X, np.sin)):
        with pytest.raises(sad.InputError, match="a function first, then the state"):
            sad.extend.repeat(step, *others)
    for value in WRONG:
        if value is not None:
            with pytest.raises(sad.InputError, match="keep must be a whole number from 1 on"):
                sad.extend.repeat(np.sin, X, 3, keep=value)
        if not isinstance(value, int):
            with pytest.raises(sad.InputError, match="steps must be a whole number"):
                sad.extend.repeat(np.sin, X, value)


@pytest.mark.parametrize("call", ["__call__", "value", "gradient", "values", "diagonal", "value_and_gradient"])
def test_arguments_of_a_lagrangian(call):
    lag = sad.lagrangian_hessian(g, f, X)
    for value in WRONG:
        if not isinstance(value, int):
            with pytest.raises(sad.InputError, match="sigma must be a real number"):
                getattr(lag, call)(X, np.ones(3), sigma=value)
        with pytest.raises(sad.InputError, match="multipliers"):
            getattr(lag, call)(X, value)
    for sigma, p in ((0.5,), ()), ((), (X,)):
        lag = sad.lagrangian_hessian(lambda x, *p: g(x), lambda x, *p: f(x), X, *p)
        with pytest.raises(sad.InputError, match=f"with {len(p)} other arguments, got {len(sigma)}; sigma is given by"):
            getattr(lag, call)(X, np.ones(3), *sigma)


def test_options_of_one_call_that_another_has():
    with pytest.raises(sad.InputError, match="triangle= is no option of jacobian, and f has no argument of this name"):
        sad.jacobian(f, X, triangle="lower")
    with pytest.raises(sad.InputError, match="mode= is no option of gradient"):
        sad.gradient(g, X, mode="auto")


@pytest.mark.parametrize("option", ["mode", "coloring", "method", "pattern"])
def test_what_a_file_says_is_not_given(option, tmp_path):
    MADE["jacobian"].save(tmp_path / "jac.npz")
    with pytest.raises(sad.InputError, match=f"{option}= is what the file says"):
        sad.load(tmp_path / "jac.npz", f, X, **{option: None})


# -- arguments of users' functions that have the names of options ----------------------------------------------------
@pytest.mark.parametrize("option", ["verify", "keep_constants", "out", "order"])
def test_arguments_with_names_of_options_are_given_by_place(option):
    scope = {"np": np}
    exec(f"def f(x, {option}):\n    return {option} * x**2", scope)
    jac = sad.jacobian(scope["f"], X, 2.0)
    np.testing.assert_allclose(jac(X, 0.5).diagonal(), X)
    call = jac.values if option == "order" else jac
    with pytest.raises(sad.InputError, match="by its place"):
        call(X, **{option: 0.5})


def test_vectors_of_products_and_arguments_of_one_name():
    jac = sad.jacobian(lambda x, v: v * x**2, X, 2.0)
    np.testing.assert_allclose(jac.jvp(X, np.ones(3), 0.5), X)
    with pytest.raises(sad.InputError, match=r"got 1; v= by name is an option of the call: give the function's own"):
        jac.jvp(X, v=np.ones(3))


# -- arguments by name, at preparation -------------------------------------------------------------------------------
def by_keyword(x, scale=1.0, *, p, n=2):
    return scale * p * x**n


@pytest.mark.parametrize("prepare", [sad.jacobian, sad.hessian, sad.gradient])
def test_arguments_that_are_given_by_name_only(prepare):
    of = (
        by_keyword
        if prepare is sad.jacobian
        else lambda x, scale=1.0, *, p, n=2: np.sum(by_keyword(x, scale, p=p, n=n))
    )
    made = prepare(of, X, p=1.0, scale=1.0)
    slope = {sad.jacobian: np.diag(3.0 * X), sad.hessian: 3.0 * np.eye(3), sad.gradient: 3.0 * X}[prepare]
    for found in (made(X, p=3.0, scale=0.5), made(X, 3.0, 0.5)):
        np.testing.assert_allclose(found.toarray() if hasattr(found, "toarray") else found, slope)
    assert sad.check(made, X, 3.0, 0.5).passed


def test_arguments_by_name_are_refused_where_they_do_not_fit():
    with pytest.raises(sad.InputError, match="'scale' is there twice"):
        sad.jacobian(by_keyword, X, 1.0, scale=2.0, p=1.0)
    with pytest.raises(sad.InputError, match="q= is no option of jacobian, and by_keyword has no argument"):
        sad.jacobian(by_keyword, X, q=1.0)


def test_differences_and_branches_take_arguments_by_name():
    for options in ({"method": "complex-step"}, {"guard": "record"}):
        made = sad.jacobian(by_keyword, X, p=1.0, **options)
        np.testing.assert_allclose(made(X, p=3.0).diagonal(), 6.0 * X)
