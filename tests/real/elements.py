"""Finite elements: residuals assembled from the bases and meshes of scikit-fem, in plain NumPy.

scikit-fem's own `LinearForm` keeps fields in a subclass of ndarray, which cannot hold traced values (it is refused, see
the tests), so the sum over the basis functions is written out; the tangent is assembled by scikit-fem itself.
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
