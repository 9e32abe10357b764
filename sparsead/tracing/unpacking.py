"""Arguments taken apart by code that was written for them: a microsecond for what `trees` and `fixed` need twenty for.

The code says for each container which type it must have, how many things it must hold, and where they are. Numbers and
texts that are fixed are compared there; fixed arrays are handed on, with what they must hold, to be compared by
whoever can do it fastest. Where anything is otherwise the code returns False, which decides nothing: the general way
looks again, and has the words for what it finds.
"""

from __future__ import annotations

import functools
import keyword
import types
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse

from sparsead.tracing import trees
from sparsead.tracing.fixed import (
    OPAQUE,
    SIMPLE,
    Free,
    Parts,
    arrays_of,
    children,
    class_data,
    difference,
    filled,
    is_of_numbers,
    users_classes,
)
from sparsead.tracing.trees import Branch, Fixed, Leaf, Path, Structure

MOST = 200  # leaves and fixed parts that code is written for
MOST_BYTES = 1 << 26  # of fixed arrays
KEYS = (str, int)  # of dicts, whose text in Python is the key again
PLAIN = (dict, OrderedDict, list, tuple)


@dataclass(frozen=True)
class Unpacked:
    """Code that takes arguments apart.

    Attributes
    ----------
    count : int
        How many arguments there are.
    statements, given, constants
        What is written, what it hands on, and the objects that it names.
    leaves : tuple of (str, Leaf)
        Names and shapes of the leaves.
    known : tuple of ndarray
        What the fixed arrays must hold.
    """

    count: int
    statements: str
    given: str
    constants: dict[str, Any]
    leaves: tuple[tuple[str, Leaf], ...]
    known: tuple[np.ndarray, ...]

    def before(self, then: Callable[..., Any], others: int = 0) -> Callable[..., Any]:
        """Return a function of arguments and of so many others that returns what `then` does.

        `then` is given the leaves, the fixed arrays, and the others. Where the arguments are built otherwise, or hold
        other fixed values, or anything raises, the function returns False.
        """
        more = "".join(f"o{k}, " for k in range(others))  # by name: a call with a sequence takes longer
        names = [*(f"a{k}" for k in range(self.count)), *(f"o{k}" for k in range(others))]
        parameters = "".join(f"{name}=None, " for name in names)  # of too few none is what is expected
        text = (
            f"def unpack({parameters}*rest):\n    if rest:\n        return False\n    try:\n{self.statements}"
            f"        return then({self.given}{more})\n    except Exception:\n        return False\n"
        )
        namespace = self.constants | {"then": then}
        exec(compile(text, "<sparsead unpack>", "exec"), namespace)  # of the user's it holds keys, as literals
        return namespace["unpack"]


def unpacked(arguments: Sequence[Structure], titles: Sequence[str]) -> Unpacked | None:
    """Write the code for arguments, as they are now; None where that takes too much, or something has changed."""
    writer = _Writer()
    try:
        for k, (argument, title) in enumerate(zip(arguments, titles, strict=True)):
            writer.structure(argument, f"a{k}", (title,))
    except _NotWrittenError:
        return None
    return writer.finished(len(arguments))


class _NotWrittenError(Exception):
    """There is something that code is not written for."""


class _Writer:
    """Writes statements down, and what they return."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.constants: dict[str, Any] = {"type": type, "len": len, "arrays_in": _arrays_in, "names_in": _names_in}
        self.leaves: list[tuple[str, str, Leaf]] = []
        self.arrays: list[tuple[str, np.ndarray]] = []
        self.seen: dict[int, str] = {}  # where objects stand that have parts, by their ids
        self.bytes = 0

    def finished(self, count: int) -> Unpacked:
        given = "".join(f"{place}, " for place, *_ in (*self.leaves, *self.arrays))
        statements = "".join(f"        {line}\n" for line in self.lines)
        leaves = tuple((title, leaf) for _, title, leaf in self.leaves)
        return Unpacked(count, statements, given, self.constants, leaves, tuple(known for _, known in self.arrays))

    # -- statements -----------------------------------------------------------------------------------------
    def require(self, condition: str) -> None:
        if len(self.lines) > 2 * MOST:
            raise _NotWrittenError
        self.lines.append(f"if not ({condition}): return False")

    def named(self, value: str) -> str:
        """Return a name for what an expression gives."""
        name = f"v{len(self.lines)}"
        self.lines.append(f"{name} = {value}")
        return name

    def constant(self, value: Any) -> str:
        name = f"k{len(self.constants)}"
        self.constants[name] = value
        return name

    def require_type(self, place: str, value: Any) -> None:
        self.require(f"type({place}) is {self.constant(type(value))}")

    def require_keys(self, place: str, value: Any) -> None:
        """Require as many items; of a dict, the same keys in the same order, in which a function may walk over them."""
        if isinstance(value, dict):
            self.require(f"[*{place}] == {self.constant([*value])}")
        else:
            self.require(f"len({place}) == {len(value)}")

    # -- what is looked at ----------------------------------------------------------------------------------
    def structure(self, of: Structure, place: str, path: Path) -> None:
        match of:
            case Leaf():
                self.leaves.append((place, trees.spelled(path), of))
            case Fixed():
                if any(part is Free for part in of.known.values()) or difference(of.known, of.value):
                    raise _NotWrittenError
                self.part(of.value, self.named(place), of.known, "")
            case Branch():
                self.branch(of, self.named(place), path)

    def branch(self, of: Branch, place: str, path: Path) -> None:
        self.require_type(place, of.like)
        if type(of.like) in PLAIN or hasattr(of.like, "_fields"):
            self.require_keys(place, of.like)
            keys = of.like if isinstance(of.like, dict) else range(len(of.children))
            places = [f"{place}[{_literal(key)}]" for key in keys]
        else:
            places = [f"{place}.{_identifier(name)}" for name in of.children]
        for (name, child), at in zip(of.children.items(), places, strict=True):
            self.structure(child, at, (*path, name))

    def part(self, value: Any, place: str, known: Parts, name: str) -> None:
        """Compare a part of a fixed value, as `fixed.parts` does."""
        if is_of_numbers(value):
            self.array(place, known[name])
        elif isinstance(value, (*SIMPLE, *OPAQUE)):
            self.same(place, value)
        elif scipy.sparse.issparse(value):
            self.sparse(value, place, known, name)
        elif isinstance(value, (set, frozenset)):
            self.require_type(place, value)
            self.require(f"{place} == {self.constant(frozenset(value))}")
        else:
            self.container(value, place, known, name)

    def array(self, place: str, known: np.ndarray) -> None:
        self.bytes += known.nbytes
        if self.bytes > MOST_BYTES:
            raise _NotWrittenError
        self.arrays.append((place, known))

    def same(self, place: str, value: Any) -> None:
        kept = self.constant(value)
        self.require(f"{place} is {kept} or (type({place}) is {self.constant(type(value))} and {place} == {kept})")

    def sparse(self, value: Any, place: str, known: Parts, name: str) -> None:
        held = arrays_of(value)
        if not held:  # lists of lists, dictionaries
            raise _NotWrittenError
        self.require_type(place, value)
        within = self.named(f"{place}.__dict__")
        kept = vars(value).get("_shape") == value.shape  # what the property returns, at a third of the price
        shape = f"{within}['_shape']" if kept else f"{place}.shape"
        self.require(f"{shape} == {self.constant(value.shape)}")
        self.require(f"len({within}) == {len(vars(value))} or arrays_in({within}) == {len(held)}")
        for key in held:
            self.array(f"{within}[{key!r}]", known[f"{name}.{key}"])
        for k, _ in enumerate(getattr(value, "coords", ())):
            self.array(f"{place}.coords[{k}]", known[f"{name}.coords[{k}]"])

    def container(self, value: Any, place: str, known: Parts, name: str) -> None:
        if id(value) in self.seen:
            self.require(f"{place} is {self.seen[id(value)]}")
            return
        held = children(value)
        if held is None:
            self.same(place, value)
            if isinstance(value, type):
                self.require_classes(value)
            return
        self.seen[id(value)] = place
        if len(held) > MOST:
            raise _NotWrittenError
        spelled = {key: spelled for key, spelled, _ in held}
        places = self.places(value, place, held)
        for key, _, child in held:
            self.part(child, self.named(places[key]), known, f"{name}{spelled[key]}")

    def places(self, value: Any, place: str, held: Sequence[tuple[Any, str, Any]]) -> dict[Any, str]:
        """Require what is compared of a value that has parts, and return where these are."""
        keys = [key for key, *_ in held]
        if isinstance(value, (type, types.FunctionType)):
            return self.bound_places(value, place, keys)
        self.require_type(place, value)
        if isinstance(value, (functools.partial, types.MethodType)):
            return {key: f"{place}.{key}" for key in keys}
        attributes = getattr(value, "__dict__", {})
        if type(value) in PLAIN and not attributes:
            self.require_keys(place, value)
            return {key: f"{place}[{_literal(key)}]" for key in keys}
        of_class = [key for key in class_data(type(value)) if key not in attributes]
        if type(value) in PLAIN or keys != [*of_class, *attributes]:  # whose items may be anything
            raise _NotWrittenError
        within = self.named(f"{place}.__dict__")
        self.require(f"len({within}) == {len(attributes)}")
        self.require_classes(type(value))
        found = {key: f"{self.constant(type(value))}.{_identifier(key)}" for key in of_class}
        return found | {key: f"{within}[{_literal(key)}]" for key in attributes}

    def bound_places(self, value: Any, place: str, keys: Sequence[Any]) -> dict[Any, str]:
        """Require a class, or a function, to be the one that it was, and return where its parts are."""
        self.require(f"{place} is {self.constant(value)}")
        if isinstance(value, type):
            self.require_classes(value)
            return {key: f"{place}.{_identifier(key)}" for key in keys}
        cells = zip(value.__code__.co_freevars, value.__closure__ or (), strict=True)
        found: dict[Any, str] = {key: f"{self.constant(cell)}.cell_contents" for key, cell in cells if filled(cell)}
        names = [key[1] for key in keys if isinstance(key, tuple)]
        keys = [key for key in keys if isinstance(key, str)]
        if names:
            self.require(f"names_in({place}.__globals__, {self.constant((*names,))})")
            found |= {("__globals__", n): f"{place}.__globals__[{_literal(n)}]" for n in names}
        self.require(f"len({place}.__dict__) == {len(value.__dict__)}")
        for key in ("__defaults__", "__kwdefaults__"):
            if key not in keys:
                self.require(f"{place}.{key} is None")
        return {key: f"{place}.{_identifier(key)}" for key in keys} | found

    def require_classes(self, kind: type) -> None:
        """Require the user's classes among those of an object to have as many attributes as they had."""
        for each in users_classes(kind):
            self.require(f"len({self.constant(each)}.__dict__) == {len(vars(each))}")


def _literal(key: Any) -> str:
    if type(key) not in KEYS:
        raise _NotWrittenError
    return repr(key)


def _identifier(name: str) -> str:
    if not name.isidentifier() or keyword.iskeyword(name):
        raise _NotWrittenError
    return name


def _arrays_in(attributes: dict[str, Any]) -> int:
    return sum(isinstance(held, np.ndarray) for held in attributes.values())


def _names_in(names: dict[str, Any], wanted: tuple[str, ...]) -> bool:
    return all(name in names for name in wanted)
