"""Traced numbers that are recorded by machine code: some thirty nanoseconds an operation instead of half a microsecond.

CPython calls machine code as methods of the classes that stand for numbers and arrays. What objects look like is found
by looking: where an object of a class keeps an attribute is where its memory holds the address of one that was put
there. All else goes through the functions of Python's C interface.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from sparsead.emit.entry import LAYOUT, WRITEABLE, MethodDef, pointer
from sparsead.emit.recorder_code import BINARY, RECORDER, UNARY
from sparsead.emit.recorder_elements import ELEMENTS

METH_O = 0x8  # CPython's C interface
FUNCTIONS = {
    "AS_INTEGER": "PyLong_AsSsize_t", "OF_INTEGER": "PyLong_FromSsize_t", "NEW": "PyType_GenericAlloc",
    "INCREASE": "Py_IncRef", "DECREASE": "Py_DecRef", "CALL": "PyObject_Vectorcall", "GET_ITEM": "PyDict_GetItem",
    "SET_ITEM": "PyDict_SetItem", "DICT_SIZE": "PyDict_Size", "TUPLE_SIZE": "PyTuple_Size",
    "TUPLE_ITEM": "PyTuple_GetItem", "FORGET": "PyErr_Clear", "IDENT": "PyThread_get_thread_ident",
}  # fmt: skip
OBJECTS = {
    "FLOAT": float, "FLOAT64": np.float64, "INT": int, "TUPLE": tuple, "NONE": None, "DOUBLE": np.dtype(np.float64),
    "INT32": np.dtype(np.int32), "INT64": np.dtype(np.int64),
}  # fmt: skip


def offset_of(kind: type, attribute: str) -> int:
    """Return where objects of a class keep an attribute that has a slot."""
    example: Any = object.__new__(kind)
    marker = object()
    setattr(example, attribute, marker)
    words = (ctypes.c_size_t * (kind.__basicsize__ // 8)).from_address(id(example))
    (place,) = (k for k, word in enumerate(words) if word == id(marker))
    return 8 * place


class Recorder:
    """The machine code, for the classes that stand for numbers and arrays.

    Parameters
    ----------
    operators : mapping
        The name of each method of numbers to how many operands it has, whether these are swapped, and in which word of
        a tape the known literals are.
    places : mapping
        Where things are: words of a tape, and by the names in the assembly, offsets in objects.
    number : type
        The class of numbers.
    words : ndarray
        What all tapes share; it is filled.
    """

    def __init__(
        self, operators: Mapping[str, tuple[int, bool, int]], places: Mapping[str, int], number: type, words: np.ndarray
    ) -> None:
        from sparsead.emit.llvm import code_of

        self.names = [*operators, "get", "set"]
        objects = {**OBJECTS, "NUMBER": number}
        shared = {name: k for k, name in enumerate((*FUNCTIONS, *objects, "METHODS"))}
        for name, function in FUNCTIONS.items():
            words[shared[name]] = pointer(getattr(ctypes.pythonapi, function))
        for name, known in objects.items():
            words[shared[name]] = id(known)
        self.words, self.methods = words, shared["METHODS"]
        places = {
            **LAYOUT,
            **places,
            **shared,
            "WRITEABLE": WRITEABLE,
            "GET": self.number("get"),
            "SET": self.number("set"),
        }
        parts = [part.format(**places) for part in (RECORDER, ELEMENTS)]
        for name, (count, swapped, literals) in operators.items():
            template = UNARY if count == 1 else BINARY
            parts.append(template.format(name=name, code=self.number(name), swapped=int(swapped), literals=literals))
        self.code = code_of("".join(parts))
        self.alive: list[Any] = []

    def number(self, name: str) -> int:
        """Return the number of a method."""
        return self.names.index(name)

    def method(self, kind: type, name: str, of_python: Callable[..., Any], convention: int, called: str = "") -> Any:
        """Return a method of a class, which calls one of Python's where that is needed."""
        called = called or name
        self.words[self.methods + self.number(name)] = id(of_python)
        definition = MethodDef(called.encode(), self.code.address_of(name), convention, None)
        self.alive += [of_python, definition]
        new = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object, ctypes.c_void_p)(
            pointer(ctypes.pythonapi.PyDescr_NewMethod)
        )
        return new(kind, ctypes.addressof(definition))
