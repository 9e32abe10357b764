"""The laws notice wrong rules; ``make mutate`` tries all mutants of all operations."""

import pytest

from sparsead.program.scalar import OPS
from tests.mutation.__main__ import is_caught
from tests.mutation.mutants import are_equal, mutants, scalar_mutants

MUTANTS = list(mutants())


def test_every_scalar_operation_has_mutants():
    assert all(list(scalar_mutants(op)) for op in OPS.values())


@pytest.mark.parametrize("mutant", MUTANTS[::37], ids=lambda m: f"{m.spelling}, {m.change}")
def test_mutants_are_caught(mutant):
    assert is_caught(mutant)


def test_a_change_ends():
    before = {name: (op.code, op.partials, op.choice) for name, op in OPS.items()}
    for mutant in MUTANTS:
        with mutant.active():
            pass
    assert {name: (op.code, op.partials, op.choice) for name, op in OPS.items()} == before


def test_rules_with_the_same_values_are_no_mutants():
    add, multiply = OPS["add"].partials, OPS["multiply"].partials
    assert are_equal(*add, 2)
    assert not are_equal(*multiply, 2)
