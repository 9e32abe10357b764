"""Boxes and what is outside of them."""

from __future__ import annotations

import numpy as np
import pytest

from sparsead.sweeps.boxes import common, outside, points_outside, steps, steps_up


@pytest.mark.parametrize(("domain", "box"), [((5,), ((1, 3),)), ((4, 6), ((1, 4), (0, 5))), ((3, 4, 5), ((1, 2),) * 3)])
def test_boxes_make_up_what_is_outside_once(domain, box):
    count = np.zeros(domain, dtype=int)
    for part in outside(domain, box):
        count[tuple(slice(*ends) for ends in part)] += 1
    count[tuple(slice(*ends) for ends in box)] += 1
    assert (count == 1).all()
    inside = np.ones(domain, dtype=bool)
    inside[tuple(slice(*ends) for ends in box)] = False
    for found, wanted in zip(points_outside(domain, box), np.nonzero(inside), strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_nothing_is_outside_of_the_whole():
    assert points_outside((3, 4), ((0, 3), (0, 4)))[0].size == 0


def test_shifts_stay_inside_of_what_is_common():
    shifts = [(1, 0), (-2, 3), (0, -1)]
    box = common((9, 8), shifts)
    assert box == ((2, 8), (1, 5))


@pytest.mark.parametrize("strides", [(1,), (-3,), (50, 1), (1, 50), (-50, 2)])
def test_steps_make_up_a_distance(strides):
    shift = tuple(range(2, 2 + len(strides)))
    distance = sum(s * k for s, k in zip(strides, shift, strict=True))
    assert steps(distance, strides) == (shift, 0)


def test_what_no_steps_make_up_is_left():
    assert steps(7, (4,)) == ((2,), -1)


@pytest.mark.parametrize("strides", [(898, 9), (9, 898), (598, 6), (-40, 5), (40, -5), (7,), (0, 3)])
def test_steps_up_end_less_than_a_step_beyond(strides):
    for distance in range(-100, 100):
        beyond = np.dot(steps_up(distance, strides), strides) - distance
        assert 0 <= beyond < min(abs(n) for n in strides if n)
