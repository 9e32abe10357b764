"""Prepared objects in other processes: how they were prepared is sent, and they are prepared again there.

Nothing of the compiled code travels. The function and its arguments are pickled by the usual rules; a function that
has no importable name (a lambda, a closure) goes through cloudpickle, where that is installed. The other process
traces the function again when the object is first used, with the mode and the coloring that were chosen here, and
compares a hash of what it traced with one made here, so that a function which has changed in between is refused.
Schedulers send an object with every task that needs it: it is prepared once, as long as the last tasks were about it.
"""

from __future__ import annotations

import pickle
import uuid
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self
from weakref import WeakValueDictionary

from sparsead.errors import InputError
from sparsead.forks import ProcessLock
from sparsead.keeping.saving import arrays_of, chosen, coloring_in
from sparsead.kernels.fingerprint import fingerprint
from sparsead.kernels.kernel import Kernels

KEPT = 2  # objects that were prepared again and stay though nobody holds them: the next task brings them once more

_lock = ProcessLock()
_again: WeakValueDictionary[str, Any] = WeakValueDictionary()  # what was prepared again in this process, by its origin
_latest: deque[Any] = deque(maxlen=KEPT)
_probing: ContextVar[bool] = ContextVar("sparsead_probing", default=False)


@dataclass(frozen=True)
class Recipe:
    """How something was prepared: what `again(function, args, options)` needs.

    Attributes
    ----------
    again : callable
        A function of a module, so that it can be pickled by name.
    function : callable
        What was differentiated.
    args : tuple
        The example arguments.
    options : Any
        Whatever else it takes.
    """

    again: Callable[[Any, tuple[Any, ...], Any], Any]
    function: Any
    args: tuple[Any, ...]
    options: Any


class Sendable:
    """Base of prepared objects: pickled as a recipe, prepared again at the first use after that.

    At the first use, not before: an object that holds a derivative of its own method is not whole until it has been
    unpickled altogether.
    """

    recipe: Recipe
    kernels: Kernels

    @property
    def _marking(self) -> Kernels:
        """What tells whether it computes the same in another process."""
        return self.kernels

    def _to_send(self) -> Recipe:
        """Return the recipe for another process."""
        return self.recipe

    def __reduce__(self) -> tuple[Any, ...]:
        origin = self.__dict__.setdefault("_origin", uuid.uuid4().hex)
        return sendable(
            self.recipe.function, _waiting, (type(self), self._to_send(), fingerprint(self._marking), origin)
        )

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # nothing in it changes

    if not TYPE_CHECKING:  # a name that no prepared object has is an error to a type checker

        def __getattr__(self, name: str) -> Any:
            """Prepare again, if that has not been done; attributes that are there never come this way."""
            with _lock.held():
                if "_sent" in self.__dict__ and not name.startswith("__"):
                    self.__dict__.update(_restored(*self.__dict__["_sent"]).__dict__)
                    del self.__dict__["_sent"]
                    return getattr(self, name)
            if name in self.__dict__:  # another thread was faster
                return self.__dict__[name]
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


def _waiting(kind: type[Sendable], recipe: Recipe, mark: str, origin: str) -> Sendable:
    """Return an object that will be prepared when it is first used."""
    made = kind.__new__(kind)
    made.__dict__ |= {"_sent": (recipe, mark, origin), "_origin": origin}
    return made


def with_coloring(recipe: Recipe, prepared: Any) -> Recipe:
    """Return the recipe of a prepared matrix, whose mode and coloring are known by now."""
    mode, colored = chosen(prepared)
    order = "auto" if mode == prepared.mode else recipe.options.order
    options = replace(recipe.options, mode=mode, coloring=None, order=order, check=False)
    arrays = None if colored is None else arrays_of(prepared)
    return Recipe(_matrix_again, (recipe.again, recipe.function), recipe.args, (options, arrays))


def _matrix_again(made: tuple[Any, Any], args: tuple[Any, ...], given: tuple[Any, Any]) -> Any:
    """Prepare a matrix again, with its coloring if it has one."""
    (again, function), (options, arrays) = made, given
    colored = None if arrays is None else coloring_in(arrays, "the pickle")[1]
    return again(function, args, replace(options, coloring=colored))


def _restored(recipe: Recipe, mark: str, origin: str) -> Any:
    """Prepare again, in the process that unpickles, unless that has been done for the same object."""
    if (prepared := _again.get(origin)) is not None:
        return prepared
    try:
        prepared = recipe.again(recipe.function, recipe.args, recipe.options)
    except Exception as error:
        error.add_note("A derivative that was pickled elsewhere was being prepared again, at its first use.")
        raise
    if fingerprint(prepared._marking) != mark:
        raise InputError(
            f"{prepared.program.name} computes something else in this process than where its derivative was pickled; "
            "its code, or a global value that it reads, has changed. Prepare the derivative here"
        )
    prepared.__dict__["_origin"] = origin
    _again[origin] = prepared
    _latest.append(prepared)
    return prepared


def sendable(function: Any, call: Callable[..., Any], parts: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return what makes ``call(*parts)`` in another process, when `parts` hold a function that pickle may refuse."""
    problem = None if _probing.get() else _problem_of(function)
    return (call, parts) if problem is None else (_unpacked, (_packed((call, parts), problem),))


def _unpacked(packed: bytes) -> Any:
    call, parts = pickle.loads(packed)  # inside a pickle already, made by `_packed`
    return call(*parts)


def _problem_of(function: Any) -> Exception | None:
    """Return why plain pickle cannot send a function; None if it can."""
    token = _probing.set(True)
    try:
        pickle.dumps(function)
    except Exception as error:  # whatever an object may raise in its own __reduce__
        return error
    finally:
        _probing.reset(token)
    return None


def _packed(made: tuple[Any, ...], problem: Exception) -> bytes:
    """Return what cloudpickle makes of it; raise PicklingError, with what to do, if that fails too."""
    token = _probing.set(True)
    try:
        import cloudpickle

        return cloudpickle.dumps(made)
    except ImportError:
        advice = "install cloudpickle, or define the function at the top level of a module"
    except Exception as error:  # as above
        problem, advice = error, "cloudpickle cannot send it either; prepare the derivative in the other process"
    finally:
        _probing.reset(token)
    raise pickle.PicklingError(f"this derivative cannot be pickled, because its function cannot ({problem}); {advice}")
