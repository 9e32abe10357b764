"""What the README promises: a short example, and two commands that the Makefile has."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_the_examples_are_short():
    examples = blocks("python")
    assert len(examples) == 3
    for example in examples:
        assert len([line for line in example.splitlines() if line.strip()]) <= 15


def test_the_two_commands_are_in_the_makefile():
    install, commands = blocks("sh")
    assert install.startswith("pip install . ")
    targets = [line.split()[1] for line in commands.splitlines()]
    assert targets == ["demo", "test"]
    makefile = (ROOT / "Makefile").read_text()
    assert all(re.search(rf"^{target}: \.venv/ready", makefile, re.MULTILINE) for target in targets)


def test_what_ci_makes_is_in_the_makefile():
    commands = re.findall(r"^make (.*)", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    targets = {target for command in commands for target in command.split() if target.isalpha()}
    made = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"test", "docs"} <= targets <= made
