"""How the documentation is built: ``make docs``."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

import bingcheng

project = "Bingcheng"
author = "The Bingcheng developers"
copyright = "The Bingcheng developers"
release = version = bingcheng.__version__
language = "en_GB"

extensions = ["myst_parser", "bingcheng_pages"]
exclude_patterns = ["_build", "_ext"]
source_suffix = {".md": "markdown"}

smartquotes = False  # options such as --lang are shown as they are typed

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = "Bingcheng"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_show_sphinx = False
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}
