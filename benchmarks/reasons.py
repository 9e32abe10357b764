"""Why a target is missed, or why something else is faster: shown in the report only where that is so.

The key is the claim of a target or the name of a problem. Each sentence is one that a measurement bears out.
"""

CALL = (
    "at these sizes the call counts: about one microsecond for checking x, the arguments and `out=` and for entering "
    "the loop, against a third of that for a call of a numba function."
)
POWER = (
    "the loop by hand reads each entry of the admittance matrix once, as a complex number; here the parts of entries "
    "that are stored in different ways are loops of their own, and the network is compared at each call."
)
VALUE = (
    "the value has a loop of its own, which takes 0.3 to 0.6 of the time of the Jacobian's, and one more new array. "
    "With a Jacobian at a sixth to a half of f in NumPy there is little room for a third."
)

REASONS: dict[str, str] = {
    "bratu": CALL,
    "broyden": CALL,
    "brusselator": CALL,
    "rosenbrock": (
        f"up to some thousand variables the call counts: {CALL.partition(': ')[2]} Beyond, the loop by hand has the "
        "second derivative in closed form, seven operations a variable; ours has ten, as the function is written."
    ),
    "power-flow": f"at 22 unknowns the call counts, which takes two microseconds with a network; beyond, {POWER}",
    "network": POWER,
    "hyperelastic": (
        "the loop by hand builds each 3 x 3 block from two vectors and adds it row by row, which takes knowing the "
        "tangent in closed form. Here an element is one loop body without intermediate arrays, but the chain rule "
        "goes through the nine stresses, by 1,160 operations an element; and x, arguments and entries are reached "
        "by 18 tables of positions, which are read from memory again at each call."
    ),
    "minimal surface of 300 x 300 free heights: time of the hessian / f in NumPy": (
        "the loop by hand misses it as well (2.1 times f at 150 x 150): f takes one square root for a triangle, the "
        "Hessian a division besides, and six different entries of each."
    ),
    "AC power flow of 500 x 14 buses: time of the jacobian / f in NumPy": POWER,
    "AC power flow, PEGASE, 9241 buses: time of the jacobian / f in NumPy": POWER,
} | {
    f"{problem}: value_and_jacobian / a new Jacobian": VALUE
    for problem in (
        "3-D Bratu problem on 50 x 50 x 50 points",
        "2-D Brusselator, two fields on a periodic 256 x 256 grid",
        "Burgers' equation by WENO5, 100,000 cells",
        "2-D Burgers' equation by WENO5, 256 x 256 cells",
        "flow in a lid-driven cavity, 255 x 255 inner points",
        "battery, Doyle-Fuller-Newman, 160 points an axis",
    )
}
