"""Why a target is missed, or why something else is faster: shown in the report only where that is so.

The key is the claim of a target or the name of a problem. Each sentence is one that a measurement bears out.
"""

CALL = (
    "at these sizes the call counts: some 8 microseconds for checking x, the arguments and `out=` and for entering "
    "the loop, against less than one for a call of a numba function."
)
POWER = (
    "four products with the constant matrices G and B are four intermediate arrays, whose derivatives are four sparse "
    "matrices with the pattern of the network; each is added into both halves of the Jacobian through tables of "
    "positions: twelve indexed additions where the loop by hand writes four values."
)

REASONS: dict[str, str] = {
    "bratu": CALL,
    "broyden": CALL,
    "brusselator": CALL,
    "rosenbrock": CALL,
    "power-flow": f"at 22 unknowns the call counts, which takes some 8 microseconds; beyond, {POWER}",
    "network": POWER,
    "hyperelastic": (
        "the loop by hand builds each 3 x 3 block from two vectors and adds it row by row, which takes knowing the "
        "tangent in closed form. Here the derivatives of the nine stresses by all twelve displacements of an element "
        "are stored as an intermediate matrix, which is then multiplied by the gradients; every product is added "
        "through a table of positions."
    ),
    "minimal surface of 300 x 300 free heights: time of the hessian / f in NumPy": (
        "the loop by hand misses it as well (2.1 times f at 150 x 150): f takes one square root for a triangle, the "
        "Hessian a division besides, and six different entries of each."
    ),
    "AC power flow of 500 x 14 buses: time of the jacobian / f in NumPy": POWER,
    "AC power flow, PEGASE, 9241 buses: time of the jacobian / f in NumPy": POWER,
}
