"""Sweeps on a device: their kernels compiled there, their tables and work arrays kept there, launched at each call."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sparsead.emit.cuda import OPTIONS, THREADS, Launch, Module
from sparsead.emit.grid import Grids
from sparsead.emit.points import TOTAL, ThreadOfPoint
from sparsead.emit.sweep import Sweep
from sparsead.errors import InputError

MOST_ROWS = 65535  # of blocks, in one launch
ROOM = 1 << 30  # bytes of work arrays that points may have together; others then come after them

_Step = tuple[int, int, list[tuple[int, str]], Any, int]


class _Steps:
    """The launches of a thread on a stream, with the memory of their parameters.

    Attributes
    ----------
    launches : list of (int, int, int)
        The kernel of each, how many blocks it has, where its parameters are.
    given : mapping, optional
        What these were filled with.
    """

    def __init__(self, steps: list[_Step], rows: int, kept: Any) -> None:
        self.rows, self._steps, self._kept = rows, steps, kept
        self._places = [(values, place, name) for _, _, places, values, _ in steps for place, name in places]
        self.launches = [(kernel, blocks, parameters) for kernel, blocks, _, _, parameters in steps]
        self.given: Mapping[str, int] | None = None

    def fill(self, given: Mapping[str, int]) -> None:
        """Put the addresses of arrays into the parameters."""
        for values, place, name in self._places:
            values[place] = given[name]
        if TOTAL in given:
            many = -(-given[TOTAL] // THREADS)
            self.launches = [(kernel, blocks or many, parameters) for kernel, blocks, _, _, parameters in self._steps]
        self.given = given


class Tables:
    """Arrays of the host that stay on the device, each once."""

    def __init__(self, cupy: Any) -> None:
        self._cupy = cupy
        self._known: dict[int, tuple[np.ndarray, Any]] = {}

    def __getitem__(self, array: np.ndarray) -> Any:
        """Return the array on the device."""
        if id(array) not in self._known:
            self._known[id(array)] = array, self._cupy.asarray(array)  # the first keeps the number from another array
        return self._known[id(array)][1]


@dataclass
class Part:
    """Launches that share arrays: those that stay, by name, and work arrays, by name and size for one point."""

    launches: list[Launch]
    kept: dict[str, Any]
    sizes: dict[str, int]


@dataclass
class Plan:
    """CUDA C, and what is to be launched of it: parts of several sweeps, with the work arrays of each sweep."""

    text: str
    sweeps: list[tuple[dict[str, int], list[Part]]] = field(default_factory=list)

    @classmethod
    def of(cls, sweeps: Sequence[Sweep], tables: Tables, rows: Mapping[str, int] | None = None) -> Plan:
        """Return the plan of sweeps of one point; for `rows` of blocks, which have these arrays, if it is given."""
        module, plan = Module(), cls("")
        for sweep in sweeps:
            parts, functions = [], sweep.source.functions
            for function in functions:
                grids = Grids.of(function, sweep.source.fixed, sweep.sizes if len(functions) == 1 else ())
                kept = {name: tables[array] for name, array in (sweep.source.fixed | grids.fixed).items()}
                apart = None if rows is None else {**rows, **sweep.sizes, **grids.sizes}
                parts.append(Part(module.launches(grids, apart), kept, grids.sizes))
            plan.sweeps.append((sweep.sizes, parts))
        plan.text = module.text
        return plan

    @classmethod
    def of_points(cls, kernel: ThreadOfPoint, tables: Tables) -> Plan:
        """Return the plan of a kernel in which each thread has a point."""
        kept = {name: tables[array] for name, array in kernel.fixed.items()}
        return cls(kernel.text, [({}, [Part([kernel.launch], kept, {})])])

    @property
    def launches(self) -> list[Launch]:
        """All launches, in order."""
        return [launch for _, parts in self.sweeps for part in parts for launch in part.launches]

    @property
    def work(self) -> int:
        """How many numbers the work arrays of a point hold."""
        return sum(sum(sizes.values()) + sum(sum(p.sizes.values()) for p in parts) for sizes, parts in self.sweeps)


class DeviceSweeps:
    """Launches on a device, one after the other.

    Work arrays belong to one stream, as one thread sees it: calls on several streams do not meet there.

    Parameters
    ----------
    plan : Plan
        What is launched.
    cupy : module
        CuPy.

    Attributes
    ----------
    text : str
        The CUDA C.
    """

    def __init__(self, plan: Plan, cupy: Any) -> None:
        self.plan, self.text = plan, plan.text
        names = {launch.kernel for launch in plan.launches}
        code: Any = cupy.RawModule(code=plan.text, options=OPTIONS, backend="nvrtc") if names else None
        self._kernels = {name: code.get_function(name).kernel for name in names}
        self._cupy, self._local = cupy, threading.local()
        self._device: int = cupy.cuda.runtime.getDevice()
        # what a call takes of CuPy, looked up once
        self._on, self._stream = cupy.cuda.runtime.getDevice, cupy.cuda.get_current_stream
        self._launch = cupy.cuda.driver.launchKernel

    def __call__(self, given: Mapping[str, int], rows: int = 1) -> None:
        """Launch all kernels on the current stream, on arrays by name, which are given by address.

        Nothing is waited for. The numbers that a launch is given are copied by it, so that those of the next call may
        take their place. What is given must not be changed afterwards: given again, it is not looked at.
        """
        device, launch = self._device, self._launch
        if self._on() != device:
            raise InputError(
                f"this derivative is on device {device}, and the current device is {self._on()}; call it inside "
                f"`with cupy.cuda.Device({device}):`"
            )
        stream = self._stream(device).ptr
        steps = self._steps(stream, rows)
        if steps.given is not given:
            steps.fill(given)
        for kernel, many, parameters in steps.launches:
            launch(kernel, many, rows, 1, THREADS, 1, 1, 0, stream, parameters, 0)

    def at_many(self, given: Mapping[str, int], several: Mapping[str, int], count: int) -> None:
        """Launch rows of blocks for many points: as many at once as there is room for.

        `several` are the sizes for one point of the arrays that have a share for each.
        """
        most = max(min(MOST_ROWS, ROOM // (8 * max(self.plan.work, 1))), 1)
        for first in range(0, count, most):
            shares = {name: given[name] + 8 * size * first for name, size in several.items()}
            self({**given, **shares}, min(most, count - first))

    def _steps(self, stream: int, rows: int) -> _Steps:
        """Return the launches of this thread on a stream, with work arrays of their own for so many points."""
        local = self._local
        try:
            steps: _Steps = local.steps[stream]
            if rows <= steps.rows:
                return steps
        except (AttributeError, KeyError):
            if not hasattr(local, "steps"):
                self._cupy.cuda.runtime.memGetInfo()  # a new thread takes the context of the device by such a call
                local.steps, local.grown = {}, []
        local.grown.append(local.steps.get(stream))  # a graph may have been made with them
        steps = local.steps[stream] = self._new_steps(rows)
        return steps

    def _new_steps(self, rows: int) -> _Steps:
        steps, held = [], []
        for shared, parts in self.plan.sweeps:
            work = {name: self._cupy.empty(rows * size) for name, size in shared.items()}
            for part in parts:
                own = {name: self._cupy.empty(rows * size) for name, size in part.sizes.items()}
                made = [self._step(launch, {**part.kept, **work, **own}) for launch in part.launches]
                steps += [step for step, _ in made]
                held += [kept for _, kept in made]
        return _Steps(steps, rows, held)

    def _step(self, launch: Launch, kept: Mapping[str, Any]) -> tuple[_Step, Any]:
        """Return a launch with the memory of its parameters, and what keeps the arrays that stay."""
        arrays = [kept.get(name) for name in launch.arrays]
        values = (ctypes.c_void_p * len(arrays))(*(None if a is None else a.data.ptr for a in arrays))
        size = ctypes.sizeof(ctypes.c_void_p)
        addresses = [ctypes.addressof(values) + size * k for k in range(len(arrays))]
        parameters = (ctypes.c_void_p * len(arrays))(*addresses)
        open_places = [(k, name) for k, (name, a) in enumerate(zip(launch.arrays, arrays, strict=True)) if a is None]
        kernel = self._kernels[launch.kernel].ptr
        return (kernel, launch.blocks, open_places, values, ctypes.addressof(parameters)), (parameters, arrays)
