"""What the comparison says is there has a page and a test; the links of pages are checked with all others."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "explanation" / "comparison.md").read_text()
TABLE = PAGE.split("| what users expect |")[1].split("\n\n")[0].splitlines()[2:]
CLAIMS = [row.strip("| ").split(" | ") for row in TABLE if not re.match(r"\| [^|]+ \| no\b", row)]


def test_there_are_claims():
    assert len(CLAIMS) > 20


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim[0])
def test_a_claim_has_a_page_and_tests(claim):
    _, _, page, tests = claim
    assert re.search(r"\]\([\w/.#-]+\)", page)
    named = re.findall(r"`(tests/[\w/]+\.py)`", tests)
    assert named and all((ROOT / test).exists() for test in named)
