"""How Sphinx builds the site: make docs, then open build/docs/index.html."""

# before autodoc does, which pretends to be a type checker: yaozarrs cannot be imported by one
from cop_core import __version__

project = "napari-cop"
author = "napari-cop developers"
copyright = author  # noqa: A001 - Sphinx's name
version = release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
    "numpydoc",
    "sphinx_copybutton",
]
exclude_patterns = ["*.py"]

myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence", "dollarmath"]
highlight_language = "none"  # blocks without a language are commands and what they print

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say more
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = f"napari-cop {version}"
html_theme_options = {
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {"index": []}
html_show_sourcelink = False
