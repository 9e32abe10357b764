"""The problems are the ones of the literature, and sparsead differentiates them."""

import numpy as np
import pytest

import sparsead as sad
from sparsead.measuring.reference import along
from sparsead.problems import PROBLEMS, SIZES, bratu, brusselator, minimal_surface, rosenbrock


def test_the_brusselator_rests_at_its_steady_state():
    p = brusselator(5)
    steady = np.repeat([1.0, 3.4], 25)
    np.testing.assert_allclose(p.f(steady, *p.args), 0.0, atol=1e-14)


def test_the_brusselator_diffuses_a_wave():
    N, alpha = 8, 10.0
    wave = np.sin(2 * np.pi * np.arange(N) / N)[:, None] * np.ones(N)
    rate = brusselator(N).f(np.stack([1 + wave, np.zeros((N, N))]).ravel(), alpha).reshape(2, N, N)[0]
    eigenvalue = -4 * N**2 * np.sin(np.pi / N) ** 2
    np.testing.assert_allclose(rate, 1 - 4.4 * (1 + wave) + alpha * eigenvalue * wave, rtol=1e-12)


def test_bratu_is_exact_on_a_product_of_parabolas():
    N = 5
    s = np.arange(1, N + 1) / (N + 1)
    q = s * (1 - s)
    u = q[:, None, None] * q[:, None] * q
    minus_laplacian = 2 * (q[:, None] * q + q[:, None, None] * q + q[:, None, None] * q[:, None])
    np.testing.assert_allclose(bratu(N).f(u, 2.0), minus_laplacian - 2.0 * np.exp(u), rtol=1e-11)


def test_rosenbrock_has_its_known_values():
    p = rosenbrock(2)
    assert p.f(p.x0) == pytest.approx(24.2)
    assert p.f(np.ones(7)) == 0.0


def test_the_area_of_a_tilted_plane():
    frame = np.linspace(0.0, 1.0, 6)[:, None] * np.ones(6)
    assert minimal_surface(4).f(frame[1:-1, 1:-1], frame) == pytest.approx(np.sqrt(2.0))


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("size", [1, 2, 4])
def test_jacobians_agree_with_complex_step(name, size):
    if size < SIZES[name].least:
        pytest.skip(f"the smallest size is {SIZES[name].least}")
    p = PROBLEMS[name](size)
    x = p.x0 + 0.1 * np.random.default_rng(0).random(p.x0.shape)
    J = sad.jacobian(p.f, p.x0, *p.args)(x, *p.args)
    expected = np.column_stack([along(p.f, x, e, *p.args) for e in np.eye(x.size)])
    np.testing.assert_allclose(J.toarray(), expected, rtol=1e-12, atol=1e-13 * abs(expected).max())


def test_every_problem_has_its_name_and_sizes():
    assert set(SIZES) == set(PROBLEMS)
    for name, sizes in SIZES.items():
        assert sizes.least <= sizes.picture < sizes.demo <= sizes.bench
        assert PROBLEMS[name](sizes.least).name == name
        assert 2 <= PROBLEMS[name](sizes.picture).x0.size <= 200


@pytest.mark.parametrize("size", [0, -1, 2.5, True, "3"])
@pytest.mark.parametrize("name", PROBLEMS)
def test_a_bad_size_is_refused(name, size):
    with pytest.raises(sad.InputError, match=r"size of (a|this) problem"):
        PROBLEMS[name](size)
