"""Change the rules of all operations, one thing at a time, and list what the laws do not notice: ``make mutate``."""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
import numpy as np

from tests.laws import test_registry as laws
from tests.laws.samples import CALLS
from tests.mutation.mutants import Mutant, mutants

#: The laws that a mutant of an operation must break, the quick ones first.
LAWS: tuple[Callable[[Any], None], ...] = (
    laws.test_value_and_jacobian_are_those_of_numpy,
    laws.test_products_agree_with_the_matrix,
    laws.test_second_derivatives,
    laws.test_another_mode_gives_the_same_matrix,
    laws.test_pattern_is_exact_over_generic_points,
)


def is_caught(mutant: Mutant) -> bool:
    """Tell whether a law fails on a sample of the spelling that was changed."""
    calls = [call for call in CALLS.values() if call.spelling == mutant.spelling]
    pairs = [(law, call.call) for law in LAWS for call in calls]
    pairs += [(laws.test_complex_arguments, call.call) for call in calls if call.name in laws.PARTWISE]
    return any(fails(law, sample, mutant) for law, sample in pairs)


def fails(law: Callable[[Any], None], sample: Any, mutant: Mutant) -> bool:
    """Tell whether a law does not hold for a mutant: whatever it breaks, it is noticed."""
    try:
        with quiet(), mutant.active():
            law(sample)
    except Exception:
        return True
    return False


@contextmanager
def quiet() -> Iterator[None]:
    """Leave out the warnings about what mutants compute."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


@click.command(help=__doc__)
@click.argument("spellings", nargs=-1)
def main(spellings: tuple[str, ...]) -> None:
    """Try the mutants of all spellings, or of those that are given."""
    tried: Counter[str] = Counter()
    survivors = []
    for mutant in mutants():
        if spellings and mutant.spelling not in spellings:
            continue
        tried[mutant.spelling] += 1
        if not is_caught(mutant):
            survivors.append(mutant)
            print(f"not noticed: {mutant.spelling}: {mutant.change}", flush=True)
    untouched = sorted({call.spelling for call in CALLS.values()} - set(tried)) if not spellings else []
    print(f"{sum(tried.values())} mutants of {len(tried)} operations, {len(survivors)} survivors")
    if untouched:
        print(f"no mutant of: {', '.join(untouched)}")
    sys.exit(1 if survivors else 0)


if __name__ == "__main__":
    main()
