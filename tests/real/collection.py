"""All cases, in the order of the table."""

from tests.real import batteries, bundle, conservation, elements, kinetics, optimization, power
from tests.real.case import CASES

__all__ = ["CASES", "batteries", "bundle", "conservation", "elements", "kinetics", "optimization", "power"]
