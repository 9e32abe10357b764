"""Look at built pages in a real browser: ``python -m tests.docs.browser FOLDER [--shots SHOTS] [PAGE...]``.

Wide and narrow, light and dark: nothing may be wider than the window, cut off, missing, too faint, or an error in the
console. It needs playwright, and a Chromium on the path or of playwright's own.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

WIDTHS = (1400, 390)
SCHEMES = ("light", "dark")
WRONG = """() => {
const wrong = [], width = document.documentElement.clientWidth;
const name = e => `<${e.tagName.toLowerCase()} ${e.className}> ${(e.textContent || '').trim().slice(0, 50)}`;
const shown = e => e.checkVisibility({checkOpacity: true, checkVisibilityCSS: true});
const scrolls = e => ['auto', 'scroll'].includes(getComputedStyle(e).overflowX);
if (document.documentElement.scrollWidth > width) {
  const wide = [...document.querySelectorAll('.bd-main *')].filter(e => e.getBoundingClientRect().right > width + 1);
  wrong.push(`is ${document.documentElement.scrollWidth} wide: ${wide.slice(-1).map(name)}`);
}
for (const e of document.querySelectorAll('.bd-article *')) {
  if (!shown(e) || e.closest('svg, math, .sr-only, .visually-hidden')) continue;
  const style = getComputedStyle(e), box = e.getBoundingClientRect();
  if (['hidden', 'clip'].includes(style.overflowX) && e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 1)
    wrong.push(`cuts off ${name(e)}`);
  let parent = e.parentElement;
  while (parent && !scrolls(parent)) parent = parent.parentElement;
  if ((!parent || parent === document.documentElement) && (box.right > width + 1 || box.left < -1))
    wrong.push(`reaches out of the window: ${name(e)}`);
  if (e.tagName === 'IMG' && !(e.complete && e.naturalWidth)) wrong.push(`does not show ${e.src}`);
}
const channel = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
const light = c => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
const seen = {};
const color = text => seen[text] ??= (() => {
  canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data];
})();
const ground = e => {
  for (; e; e = e.parentElement) {
    const c = color(getComputedStyle(e).backgroundColor);
    if (c[3] > 250) return c;
  }
  return [255, 255, 255, 255];
};
const texts = document.createTreeWalker(document.querySelector('.bd-article') || document.body, NodeFilter.SHOW_TEXT);
const faint = new Set();
while (texts.nextNode()) {
  const e = texts.currentNode.parentElement;
  if (!texts.currentNode.data.trim() || !shown(e) || e.closest('svg, script, style, .headerlink')) continue;
  const [a, b] = [light(color(getComputedStyle(e).color)), light(ground(e))];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < 4.5) faint.add(`is faint (${ratio.toFixed(1)}): ${name(e)}`);
}
return [...new Set([...wrong.slice(0, 5), ...[...faint].slice(0, 5)])];
}"""


def looked_at(page: Page, file: Path, root: Path, scheme: str, shots: Path | None) -> Iterator[str]:
    """Yield what is wrong with one page."""
    here = file.relative_to(root)
    page.goto(file.as_uri(), wait_until="load")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        yield from (f"{here} at {width}, {scheme}: {words}" for words in page.evaluate(WRONG))
        if shots is not None:
            target = shots / f"{scheme}-{width}" / f"{'+'.join(here.with_suffix('').parts)}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=target, full_page=True)


def check(root: Path, names: list[str], shots: Path | None) -> list[str]:
    """Return what is wrong with the pages under a folder."""
    files = [root / name for name in names] or [f for f in sorted(root.rglob("*.html")) if "_static" not in f.parts]
    wrong: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for scheme in SCHEMES:
            page: Any = browser.new_page(color_scheme=scheme)
            told: list[str] = []
            page.on("console", lambda m, told=told: told.append(m.text) if m.type in ("error", "warning") else None)
            page.on("pageerror", lambda error, told=told: told.append(str(error)))
            page.on("requestfailed", lambda request, told=told: told.append(f"cannot load {request.url}"))
            for file in files:
                wrong += looked_at(page, file, root, scheme, shots)
                wrong += [f"{file.relative_to(root)}, {scheme}: {text}" for text in told]
                told.clear()
            page.close()
        browser.close()
    return wrong


def main() -> None:
    """Print what is wrong; exit 1 if anything is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("pages", nargs="*")
    parser.add_argument("--shots", type=Path, help="write a picture of every page to this folder")
    given = parser.parse_args()
    wrong = check(given.folder.resolve(), given.pages, given.shots)
    print(*wrong, sep="\n")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
