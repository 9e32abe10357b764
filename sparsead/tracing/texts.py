"""Texts made of unknowns: they may be printed and put into messages, but nothing may be decided by them.

What stands for an unknown gives a `Text`, which refuses to be compared, measured, searched, parsed or taken for a key
while functions are traced. Python joins several parts (f"{a}, {b}", "%s" % a, "{} {}".format(a, b)) to a plain text
that cannot refuse anything. There the source says what becomes of it, as far as the function that makes it goes.
"""

from __future__ import annotations

import ast
import functools
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any

import numpy as np

from sparsead.errors import is_installed, is_users
from sparsead.tracing.loops.tape import is_tracing
from sparsead.tracing.refusals import refuse_value
from sparsead.tracing.sources import Source, at, called

HINT = (
    "Such texts may be printed, logged and raised. np.round rounds numbers, np.where chooses by them; take names or "
    "plain numbers for keys."
)
KEY = "taking for a key"
ASKING = {
    "__eq__": "comparing", "__ne__": "comparing", "__lt__": "comparing", "__le__": "comparing", "__gt__": "comparing",
    "__ge__": "comparing", "__len__": "len() of", "__getitem__": "indexing", "__iter__": "going through",
    "__hash__": KEY, "__contains__": "searching in",
    **dict.fromkeys(("startswith", "endswith", "find", "rfind", "index", "rindex", "count"), "searching in"),
    **dict.fromkeys(("split", "rsplit", "splitlines", "partition", "rpartition", "encode"), "taking apart"),
    **{name: "asking about the characters of" for name in dir(str) if name.startswith("is")},
}  # fmt: skip
STANDING = ("sparsead.tracing.replacing.", "sparsead.ops.builtin")  # what stands for Python's own functions
KEPT = {
    "strip", "lstrip", "rstrip", "lower", "upper", "title", "capitalize", "casefold", "swapcase", "ljust", "rjust",
    "center", "zfill", "replace", "removeprefix", "removesuffix", "expandtabs", "translate", "format", "join",
    "__mul__", "__rmul__", "__mod__",
}  # fmt: skip
CALLS = {
    "len": "len() of", "sorted": "going through", "set": "going through", "list": "going through",
    "tuple": "going through", "hash": KEY, "get": KEY, "setdefault": KEY,
    **dict.fromkeys(("float", "int", "complex", "eval"), "parsing"),
}  # fmt: skip


def refuse(what: str) -> None:
    """Refuse what asks for a text."""
    refuse_value(f"{what} a text made of an unknown", HINT)


class Text(str):
    """A text made of an unknown. Code of users that asks what is in it is refused; joined to others it is one more."""

    __slots__ = ()

    def __str__(self) -> str:
        return of_unknown(self, sys._getframe(1))

    def __format__(self, spec: str) -> str:
        return of_unknown(str.__format__(self, spec), sys._getframe(1))

    def __bool__(self) -> bool:
        return True

    def __add__(self, other: str) -> str:
        return Text(str.__add__(self, other))

    def __radd__(self, other: str) -> str:
        return Text(str.__add__(other, self))

    def __reduce__(self) -> Any:
        return str, (str.__add__("", self),)


def _guarded(plain: Callable[..., Any], what: str) -> Callable[..., Any]:
    """Return a method of texts that users may not call while functions are traced."""

    def method(self: Text, *args: Any) -> Any:
        if is_tracing() and _users_ask(sys._getframe(1)):
            refuse(what)
        return plain(self, *args)

    return method


def _users_ask(frame: FrameType | None) -> bool:
    """Tell whether code of users asks for a text, perhaps by what stands for a builtin, and not for a log."""
    while frame is not None and _module(frame).startswith(STANDING):
        frame = frame.f_back
    if frame is None or not _is_asked_about(frame.f_code.co_filename):
        return False
    if _warned(frame.f_code.co_filename, frame.f_code, frame.f_lasti):
        return False
    while frame is not None and _module(frame) != "logging":
        frame = frame.f_back
    return frame is None


def _is_asked_about(file: str) -> bool:
    return is_users(file) and not is_installed(file)


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _parsed(kind: type) -> Callable[[Text], Any]:
    """Return what a type of numbers asks a text for: in a trace nobody may, whoever stands between."""

    def parse(self: Text) -> Any:
        if is_tracing():
            refuse("parsing")
        return kind(str.__add__("", self))

    return parse


def _kept(plain: Callable[..., str]) -> Callable[..., Text]:
    return lambda self, *args: Text(plain(self, *args))


for _name, _what in ASKING.items():
    setattr(Text, _name, _guarded(getattr(str, _name), _what))
for _name in KEPT:
    setattr(Text, _name, _kept(getattr(str, _name)))
for _kind in (float, int, complex):
    setattr(Text, f"__{_kind.__name__}__", _parsed(_kind))


def of_unknown(text: str, frame: FrameType) -> Text:
    """Return the text that stands for an unknown; refuse where `frame` decides something by what it joins to it."""
    if is_tracing() and _is_asked_about(frame.f_code.co_filename):
        decided = _decided(frame.f_code.co_filename, frame.f_code, frame.f_lasti)
        if decided is not None:
            refuse(decided)
    return text if type(text) is Text else Text(text)


class Written:
    """What stands for values is written as they are where they are known, else in words."""

    __slots__ = ()
    shape: Any
    dtype: Any
    is_constant: Any
    plain: Any

    def __repr__(self) -> str:
        return repr(self.plain) if self.is_constant else of_unknown(self._words(), sys._getframe(1))

    def __str__(self) -> str:
        return str(self.plain) if self.is_constant else of_unknown(self._words(), sys._getframe(1))

    def __format__(self, spec: str) -> str:
        if self.is_constant:
            return format(self.plain, spec)
        if spec:
            format(np.ones(self.shape, self.dtype)[()], spec)  # NumPy says which formats there are
        return of_unknown(self._words(), sys._getframe(1))

    def _words(self) -> str:
        kind = "number" if issubclass(self.__class__, np.generic) else f"array, shape {self.shape}"
        return f"<traced {kind}, {self.dtype}>"


# -- what the source says -----------------------------------------------------------------------------------------
@functools.lru_cache(maxsize=1 << 10)
def _decided(file: str, code: CodeType, step: int) -> str | None:
    """Return what asks for the text that a step of code joins to others, as far as its function shows; or None."""
    joined = at(file, code, step, _joins)
    return None if joined is None else next(_asking(*joined, set()), None)


@functools.lru_cache(maxsize=1 << 10)
def _warned(file: str, code: CodeType, step: int) -> bool:
    """Tell whether a step of code calls ``warn``, which keeps what it has said as keys."""
    return at(file, code, step, lambda node: isinstance(node, ast.Call) and called(node) == "warn") is not None


def _joins(node: ast.AST) -> bool:
    if isinstance(node, ast.JoinedStr):
        return len(node.values) > 1
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Mod)
    return isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("format", "join")


def _asking(source: Source, node: ast.AST, seen: set[ast.AST]) -> Iterator[str]:
    """Yield what asks for the text that an expression gives."""
    outer: Any = source.around.get(node)
    if outer is None or node in seen:
        return
    seen.add(node)
    asked = _asked(outer, node)
    if asked is not None:
        yield asked
    elif isinstance(outer, (ast.JoinedStr, ast.FormattedValue, ast.IfExp, ast.BoolOp, ast.BinOp)) or (
        (isinstance(outer, ast.Attribute) and outer.attr in KEPT)
        or (isinstance(outer, ast.Call) and (node is outer.func or called(outer) in ("format", "join", "str")))
    ):
        yield from _asking(source, outer, seen)
    elif isinstance(outer, (ast.Assign, ast.NamedExpr, ast.AugAssign, ast.AnnAssign)) and outer.value is node:
        targets = outer.targets if isinstance(outer, ast.Assign) else [outer.target]
        names = {target.id for target in targets if isinstance(target, ast.Name)}
        for use in _uses(source, outer, names):
            yield from _asking(source, use, seen)
        yield from _asking(source, outer, seen)


def _uses(source: Source, node: ast.AST, names: set[str]) -> Iterator[ast.AST]:
    """Yield where the function around a place reads some of its variables."""
    while node in source.around and not isinstance(node, (ast.FunctionDef, ast.Lambda, ast.AsyncFunctionDef)):
        node = source.around[node]
    for each in ast.walk(node):
        if isinstance(each, ast.Name) and each.id in names and isinstance(each.ctx, ast.Load):
            yield each


def _asked(outer: Any, node: ast.AST) -> str | None:
    """Return how an expression or a statement asks for the text that a part of it gives; None if it does not."""
    if isinstance(outer, ast.Compare):
        identity = all(isinstance(op, (ast.Is, ast.IsNot)) for op in outer.ops)
        return None if identity else "comparing, or searching in,"
    if isinstance(outer, ast.Attribute):
        return ASKING.get(outer.attr)
    if isinstance(outer, ast.Call) and node in outer.args:
        return CALLS.get(called(outer))
    if isinstance(outer, ast.Subscript):
        return KEY if node is outer.slice else "indexing"
    if isinstance(outer, (ast.Dict, ast.DictComp)):
        return KEY if node in getattr(outer, "keys", [getattr(outer, "key", None)]) else None
    if isinstance(outer, (ast.Set, ast.SetComp)):
        return KEY
    if isinstance(outer, ast.Match):
        return "comparing"
    return "going through" if isinstance(outer, (ast.For, ast.comprehension)) else None
