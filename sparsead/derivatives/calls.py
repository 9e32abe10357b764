"""Calls of prepared derivatives: which keywords are options of the call, and which are arguments of the function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sparsead.contract import AFTER_A_VECTOR
from sparsead.errors import InputError
from sparsead.tracing.arguments import OF_CALLS, Signature

VECTORS = ("v", "w")  # names of the vector of a product


def arranged(
    signature: Signature, name: str, args: tuple[Any, ...], keywords: Mapping[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of a call in order, and its options.

    Parameters
    ----------
    signature : Signature
        Of the function: arguments may be given by its names.
    name : str
        The method that is called: ``(x, *args)``, or ``(x, vector, *args)`` of products.
    args, keywords
        As the user gave them.
    """
    rest = dict(keywords)
    if not args and (first := next((known for known in ("x", "X") if known in rest), None)):
        args = (rest.pop(first),)
    vector: tuple[Any, ...] = ()
    if name in AFTER_A_VECTOR:
        given = next((rest.pop(letter) for letter in VECTORS if letter in rest), None)
        vector, args = (args[1:2], (*args[:1], *args[2:])) if given is None else ((given,), args)
    named = {key: rest.pop(key) for key in list(rest) if key not in OF_CALLS}
    point = signature.placed(args, named) if named else args
    return (*point[:1], *vector, *point[1:]), rest


def refuse_out(out: Any) -> None:
    """Refuse a place for results that become part of a program."""
    if out is not None:
        raise InputError("out= has no meaning inside a function that is differentiated; leave it out")
