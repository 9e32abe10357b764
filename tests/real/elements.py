"""Finite elements: residuals by scikit-fem's own forms, and assembled from its bases and meshes in plain NumPy.

The tangents to compare with are assembled by scikit-fem itself.
"""

from __future__ import annotations

import numpy as np

from tests.real.case import Real, case


@case("finite elements, quasilinear diffusion (scikit-fem)", "skfem", against="scikit-fem's assembled tangent")
def quasilinear() -> Real:
    import skfem
    from skfem.helpers import dot, grad

    basis = skfem.Basis(skfem.MeshTri.init_symmetric().refined(3), skfem.ElementTriP2())
    dofs, dx = basis.element_dofs, basis.dx
    shapes = np.array([np.broadcast_to(np.asarray(v), dx.shape) for (v,) in basis.basis])
    gradients = np.array([v.grad for (v,) in basis.basis])

    def residual(u):  # of -div((1 + u^2) grad u) = 1
        local = u[dofs]
        value = np.einsum("ie,ieq->eq", local, shapes)
        slope = np.einsum("ie,ideq->deq", local, gradients)
        flux = (1.0 + value**2) * slope
        parts = (np.einsum("deq,ideq->ieq", flux, gradients) - shapes) * dx
        r = np.zeros_like(u)
        np.add.at(r, dofs, parts.sum(axis=-1))
        return r

    @skfem.BilinearForm
    def tangent(du, v, w):
        return 2.0 * w.u * du * dot(grad(w.u), grad(v)) + (1.0 + w.u**2) * dot(grad(du), grad(v))

    x = np.random.default_rng(0).uniform(0.2, 0.8, basis.N)
    return Real(residual, x, lambda u: tangent.assemble(basis, u=basis.interpolate(u)), same_pattern=True)


@case("finite elements, scikit-fem's own forms", "skfem", against="scikit-fem's assembled tangent")
def own_forms() -> Real:
    import skfem
    from skfem.helpers import dot, grad

    basis = skfem.Basis(skfem.MeshTri.init_symmetric().refined(3), skfem.ElementTriP2())

    @skfem.LinearForm
    def residual(v, w):
        return (1.0 + w.u**2) * dot(grad(w.u), grad(v)) - v

    @skfem.BilinearForm
    def tangent(du, v, w):
        return 2.0 * w.u * du * dot(grad(w.u), grad(v)) + (1.0 + w.u**2) * dot(grad(du), grad(v))

    x = np.random.default_rng(0).uniform(0.2, 0.8, basis.N)
    return Real(
        lambda u: residual.assemble(basis, u=basis.interpolate(u)), x,
        lambda u: tangent.assemble(basis, u=basis.interpolate(u)), same_pattern=True,
    )  # fmt: skip


@case("finite elements, energy by scikit-fem's Functional, Hessian", "skfem", against="scikit-fem's assembled tangent")
def hyperelastic() -> Real:
    import skfem
    from skfem.helpers import ddot, det, eye, grad, inv, transpose

    basis = skfem.Basis(skfem.MeshTri().refined(2), skfem.ElementVector(skfem.ElementTriP1()))

    def deformation(w):
        return grad(w.u) + eye(1.0 + 0.0 * w.x[0], 2)

    @skfem.Functional
    def energy(w):  # neo-Hookean
        F = deformation(w)
        J = det(F)
        return 0.5 * (ddot(F, F) - 2.0) - np.log(J) + 2.0 * np.log(J) ** 2

    @skfem.BilinearForm
    def tangent(du, v, w):
        F = deformation(w)
        G, H = inv(F), np.log(det(F))
        left, right = (np.einsum("ij...,jk...->ik...", G, grad(each)) for each in (du, v))
        traces = np.einsum("ii...", left) * np.einsum("ii...", right)
        return ddot(grad(du), grad(v)) + (1.0 - 4.0 * H) * ddot(left, transpose(right)) + 4.0 * traces

    x = 0.02 * np.random.default_rng(0).normal(size=basis.N)
    return Real(
        lambda u: energy.assemble(basis, u=basis.interpolate(u)), x,
        lambda u: tangent.assemble(basis, u=basis.interpolate(u)), "hessian", tolerance=1e-11,
    )  # fmt: skip


@case("finite elements, minimal surface, Hessian (scikit-fem)", "skfem", against="scikit-fem's assembled tangent")
def minimal_surface() -> Real:
    import skfem
    from skfem.helpers import dot, grad

    basis = skfem.Basis(skfem.MeshTri.init_tensor(*2 * [np.linspace(0, 1, 13)]), skfem.ElementTriP1())
    dofs, dx = basis.element_dofs, basis.dx
    gradients = np.array([v.grad for (v,) in basis.basis])

    def area(u):
        slope = np.einsum("ie,ideq->deq", u[dofs], gradients)
        return np.sum(np.sqrt(1.0 + np.sum(slope**2, axis=0)) * dx)

    @skfem.BilinearForm
    def tangent(du, v, w):
        root = np.sqrt(1.0 + dot(grad(w.u), grad(w.u)))
        return dot(grad(du), grad(v)) / root - dot(grad(w.u), grad(du)) * dot(grad(w.u), grad(v)) / root**3

    x = np.random.default_rng(0).uniform(0.0, 1.0, basis.N)
    return Real(area, x, lambda u: tangent.assemble(basis, u=basis.interpolate(u)), "hessian", same_pattern=True)
