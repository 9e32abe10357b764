"""The script for devices runs to its end on the stand-in for CuPy; its times mean nothing there."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import gpu
from tests.derivatives import fake_cupy
from tests.emit.grid_on_cpu import COMPILER


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
    monkeypatch.setattr(gpu, "AWAY", 64)
    monkeypatch.setattr(gpu, "COPIED", 64)
    return cupy


@pytest.mark.skipif(COMPILER is None, reason="no C++ compiler")
def test_every_case_has_a_row(cupy):
    cases = [("brusselator", 8, "direct"), ("rosenbrock", 30, "direct"), ("brusselator", 8, "no such mode")]
    page = gpu.report(cupy, cases)
    rows = [line.split("|")[1:-1] for line in page.splitlines() if line.startswith("| ")]
    head, _, first, second, last = rows
    assert "no device" in page and len(head) == len(first) == len(gpu.HEAD)
    for row in (first, second):
        assert row[6].strip() == "0", "the stand-in computes the bits of the CPU"
    assert "InputError: unknown mode" in last[1]


def test_cases_for_which_there_is_no_time_say_so(cupy):
    page = gpu.report(cupy, [("bratu", 4, "direct")], budget=-1.0)
    assert "no time left" in page
