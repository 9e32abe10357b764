"""What the tools are given, and what is written by hand, computes the same matrix: like is compared with like."""

from pkgutil import iter_modules

import numpy as np
import pytest

from benchmarks import forms
from benchmarks.cases import COLLECTION, Case
from benchmarks.contenders import prepare
from benchmarks.peers import casadi, jax
from sparsead.problems import Problem

SIZES = {
    "bratu": 4, "broyden": 12, "brusselator": 4, "burgers": 15, "burgers-2d": 8, "cavity": 4, "hyperelastic": 2,
    "minimal-surface": 4, "power-flow": 2, "rosenbrock": 9, "network": 89, "dispatch": 89, "battery": 4, "bundle": 12,
}  # fmt: skip
FORMS = {name: Case(name, size).form() for name, size in SIZES.items()}


def having(form):
    return pytest.mark.parametrize("name", [name for name in SIZES if hasattr(FORMS[name], form)])


def somewhere(name, size):
    case = Case(name, size)
    if not case.installed:
        pytest.skip(f"{case.package} is not installed")
    p = case.problem()
    scale = abs(p.x0) if name == "battery" else 1.0  # whose concentrations are in mol / m^3
    x = p.x0 + 0.1 * scale * np.random.default_rng(0).random(p.x0.shape)
    problem = Problem(p.name, p.title, p.reference, p.derivative, p.f, x, p.args)
    return problem, prepare(problem)(x, *p.args)


def assert_agrees(built, J):
    call, matrix = built
    for _ in range(2):  # what is accumulated starts from zero again
        call()
    np.testing.assert_allclose(matrix().toarray(), J.toarray(), rtol=1e-11, atol=1e-13 * abs(J).max())


def test_every_form_is_compared():
    assert {case.name for case in COLLECTION} == set(SIZES)
    assert {m.name for m in iter_modules(forms.__path__)} == {f.__name__.split(".")[-1] for f in FORMS.values()}


@having("casadi")
@pytest.mark.parametrize("kind", ["sx", "mx"])
def test_casadi_gets_the_same_matrix(name, kind):
    pytest.importorskip("casadi")
    problem, J = somewhere(name, SIZES[name])
    assert_agrees(getattr(casadi, kind)(FORMS[name].casadi, problem), J)


@pytest.mark.slow  # JAX compiles for seconds
@having("jax")
def test_asdex_gets_the_same_matrix(name):
    pytest.importorskip("asdex")
    problem, J = somewhere(name, SIZES[name])
    assert_agrees(jax.asdex(FORMS[name].jax, problem), J)


@pytest.mark.slow  # JAX compiles for seconds
@having("jax")
def test_compressed_products_by_jax(name):
    pytest.importorskip("jax")
    problem, J = somewhere(name, SIZES[name])
    assert_agrees(jax.compressed(FORMS[name].jax, problem, J), J)


@pytest.mark.slow  # JAX compiles for seconds
@having("jax")
def test_sparsejac_gets_the_same_matrix(name):
    pytest.importorskip("sparsejac")
    problem, J = somewhere(name, SIZES[name])
    assert_agrees(jax.sparsejac(FORMS[name].jax, problem, J), J)


BY_HAND = [name for name in SIZES if hasattr(FORMS[name], "by_hand")]
LARGER = [(name, SIZES[name] + more) for name in BY_HAND if name != "network" for more in (1, 3)]


@pytest.mark.parametrize(("name", "size"), [(name, SIZES[name]) for name in BY_HAND] + LARGER)
def test_by_hand(name, size):
    problem, J = somewhere(name, size)
    assert_agrees(FORMS[name].by_hand(problem, J), J)


def test_by_hand_by_columns():
    problem, J = somewhere("bundle", SIZES["bundle"])
    assert_agrees(FORMS["bundle"].by_columns(problem, J), J)
