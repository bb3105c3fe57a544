"""Standard output and error as a stream of messages."""

from __future__ import annotations

import io
import time
from collections.abc import Callable

PROMPT_LINES = 100
"""Lines of one run that are sent at once; later lines travel together."""

INTERVAL_S = 0.02
"""Seconds between two messages after :data:`PROMPT_LINES`."""

LONGEST_OUTPUT = 200_000
"""Characters of one run that are shown: an endless loop of prints must not fill the page."""


class Stream(io.TextIOBase):
    """A text stream that sends what is written to it, line by line, then in batches.

    Args:
        send: Takes a piece of text.
    """

    def __init__(self, send: Callable[[str], None]) -> None:
        self._send = send
        self.begin()

    def begin(self) -> None:
        """Start counting lines and characters for a new run."""
        self._held: list[str] = []
        self._lines = 0
        self._room = LONGEST_OUTPUT
        self._sent_at = 0.0

    def writable(self) -> bool:
        """Text can be written."""
        return True

    def write(self, text: str) -> int:
        """Take ``text`` and return its length, as every text stream does."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if self._room <= 0 or not text:
            return len(text)
        kept = text[: self._room]
        self._room -= len(kept)
        if self._room <= 0:
            kept += f"\n[output cut after {LONGEST_OUTPUT:,} characters]\n"
        self._held.append(kept)
        if "\n" in kept:
            self._lines += 1
            if self._lines <= PROMPT_LINES or time.monotonic() - self._sent_at >= INTERVAL_S:
                self.flush()
        return len(text)

    def flush(self) -> None:
        """Send what is held."""
        if self._held:
            text, self._held = "".join(self._held), []
            self._sent_at = time.monotonic()
            self._send(text)
