"""Sliders: one figure, a few values to move, the same in JupyterLab, in the book and on paper.

``explore(figure, years=Slider(range(1, 11), label="Years"))`` calls ``figure(years=…)``, which
returns a :class:`~labs.teaching.pictures.Picture`. In JupyterLab the sliders are ipywidgets. The
stored output holds the first picture and a description (MIME type ``application/vnd.labs.explore
+json``), from which the book draws every frame when it is built; in the page these frames move
under real range inputs, with nothing running.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import math
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from itertools import product
from typing import Any

from labs.teaching.pictures import Picture
from labs.teaching.rendering import Shown, escaped, inline

MIME = "application/vnd.labs.explore+json"
"""The type of the description in a notebook's stored output."""

MAX_FRAMES = 120
"""Most positions that the sliders of one figure may have together."""

Value = int | float | str


@dataclass(frozen=True, slots=True)
class Slider:
    """The values of one slider.

    Args:
        values: Two or more values, in order.
        label: What the value is, with its unit, such as ``"Memory (MiB)"``.
        start: The first value shown; by default the one in the middle.

    Raises:
        ValueError: If there are fewer than two values, or ``start`` is not one of them.
    """

    values: Sequence[Value]
    label: str = ""
    start: Value | None = None

    def __post_init__(self) -> None:
        if len(self.values) < 2:
            raise ValueError(f"a slider needs at least 2 values, not {len(self.values)}")
        if self.start is not None and self.start not in self.values:
            raise ValueError(f"a slider starts at one of its values, not at {self.start!r}")

    @property
    def position(self) -> int:
        """The index of the value shown first."""
        values = list(self.values)
        return len(values) // 2 if self.start is None else values.index(self.start)


def shown_value(value: Value) -> str:
    """A slider's value as a reader sees it."""
    if isinstance(value, float):
        return f"{value:,.6g}"
    return f"{value:,}" if isinstance(value, int) else value


@lru_cache(maxsize=512)
def draw(figure: str, values: str) -> Picture:
    """Draw one frame.

    Args:
        figure: The figure's function as ``"module:name"``.
        values: Its arguments as a JSON object.

    Raises:
        TypeError: If the function returns something else than a picture.
    """
    module, name = figure.split(":")
    drawn = getattr(import_module(module), name)(**json.loads(values))
    if not isinstance(drawn, Picture):
        raise TypeError(f"{figure} must return a Picture, not a {type(drawn).__name__}")
    return drawn


@dataclass(frozen=True)
class Explore(Shown):
    """A figure with sliders; see :func:`explore`."""

    figure: str
    sliders: Mapping[str, Slider]

    def spec(self) -> dict[str, Any]:
        """The description that the book and the page draw from; plain JSON."""
        return {
            "figure": self.figure,
            "sliders": [
                {
                    "name": name,
                    "label": slider.label or name.replace("_", " "),
                    "values": list(slider.values),
                    "shown": [shown_value(value) for value in slider.values],
                    "start": slider.position,
                }
                for name, slider in self.sliders.items()
            ],
        }

    def frames(self) -> list[dict[str, Value]]:
        """The arguments of every frame; the last slider varies fastest."""
        names = list(self.sliders)
        return [
            dict(zip(names, values, strict=True))
            for values in product(*(self.sliders[name].values for name in names))
        ]

    def start(self) -> dict[str, Value]:
        """The arguments of the first picture."""
        return {name: slider.values[slider.position] for name, slider in self.sliders.items()}

    def picture(self, **values: Value) -> Picture:
        """The picture at ``values``; those not named are at their start."""
        return draw(self.figure, json.dumps({**self.start(), **values}))

    def html(self) -> str:
        """The first picture with its description; the page makes the inputs from it."""
        start = ", ".join(
            f"{row['label']}: {row['shown'][row['start']]}" for row in self.spec()["sliders"]
        )
        return (
            f'<div class="labs-explore" data-labs-explore="{escaped(json.dumps(self.spec()))}">'
            f'<p class="labs-positions">{inline(start)}</p>{self.picture().html()}</div>'
        )

    def text(self) -> str:
        """The sliders with their ranges, and the first picture's text alternative."""
        lines = ["[Sliders]"]
        for row in self.spec()["sliders"]:
            shown = row["shown"]
            lines.append(
                f"  {row['label']}: {shown[row['start']]} (from {shown[0]} to {shown[-1]})"
            )
        return "\n".join([*lines, self.picture().text()])

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        bundle = super()._repr_mimebundle_(**options)
        bundle[MIME] = self.spec()
        if _has_live_widgets():
            bundle.update(self._widget()._repr_mimebundle_(**options))
            bundle["text/plain"] = self.text()
        return bundle

    def _widget(self) -> Any:
        import asyncio

        import ipywidgets

        canvas = ipywidgets.HTML()
        controls = {
            name: ipywidgets.SelectionSlider(
                options=[(shown_value(value), value) for value in slider.values],
                value=slider.values[slider.position],
                description=slider.label or name.replace("_", " "),
                style={"description_width": "initial"},
                layout={"width": "min(100%, 34rem)"},
            )
            for name, slider in self.sliders.items()
        }

        ahead: list[asyncio.Task[None]] = []

        def redraw(_change: object = None) -> None:
            while ahead:
                ahead.pop().cancel()
            values = {name: control.value for name, control in controls.items()}
            canvas.value = self.picture(**values)._repr_mimebundle_()["text/html"]
            with contextlib.suppress(RuntimeError):  # no kernel, and nobody who moves a slider
                loop = asyncio.get_running_loop()
                ahead.append(loop.create_task(self._draw_ahead(values)))

        for control in controls.values():
            control.observe(redraw, names="value")
        redraw()
        return ipywidgets.VBox([*controls.values(), canvas])

    def beside(self, values: Mapping[str, Value]) -> list[dict[str, Value]]:
        """The arguments of the frames that one step of one slider leads to."""
        found = []
        for name, slider in self.sliders.items():
            at = slider.values.index(values[name])
            for step in (at + 1, at - 1):
                if 0 <= step < len(slider.values):
                    found.append({**values, name: slider.values[step]})
        return found

    async def _draw_ahead(self, values: Mapping[str, Value]) -> None:
        """Draw the next frames while the kernel has nothing to do: a step then only shows one."""
        import asyncio

        for frame in self.beside(values):
            await asyncio.sleep(0.02)  # a step that was taken meanwhile comes first
            self.picture(**frame)


def _has_live_widgets() -> bool:
    """Whether a kernel shows this to a person; ``LABS_RECORD`` is set while outputs are stored."""
    return "ipykernel" in sys.modules and not os.environ.get("LABS_RECORD")


def explore(figure: Callable[..., Picture], **sliders: Slider | Sequence[Value]) -> Explore:
    """Show ``figure`` with a slider for each named argument.

    Args:
        figure: A function of a module (not of a notebook) that returns a picture.
        sliders: For each argument a :class:`Slider`, or a sequence of values.

    Raises:
        ValueError: If the function cannot be found by its name, an argument is missing, or the
            sliders have more than ``MAX_FRAMES`` positions together.
    """
    name = f"{figure.__module__}:{figure.__qualname__}"
    if figure.__module__ == "__main__" or "<" in figure.__qualname__:
        raise ValueError(f"{figure.__qualname__} must be a function of a module, to be drawn again")
    made = {
        key: value if isinstance(value, Slider) else Slider(tuple(value))
        for key, value in sliders.items()
    }
    try:
        inspect.signature(figure).bind(**made)
    except TypeError as error:
        raise ValueError(f"the sliders do not fit {figure.__qualname__}: {error}") from None
    frames = math.prod(len(slider.values) for slider in made.values())
    if frames > MAX_FRAMES:
        raise ValueError(f"the sliders have {frames} positions; at most {MAX_FRAMES} are drawn")
    return Explore(name, made)
