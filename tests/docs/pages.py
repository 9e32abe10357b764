"""Check built pages, ``python -m tests.docs.pages FOLDER``: nothing remote, links that lead, whole tables, titles."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from urllib.parse import unquote, urljoin, urlparse

from bs4 import BeautifulSoup

LOADS = {  # what a browser fetches by itself: element -> attribute
    **dict.fromkeys(["script", "img", "iframe", "embed", "source", "audio", "video", "track", "input"], "src"),
    "link": "href",
    "object": "data",
    "use": "href",
}
IN_CSS = re.compile(r"url\(\s*['\"]?((?:https?:)?//[^)'\"]+)|@import\s+['\"]((?:https?:)?//[^'\"]+)")
NOT_LOADED = {"canonical", "search", "next", "prev", "index", "author", "copyright"}  # values of <link rel=...>


def is_remote(address: str) -> bool:
    """Tell whether an address names another machine."""
    return address.startswith("//") or urlparse(address).scheme in ("http", "https")


def loads(html: BeautifulSoup) -> list[str]:
    """Return what a page makes the browser load."""
    found = []
    for name, attribute in LOADS.items():
        for element in html.find_all(name):
            if name == "link" and NOT_LOADED & set(element.get("rel", ())):
                continue
            found += [element[attribute]] if element.has_attr(attribute) else []
    styles = [element.get_text() for element in html.find_all("style")]
    styles += [element["style"] for element in html.find_all(style=True)]
    return found + remote_in_css("\n".join(styles))


def remote_in_css(text: str) -> list[str]:
    """Return the remote addresses that a style sheet loads."""
    return [a or b for a, b in IN_CSS.findall(text)]


def names(html: BeautifulSoup) -> set[str]:
    """Return the anchors of a page."""
    return {element["id"] for element in html.find_all(id=True)}


def check(root: Path) -> tuple[list[str], list[str]]:
    """Return what is wrong with the pages under `root`, and the addresses elsewhere that they link to."""
    written = [
        path.resolve() for path in sorted(root.rglob("*.html")) if "_static" not in path.parts
    ]  # those are templates
    pages = {path: BeautifulSoup(path.read_text(), "html.parser") for path in written}
    anchors = {path: names(html) for path, html in pages.items()}
    wrong, elsewhere = [], set()
    for path, html in pages.items():
        here = path.relative_to(root.resolve())
        for address in loads(html):
            if is_remote(address):
                wrong.append(f"{here} loads {address}")
            elif not address.startswith(("data:", "#")) and not target(path, address)[0].exists():
                wrong.append(f"{here} loads {address}, which is not there")
        cut = (p.get_text() for p in html.find_all("p") if p.get_text().startswith("| "))
        wrong += [f"{here} has a row outside of its table: {text[:60]}" for text in cut]
        for link in (a["href"] for a in html.find_all("a", href=True)):
            if is_remote(link):
                elsewhere.add(link)
                wrong += [] if urlparse(link).hostname else [f"{here} links to {link}, which names no host"]
            elif not urlparse(link).scheme:
                file, anchor = target(path, link)
                if not file.exists():
                    wrong.append(f"{here} links to {link}, which is not there")
                elif anchor and file in anchors and anchor not in anchors[file]:
                    wrong.append(f"{here} links to {link}, which has no such place")
    wrong += twice({path: str(html.title and html.title.get_text()) for path, html in pages.items()}, "title")
    wrong += twice({path: str(path).lower() for path in pages}, "file, where case does not count")
    for sheet in sorted(root.rglob("*.css")):
        wrong += [f"{sheet.relative_to(root)} loads {address}" for address in remote_in_css(sheet.read_text())]
    return wrong, sorted(elsewhere)


def twice(names: dict[Path, str], what: str) -> list[str]:
    """Return the pages that have something in common that pages must not share."""
    first: dict[str, Path] = {}
    return [
        f"{path.name} and {first[name].name} have one {what}: {name}"
        for path, name in names.items()
        if first.setdefault(name, path) != path
    ]


def target(page: Path, link: str) -> tuple[Path, str]:
    """Return the file and the anchor that a relative link on a page leads to."""
    parts = urlparse(urljoin(page.as_uri(), link))
    file = Path(unquote(parts.path))
    return (file / "index.html" if file.is_dir() else file), unquote(parts.fragment)


if __name__ == "__main__":
    problems, links = check(Path(sys.argv[1]))
    print(f"{len(links)} links to other sites:", *links, sep="\n  ")
    print(*problems, sep="\n")
    sys.exit(1 if problems else 0)
