"""The arguments and the result of a function that was prepared: which of them are runtime values, and their shapes."""

from __future__ import annotations

import inspect
import io
import itertools
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsead.errors import InputError
from sparsead.program.nodes import Input, Part
from sparsead.tracing import trees
from sparsead.tracing.conversions import is_row, stack_objects
from sparsead.tracing.fixed import difference, let_go
from sparsead.tracing.floats import checked_leaf, real_array
from sparsead.tracing.scalar import is_number
from sparsead.tracing.trees import Branch, Fixed, Leaf, Structure
from sparsead.tracing.unpacking import Unpacked, unpacked

Argnum = int | str | Sequence[int | str]
Read = Callable[[Any, Leaf, str], Any]
NUMBER = Leaf((), True)
MOST_PARTS = 64  # of x that code reads one by one; of more it reads the vector
SHOWN = 60  # characters of a value in an error
OF_CALLS = frozenset({  # options of the calls of prepared derivatives: their names are no names of arguments there
    "axis", "format", "keep_constants", "order", "out", "r", "triangle", "v", "verify", "w", "weights",
})  # fmt: skip


@dataclass(frozen=True)
class Signature:
    """Which arguments are runtime values (real arrays and floats), and what the others were.

    Attributes
    ----------
    arguments : tuple of Structure
        How each argument is built.
    wrt : tuple of int
        Which of them x is: the derivative is with respect to all their leaves, as one vector.
    names : tuple of str
        What the function calls its arguments.
    result : Structure
        How its value is built: of one array, or of several, which are rows one after the other.
    """

    arguments: tuple[Structure, ...]
    wrt: tuple[int, ...]
    names: tuple[str, ...]
    result: Structure = NUMBER

    @property
    def argnum(self) -> int:
        """The first argument of those that x is."""
        return self.wrt[0]

    @property
    def plain(self) -> bool:
        """True where x is one argument and one array or number."""
        return len(self.wrt) == 1 and isinstance(self.arguments[self.wrt[0]], Leaf)

    @property
    def x_shape(self) -> tuple[int, ...]:
        """The shape of x; of several leaves, that of the vector of all."""
        first = self.arguments[self.argnum]
        if self.plain and isinstance(first, Leaf):
            return first.shape
        return (sum(leaf.size for k in self.wrt for _, leaf in trees.leaves(self.arguments[k])),)

    def placed(self, args: Sequence[Any], named: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return all arguments in order, given the first ones, and others by name.

        Raises
        ------
        InputError
            If a name is not that of an argument, or one is missing or there twice.
        """
        if not named and len(args) == len(self.names):
            return tuple(args)
        known = dict(zip(self.names, args, strict=False))
        for name in named:
            if name not in self.names or name in known:
                if name in known:
                    raise InputError(f"{name!r} is there twice: by its place, and by name")
                raise InputError(
                    f"{name!r} is no argument; the function was prepared with {', '.join(self.names)}, and keeps the "
                    "defaults of all others: name them at the preparation to change them in calls"
                )
        missing = [name for name in self.names if name not in {*known, *named}]
        if missing or len(args) > len(self.names):
            met = f"without {', '.join(missing)}" if missing else f"got {len(args) + len(named)}"
            raise InputError(f"expected the arguments {', '.join(self.names)}, {met}{self._taken()}")
        return tuple((known | dict(named))[name] for name in self.names)

    def _taken(self) -> str:
        """Say which names of arguments are options of calls, so that they cannot be given by name."""
        both = [name for name in self.names if name in OF_CALLS]
        if not both:
            return ""
        return f"; {' and '.join(both)}= by name is an option of the call: give the function's own by its place"

    @property
    def parts(self) -> tuple[Part, ...]:
        """The leaves of x, where they are several: which elements of the vector each is."""
        leaves = [leaf for k in self.wrt for _, leaf in trees.leaves(self.arguments[k])]
        ends = itertools.accumulate(leaf.size for leaf in leaves)
        parts = [Part(f"x_{j}", end - leaf.size, end) for j, (leaf, end) in enumerate(zip(leaves, ends, strict=True))]
        return tuple(parts) if len(parts) > 1 else ()

    def input_names(self) -> list[list[str]]:
        """Return what the leaves of each argument are called: the nodes of the others, and the parts of x."""
        of_x = iter([part.name for part in self.parts] or ["x"])
        first = {k: [next(of_x) for _ in trees.leaves(self.arguments[k])] for k in self.wrt}
        return [
            first[k] if k in first else
            [f"arg{k}_{j}" if isinstance(argument, Branch) else f"arg{k}" for j, _ in enumerate(trees.leaves(argument))]
            for k, argument in enumerate(self.arguments)
        ]  # fmt: skip

    def inputs(self) -> list[Input]:
        """Return the nodes of the runtime values, x first, as `convert` orders them."""
        others = [
            Input(shape=leaf.shape, name=name)
            for k, (argument, names) in enumerate(zip(self.arguments, self.input_names(), strict=True))
            if k not in self.wrt
            for name, (_, leaf) in zip(names, trees.leaves(argument), strict=True)
        ]
        parts = self.parts
        return [Input(shape=self.x_shape, name="x", parts=parts if len(parts) <= MOST_PARTS else ()), *others]

    def stand_ins(self, nodes: Sequence[Input], stand_in: Callable[[Input, int, Leaf], Any]) -> list[Any]:
        """Return arguments whose leaves are made by ``stand_in(node, where it begins, leaf)``."""
        x, others = nodes[0], iter(nodes[1:])
        ends = itertools.accumulate((leaf.size for k in self.wrt for _, leaf in trees.leaves(self.arguments[k])))
        starts = itertools.chain([0], ends)
        made = {k: [stand_in(x, next(starts), leaf) for _, leaf in trees.leaves(self.arguments[k])] for k in self.wrt}
        for k, argument in enumerate(self.arguments):
            if k not in made:
                made[k] = [stand_in(next(others), 0, leaf) for _, leaf in trees.leaves(argument)]
        return [trees.built(argument, iter(made[k])) for k, argument in enumerate(self.arguments)]

    def convert(self, args: Sequence[Any], read: Read | None = None) -> list[Any]:
        """Return x and the other runtime values among `args`, as flat float64 arrays; raise InputError on a misfit.

        ``read(value, leaf, title)`` gives the flat array of a leaf.
        """
        read = checked_leaf if read is None else read
        if len(args) != len(self.arguments):
            raise InputError(f"expected {len(self.arguments)} arguments (x and *args), got {len(args)}{self._taken()}")
        found = [
            [read(value, argument, self._title(k))]
            if isinstance(argument, Leaf)
            else list(self._taken_apart(k, value, read))
            for k, (value, argument) in enumerate(zip(args, self.arguments, strict=True))
        ]
        return self.joined(found)

    def joined(self, found: Sequence[Sequence[np.ndarray]]) -> list[np.ndarray]:
        """Return x, put together in the order of `wrt`, and the other runtime values, given those of each argument."""
        x = [leaf for k in self.wrt for leaf in found[k]]
        others = [leaf for k, leaves in enumerate(found) if k not in self.wrt for leaf in leaves]
        return [x[0] if len(x) == 1 else np.concatenate(x), *others]

    def _taken_apart(self, k: int, value: Any, read: Read | None = None) -> Iterator[np.ndarray]:
        read = checked_leaf if read is None else read
        for path, part, held in trees.taken_apart(self.arguments[k], value, (self._title(k),), ordered=True):
            if isinstance(part, Leaf):
                yield read(held, part, trees.spelled(path))
            elif isinstance(part, Fixed):
                _check_fixed(held, part, trees.spelled(path))

    def unpacked(self) -> Unpacked | None:
        """Return code that takes arguments apart, if they are now what they were; None where there is none."""
        return unpacked(self.arguments, [self._title(k) for k in range(len(self.arguments))])

    def leaves(self, args: Sequence[Any]) -> list[Any]:
        """Return the runtime values among arguments, in order."""
        parts = (trees.taken_apart(a, value) for a, value in zip(self.arguments, args, strict=True))
        return [held for _, part, held in itertools.chain(*parts) if isinstance(part, Leaf)]

    def lie_alike(self, args: Sequence[Any]) -> bool:
        """Tell whether the float arrays among arguments lie in memory as those of the examples do."""
        parts = itertools.chain(*(trees.taken_apart(a, value) for a, value in zip(self.arguments, args, strict=True)))
        pairs = ((part, np.asarray(held)) for _, part, held in parts if isinstance(part, Leaf))
        return all(part.order == Leaf.of_array(array).order for part, array in pairs)

    def _title(self, k: int) -> str:
        return "x" if k in self.wrt and len(self.wrt) == 1 else f"argument {k}"

    def let_go(self, args: Sequence[Any]) -> None:
        """Compare no longer what the function itself has changed in fixed arguments while it was traced."""
        for argument, value in zip(self.arguments, args, strict=True):
            for _, part, held in trees.taken_apart(argument, value):
                if isinstance(part, Fixed):
                    let_go(part.known, held)

    def vector(self, args: Sequence[Any]) -> np.ndarray:
        """Return x among the arguments as a new vector, (n,), of all its leaves."""
        return self.flat_x(tuple(args[k] for k in self.wrt) if len(self.wrt) > 1 else args[self.argnum])

    def flat_x(self, x: Any) -> np.ndarray:
        """Return what is built like x, or like the tuple of arguments that x is, as a vector: the floats in it."""
        args = zip(self.wrt, x if len(self.wrt) > 1 else (x,), strict=True)
        parts = [trees.taken_apart(self.arguments[k], value, (self._title(k),)) for k, value in args]
        return np.concatenate(
            [
                checked_leaf(held, part, trees.spelled(path))
                for path, part, held in itertools.chain(*parts)
                if isinstance(part, Leaf)
            ]
        )

    def with_x(self, args: Sequence[Any], x: np.ndarray) -> tuple[Any, ...]:
        """Return the arguments with another x, given as the vector of all its leaves."""
        new, start = list(args), 0
        for k in self.wrt:
            argument = self.arguments[k]
            leaves = [leaf for _, leaf in trees.leaves(argument)]
            size = sum(leaf.size for leaf in leaves)
            shares = zip(leaves, trees.split(x[start : start + size], argument), strict=True)
            new[k] = trees.built(argument, (share if leaf.number else leaf.placed(share) for leaf, share in shares))
            start += size
        return tuple(new)

    def as_traced(self, args: Sequence[Any]) -> tuple[Any, ...]:
        """Return the arguments as the traced function saw them: the runtime values among them are float64."""
        made = []
        for k, (argument, value) in enumerate(zip(self.arguments, args, strict=True)):
            parts = trees.taken_apart(argument, value, (self._title(k),))
            leaves = [
                float(held) if part.number else real_array(held, trees.spelled(path))
                for path, part, held in parts
                if isinstance(part, Leaf)
            ]
            made.append(trees.built(argument, iter(leaves)))
        return tuple(made)

    def is_built(self, value: Any, result: bool) -> bool:
        """Tell whether a value is a container built as the `result` of the function is, or as x is; or of its axes.

        An array of the shape (size, 1) is one column, whatever it is for.
        """
        if not (isinstance(self.result, Leaf) if result else self.plain):
            return trees.is_tree(value)
        shape = self.result.shape if result and isinstance(self.result, Leaf) else self.x_shape
        return len(shape) > 1 and shape[1:] != (1,) and np.shape(value) == shape

    def flat(self, value: Any) -> np.ndarray:
        """Return a value of the function as a vector, (m,): the rows in order."""
        return np.concatenate([np.ravel(held) for _, _, held in trees.taken_apart(self.result, value)])

    def flat_rows(self, w: Any) -> np.ndarray:
        """Return what is built like the result as a vector, (m,), after a look at the shape of each part."""
        for path, part, held in trees.taken_apart(self.result, w):
            if isinstance(part, Leaf) and np.shape(held) != part.shape:
                raise InputError(f"{trees.spelled(path)} has shape {np.shape(held)}; the result has {part.shape} there")
        return self.flat(w)

    def shaped(self, y: np.ndarray) -> Any:
        """Return a value of the function, (m,), as the function returns it."""
        if isinstance(self.result, Leaf):
            return y.reshape(self.result.shape)
        shares = (np.float64(s) if type(s) is float else s for s in trees.split(y, self.result))
        return trees.built(self.result, shares)

    def like_x(self, g: np.ndarray) -> Any:
        """Return a vector of the size of x, (n,), built like x; like a tuple of arguments where x is several."""
        if self.plain:
            return g.reshape(self.x_shape)
        trees_of_x = [self.with_x([None] * len(self.arguments), g)[k] for k in self.wrt]
        return trees_of_x[0] if len(trees_of_x) == 1 else tuple(trees_of_x)

    def columns(self) -> dict[str, slice]:
        """Return the columns of each leaf of x by name."""
        several = len(self.wrt) > 1
        named = [
            ((self.names[k], *path) if several or not path else path, leaf)
            for k in self.wrt
            for path, leaf in trees.leaves(self.arguments[k])
        ]
        return _slices(named)

    def rows(self) -> dict[str, slice]:
        """Return the rows of each array of the result by name."""
        return _slices([(path or ("f",), leaf) for path, leaf in trees.leaves(self.result)])


def signature_of(f: Callable[..., Any], args: Sequence[Any], argnum: Argnum) -> Signature:
    """Look at example arguments."""
    names = _names(f, len(args))
    chosen: Sequence[Any] = argnum if isinstance(argnum, (tuple, list)) else (argnum,)
    wrt = tuple(_place(a, names) for a in chosen)
    if not wrt or len(set(wrt)) < len(wrt):
        raise InputError(f"argnum={argnum!r} names no argument, or one twice")
    return Signature(tuple(_structure(a, k in wrt, names[k]) for k, a in enumerate(args)), wrt, names)


def _names(f: Callable[..., Any], count: int) -> tuple[str, ...]:
    """Return what a function calls its positional arguments, as far as that can be seen."""
    try:
        found = [
            p
            for p in inspect.signature(f).parameters.values()
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
    except (TypeError, ValueError):
        found = []
    names = [p.name for p in found[:count]]
    return (*names, *(f"argument {k}" for k in range(len(names), count)))


def _place(argnum: int | str, names: tuple[str, ...]) -> int:
    if isinstance(argnum, str):
        if argnum not in names:
            raise InputError(f"argnum={argnum!r}, but the function has arguments {', '.join(names)}")
        return names.index(argnum)
    if isinstance(argnum, bool) or not isinstance(argnum, (int, np.integer)):
        raise InputError(f"argnum must be a number or a name, or several of them, got {argnum!r}")
    if not -len(names) <= argnum < len(names):
        raise InputError(f"argnum={argnum}, but the function is called with {len(names)} arguments")
    return int(argnum) % len(names)


def _structure(value: Any, x: bool, name: str) -> Structure:
    """Return how an argument is built. In containers integers are fixed; x alone may be an array of them, too."""
    try:
        if x and not trees.is_tree(value):
            array = real_array(value, "x")
            return NUMBER if is_number(value) else Leaf.of_array(array)
        found = trees.structure(value)
    except RecursionError:
        raise InputError(
            f"{name} is a container that contains itself, or others more than {sys.getrecursionlimit()} deep; pass "
            "the arrays and floats that the function reads, each once"
        ) from None
    if isinstance(found, Fixed) and isinstance(found.value, Iterator) and not isinstance(found.value, io.IOBase):
        raise InputError(
            f"{name} is a {type(found.value).__name__}, which is used up as it is read, so that no call would see what "
            "the preparation saw; pass a list"
        )
    if x and not any(True for _ in trees.leaves(found)):
        raise InputError(f"{name} holds no float and no float array: there is nothing to differentiate for")
    return found


def of_several(value: Any) -> bool:
    """Tell whether a result has names, or is a sequence that NumPy would not stack: of arrays of different shapes."""
    if is_row(value):
        return False
    parts = trees.parts_of(value)
    if not parts:
        return False
    if type(value) not in (list, tuple):
        return True
    return any(map(of_several, parts.values())) or len({_leaf(part).shape for part in parts.values()}) > 1


def _leaf(part: Any) -> Leaf:
    return Leaf(np.shape(stack_objects(part)), isinstance(part, (int, float, np.generic)))


def result_of(value: Any) -> Structure:
    """Return how the value of a function is built of arrays, without these."""
    return trees.emptied(trees.structure(value, lambda part: None if of_several(part) else _leaf(part)))


def flattened(value: Any) -> Any:
    """Return the value of a function as one vector, in the order of the rows of its Jacobian; of unknowns too."""
    if not of_several(value):
        return np.ravel(value)
    return np.concatenate([np.ravel(part) for _, _, part in trees.taken_apart(result_of(value), value)])


def _slices(named: Sequence[tuple[trees.Path, Leaf]]) -> dict[str, slice]:
    ends = np.cumsum([leaf.size for _, leaf in named]).tolist()
    return {trees.spelled(path): slice(end - leaf.size, end) for (path, leaf), end in zip(named, ends, strict=True)}


def _check_fixed(value: Any, part: Fixed, title: str) -> None:
    if type(value) is int and type(part.value) is int and value == part.value:
        return
    found = difference(part.known, value)
    if found is None:
        return
    name, then, now = found
    raise InputError(
        f"{title}{name} was fixed when the derivative was prepared: {short_repr(then)} then, {short_repr(now)} now; "
        "pass a float or a float array for what changes from call to call, or prepare again"
    )


def short_repr(value: Any) -> str:
    """Return how a value prints, on one line."""
    text = " ".join(repr(value).split())
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
