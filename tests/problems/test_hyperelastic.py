"""The neo-Hookean block: forces are the gradient of an energy, rest stays at rest, a patch stretches evenly."""

import numpy as np
import pytest

import sparsead as sad
from sparsead.problems.hyperelastic import Body, hyperelastic, residual


def energy(u, body):
    """Return the stored energy: mu / 2 (tr F'F - 3) - mu ln J + lambda / 2 (ln J)^2 over all tetrahedra."""
    moved = np.zeros(body.points.shape, dtype=u.dtype)
    moved[body.free] = u
    F = np.eye(3) + np.einsum("eai,eaj->eij", moved[body.corners], body.gradients)
    J = np.linalg.det(F)
    density = 0.5 * body.shear * (np.sum(F * F, axis=(1, 2)) - 3.0) - body.shear * np.log(J)
    return np.sum(body.volumes * (density + 0.5 * body.bulk * np.log(J) ** 2))


def displaced(body, F):
    return (body.points @ (F - np.eye(3)).T)[body.free]


def test_the_mesh_fills_the_cube():
    body = Body.block(3)
    assert body.corners.shape == (6 * 27, 4)
    assert np.sort(np.unique(body.corners)).tolist() == list(range(64))
    np.testing.assert_allclose(body.volumes, 1.0 / (6 * 27))
    linear = np.einsum("ea,eaj->ej", body.points[body.corners] @ [1.0, 2.0, 3.0], body.gradients)
    np.testing.assert_allclose(linear, np.tile([1.0, 2.0, 3.0], (162, 1)), atol=1e-13)


def test_the_forces_are_the_gradient_of_the_energy():
    problem = hyperelastic(2)
    u, (body,) = problem.x0, problem.args
    gradient = np.empty(u.size)
    for k, e in enumerate(np.eye(u.size)):
        gradient[k] = energy(u + 1e-40j * e.reshape(u.shape), body).imag / 1e-40
    np.testing.assert_allclose(problem.f(u, body).ravel(), gradient, rtol=1e-12, atol=1e-14)


def test_the_jacobian_is_the_hessian_of_the_energy():
    problem = hyperelastic(1)
    x, (body,) = problem.x0, problem.args
    J = sad.jacobian(problem.f, x, body)(x, body)
    H = sad.hessian(lambda u: energy(u, body), x)(x)
    np.testing.assert_allclose(J.toarray(), H.toarray(), rtol=1e-12, atol=1e-13)


def test_a_block_at_rest_has_no_forces_and_is_stiff():
    problem = hyperelastic(2)
    rest, (body,) = np.zeros_like(problem.x0), problem.args
    np.testing.assert_allclose(residual(rest, body), 0.0, atol=1e-15)
    J = sad.jacobian(problem.f, rest, body)(rest, body).toarray()
    np.testing.assert_allclose(J, J.T, atol=1e-14)
    assert np.linalg.eigvalsh(J).min() > 0.0


@pytest.fixture
def floating():
    """Return a block of which every point may move."""
    body = Body.block(3)
    return Body(body.points, body.corners, np.arange(len(body.points)), body.gradients, body.volumes)


def test_a_turned_block_has_no_forces(floating):
    c, s = np.cos(0.7), np.sin(0.7)
    turn = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    np.testing.assert_allclose(residual(displaced(floating, turn), floating), 0.0, atol=1e-14)


def test_an_even_stretch_needs_forces_at_the_surface_alone(floating):
    """The patch test; the pull on a face is the stress of the closed form, mu (a - 1/a) + lambda ln(J) / a."""
    a, b = 1.3, 0.9
    forces = residual(displaced(floating, np.diag([a, b, b])), floating)
    inside = np.all((floating.points > 0) & (floating.points < 1), axis=1)
    np.testing.assert_allclose(forces[inside], 0.0, atol=1e-14)
    stress = floating.shear * (a - 1 / a) + floating.bulk * np.log(a * b * b) / a
    face = floating.points[:, 0] == 1.0
    assert forces[face, 0].sum() == pytest.approx(stress, rel=1e-12)
