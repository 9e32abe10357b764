"""Scalar operations: the NumPy spelling, the generated code, one partial per operand.

At ties (``abs`` at 0 apart, where the derivative is 0) the first operand is the one that counts: ``maximum(a, b)``
with ``a == b`` has the derivative of `a`. The same choice is made in every mode.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.special

from sparsead.ops.registry import alias, bitwise, elementwise
from sparsead.program.scalar import CALL

# -- truth values: no derivative ----------------------------------------------------------------------------------
greater = elementwise(np.greater, "{0} > {1}", None, None, boolean=True)
greater_equal = elementwise(np.greater_equal, "{0} >= {1}", None, None, boolean=True)
less = elementwise(np.less, "{0} < {1}", None, None, boolean=True)
less_equal = elementwise(np.less_equal, "{0} <= {1}", None, None, boolean=True)
equal = elementwise(np.equal, "{0} == {1}", None, None, boolean=True)
not_equal = elementwise(np.not_equal, "{0} != {1}", None, None, boolean=True)
isnan = elementwise(np.isnan, "{0} != {0}", None, boolean=True)
isfinite = elementwise(np.isfinite, "{0} - {0} == 0.0", None, boolean=True)


def _both(join):
    return lambda x: np.where(join(x > 0.3, x < 0.7), x, 2.0 * x)


logical_and = elementwise(
    np.logical_and, "{0} and {1}", None, None, boolean=True, conditions=(0, 1), sample=_both(np.logical_and)
)
logical_or = elementwise(
    np.logical_or, "{0} or {1}", None, None, boolean=True, conditions=(0, 1), sample=_both(np.logical_or)
)
logical_not = elementwise(
    np.logical_not,
    "not {0}",
    None,
    boolean=True,
    conditions=(0,),
    sample=lambda x: np.where(~(x > 0.5), x, x * x),
)
bitwise(np.bitwise_and, logical_and, _both(np.bitwise_and))
bitwise(np.bitwise_or, logical_or, _both(np.bitwise_or))
bitwise(np.invert, logical_not, lambda x: np.where(np.invert(x > 0.5), x, x * x))

# -- arithmetic ---------------------------------------------------------------------------------------------------
add = elementwise(np.add, "{0} + {1}", lambda x, y: x.pool.constant(1.0), lambda x, y: x.pool.constant(1.0))
subtract = elementwise(np.subtract, "{0} - {1}", lambda x, y: x.pool.constant(1.0), lambda x, y: x.pool.constant(-1.0))
multiply = elementwise(np.multiply, "{0} * {1}", lambda x, y: y, lambda x, y: x)
divide = elementwise(np.divide, "{0} / {1}", lambda x, y: 1.0 / y, lambda x, y: -(x / y) / y, singular=True)
negative = elementwise(np.negative, "-{0}", lambda x: x.pool.constant(-1.0))


def _power_by_base(x, y):
    """Derivative of x**y in x; 0 at x = y = 0, since x**0 is 1 also there."""
    return select(logical_and(equal(x, 0.0), equal(y, 0.0)), 0.0, y * x ** (y - 1.0))


def _power_by_exponent(x, y):
    """Derivative of x**y in y; 0 at x = 0, where log(x) has no value and x**y is flat for y > 0."""
    return select(equal(x, 0.0), 0.0, x**y * log(x))


power = elementwise(np.power, "{0} ** {1}", _power_by_base, _power_by_exponent, singular=True, cost=CALL)
alias(np.float_power, power)
square = elementwise(np.square, "{0} * {0}", lambda x: 2.0 * x)
reciprocal = elementwise(np.reciprocal, "1.0 / {0}", lambda x: -1.0 / (x * x), singular=True)
sqrt = elementwise(np.sqrt, "sqrt({0})", lambda x: 0.5 / sqrt(x), singular=True, cost=CALL)
cbrt = elementwise(np.cbrt, "cbrt({0})", lambda x: 1.0 / (3.0 * cbrt(x) * cbrt(x)), singular=True, cost=CALL)


# -- choices ------------------------------------------------------------------------------------------------------
def _chosen(choose):
    """Sample a choice between operands whose derivatives are finite everywhere, and of which one is not."""
    return (lambda x: choose(x, x[:, ::-1]), lambda x: choose(np.sqrt(x), x / math.sqrt(0.5)))


select = elementwise(
    np.where,
    "({1} if {0} else {2})",
    conditions=(0,),
    choice=lambda c, x, y: (c, x, y),
    sample=(lambda x: np.where(x > 0.5, x * x, np.sin(x)), lambda x: np.where(x > 0.5, np.sqrt(x), 1.0 / x)),
)
maximum = elementwise(
    np.maximum,
    "({0} if {0} >= {1} or {0} != {0} else {1})",
    choice=lambda x, y: (x_ge(x, y), x, y),
    sample=_chosen(np.maximum),
)
minimum = elementwise(
    np.minimum,
    "({0} if {0} <= {1} or {0} != {0} else {1})",
    choice=lambda x, y: (x_le(x, y), x, y),
    sample=_chosen(np.minimum),
)
fmax = elementwise(
    np.fmax,
    "({0} if {0} >= {1} or {1} != {1} else {1})",
    choice=lambda x, y: (logical_or(x_ge(x, y), isnan(y)), x, y),
    sample=_chosen(np.fmax),
)
fmin = elementwise(
    np.fmin,
    "({0} if {0} <= {1} or {1} != {1} else {1})",
    choice=lambda x, y: (logical_or(x_le(x, y), isnan(y)), x, y),
    sample=_chosen(np.fmin),
)
x_ge, x_le = greater_equal, less_equal
sign = elementwise(
    np.sign, "(1.0 if {0} > 0.0 else (-1.0 if {0} < 0.0 else {0}))", None, sample=lambda x: x * np.sign(x)
)
absolute = elementwise(np.absolute, "abs({0})", lambda x: sign(x), sample=lambda x: np.abs(x - 0.5))
alias(np.fabs, absolute, lambda x: np.fabs(x - 0.5))
copysign = elementwise(np.copysign, "copysign({0}, {1})", lambda x, y: sign(x) * copysign(1.0, y), None)
heaviside = elementwise(
    np.heaviside, "(0.0 if {0} < 0.0 else ({1} if {0} == 0.0 else (1.0 if {0} > 0.0 else {0})))", None,
    lambda x, y: select(equal(x, 0.0), 1.0, 0.0),
    sample=(lambda x: x * np.heaviside(x - 0.5, 0.5), lambda x: np.heaviside(np.floor(x), x)),
)  # fmt: skip

# -- exponentials and logarithms ----------------------------------------------------------------------------------
exp = elementwise(np.exp, "exp({0})", lambda x: exp(x), cost=CALL)
exp2 = elementwise(np.exp2, "exp2({0})", lambda x: math.log(2.0) * exp2(x), cost=CALL)
expm1 = elementwise(np.expm1, "expm1({0})", lambda x: exp(x), cost=CALL)
log = elementwise(np.log, "log({0})", lambda x: 1.0 / x, singular=True, cost=CALL)
log2 = elementwise(np.log2, "log2({0})", lambda x: (1.0 / math.log(2.0)) / x, singular=True, cost=CALL)
log10 = elementwise(np.log10, "log10({0})", lambda x: (1.0 / math.log(10.0)) / x, singular=True, cost=CALL)
log1p = elementwise(np.log1p, "log1p({0})", lambda x: 1.0 / (1.0 + x), singular=True, cost=CALL)

# -- trigonometric and hyperbolic functions -----------------------------------------------------------------------
sin = elementwise(np.sin, "sin({0})", lambda x: cos(x), cost=CALL)
cos = elementwise(np.cos, "cos({0})", lambda x: -sin(x), cost=CALL)
tan = elementwise(np.tan, "tan({0})", lambda x: 1.0 + tan(x) * tan(x), cost=CALL)
arcsin = elementwise(np.arcsin, "asin({0})", lambda x: 1.0 / sqrt((1.0 - x) * (1.0 + x)), singular=True, cost=CALL)
arccos = elementwise(np.arccos, "acos({0})", lambda x: -1.0 / sqrt((1.0 - x) * (1.0 + x)), singular=True, cost=CALL)
arctan = elementwise(np.arctan, "atan({0})", lambda x: 1.0 / (1.0 + x * x), cost=CALL)
arctan2 = elementwise(
    np.arctan2,
    "atan2({0}, {1})",
    lambda y, x: x / hypot(x, y) / hypot(x, y),  # a sum of squares leaves the range of numbers early
    lambda y, x: -y / hypot(x, y) / hypot(x, y),
    singular=True,
    cost=CALL,
)
hypot = elementwise(
    np.hypot,
    "hypot({0}, {1})",
    lambda x, y: x / hypot(x, y),
    lambda x, y: y / hypot(x, y),
    singular=True,
    cost=CALL,
)
sinh = elementwise(np.sinh, "sinh({0})", lambda x: cosh(x), cost=CALL)
cosh = elementwise(np.cosh, "cosh({0})", lambda x: sinh(x), cost=CALL)
tanh = elementwise(np.tanh, "tanh({0})", lambda x: 1.0 - tanh(x) * tanh(x), cost=CALL)
arcsinh = elementwise(np.arcsinh, "asinh({0})", lambda x: 1.0 / hypot(x, 1.0), cost=CALL)
arccosh = elementwise(
    np.arccosh,
    "acosh({0})",
    lambda x: 1.0 / (sqrt(x - 1.0) * sqrt(x + 1.0)),
    singular=True,
    sample=lambda x: np.arccosh(x + 1.5),
    cost=CALL,
)
arctanh = elementwise(np.arctanh, "atanh({0})", lambda x: 1.0 / ((1.0 - x) * (1.0 + x)), singular=True, cost=CALL)

# -- special functions --------------------------------------------------------------------------------------------
erf = elementwise(scipy.special.erf, "erf({0})", lambda x: (2.0 / math.sqrt(math.pi)) * exp(-(x * x)), cost=CALL)
erfc = elementwise(scipy.special.erfc, "erfc({0})", lambda x: (-2.0 / math.sqrt(math.pi)) * exp(-(x * x)), cost=CALL)

# -- steps: constant between jumps --------------------------------------------------------------------------------
floor = elementwise(np.floor, "floor({0})", None, sample=lambda x: x * np.floor(5.0 * x))
ceil = elementwise(np.ceil, "ceil({0})", None, sample=lambda x: x * np.ceil(5.0 * x))
trunc = elementwise(np.trunc, "trunc({0})", None, sample=lambda x: x * np.trunc(5.0 * x))
rint = elementwise(np.rint, "rint({0})", None, sample=lambda x: x * np.rint(5.0 * x))
fmod = elementwise(
    np.fmod,
    "fmod({0}, {1})",
    lambda x, y: x.pool.constant(1.0),
    lambda x, y: -rint((x - fmod(x, y)) / y),  # trunc(x / y) is one too many where rounding made x / y whole
    sample=lambda x: np.fmod(2.5 + x, 1.0 + x),
    jumps=True,
    cost=CALL,
)
