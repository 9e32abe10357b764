"""The ``sparsead`` command: one file per subcommand."""

from __future__ import annotations

import sys

from sparsead.extras import EXTRAS


def main() -> None:
    """Run the command; where its libraries are missing, say in one line what to install."""
    try:
        from sparsead.cli.group import group

        group(prog_name="sparsead")
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in EXTRAS:
            raise
        sys.exit(f"The sparsead command needs {package}: pip install 'sparsead[{EXTRAS[package]}]'")
