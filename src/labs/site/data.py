"""Data that a lab draws with and that the repository does not hold: the world's coastlines.

``python -m labs.site.data`` brings them from npm. `prepare.py` runs it once, when it makes the
environment; a build of the book tries again if that failed. Without them the map has no coasts.
"""

from __future__ import annotations

import sys
from pathlib import Path

from labs.site import node
from labs.site.run_here.builder import FRONTEND
from labs.traffic.anycast import coastline


def install(cache: Path) -> None:
    """Put the coastlines where their lesson looks, if they are not there.

    Args:
        cache: Where the packages of npm are kept.

    Raises:
        NodeError: If npm cannot bring them.
        ValueError: If it brings another file.
    """
    if not coastline.HOME.exists():
        package = coastline.PACKAGE.rpartition("@")[0]
        coastline.install(node.packages(FRONTEND, cache) / package / coastline.NAME)


if __name__ == "__main__":
    try:
        install(node.CACHE)
    except (node.NodeError, OSError, ValueError) as reason:
        sys.exit(f"The map of the lab on anycast will have no coasts: {reason}")
