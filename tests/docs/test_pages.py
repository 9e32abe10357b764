"""The check of built pages finds what is loaded from elsewhere and links that lead nowhere."""

import pytest

pytest.importorskip("bs4", reason="comes with the extra docs")

from tests.docs.pages import check


def problems(tmp_path, page, **files):
    for name, text in {"index.html": page, **files}.items():
        (tmp_path / name.replace("_css", ".css")).write_text(text)
    return check(tmp_path)[0]


GOOD = """<link rel="canonical" href="https://example.org/"><link rel="stylesheet" href="site.css"><h1 id="top">A</h1>
<a href="#top">here</a> <a href="index.html#top">here</a> <a href="https://example.org/there">there</a>
<a href="mailto:a@example.org">write</a> <img src="data:image/png;base64,AA==">"""


def test_a_page_that_needs_nothing_from_elsewhere_passes(tmp_path):
    (tmp_path / "site.css").write_text("a { color: red } @import 'other.css'")
    (tmp_path / "index.html").write_text(GOOD)
    assert check(tmp_path) == ([], ["https://example.org/there"])


@pytest.mark.parametrize(
    ("page", "word"),
    [
        ('<script src="https://example.org/a.js"></script>', "loads https://example.org/a.js"),
        ('<script src="//example.org/a.js"></script>', "loads //example.org/a.js"),
        ('<link rel="stylesheet" href="http://example.org/a.css">', "loads http://example.org/a.css"),
        ('<img src="http://example.org/a.png">', "loads http://example.org/a.png"),
        ("<style>@import 'https://example.org/a.css'</style>", "loads https://example.org/a.css"),
        ('<p style="background: url(https://example.org/a.png)">', "loads https://example.org/a.png"),
        ('<img src="missing.png">', "loads missing.png, which is not there"),
        ('<a href="missing.html">x</a>', "links to missing.html, which is not there"),
        ('<a href="#missing">x</a>', "links to #missing, which has no such place"),
        ('<a href="https:///path">x</a>', "which names no host"),
        ("<p>| a | b |</p>", "has a row outside of its table: | a | b |"),
    ],
)
def test_what_is_wrong_is_found(tmp_path, page, word):
    (problem,) = problems(tmp_path, page)
    assert problem.startswith("index.html ")
    assert word in problem


def test_pages_that_cannot_be_told_apart_are_found(tmp_path):
    for name in ("one", "One", "two"):
        (tmp_path / f"{name}.html").write_text(f"<title>{name}</title>" if name != "two" else "<title>one</title>")
    assert check(tmp_path)[0] == [
        "two.html and one.html have one title: one",
        f"one.html and One.html have one file, where case does not count: {str(tmp_path.resolve()).lower()}/one.html",
    ]


def test_style_sheets_are_read(tmp_path):
    sheet = "@font-face { src: url('https://example.org/a.woff2') }"
    assert problems(tmp_path, "", site_css=sheet) == ["site.css loads https://example.org/a.woff2"]
