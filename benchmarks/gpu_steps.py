"""Implicit steps of the Brusselator on a CUDA device, by Newton's method and GMRES: nothing leaves it but norms.

``python -m benchmarks.gpu_steps``. A step of implicit Euler is forty times as long as one of an explicit method could
be. Products with the Jacobian are exact, and take no matrix; the matrix gives the preconditioner, which solves for the
two species of each point.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import click
import numpy as np
import scipy.sparse

import sparsead as sad
from sparsead.extras import optional
from sparsead.problems.brusselator import brusselator, rates


def implicit_euler(y: np.ndarray, old: np.ndarray, dt: float, alpha: float) -> np.ndarray:
    return y - old - dt * rates(y, alpha)


class Species:
    """Solves for the two species of each point: the blocks of the matrix with 2 x 2 entries, inverted."""

    def __init__(self, pattern: Any, cupy: Any) -> None:
        self._cupy, self._half = cupy, pattern.shape[0] // 2
        number = scipy.sparse.csr_array((np.arange(pattern.nnz), pattern.indices, pattern.indptr), shape=pattern.shape)
        diagonals = [number.diagonal(offset) for offset in (0, self._half, -self._half)]
        self._main, self._upper, self._lower = map(cupy.asarray, diagonals)

    def of(self, values: Any) -> Any:
        """Return what solves for the species, given the values of the matrix."""
        a, d = values[self._main].reshape(2, self._half)
        b, c = values[self._upper], values[self._lower]
        determinant = a * d - b * c

        def solve(r: Any) -> Any:
            u, v = r.reshape(2, self._half)
            return self._cupy.concatenate([(d * u - b * v) / determinant, (a * v - c * u) / determinant])

        return solve


@dataclass
class Steps:
    """What steps arrived at, and took: Newton's iterations, products with the Jacobian, seconds after preparation."""

    y: Any
    newton: int = 0
    products: int = 0
    seconds: float = 0.0


def steps(N: int, count: int, dt: float, alpha: float = 10.0) -> Steps:
    """Return what a first step and `count` others, of length `dt`, on N x N points arrive at."""
    cupy, linalg = optional("cupy"), optional("cupyx.scipy.sparse.linalg")
    y0 = brusselator(N).x0
    jac = sad.jacobian(implicit_euler, y0, y0, dt, alpha, device="cuda")
    y, *args = jac.put(y0, y0, dt, alpha)  # on the device from here on
    old, species, values, done = args[0], Species(jac.pattern, cupy), None, Steps(y)
    for number in range(count + 1):
        if number == 1:  # everything is compiled
            done.seconds = -time.perf_counter()
        old[...] = y
        for _ in range(10):
            residual = jac.value(y, *args)
            if float(cupy.linalg.norm(residual)) <= 1e-9 * float(cupy.linalg.norm(y)):
                break
            values = jac.values(y, *args, out=values)
            M = linalg.LinearOperator(jac.shape, matvec=species.of(values), dtype=np.float64)
            y -= _solved(jac.linear_operator(y, *args), residual, M, linalg, done)
            done.newton += 1
        else:
            raise RuntimeError("Newton's method did not converge; take shorter steps")
    done.seconds += time.perf_counter()  # the last norm has been waited for
    return done


def _solved(A: Any, b: Any, M: Any, linalg: Any, done: Steps) -> Any:
    def product(v: Any) -> Any:
        done.products += 1
        return A.matvec(v)

    counted = linalg.LinearOperator(A.shape, matvec=product, dtype=np.float64)
    x, failed = linalg.gmres(counted, b, M=M, restart=10)
    if failed:
        raise RuntimeError("GMRES did not converge; take shorter steps")
    return x


@click.command(help=__doc__)
@click.option("--points", default=1024, show_default=True, help="Points along each axis.")
@click.option("--count", default=10, show_default=True, help="Steps.")
def main(points: int, count: int) -> None:
    done = steps(points, count, 1.0 / points**2)  # an explicit step is at most 1 / (4 alpha points**2)
    print(
        f"{count} steps on {points} x {points} points: {1e3 * done.seconds / count:.1f} ms each "
        f"({done.newton} Newton iterations and {done.products} products with the Jacobian, with a first step)"
    )


if __name__ == "__main__":
    main()
