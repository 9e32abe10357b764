"""All that is said of many points in one call, in one report: ``python -m benchmarks.points``.

Kinetics in cells, by `batch` and as a function of all cells; finite elements before assembly; the 14-bus network; two
threads; Newton for many loads. It needs Cantera and pandapower. Threads come first: the rest is pinned to one core.
"""

from __future__ import annotations

import time

import numpy as np

import sparsead as sad
from benchmarks import batches, kinetics, scenarios
from benchmarks.contenders import EACH, no_cache
from benchmarks.report import Part, Table, Target, show
from sparsead.measuring.timing import interleaved

ELEMENTS = (100, 1000)
CORNERS = np.array([[a, b, c] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)], dtype=np.float64)


def gradients(elements: int) -> tuple[np.ndarray, np.ndarray]:
    """Return gradients of the shape functions of hexahedra, (elements, points, corners, 3), and volumes of points."""
    points = CORNERS / np.sqrt(3.0)
    along = 1.0 + CORNERS[None] * points[:, None]
    local = np.stack(
        [CORNERS[:, k] * np.prod(np.delete(along, k, axis=2), axis=2) / 8.0 for k in range(3)], axis=2
    )  # (points, corners, 3)
    bent = CORNERS + 0.1 * np.random.default_rng(0).standard_normal((elements, 8, 3))
    stretch = np.einsum("eai,qaj->eqij", bent, local)
    return np.einsum("qaj,eqji->eqai", local, np.linalg.inv(stretch)), np.linalg.det(stretch)


def elements(count: int) -> list[Part]:
    """Time the forces of hexahedra of a neo-Hookean solid."""
    G, volumes = gradients(count)
    weighted = G * volumes[:, :, None, None]

    def forces(u: np.ndarray) -> np.ndarray:
        F = np.eye(3) + np.einsum("eai,eqaj->eqij", u, G)
        T = np.swapaxes(np.linalg.inv(F), 2, 3)
        stress = 0.5 * (F - T) + np.log(np.linalg.det(F))[..., None, None] * T
        return np.einsum("eqij,eqaj->eai", stress, weighted)

    u = 0.01 * np.random.default_rng(1).standard_normal((count, 8, 3))
    with no_cache():
        seconds, jac = kinetics.seconds_of(lambda: sad.jacobian(forces, u))
    direction, data = np.random.default_rng(2).standard_normal(u.shape), jac.values(u)
    exact = np.imag(forces(u + 1e-25j * direction)).ravel() / 1e-25
    off = float(np.abs(jac(u) @ direction.ravel() - exact).max() / np.abs(exact).max())
    times = interleaved({"ours": lambda: jac.values(u, out=data)}, 2.0, clock=time.process_time, each=EACH)
    rows = [("one function of all elements", 1e6 * times.median("ours") / count, seconds, off)]
    columns = ("", "microseconds an element", "preparation, s", "largest difference to the complex step")
    return [
        Table(f"Forces of {count} hexahedra, {jac.nnz // count} entries each", columns, rows),
        Target(f"{count} hexahedra: preparation", seconds, 1.0, "s"),
    ]


def run() -> list[Part]:
    """Time all."""
    threads = batches.threads()
    parts = [*kinetics.run(), *(part for count in ELEMENTS for part in elements(count)), *batches.scenarios()]
    return [*threads, *parts, *scenarios.run()]


if __name__ == "__main__":
    show(run())
