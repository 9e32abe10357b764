"""How the documentation is built: ``make docs``."""

import sys
from pathlib import Path

import numpydoc.xref

import coloring
import sparsead
import sparsead.solvers

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_extensions"))

project, author, copyright = "sparsead", "The sparsead developers", "the sparsead developers"
release = sparsead.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "numpydoc",
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_click",
    "sphinx_gallery.gen_gallery",
    "mathml",
    "heads",
]
exclude_patterns = ["_templates", "gallery", "_generated/gallery/*.py.md5"]
templates_path = ["_templates"]
nitpicky = True  # a reference that leads nowhere is an error
nitpick_ignore_regex = [("py:obj", r"(scipy|networkx|sksundae)\..*")]  # their inventories are on the network

# Where capital letters are not told from small ones, two pages would have one file.
autosummary_filename_map = {
    f"sparsead.{name}": f"sparsead.{name}-class" for name in ("Jacobian", "Hessian", "Gradient", "problems.Sizes")
}

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

default_role = "autolink"
autodoc_typehints = "none"  # the docstrings say types and shapes
autodoc_member_order = "bysource"
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False  # the template of a class lists them
numpydoc_xref_param_type = True
numpydoc_xref_ignore = "all"  # only our own names, of which we have the pages
numpydoc.xref.DEFAULT_LINKS.clear()
numpydoc_xref_aliases = {
    name: f"{package.__name__}.{name}" for package in (sparsead, sparsead.solvers, coloring) for name in package.__all__
}

sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "_generated/gallery",
    "filename_pattern": r"plot_",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_signature": False,
    "write_computation_times": False,
    "min_reported_time": 3600,
    "capture_repr": (),
    "remove_config_comments": True,
    "image_scrapers": ("matplotlib",),
}

html_context = {"default_mode": "auto"}
html_theme = "pydata_sphinx_theme"
html_title = "sparsead"
home_title = "Sparse Jacobians and Hessians of plain NumPy functions"
html_favicon = "_static/favicon.svg"
html_math_renderer = "mathml"
html_sidebars = {"index": []}  # it has no pages below it
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options = {
    "logo": {"text": "sparsead", "image_light": "_static/favicon.svg", "image_dark": "_static/favicon.svg"},
    "navbar_align": "left",
    "show_prev_next": True,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc", "sourcelink"],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
copybutton_exclude = ".linenos, .gp, .go"  # copy what is typed, not prompts and results
