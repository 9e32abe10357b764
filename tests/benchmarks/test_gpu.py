"""The script for devices runs to its end on the stand-in for CuPy; its times mean nothing there."""

from __future__ import annotations

import itertools
import json
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

import sparsead as sad
from benchmarks import gpu, gpu_device
from benchmarks.gpu_by_hand import by_hand
from benchmarks.gpu_cases import CASES, Case
from sparsead.problems import PROBLEMS
from tests.derivatives import fake_cupy
from tests.emit.grid_on_cpu import COMPILER

needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C++ compiler")


@pytest.fixture
def cupy(monkeypatch):
    cupy = fake_cupy.installed(monkeypatch)
    cupy.copyto, cupy.__version__ = np.copyto, "0"
    cupy.cuda.runtime.getDeviceProperties = lambda _: {"name": b"no device"}
    ticks = itertools.count()
    nothing = lambda: None  # noqa: E731
    cupy.cuda.Event = lambda: SimpleNamespace(record=nothing, synchronize=nothing)
    cupy.cuda.get_elapsed_time = lambda *_: 0.5 + next(ticks) % 3
    cupy.cuda.Device = lambda: SimpleNamespace(synchronize=nothing)
    cupy.get_default_memory_pool = lambda: SimpleNamespace(free_all_blocks=nothing)
    monkeypatch.setattr(gpu, "AWAY", 64)
    monkeypatch.setattr(gpu_device, "AWAY", 64)
    monkeypatch.setattr(gpu_device, "COPIED", 64)
    monkeypatch.setattr(gpu, "find_spec", lambda _: None)
    return cupy


SOME = [
    Case("brusselator", 8), Case("rosenbrock", 30), Case("brusselator", 8, "no such mode"),
    Case("hires", 8, points=200), Case("brusselator", 8, points=3, axis=0), Case("bratu", 3),
]  # fmt: skip


@needs_compiler
def test_every_case_has_a_row(cupy):
    device = gpu.Device(cupy)
    found = list(gpu.here(device, SOME))
    page = gpu.page(device, 1e9, list(gpu.rows(SOME, iter(found), 1e9)))
    rows = [line.split("|")[1:-1] for line in page.splitlines() if line.startswith("| ")]
    head, _, *rows = rows
    assert "no device" in page and all(len(row) == len(head) == len(gpu.HEAD) for row in rows)
    assert "InputError: unknown mode" in rows[2][1]
    for row, exact in zip(rows, (True, True, None, True, True, False), strict=True):
        if exact:  # the C library's exp is not that of the CPU's vector code
            assert row[9].strip() == "0", "the stand-in computes the bits of the CPU"
    assert [any(c.isdigit() for c in row[5]) for row in rows] == [True, False, False, False, False, True]


@needs_compiler
@pytest.mark.parametrize(("name", "size"), [("brusselator", 3), ("brusselator", 13), ("bratu", 2), ("bratu", 7)])
def test_kernels_by_hand_compute_the_matrix(cupy, name, size):
    problem = PROBLEMS[name](size)
    x = np.ascontiguousarray(problem.x0 + 0.1)
    J = sad.jacobian(problem.f, problem.x0, *problem.args)(x, *problem.args)
    p, data = np.array(problem.args[0]), np.full(J.nnz, np.nan)
    by_hand(problem, cupy)({"x": x.ctypes.data, "p": p.ctypes.data, "data": data.ctypes.data})
    np.testing.assert_allclose(data, J.data, rtol=1e-13)


def test_problems_without_a_kernel_by_hand(cupy):
    assert by_hand(PROBLEMS["rosenbrock"](9), cupy) is None


def test_processes_and_what_they_say(monkeypatch, tmp_path):
    row = gpu.Row(*range(12))
    texts = [json.dumps(vars(row)), json.dumps({"failed": "InputError: x"}), "Traceback\nKilled", ""]
    files = iter(f"warning\n{text}" for text in texts)
    monkeypatch.setattr(gpu, "_started", lambda command, path: path.write_text(next(files)) and _Ended())
    found = list(gpu.beside(SOME[:4], budget=60.0))
    assert found[0] == row and found[1] == "InputError: x"
    assert all(text.startswith("no result in time") for text in found[2:])
    assert set(gpu.beside(SOME, budget=-1.0)) == {"no time left"}


def test_heavy_cases_begin_first_and_leave_a_process_to_the_others():
    heavy = [Case("a", k, heavy=k % 2 == 1) for k in range(12)]
    waiting, running = list(range(12)), []
    while (number := gpu._next(heavy, waiting, running)) is not None:
        waiting.remove(number)
        running.append(number)
    assert running == [1, 3, 5, 0]
    assert gpu._next(heavy, waiting, [1, 3, 0]) == 7 and gpu._next(heavy, [11], [1, 3, 5]) is None


class _Ended:
    def poll(self):
        return 0

    def kill(self):
        pass

    wait = kill


@needs_compiler
def test_the_command(cupy, monkeypatch, tmp_path):
    monkeypatch.setattr(gpu, "CASES", SOME[3:4])
    found = CliRunner().invoke(gpu.main, ["--only", "0", "--lock", str(tmp_path / "lock")], catch_exceptions=False)
    assert gpu.Row(**json.loads(found.output)).differ == 0
    monkeypatch.setattr(gpu, "BUDGET", -1.0)
    monkeypatch.setattr(gpu, "CALLED", [SOME[0], SOME[3]])
    found = CliRunner().invoke(gpu.main, ["--out", str(tmp_path / "page.md")], catch_exceptions=False)
    assert (tmp_path / "page.md").read_text().count("no time left") == 2 and found.exit_code == 0


def test_cases_are_what_they_are_called():
    for case in CASES:
        assert case.name in case.label
    small = Case("hires", 8, points=5, axis=0)
    problem = small.problem()
    assert small.point(problem).shape == (5, 8) and Case("hires", 8, points=5).point(problem).shape == (8, 5)
    host = sad.jacobian(problem.f, problem.x0)
    np.testing.assert_allclose(problem.f(problem.x0 + 1e-6) - problem.f(problem.x0), 1e-6 * host(problem.x0).sum(1),
                               rtol=1e-4)  # fmt: skip
