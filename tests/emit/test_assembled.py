"""Every kernel of the benchmark problems is compiled and assembled for two devices; what a thread uses is held.

It takes the wheels nvidia-cuda-nvrtc-cu12 and nvidia-cuda-nvcc-cu12 (the extra ``test-cuda``), and no device.
"""

from __future__ import annotations

import pytest

import sparsead as sad
from benchmarks.gpu_by_hand import BRATU, BRUSSELATOR
from sparsead.emit.cuda import PRELUDE, THREADS, Module
from sparsead.emit.grid import Grids
from sparsead.emit.layout import Layout
from sparsead.emit.points import ThreadOfPoint
from sparsead.emit.source import Source
from sparsead.emit.sweep import Engine
from sparsead.problems import PROBLEMS
from sparsead.program.scalar import OPS
from tests.emit.assembler import NVRTC, PTXAS, assembled, ptx
from tests.solvers.stiff import STIFF

pytestmark = pytest.mark.skipif(NVRTC is None or PTXAS is None, reason="no compiler and assembler for devices")
ENGINE = Engine("cuda")
SIZES = {"bratu": 12, "broyden": 300, "brusselator": 32, "burgers": 1200, "cavity": 20, "rosenbrock": 300,
         "minimal-surface": 50, "hyperelastic": 4, "power-flow": 30}  # fmt: skip
MOST_REGISTERS = 128  # 512 threads of a multiprocessor at least
MOST_SHARED = 27 << 10  # 8 blocks of a multiprocessor at least
SPILLS = {"hyperelastic"}  # a point has some 300 coefficients: more than 255 registers hold


def module_of(name):
    """Return all kernels of a problem, in direct and compressed mode, and how many launches its matrix takes."""
    problem, module, launches = PROBLEMS[name](SIZES[name]), Module(), []
    for mode in ("direct", "compressed" if problem.derivative == "jacobian" else "star"):
        made = getattr(sad, problem.derivative)(problem.f, problem.x0, *problem.args, mode=mode, check=False)
        sweeps = made._assembly.on(ENGINE).all_sweeps()
        names = [*made._functions, *(product.name for product in made._products)] if mode == "direct" else []
        others = [made._new_sweep(name, ENGINE) for name in names]
        for sweep in (*sweeps, *others):
            (function,) = sweep.source.functions
            launches.append(len(module.launches(Grids.of(function, sweep.source.fixed, sweep.sizes))))
    return module, launches[0]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in SPILLS else name for name in SIZES]
)
def test_benchmark_problems(name, tmp_path):
    module, launches = module_of(name)
    assert launches <= (4 if name == "power-flow" else 2), "matrices are written at once"
    for architecture in ("80", "90"):
        used = assembled(module.text, architecture, tmp_path)
        assert len(used) == module.text.count("__global__")
        assert any(use.spilled for use in used) == (name in SPILLS)
        assert max(use.registers for use in used) <= (255 if name in SPILLS else MOST_REGISTERS)
        assert max(use.shared for use in used) <= MOST_SHARED


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("name", ["HIRES", "Robertson"])
def test_threads_that_have_a_point_each(name, last, tmp_path):
    f, x, *_ = STIFF[name]
    jac = sad.jacobian(lambda y: f(0.0, y), x)
    layout = Layout({"x": x.size, "data": jac.nnz}, last)
    kernel = ThreadOfPoint([(s.source, s.sizes) for s in jac._matrix_batch.sweeps()], layout, "data")
    for architecture in ("80", "90"):
        (used,) = assembled(kernel.text, architecture, tmp_path)
        assert used.registers <= 64 and not used.spilled


def test_rows_of_blocks_for_points():
    problem = PROBLEMS["brusselator"](32)
    jac = sad.jacobian(problem.f, problem.x0, *problem.args, check=False)
    (sweep,) = jac._assembly.on(ENGINE).all_sweeps()
    (function,) = sweep.source.functions
    module = Module()
    module.launches(Grids.of(function, sweep.source.fixed), {"x": 2048, "data": jac.nnz})
    assert f"+= {jac.nnz}LL * blockIdx.y" in module.text
    assert ptx(module.text, "90").count("ctaid.y")


@pytest.mark.parametrize(("text", "size"), [(BRUSSELATOR, 1024), (BRATU, 200)])
def test_kernels_by_hand(text, size, tmp_path):
    (used,) = assembled(f"{PRELUDE}\n#define N {size}\n#define T {THREADS}\n{text}", "90", tmp_path)
    assert used.registers <= 40 and not used.spilled


def test_every_operation_is_known_to_the_device():
    source = Source("everything", grid=True)
    a, b, y = (source.array(name) for name in "aby")
    with source.loop(), source.block("for i in range(9):"):
        source.write(f"p = {a}[i]")
        source.write(f"q = {b}[i]")
        for k, op in enumerate(OPS.values()):
            operands = ("p > q", "p", "q") if op.name == "select" else ("p", "q")[: op.arity]
            if op.name.startswith("logical"):
                operands = ("p > 0.5", "q > 0.5")[: op.arity]
            for number, operand in enumerate(operands):
                source.write(f"r{k}_{number} = {operand}")
            source.write(f"{y}[{len(OPS)} * i + {k}] = {op.code.format(*(f'r{k}_{n}' for n in range(op.arity)))}")
        for k, constant in enumerate(("nan", "inf", "(-inf)")):
            source.write(f"{b}[i + {9 * (k + 1)}] = {constant}")
    (function,) = source.functions
    module = Module()
    module.launches(Grids.of(function, {}))
    assert ptx(module.text, "80")


def test_what_is_staged_is_read_after_a_barrier():
    source = Source("f", grid=True)
    with source.loop(), source.block("for i in range(900):"):
        for k in range(3):
            source.write(f"{source.array('y')}[3 * i + {k}] = {k}.5 * {source.array('x')}[i]")
    (function,) = source.functions
    module = Module()
    module.launches(Grids.of(function, {}))
    code = ptx(module.text, "80")
    stores, barrier, loads = (code.index(word) for word in ("st.shared", "bar.sync", "ld.shared"))
    assert stores < barrier < loads


def test_products_and_sums_are_not_contracted():
    source = Source("f", grid=True)
    with source.loop(), source.block("for i in range(9):"):
        source.write(f"{source.array('y')}[i] = {source.array('x')}[i] * x[i] + x[i]")
    (function,) = source.functions
    module = Module()
    module.launches(Grids.of(function, {}))
    code = ptx(module.text, "80")
    assert "mul.rn.f64" in code or "mul.f64" in code
    assert "fma.rn.f64" not in code
