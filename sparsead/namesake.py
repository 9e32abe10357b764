"""Notice, when sparsead is imported, that another package stands where `coloring` should.

The import name also belongs to a small package for terminal colors. Installers put both into one folder, file over
file, without a word: whichever came last is what Python finds, or half of it. A file ``coloring.py`` beside a script
hides ours as well.
"""

from __future__ import annotations

import importlib
from types import ModuleType

OURS = "SparsityPattern"  # a public name that the other package does not have


def require_ours(found: ModuleType) -> None:
    """Raise ImportError if a module named `coloring` is not the one that comes with sparsead."""
    if OURS in getattr(found, "__all__", ()):
        return
    place = getattr(found, "__file__", None) or f"{list(found.__path__)} (a folder without __init__.py)"
    raise ImportError(
        f"sparsead comes with a package named coloring, but Python finds another one under that name:\n  {place}\n"
        "If it is a file of yours, rename it. If it is the package for terminal colors, the two cannot be installed "
        "together: pip uninstall coloring, then pip install --force-reinstall --no-deps sparsead",
        name="coloring",
    )


require_ours(importlib.import_module("coloring"))
