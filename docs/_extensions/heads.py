"""What search engines and narrow screens need of a page: a description, and names that break at dots and slashes."""

import re
from html import escape

from docutils import nodes

DESCRIPTION = '<meta name="description" content="{}" />'
LONGEST = 200  # letters of a description
CODE = re.compile(r'(?<=<span class="pre">)[\w./-]{12,}(?=</span>)')
HEADING = re.compile(r"(?<=<h1>)\w+(?:\.\w+)+")
BACK = re.compile(r'<a class="viewcode-back" href="[^"#]*#([^"]*)">[^<]*</a>')  # from the source to its description
AFTER = re.compile(r"(?<=\w)([./_]+)(?=\w)")


def description(doctree):
    """Return the first paragraph of a page, as text, cut after a word."""
    paragraph = next(doctree.findall(nodes.paragraph), None)
    text = " ".join(paragraph.astext().split()) if paragraph else ""
    return text if len(text) <= LONGEST else text[:LONGEST].rpartition(" ")[0] + " ..."


def breakable(match):
    """Allow a line to break after each dot, slash and underscore of a name."""
    return AFTER.sub(r"\1<wbr>", match[0])


def is_place(documented, name):
    """Tell whether what is documented under a name has a place of that name."""
    return name in documented and documented[name].node_id == name and not documented[name].aliased


def dress(app, pagename, templatename, context, doctree):
    """Complete the context of a page before it is written."""
    if pagename == app.config.root_doc:
        context["title"] = app.config.home_title
    if pagename.startswith("_modules/") and pagename != "_modules/index":
        context["title"] = f"Source of {context['title']}"
    if doctree is not None and 'name="description"' not in context.get("metatags", ""):
        context["metatags"] = context.get("metatags", "") + DESCRIPTION.format(escape(description(doctree)))
    if "body" in context:
        documented = app.env.get_domain("py").objects
        body = BACK.sub(lambda match: match[0] if is_place(documented, match[1]) else "", context["body"])
        context["body"] = CODE.sub(breakable, HEADING.sub(breakable, body))


def setup(app):
    """Register what is done to each page."""
    app.add_config_value("home_title", "", "html")
    app.connect("html-page-context", dress)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
