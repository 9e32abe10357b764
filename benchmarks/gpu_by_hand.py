"""Kernels written by hand for one problem, as good as they can be: what our kernels are compared with on a device.

A thread has a grid point. What it computes goes through memory that the block shares and is written out side by side.
"""

from __future__ import annotations

import math
from typing import Any

from sparsead.emit.cuda import PRELUDE, THREADS, Launch
from sparsead.emit.device import DeviceSweeps, Part, Plan
from sparsead.problems import Problem

BRUSSELATOR = """
extern "C" __global__ void brusselator(const double *__restrict__ y, const double *__restrict__ alpha, double *data)
{
    SHARED(double, u_rows, 6 * T);
    SHARED(double, v_rows, 6 * T);
    const int t = threadIdx.x, first = blockIdx.x * T, p = first + t;
    if (PHASE(0) && p < N * N) {
        const double u = y[p], v = y[N * N + p], c = alpha[0] * (double)(N * N), uv2 = 2.0 * u * v, uu = u * u;
        const int i = p / N, j = p - i * N;
        const int middle = (i > 0) + (i == N - 1) + (j > 0) + (j == N - 1); // neighbours before the point itself
        for (int k = 0; k < 5; ++k) {
            u_rows[6 * t + k] = k == middle ? uv2 - 4.4 - 4.0 * c : c;
            v_rows[6 * t + 1 + k] = k == middle ? -uu - 4.0 * c : c;
        }
        u_rows[6 * t + 5] = uu;
        v_rows[6 * t] = 3.4 - uv2;
    }
    __syncthreads();
    if (PHASE(1))
        for (int k = 0; k < 6; ++k) {
            const int q = T * k + t;
            if (6 * first + q < 6 * N * N) {
                data[6 * first + q] = u_rows[q];
                data[6 * (N * N + first) + q] = v_rows[q];
            }
        }
}
"""
BRATU = """
static __device__ __forceinline__ int base(int p) // the entries before row p: seven a row, but for walls
{
    const int i = p / (N * N), q = p - i * N * N, last = N * (N - 1);
    const int walls_0 = (p < N * N ? p : N * N) + (p > last * N ? p - last * N : 0);
    const int walls_1 = 2 * i * N + (q < N ? q : N) + (q > last ? q - last : 0);
    return 7 * p - walls_0 - walls_1 - (p + N - 1) / N - p / N;
}

extern "C" __global__ void bratu(const double *__restrict__ x, const double *__restrict__ strength, double *data)
{
    SHARED(double, rows, 7 * T);
    const int t = threadIdx.x, first = blockIdx.x * T, p = first + t, points = N * N * N;
    const int begin = base(first), end = base(first + T < points ? first + T : points);
    if (PHASE(0) && p < points) {
        const double c = (N + 1.0) * (N + 1.0), middle = 6.0 * c - strength[0] * exp(x[p]);
        const int i = p / (N * N), j = p / N % N, k = p % N;
        int at = base(p) - begin;
        if (i > 0) rows[at++] = -c;
        if (j > 0) rows[at++] = -c;
        if (k > 0) rows[at++] = -c;
        rows[at++] = middle;
        if (k < N - 1) rows[at++] = -c;
        if (j < N - 1) rows[at++] = -c;
        if (i < N - 1) rows[at++] = -c;
    }
    __syncthreads();
    if (PHASE(1))
        for (int q = t; q < end - begin; q += T) data[begin + q] = rows[q];
}
"""


def by_hand(problem: Problem, cupy: Any) -> DeviceSweeps | None:
    """Return the kernel of a problem, for ``x``, its number ``p`` and ``data``; None where there is none."""
    if problem.name == "brusselator":
        N, text = math.isqrt(problem.x0.size // 2), BRUSSELATOR
        points = N * N
    elif problem.name == "bratu":
        N, text = problem.x0.shape[0], BRATU
        points = N**3
    else:
        return None
    head = f"{PRELUDE}\n#define N {N}\n#define T {THREADS}\n"
    launch = Launch(problem.name, -(-points // THREADS), ("x", "p", "data"))
    return DeviceSweeps(Plan(head + text, [({}, [Part([launch], {}, {})])]), cupy)
