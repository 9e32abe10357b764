"""The arguments of calls on a device: where they lie there; what is of the host is put there once."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from sparsead.errors import InputError
from sparsead.tracing import trees
from sparsead.tracing.arguments import Signature
from sparsead.tracing.floats import DOUBLE
from sparsead.tracing.trees import Branch, Fixed, Leaf

PUT = "before the capture, put the arguments on the device once: args = jac.put(x, *args)"
UNCHANGING = (int, float, bool, str, type(None))
NONE: Mapping[int, tuple[int, ...]] = {}


class Put:
    """An argument that was put on a device as a whole: its arrays there, and the structure that they belong to."""

    def __init__(self, of: Branch, arrays: list[Any]) -> None:
        self.of, self.arrays = of, arrays

    def __repr__(self) -> str:
        return f"<{type(self.of.like).__name__}, put on a CUDA device>"


class Bound:
    """A call whose arrays were looked at: another one on the very same objects needs no other look.

    That holds for arrays of the device that kernels read as they are, whatever they contain, and for what cannot
    change. Arrays are not kept alive for it.
    """

    def __init__(self, objects: Sequence[Any], launch: Callable[[], None], kept: Sequence[Any], ndarray: type) -> None:
        own = [o for o in objects if type(o) is ndarray or type(o) is Put]
        self._same: list[Any] = [weakref.ref(o) if any(o is a for a in own) else _itself(o) for o in objects]
        self.launch = launch
        self._kept = [a for a in kept if not any(a is o for o in own)]  # what was made of numbers
        self.has_numbers = any(type(o) in UNCHANGING for o in objects)

    @classmethod
    def of(cls, objects: Sequence[Any], launch: Callable[[], None], kept: Sequence[Any], ndarray: type) -> Bound | None:
        """Return the call; None where the same objects may be something else at the next one."""
        for o in objects:
            as_it_is = type(o) is ndarray and any(o is a for a in kept)
            if not (as_it_is or type(o) is Put or type(o) in UNCHANGING):
                return None
        return cls(objects, launch, kept, ndarray)

    def is_of(self, objects: Sequence[Any]) -> bool:
        """Tell whether these are the same objects."""
        if len(objects) != len(self._same):
            return False
        for same, o in zip(self._same, objects, strict=False):  # noqa: SIM110 (half the time of all())
            if same() is not o:
                return False
        return True


def _itself(value: Any) -> Any:
    return lambda: value


class Residents:
    """Reads the arguments of calls: an array of the device for each runtime value, contiguous and of float64.

    Parameters
    ----------
    signature : Signature
        How the arguments are built.
    cupy : module
        CuPy.
    """

    def __init__(self, signature: Signature, cupy: Any) -> None:
        self.signature, self._cupy, self._ndarray = signature, cupy, cupy.ndarray
        self._known: dict[str, tuple[np.ndarray, Any]] = {}  # of the host, by the names of arguments: copies, and there
        self._titled = [(k, of, signature._title(k)) for k, of in enumerate(signature.arguments)]

    def __call__(self, args: Sequence[Any], shapes: Mapping[int, tuple[int, ...]] = NONE) -> list[Any]:
        """Return the arrays, x first; `shapes` are those of arguments by number that are not what was prepared."""
        if len(args) != len(self._titled):
            self.signature.convert(args)  # says what is wrong
        arrays: list[Any] = []
        for value, (k, of, title) in zip(args, self._titled, strict=True):
            if type(of) is Leaf:
                shape = shapes.get(k, of.shape) if shapes else of.shape
                arrays.append(self.leaf(value, shape, title, k != self.signature.argnum))
            else:
                arrays += self._others(value, k, of)
        if self.signature.argnum:
            arrays.insert(0, arrays.pop(self._place_of_x))
        return arrays

    @property
    def _place_of_x(self) -> int:
        before = self.signature.arguments[: self.signature.argnum]
        return sum(1 for of in before for _ in trees.leaves(of))

    def leaf(self, value: Any, shape: tuple[int, ...], title: str, stays: bool = False, itself: bool = False) -> Any:
        """Return an array of the device as it is, if it is one that kernels can read; else one that has its numbers.

        Where the next call may be given the same numbers of the host again, what is put there `stays`. With `itself`
        an array of the device that has to be converted is refused.
        """
        if type(value) is self._ndarray and value.dtype is DOUBLE and value.shape == shape and value.flags.c_contiguous:
            return value
        if not hasattr(value, "__cuda_array_interface__"):
            if not hasattr(value, "__dlpack__") or _on_host(value):
                return self._of_host(value, shape, title, stays)
            value = self._cupy.from_dlpack(value)
        array = self._cupy.asarray(value)
        self._check(array, shape, title)
        made = self._cupy.ascontiguousarray(array, dtype="float64").reshape(shape)
        if made.data.ptr != array.data.ptr:
            if itself:
                raise InputError(
                    f"{title} is not a contiguous array of float64: a graph would read a copy of it, and nothing that "
                    "is written to it later; convert it before"
                )
            self.refuse_in_capture(f"{title} is not a contiguous array of float64, and has to be converted")
        return made

    def put(self, args: Sequence[Any], itself: bool = False) -> tuple[Any, ...]:
        """Return arguments whose numbers are on the device, for calls to read them there."""
        if len(args) != len(self._titled):
            self.signature.convert(args)
        made: list[Any] = []
        for value, (k, of, title) in zip(args, self._titled, strict=True):
            if isinstance(of, Leaf):
                made.append(self.leaf(value, of.shape, title, itself=itself))
            elif isinstance(of, Branch):
                made.append(value if type(value) is Put else Put(of, self._others(value, k, of, itself)))
            else:
                self._others(value, k, of)
                made.append(value)
        return tuple(made)

    def _others(self, value: Any, k: int, of: Any, itself: bool = False) -> list[Any]:
        """Return the arrays of an argument that is a container, or fixed: then there is none."""
        if type(value) is Put:
            if value.of is not of:
                raise InputError(
                    f"{self._titled[k][2]} was put on the device for another derivative; put it there again"
                )
            return value.arrays
        if isinstance(of, Fixed) and type(value) is int and type(of.value) is int and value == of.value:
            return []

        def read(held: Any, leaf: Leaf, title: str) -> Any:
            return self.leaf(held, leaf.shape, title, True, itself)

        return list(self.signature._taken_apart(k, value, read))

    def _of_host(self, value: Any, shape: tuple[int, ...], title: str, stays: bool) -> Any:
        """Return an array of the host on the device: the one that is there, if it has the same bits."""
        self.refuse_in_capture(f"{title} is of the host, and has to be copied")
        array = np.asarray(value)
        self._check(array, shape, title)
        array = np.ascontiguousarray(array, dtype=np.float64).reshape(shape)
        if stays and title in self._known:
            known, there = self._known[title]
            if np.array_equal(known.reshape(-1).view(np.int64), array.reshape(-1).view(np.int64)):
                return there
        there = self._cupy.asarray(array)
        if stays:
            self._cupy.cuda.get_current_stream().synchronize()  # a later call may be on another stream
            self._known[title] = array.copy(), there
        return there

    def _check(self, array: Any, shape: tuple[int, ...], title: str) -> None:
        if array.dtype.kind not in "fiub":
            raise InputError(f"{title} has dtype {array.dtype}; expected real numbers (float64)")
        if array.shape != shape:
            raise InputError(
                f"{title} has shape {array.shape}, but this derivative was prepared for shape {shape}; prepare again "
                "for other shapes"
            )

    def refuse_in_capture(self, met: str, instead: str = PUT) -> None:
        """Refuse what needs memory of its own, or a copy, while the current stream is being captured."""
        if self._cupy.cuda.get_current_stream().is_capturing():
            raise InputError(
                f"{met}, which cannot be part of the CUDA graph that the current stream is capturing; {instead}"
            )


def _on_host(value: Any) -> bool:
    """Tell whether an array that has DLPack lies in the memory of the host."""
    kind, _ = value.__dlpack_device__()
    return int(kind) == 1
