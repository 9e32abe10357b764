"""What is refused while a function is traced, in words: what was met, where, and what to write instead.

A frame that asks for a value tells what is going on: a branch, an index, an array that is written to, a library.
"""

from __future__ import annotations

import dis
import sys
from types import FrameType
from typing import Any, NoReturn

from sparsead.errors import TracedBranchError, is_users, place, unsupported
from sparsead.tracing.libraries import library_call

RECORD_HINT = 'guard="record" lets the example arguments decide, and traces again where they would not.'
BRANCH_HINT = (
    'Use np.where(condition, a, b) for a branch on values, or prepare with guard="record"; '
    "shapes and loop bounds must be plain integers."
)
RAISES_HINT = (
    'It only raises: test in front of the call, outside of the function; or prepare with guard="record", which keeps '
    "the test and makes it at every call."
)
WRITE_HINT = (
    "Allocate the array inside the traced function (np.zeros, np.empty, np.zeros_like(x)), "
    "or with np.zeros(shape, like=x): of floats, for one of integers cuts off digits.\n"
    "  In place of a structured array keep an array for each field, in a dict or a dataclass.\n"
    '  A compiled routine can take part through sparsead.extend; or prepare with method="finite-difference".'
)
LIBRARY_HINT = (
    "It has no rule. Write it with NumPy functions (see the page of supported functions), or compute it outside of the "
    "function.\n"
    '  A compiled routine can take part through sparsead.extend; or prepare with method="finite-difference".'
)
VALUE_HINT = (
    "Use the NumPy function: np.sin for math.sin, np.floor for math.floor, np.where for a choice by value; "
    "np.asarray(x, kind) for kind(x)."
)
METHOD_HINT = "Use NumPy functions of the number: np.floor, np.rint, np.where for a choice by value."
CONVERSION = "float() or a function of module math"  # its answer is no branch, so it is not recorded
INDEX = "an index or range()"
KEY_HINT = "Use keys that are plain numbers or names; call what functools.lru_cache wraps by its __wrapped__."
CHOICE_HINT = "max, min, sorted (up to 16), any and all of numbers need no branch; list.sort does: use sorted."
INTO_PLAIN_ARRAY = (
    "writing into a plain array (made outside the function, of integers or of truth values) what depends on x"
)


def refuse_value(what: str, hint: str, at: Any = None) -> NoReturn:
    """Raise the error for code that asks for a value which differs from call to call."""
    call = library_call(sys._getframe(1))
    if call is not None and call.instead:  # there is nothing to change in the library
        recorded = "" if what == CONVERSION or hint == METHOD_HINT else f"\n  {RECORD_HINT}"
        what, hint = f"{call.name}: {what}", f"{call.instead}{recorded}"
    error = TracedBranchError(
        f"{what} needs the value of a traced number, which differs from call to call.\n  {at or place()}\n  {hint}"
    )
    error.final = call is not None and call.instead != ""
    error.calling = _calling(sys._getframe(1))
    error.plain = _writing(sys._getframe(1))
    raise error


def refuse_branch(frame: FrameType, hint: str) -> NoReturn:
    """Refuse a branch on a traced value, which `frame` takes."""
    refuse_value("a Python branch (if, while, and, or, not)", RAISES_HINT if _only_raises(frame) else hint)


def _only_raises(frame: FrameType) -> bool:
    """Tell whether a frame is at a branch with a way that leads straight to a ``raise``: a test of what is allowed."""
    code = [step for step in dis.get_instructions(frame.f_code) if step.opname not in ("TO_BOOL", "NOT_TAKEN")]
    at = {step.offset: n for n, step in enumerate(code)}
    jump = next((n for n, step in enumerate(code) if step.offset >= frame.f_lasti), None)
    if jump is None or not code[jump].opname.startswith("POP_JUMP"):
        return False
    return any(_leads_to_raise(code, at, start) for start in (jump + 1, at.get(code[jump].argval, len(code))))


def _leads_to_raise(code: list[dis.Instruction], at: dict[int, int], step: int) -> bool:
    """Tell whether instructions go on from a step to a ``raise`` without a choice or a return."""
    while step < len(code) and (name := code[step].opname) != "RAISE_VARARGS":
        if name == "JUMP_FORWARD":
            step = at.get(code[step].argval, len(code))
        elif "JUMP" in name or name.startswith(("RETURN", "YIELD", "FOR_ITER", "SEND", "RERAISE")):
            return False
        else:
            step += 1
    return step < len(code)


def _calling(frame: FrameType | None) -> dict[str, Any] | None:
    """Return the global names of the code that asked for a value, if by a call: a compiled function did."""
    while frame is not None and str(frame.f_globals.get("__name__", "")).partition(".")[0] == "sparsead":
        frame = frame.f_back
    return frame.f_globals if frame is not None and _doing(frame).startswith(("CALL", "PRECALL")) else None


def _writing(frame: FrameType | None) -> bool:
    """Tell whether a user's frame writes into an array, perhaps by a call, and NumPy asked for the value."""
    while frame is not None and not is_users(frame.f_code.co_filename):
        frame = frame.f_back
    return frame is not None and _doing(frame).startswith(("STORE_SUBSCR", "CALL", "PRECALL"))


def _doing(frame: FrameType) -> str:
    """Return the name of the instruction that a frame is at."""
    return dis.opname[frame.f_code.co_code[frame.f_lasti]]


def refuse_conversion(what: str, frame: FrameType, hint: str = VALUE_HINT) -> NoReturn:
    """Refuse to give a Python number; `frame` asked for it, perhaps by writing into a plain array."""
    if _doing(frame) == "STORE_SUBSCR":
        refuse_outside()
    if what == CONVERSION and _doing(frame).startswith("BINARY"):
        refuse_value("a text made by %", 'Print it by an f-string, f"{value:.3e}", or by %s.')
    if what == INDEX and _doing(frame) in ("BINARY_SUBSCR", "BINARY_OP"):
        refuse_value("indexing with what depends on x", hint)
    refuse_value(what, hint)


def refuse_outside() -> NoReturn:
    """Refuse to write into the memory of a plain array."""
    error = unsupported(INTO_PLAIN_ARRAY, WRITE_HINT)
    error.plain = True
    raise error


def refuse_exchange(array: Any, value: Any, frame: FrameType) -> None:
    """Refuse to write a view of an array into it for compiled code, which moves the memory of an ndarray instead."""
    if getattr(value, "storage", None) is array.storage and _doing(frame).startswith("CALL"):
        hint = "Take the elements in that order: x[rng.permutation(len(x))] for rng.shuffle(x)."
        raise unsupported("an exchange of rows by compiled code (rng.shuffle)", hint)


def refuse_array(frame: FrameType, kind: str = "traced") -> NoReturn:
    """Refuse to give an ndarray for an array of a kind; `frame` asked for it, or a library that it calls."""
    if _doing(frame) == "STORE_SUBSCR":
        refuse_conversion("", frame)
    call = library_call(frame)
    if call is not None:
        raise unsupported(f"{call.name}, which asks for a plain ndarray,", call.instead or LIBRARY_HINT, final=True)
    while frame.f_back is not None and not is_users(frame.f_code.co_filename):
        frame = frame.f_back
    calls = _doing(frame).startswith("CALL")
    routine = "a compiled routine, which asks for a plain ndarray,"
    error = (
        unsupported(routine, LIBRARY_HINT)
        if calls
        else unsupported(
            f"turning a {kind} array into a plain ndarray (an assignment into an array from outside the function, "
            "a compiled routine, or an np function that does not dispatch)",
            WRITE_HINT,
        )
    )
    error.plain = True
    raise error
