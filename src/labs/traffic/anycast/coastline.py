"""The world's coastlines, to draw a map on: Natural Earth's, at 1 : 110 million.

Natural Earth is in the public domain. The npm package ``world-atlas`` (version 2.0.2) carries it
as ``land-110m.json`` in the TopoJSON format: arcs as whole-number steps on a grid, each shared arc
once. The file is not kept in the repository; ``python -m labs.site.data`` brings it, and
:func:`install` puts it where :func:`coastline` looks, after comparing its SHA-256.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

from labs.traffic.anycast.model import LatLon

PACKAGE = "world-atlas@2.0.2"
NAME = "land-110m.json"
SHA256 = "ead5f68119c49a9250902e7da303bcb209341bbb8fefe7369a439b48b704658a"
HOME = Path(__file__).with_name(NAME)

Ring: TypeAlias = tuple[LatLon, ...]


def coastline() -> tuple[Ring, ...]:
    """Every coast as a closed ring of places, continents and islands alike.

    Raises:
        FileNotFoundError: If the data has not been installed; the message says how.
        ValueError: If it is not the file that it should be.
    """
    if not HOME.exists():
        raise FileNotFoundError(
            "the coastlines are not installed: run 'python -m labs.site.data', "
            f"which brings them with npm from the package {PACKAGE}"
        )
    return _read(HOME)


@lru_cache(maxsize=1)
def _read(path: Path) -> tuple[Ring, ...]:
    return decode(json.loads(_checked(path)))


def _checked(path: Path) -> bytes:
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise ValueError(f"{path.name} must be the one of {PACKAGE}; its SHA-256 differs")
    return data


def install(source: Path) -> Path:
    """Put the coastlines where :func:`coastline` looks.

    Args:
        source: ``land-110m.json`` from the npm package.

    Raises:
        ValueError: If it is another file.
    """
    HOME.write_bytes(_checked(source))
    return HOME


def decode(topology: dict[str, Any]) -> tuple[Ring, ...]:
    """The rings of a TopoJSON topology whose geometries are polygons.

    Args:
        topology: The parsed file, with a ``transform`` (TopoJSON format specification, 2.1.2).

    Raises:
        ValueError: If it holds anything but polygons.

    >>> square = {
    ...     "transform": {"scale": [1, 1], "translate": [10, 50]},
    ...     "arcs": [[[0, 0], [2, 0], [0, 2]], [[0, 0], [0, 2], [2, 0]]],
    ...     "objects": {"land": {"type": "Polygon", "arcs": [[0, -2]]}},
    ... }
    >>> decode(square)
    (((50, 10), (50, 12), (52, 12), (52, 10), (50, 10)),)
    """
    (scale_x, scale_y), (left, bottom) = (
        topology["transform"]["scale"],
        topology["transform"]["translate"],
    )
    arcs: list[list[LatLon]] = []
    for steps in topology["arcs"]:
        x = y = 0
        arc = []
        for step_x, step_y in steps:
            x, y = x + step_x, y + step_y
            arc.append((y * scale_y + bottom, x * scale_x + left))
        arcs.append(arc)

    def ring(numbers: list[int]) -> Ring:
        places: list[LatLon] = []
        for number in numbers:
            # ~n stands for arc n, backwards.
            arc = arcs[number] if number >= 0 else arcs[~number][::-1]
            places += arc[1:] if places else arc
        return tuple(places)

    def rings(geometry: dict[str, Any]) -> list[Ring]:
        kind = geometry["type"]
        if kind == "GeometryCollection":
            return [one for part in geometry["geometries"] for one in rings(part)]
        if kind == "Polygon":
            return [ring(numbers) for numbers in geometry["arcs"]]
        if kind == "MultiPolygon":
            return [ring(numbers) for polygon in geometry["arcs"] for numbers in polygon]
        raise ValueError(f"topology must hold polygons, not {kind!r}")

    return tuple(one for geometry in topology["objects"].values() for one in rings(geometry))
