"""Python in the reader's own browser: what builds it, and what adds it to the lab pages.

A lab page has a *Run here* button. It starts Pyodide in a Web Worker and makes the code cells
editable. Everything that it loads is part of the site and pinned by hash; NumPy and matplotlib
come from Pyodide's own distribution, after the reader agrees, or from a folder that the publisher
hosts.

As a Sphinx extension this package has three configuration values:

- ``run_here_distribution``: a folder with Pyodide's complete distribution, to be hosted with the
  site; by default readers are asked before anything comes from its publisher.
- ``run_here_isolate``: whether the site brings a service worker that isolates its pages, so that
  *Stop* keeps variables on a static host that sends no isolation headers.
- ``run_here``: set to ``False`` to build a book without it.
"""

from __future__ import annotations

from labs.site.run_here.builder import Built, build
from labs.site.run_here.pages import setup
from labs.site.run_here.wheels import CannotBuild

__all__ = ["Built", "CannotBuild", "build", "setup"]
