"""The problems as users of other tools would write them, and as one would write their derivatives by hand.

A module has ``casadi(problem, x)`` and ``jax(problem, x)``, which return f at a flat x, and
``by_hand(problem, pattern)``, as far as there is such a form.
"""
