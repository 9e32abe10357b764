"""What must work where sparsead alone was installed, without extras; run by the interpreter of such an environment."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NEEDED = {"click": "cli", "matplotlib": "plot"}  # package: the extra that brings it
CLOSED = """
import numba, numpy as np, sparsead as sad
double = numba.njit(lambda x: 2 * x)
double(1.0)
jac = sad.jacobian(lambda x: x[1:] * x[:-1], np.ones(9))
"""


def ran(*command: str) -> subprocess.CompletedProcess[str]:
    """Run this interpreter with some arguments."""
    return subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)


def main() -> None:
    """Check everything; the first thing that is wrong raises."""
    import sparsead

    if Path(sparsead.__file__).resolve().parent == ROOT / "sparsead":
        raise SystemExit(f"not the installed package: {sparsead.__file__}")
    examples = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    for code in ("\n".join(examples), CLOSED):
        done = ran("-c", code)
        if done.returncode or done.stderr:
            raise SystemExit(f"exit code {done.returncode}\n{done.stderr}")
    for package, extra in NEEDED.items():
        if find_spec(package):
            raise SystemExit(f"{package} is here: this environment is not bare")
        told = ran("-m", "sparsead") if extra == "cli" else ran("-c", "import coloring; coloring.color([[1]]).spy()")
        if not told.returncode or f"sparsead[{extra}]" not in told.stderr:
            raise SystemExit(f"without {package}: exit code {told.returncode}\n{told.stderr}")
    print(f"sparsead {sparsead.__version__} works bare on Python {sys.version.split()[0]}")


main()
