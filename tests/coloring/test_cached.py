"""Properties that are computed once, in classes that inherit from each other."""

from __future__ import annotations

from coloring.cached import cached_property


class Shape:
    @cached_property
    def parts(self):
        return ["outline"]


class Filled(Shape):
    @cached_property
    def parts(self):
        return [*super().parts, "filling"]


class Plain(Shape):
    pass


def test_the_property_that_asks_super_is_the_one_kept():
    filled = Filled()
    assert filled.parts == filled.parts == ["outline", "filling"]
    assert filled.parts is filled.parts


def test_an_inherited_property_is_kept():
    plain = Plain()
    assert plain.parts is plain.parts
