"""Random programs against complex steps and differences: one program, and one way to differentiate it, per seed."""

from __future__ import annotations

from collections import Counter
from random import Random

from sparsead.errors import SparseADError
from tests.laws.checks import Setting, UndecidedError, check
from tests.laws.programs import random_program


def attempt(seed: int) -> Counter[str]:
    """Check the program of a seed and return what was counted; raise AssertionError with the program if it is wrong."""
    return attempt_with(Random(seed))


def attempt_with(random: Random) -> Counter[str]:
    """Check a program drawn from `random`."""
    program = random_program(random, smooth=random.random() < 0.6)
    setting = Setting.drawn(random)
    counts = Counter(programs=1, smooth=int(program.smooth))
    counts.update({f"statement {kind}": n for kind, n in program.kinds.items()})
    counts.update({f"call {spelling}": n for spelling, n in program.spellings.items()})
    counts.update([f"{setting.derivative} {setting.mode}", f"back end {setting.backend}", f"order {setting.order}"])
    try:
        counts += check(program, setting, random)
    except UndecidedError:
        counts["undecided"] += 1
    except SparseADError as refusal:
        raise AssertionError(f"refused: {refusal}\n{setting}\n{program!r}") from refusal
    except Exception as error:
        raise AssertionError(f"{type(error).__name__}: {error}\n{setting}\n{program!r}") from error
    return counts
