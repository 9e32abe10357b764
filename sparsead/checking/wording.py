"""What the check of a preparation says where a comparison needs more than numbers."""

from __future__ import annotations

CHANGES = (
    "It is no function of its arguments: it draws random numbers, reads a clock, or goes on from what a call before\n"
    "       has left. What that was while it was traced would stay fixed. Draw outside and pass the numbers as an\n"
    "       argument; or make the generator inside, with a seed: np.random.default_rng(0)."
)
ISOLATED = "at no point near x0 that was tried are the recorded branches the same: no values were compared there"
SEARCH = (
    "What a search by choices (bisection) ends at is made of constants, and has no derivative here. Write it\n"
    "       by sparsead.extend.implicit or scipy.optimize.brentq, or end it with one step of Newton's method. If\n"
    "       steps are what you want, the derivative is zero: check=False takes it."
)
