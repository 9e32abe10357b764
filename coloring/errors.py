"""The one exception class of the package."""


class ColoringError(ValueError):
    """A pattern, problem, order or coloring that cannot be used as given.

    The message says what was met, what was expected, and what to do next.
    """
