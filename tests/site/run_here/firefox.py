"""Drives the system's Firefox by WebDriver BiDi, the protocol that it speaks itself.

Playwright brings a Firefox of its own; what readers have is this one. The W3C's draft "WebDriver
BiDi" names the commands and events used here.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import websocket

_LISTENS = re.compile(r"WebDriver BiDi listening on (ws://127\.0\.0\.1:\d+)")
_ANSWER_SECONDS = 120


def find() -> str | None:
    """The path of a Firefox on this machine, if there is one."""
    return shutil.which("firefox-esr") or shutil.which("firefox")


class Firefox:
    """One tab of a Firefox that runs without a window.

    Args:
        address: Where Firefox listens for commands.
    """

    def __init__(self, address: str) -> None:
        self.requested: list[str] = []
        self._socket = websocket.create_connection(
            f"{address}/session", timeout=_ANSWER_SECONDS, suppress_origin=True
        )
        self._sent = 0
        capabilities = self._call("session.new", capabilities={})["capabilities"]
        self.version: str = capabilities["browserVersion"]
        self._call("session.subscribe", events=["network.beforeRequestSent"])
        (self._tab,) = (c["context"] for c in self._call("browsingContext.getTree")["contexts"])

    def open(self, address: str) -> None:
        """Open an address and wait until it has loaded."""
        self._call("browsingContext.navigate", context=self._tab, url=address, wait="complete")

    def evaluate(self, script: str) -> Any:
        """What a JavaScript expression comes to, once its promise is kept, by way of JSON."""
        result = self._call(
            "script.evaluate",
            expression=f"Promise.resolve({script}).then((value) => JSON.stringify(value ?? null))",
            target={"context": self._tab},
            awaitPromise=True,
        )
        if result["type"] != "success":
            raise AssertionError(result["exceptionDetails"]["text"])
        return json.loads(result["result"]["value"])

    def close(self) -> None:
        """End the session."""
        self._socket.close()

    def _call(self, method: str, **parameters: Any) -> Any:
        self._sent += 1
        self._socket.send(json.dumps({"id": self._sent, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("method") == "network.beforeRequestSent":
                self.requested.append(message["params"]["request"]["url"])
            elif message.get("id") == self._sent:
                if message["type"] == "error":
                    raise AssertionError(f"{method}: {message['message']}")
                return message["result"]


@contextmanager
def running(program: str, profile: Path) -> Iterator[Firefox]:
    """A Firefox with a fresh profile, ended at the end."""
    command = [program, "--headless", "--no-remote", "--remote-debugging-port=0", "--profile"]
    process = subprocess.Popen(
        [*command, str(profile)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        found = next((m for line in process.stderr if (m := _LISTENS.search(line))), None)
        assert found, "Firefox did not say where it listens"
        tab = Firefox(found[1])
        try:
            yield tab
        finally:
            tab.close()
    finally:
        process.terminate()
        process.communicate(timeout=30)
