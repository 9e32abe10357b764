"""Properties that are computed once."""

from __future__ import annotations

from coloring.cached import cached_property


class Base:
    @cached_property
    def parts(self):
        return ["base"]


class Derived(Base):
    @cached_property
    def parts(self):
        return [*super().parts, "derived"]


def test_a_property_that_asks_its_base_class_has_a_value_of_its_own():
    for made, expected in ((Base(), ["base"]), (Derived(), ["base", "derived"])):
        assert made.parts == expected
        assert made.parts is made.parts
