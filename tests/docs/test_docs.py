"""Every Python and console block of the README and of the documentation runs, page by page, top to bottom."""

import doctest
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(  # a comment above a block names packages that it cannot do without
    r"^(?:<!-- needs: (?P<needs>[\w ]+) -->\n\n?)?```(?P<kind>python|console|c)\n(?P<code>.*?)^```",
    re.MULTILINE | re.DOTALL,
)
FILE = re.compile(r"(?:# (\w+\.py)|/\* (\w+\.c) \*/)\n")  # the first line of a block that shows a file
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
RELAXED = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def name(page):
    return str(page.relative_to(ROOT))


def run(page):
    """Run the blocks in one namespace; return the packages that were missing for some of them."""
    text, namespace, missing = page.read_text(), {"__name__": "__main__"}, set()
    for block in BLOCK.finditer(text):
        line = text.count("\n", 0, block.start("code"))
        absent = {package for package in (block["needs"] or "").split() if importlib.util.find_spec(package) is None}
        missing |= absent
        if absent:
            continue
        if block["kind"] == "console":
            run_commands(page, block["code"], line)
        elif shown := FILE.match(block["code"]):
            Path(shown[1] or shown[2]).write_text(block["code"])
        elif block["kind"] == "c":
            raise AssertionError(f"{name(page)}, line {line + 1}: C code that is not a file, so nothing compiles it")
        elif block["code"].startswith(">>>"):
            run_examples(page, block["code"], line, namespace)
        else:
            exec(compile("\n" * line + block["code"], str(page), "exec"), namespace)
    return missing


def run_examples(page, code, line, namespace):
    """Run `>>>` examples, which must print what the page shows."""
    example = doctest.DocTestParser().get_doctest(code, namespace, name(page), str(page), line)
    runner = doctest.DocTestRunner(optionflags=RELAXED)
    runner.run(example, clear_globs=False)
    assert not runner.failures, f"{name(page)}, line {line + 1}: see the output above"
    namespace.update(example.globs)


def run_commands(page, code, line):
    """Run the lines after `$ `; each must succeed, and print what the page shows, if it shows something."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.getcwd()]),
        "COLUMNS": "100",
    }
    for command, expected in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", code, re.MULTILINE):
        done = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, text=True, timeout=300)
        where = f"{name(page)}, line {line + 1}: {command}\n{done.stdout}{done.stderr}"
        assert not done.returncode, where
        assert not expected or doctest.OutputChecker().check_output(expected, done.stdout, RELAXED), where


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_code_blocks_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    missing = run(page)
    if missing:
        pytest.skip(f"ran, but for the blocks that need {', '.join(sorted(missing))}")


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page):
    missing = [target for target in LINK.findall(page.read_text()) if not (page.parent / target).exists()]
    assert not missing


@pytest.mark.parametrize(
    "page",
    ["how-to/install", "tutorials/first-jacobian", "how-to/arguments", "how-to/choose-a-mode", "how-to/errors",
     "explanation/comparison"],
)  # fmt: skip
def test_what_a_newcomer_asks_is_one_click_from_the_home_page(page):
    assert f":link: {page}\n" in (ROOT / "docs" / "index.md").read_text()


@pytest.mark.parametrize("index", sorted((ROOT / "docs").glob("*/index.md")), ids=name)
def test_every_page_is_listed(index):
    text, pages = index.read_text(), {page.stem for page in index.parent.glob("*.md")} - {"index"}
    listed, in_tree = set(LINK.findall(text)), set(re.findall(r"^([\w-]+)$", text, re.MULTILINE))
    assert ":glob:" in text or (pages <= in_tree and {f"{page}.md" for page in pages} <= listed)


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("```python\nassert 1 == 2\n```", "assert"),
        ("```python\n>>> 1 + 1\n3\n```", "see the output"),
        ("```c\nint wrong;\n```", "nothing compiles it"),
        ("```console\n$ false\n```", "false"),
        ("```console\n$ echo one\n$ echo two\nthree\n```", "two"),
    ],
)
def test_a_wrong_block_is_found(code, wrong, tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    page.write_text(code)
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    with pytest.raises(AssertionError) as error:
        run(page)
    assert wrong in str(error.value) + code
