"""All cases, in the order of the table."""

from tests.real import (
    batteries,
    bundle,
    communities,
    conservation,
    elements,
    kinetics,
    optimization,
    packages,
    power,
    simulations,
)
from tests.real.case import CASES

__all__ = [
    "CASES",
    "batteries",
    "bundle",
    "communities",
    "conservation",
    "elements",
    "kinetics",
    "optimization",
    "packages",
    "power",
    "simulations",
]
