"""The families of operations, and the record that tests and docs read.

A module of this package states an operation with one call of a function below; shape, broadcasting, pattern,
derivatives of every order and loop bodies follow from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any

import numpy as np

from sparsead.errors import SparseADError, unsupported
from sparsead.ops.arrays import any_traced, apply, assembled, known, moved
from sparsead.ops.binding import Bound
from sparsead.ops.signatures import signature_of
from sparsead.program.room import require_numbers, require_room
from sparsead.program.scalar import Op, Rule, define
from sparsead.tracing.array import TracedArray, traced_in
from sparsead.tracing.complex import COMPLEX_HANDLERS
from sparsead.tracing.conversions import stack_objects, traced
from sparsead.tracing.known import on_values
from sparsead.tracing.late import AS_NUMPY, HANDLERS, MOVEMENTS, UFUNC_METHODS
from sparsead.tracing.positioned import Positioned
from sparsead.tracing.probing import as_returned, instead_of
from sparsead.tracing.replacing.names import patch, patch_later

Sample = Callable[[np.ndarray], Any]


@dataclass(frozen=True)
class Entry:
    """What is registered for one spelling: its family and sample calls that use it.

    Each sample takes a float array of shape (3, 4) with distinct entries in (0.1, 0.9).
    """

    family: str
    spelling: str
    samples: tuple[Sample, ...]


REGISTRY: list[Entry] = []
REFUSED: dict[str, str] = {}


def record(family: str, spelling: str, samples: Sequence[Sample]) -> None:
    """Add an entry to the list of supported spellings."""
    REGISTRY.append(Entry(family, spelling, tuple(samples)))


def spelling_of(func: Callable[..., Any]) -> str:
    """Return how users write `func`: ``np.sin``, ``scipy.special.erf``."""
    if isinstance(func, np.ufunc):
        return f"np.{func.__name__}" if getattr(np, func.__name__, None) is func else f"scipy.special.{func.__name__}"
    home = getattr(func, "__module__", None) or ""
    module = home.split("._")[0]  # scipy.special._logsumexp is an address, not a spelling
    return f"{module}.{func.__name__}".replace("numpy", "np").replace("np.lib.scimath", "np.emath")


def rule_of(func: Callable[..., Any]) -> Rule:
    """Return the rule that is stated for a function."""
    bound = HANDLERS[func]
    assert isinstance(bound, Bound)
    return bound.rule


def state(
    func: Callable[..., Any], rule: Rule, stated: Iterable[str] | None = None, as_given: str | None = None
) -> None:
    """Let calls of `func` go to `rule`, with the arguments bound by NumPy's own signature.

    The rule knows the parameters that it has, or those that are `stated`; the one named `as_given` reaches it as it
    is, not as an array.
    """
    HANDLERS[func] = Bound(func, spelling_of(func), rule, stated=stated, as_given=as_given)


# -- elementwise ------------------------------------------------------------------------------------------------
def elementwise(
    numpy: Callable[..., Any],
    code: str,
    *partials: Rule | None,
    sample: Sample | Sequence[Sample] | None = None,
    boolean: bool = False,
    conditions: tuple[int, ...] = (),
    choice: Rule | None = None,
    singular: bool = False,
    jumps: bool = False,
    cost: int = 1,
) -> Op:
    """State a scalar operation: the NumPy ufunc, its generated code, and one partial per operand.

    Parameters
    ----------
    numpy : callable
        The spelling; a ufunc, or ``np.where``.
    code : str
        Generated expression, ``{0}``, ``{1}``, ... for the operands.
    *partials : callable or None
        From the operands to the partial derivative; None where it is zero everywhere. A choice has none to state.
    sample : callable or sequence of callable, optional
        Calls on a (3, 4) array with entries in (0.1, 0.9); by default on the array (and its mirror image).
    boolean : bool
        True where the result is a truth value.
    conditions : tuple of int
        Operands that are truth values.
    choice, singular
        See `Op`.
    jumps : bool
        True where the value jumps although both partials are stated; conditions and steps do anyhow.
    cost : int
        Scalar operations that it comes to; `CALL` for a function of the math library.
    """
    name = "select" if numpy is np.where else numpy.__name__
    if choice is not None:
        partials = tuple(None if k in conditions else _if_chosen for k in range(len(signature(choice).parameters)))
    jumps = jumps or boolean or any(p is None for k, p in enumerate(partials) if k not in conditions)
    op = define(Op(name, numpy, code, partials, cost, boolean, choice, singular, conditions, jumps))

    def rule(*operands: Any) -> TracedArray:
        if len(operands) < op.arity:
            raise unsupported(f"{spelling_of(numpy)} of {len(operands)} arguments", f"Give all {op.arity} of them.")
        return apply(op, operands, conditions)

    if isinstance(numpy, np.ufunc):
        state(numpy, rule)
    else:  # its operands have names
        names = list(signature_of(numpy).parameters)[: op.arity]
        state(numpy, lambda *args, **named: rule(*args, *(named[n] for n in names if n in named)), names)
    if sample is None:
        sample = (lambda x: np.where(_on_mirrored(numpy, op)(x), x, 2.0 * x)) if boolean else _on_mirrored(numpy, op)
    record("elementwise", spelling_of(numpy), [sample] if callable(sample) else sample)
    return op


def _if_chosen(*operands: Any) -> float:
    """Return the partial derivative of a choice where it takes this operand; derivatives are chosen as values are."""
    return 1.0


def _on_mirrored(numpy: Callable[..., Any], op: Op) -> Sample:
    """Return the call of a function on an array and, if it has two operands, its mirror image."""
    return (lambda x: numpy(x, x[:, ::-1])) if op.arity == 2 else numpy


def alias(numpy: Callable[..., Any], op: Op, *samples: Sample) -> None:
    """State that `numpy` means the same as a scalar operation that is registered already."""
    state(numpy, rule_of(op.numpy))
    record("elementwise", spelling_of(numpy), samples or [_on_mirrored(numpy, op)])


def bitwise(numpy: Callable[..., Any], op: Op, *samples: Sample) -> None:
    """State that `numpy` means, for truth values, the same as a logical operation; for floats it means nothing."""

    def rule(*operands: Any) -> TracedArray:
        kinds = {getattr(stack_objects(o), "dtype", np.result_type(type(o))).kind for o in operands}
        if kinds & {"f", "c"}:
            raise TypeError(
                f"ufunc '{numpy.__name__}' not supported for the input types, and the inputs could not be safely "
                "coerced to any supported types according to the casting rule 'safe'"
            )
        if kinds != {"b"}:
            raise unsupported(f"{spelling_of(numpy)} of integers", "Make them conditions: a != 0.")
        return apply(op, operands, op.conditions)

    state(numpy, rule)
    record("elementwise", spelling_of(numpy), samples)


# -- movement ---------------------------------------------------------------------------------------------------
def movement(
    func: Callable[..., Any], *samples: Sample, argument: int = 0, size: Callable[..., float] | None = None
) -> None:
    """State that `func` only moves the elements of one array, the given argument.

    What makes more of them has a `size`, found from the array and the second argument.
    """
    parameters = list(signature_of(func).parameters)
    name, what = parameters[argument], f"the positions that {spelling_of(func)} makes"

    def rule(*args: Any, **kwargs: Any) -> Any:
        given: dict[Any, Any] = dict(enumerate(args)) | kwargs
        key: Any = argument if argument in given else name
        given_array = given.pop(key)
        array = stack_objects(given_array)
        names = dict(enumerate(parameters))
        settings = {k: known(v, f"{spelling_of(func)} with {names.get(k, k)}=") for k, v in given.items()}
        array = array if isinstance(array, Positioned) else traced(array)
        positions = array.positions[()] if type(array) is not type(given_array) else array.positions
        if size is not None:
            require_room(8.0 * size(positions, *[v for k, v in settings.items() if k in (1, parameters[1])]), what)
        placed = [positions if k == key else settings.pop(k) for k in range(len(args))]
        return moved(array, func(*placed, **settings, **({} if key == argument else {name: positions})))

    AS_NUMPY.add(func)
    MOVEMENTS.add(func)
    state(func, rule, stated={*parameters} - {"out"}, as_given=name)
    COMPLEX_HANDLERS[func] = HANDLERS[func]
    record("movement", spelling_of(func), samples)


def assembling(
    func: Callable[..., Any], *samples: Sample, arrays: int = 1, size: Callable[..., float] | None = None
) -> None:
    """State that `func` builds an array of elements of its first `arrays` arguments and of zeros.

    An argument is an array or a (nested) sequence of arrays; constants among them are welcome. What may be larger than
    all of them together has a `size`, found from the arguments.
    """
    parameters = list(signature_of(func).parameters)

    def rule(*args: Any, **kwargs: Any) -> TracedArray:
        given = dict(zip(parameters, args, strict=False)) | kwargs
        operands = [given.pop(name) for name in parameters[:arrays]]
        if size is not None:
            require_numbers(size(*operands, **given), spelling_of(func))
        return assembled(lambda *numbered: func(*numbered, **given), *operands)

    state(func, rule, stated={*parameters} - {"out", "dtype", "casting"})
    record("assembly", spelling_of(func), samples)


# -- reductions and compositions --------------------------------------------------------------------------------


def composite(
    func: Callable[..., Any], *samples: Sample, family: str = "composite", as_given: str | None = None
) -> Callable[[Rule], Rule]:
    """State `func` by a definition in terms of other traced operations (used as a decorator)."""

    def register(definition: Rule) -> Rule:
        state(func, definition, as_given=as_given)
        if family == "movement":  # of complex arrays too
            COMPLEX_HANDLERS[func] = HANDLERS[func]
        record(family, spelling_of(func), samples)
        return definition

    return register


def _returned(bound: Bound, func: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    if not any_traced(args, kwargs):
        return on_values(func, args, kwargs)
    call = (func, args, kwargs)
    try:
        return as_returned(bound(*args, **kwargs), call)
    except (SparseADError, MemoryError):
        raise
    except Exception as error:
        instead_of(error, call)


def patched(func: Callable[..., Any], *samples: Sample, family: str = "patched") -> Callable[[Rule], Rule]:
    """State by a definition a function that does not dispatch; while tracing it is replaced (used as a decorator)."""

    def register(definition: Rule) -> Rule:
        bound = Bound(func, spelling_of(func), definition)

        def call(*args: Any, **kwargs: Any) -> Any:
            return _returned(bound, func, args, kwargs)

        patch(func, call)
        record(family, spelling_of(func), samples)
        return definition

    return register


def patched_later(module: str, name: str, *samples: Sample, of: str = "") -> Callable[[Rule], Rule]:
    """State the same of a function in a module that is not imported for it (used as a decorator).

    What it is `of` tells its entry from one of the objects that it makes: ``"unknown ordinates"``.
    """

    def register(definition: Rule) -> Rule:
        def call(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            bound = Bound(original, f"{module}.{name}", definition)
            return _returned(bound, original, args, kwargs)

        patch_later(module, name, call)
        record("patched", f"{module}.{name} of {of}" if of else f"{module}.{name}", samples)
        return definition

    return register


def ufunc_method(ufunc: np.ufunc, method: str, *samples: Sample) -> Callable[[Rule], Rule]:
    """State a method of a ufunc (``np.add.reduce``) by a definition (used as a decorator)."""

    def register(definition: Rule) -> Rule:
        spelling = f"np.{ufunc.__name__}.{method}"
        UFUNC_METHODS[ufunc, method] = Bound(ufunc, spelling, definition, method)
        record("ufunc method", spelling, samples)
        return definition

    return register


def refused(*functions: Callable[..., Any], because: str, instead: str, dispatching: bool = True) -> None:
    """State that functions have no sound derivative here, with the reason and the next step.

    Those that are not `dispatching` never ask an array what to do, and are replaced while tracing.
    """
    for func in functions:
        _refuse(func, f"{because} {instead}", dispatching)


def _refuse(func: Callable[..., Any], reason: str, dispatching: bool) -> None:
    """State the same of one; the caller's keywords are all its own, ``func=`` among them."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise unsupported(spelling_of(func), reason, final=True)

    def call(*args: Any, **kwargs: Any) -> Any:
        held = list(traced_in([args, kwargs]))
        if not held or not all(part.is_constant for part in held):
            return (refuse if held else func)(*args, **kwargs)
        return on_values(func, args, kwargs)

    if dispatching:
        HANDLERS[func] = refuse
    else:
        patch(func, call)
    REFUSED[spelling_of(func)] = reason


def query(func: Callable[..., Any], answer: Rule, *samples: Sample, as_given: str | None = None) -> None:
    """State that `func` asks only for what is known while tracing."""
    state(func, answer, as_given=as_given)
    record("query", spelling_of(func), samples)
