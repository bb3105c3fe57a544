"""Starts the book and JupyterLab together, and ends them together.

JupyterLab is a process of its own, with settings of its own: what a reader has changed in a
personal Jupyter configuration (an empty token, say, or a wider choice of origins) does not apply.
It answers to ``127.0.0.1`` only, not to ``localhost``, because the book is at ``localhost`` and
cookies do not tell ports apart.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
import webbrowser
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from types import FrameType
from urllib.parse import quote

from labs.site.server import LOOPBACK, PORTS_TO_TRY, BookServer
from labs.teaching import progress

_SOURCES = ("_config.yml", "_toc.yml", "requirements.txt", "book", "notebooks", "src/labs")
_PROOF = "build/proof.json"  # what the tests found, shown on a page of the book
_LEFT_OUT = {"__pycache__", ".ipynb_checkpoints"}
_PATIENCE_S = 120.0
_GRACE_S = 15.0


class StartError(Exception):
    """The book or JupyterLab could not be started; the message says why and what to do."""


class _StoppedError(Exception):
    """The reader asked to end."""


def start(root: Path, *, port: int = 8000, lab_port: int = 8888, browser: bool = True) -> None:
    """Serve the book and JupyterLab until Ctrl-C, a signal to end, or a failure.

    Args:
        root: The checkout.
        port: Where to look first for a free port for the book.
        lab_port: Where to look first for a free port for JupyterLab.
        browser: Whether to open the book in a browser where there is one.

    Raises:
        StartError: If one of the two cannot be started, or JupyterLab ends by itself.
    """
    stop = threading.Event()
    with ExitStack() as stack:
        stack.enter_context(_signals_set(stop))
        runtime = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="labs-")))
        try:
            lab = stack.enter_context(Lab(root, runtime, lab_port))
            trust(root)
            book = _built(root, stop)
            lab.wait(stop)
            try:
                server = stack.enter_context(
                    BookServer(book, port=port, open_notebook=lab.notebook_address)
                )
            except OSError as error:
                raise StartError(f"the book cannot be served: {error}") from error
            print(f"Book: {server.address}\nLab: {lab.address}\nCtrl-C ends both.", flush=True)
            if browser and _has_display():
                webbrowser.open(server.address)
            while not stop.wait(0.5):
                lab.check()
        except _StoppedError:
            pass
        print("Ending the book and JupyterLab", flush=True)


class Lab:
    """JupyterLab as a process, on a loopback port, with a token made for this run.

    Args:
        root: The folder that it shows.
        runtime: A private folder for its run-time files, among them the connection files of
            kernels.
        port: Where to look first for a free port.
    """

    def __init__(self, root: Path, runtime: Path, port: int) -> None:
        self.root = root
        self.runtime = runtime
        self.port = port
        self.token = secrets.token_urlsafe(32)
        self.log = root / "build" / "jupyterlab.log"

    @property
    def address(self) -> str:
        """Where JupyterLab is, with the token that lets its owner in."""
        return f"http://{LOOPBACK}:{self.port}/lab?token={self.token}"

    def notebook_address(self, notebook: str) -> str | None:
        """Where JupyterLab shows a notebook, or ``None`` where there is no such file."""
        if not (self.root / notebook).is_file():
            return None
        return f"http://{LOOPBACK}:{self.port}/lab/tree/{quote(notebook)}?token={self.token}"

    def __enter__(self) -> Lab:
        self.log.parent.mkdir(exist_ok=True)
        settings = progress.path().parent / "jupyter"
        environment = os.environ | {
            "JUPYTER_TOKEN": self.token,  # not an argument, which other users could list
            "JUPYTER_CONFIG_DIR": str(settings),
            "JUPYTER_CONFIG_PATH": str(Path(__file__).with_name("jupyter")),
            "JUPYTER_RUNTIME_DIR": str(self.runtime),
            "JUPYTER_PREFER_ENV_PATH": "1",
        }
        options = {
            "ServerApp.ip": LOOPBACK,
            "ServerApp.port": self.port,
            "ServerApp.port_retries": PORTS_TO_TRY,
            "ServerApp.root_dir": self.root,
            "ServerApp.local_hostnames": LOOPBACK,
            "ServerApp.allow_remote_access": False,
            "ServerApp.allow_origin": "",
            "ServerApp.open_browser": False,
            "ServerApp.allow_root": hasattr(os, "geteuid") and os.geteuid() == 0,
            "LabApp.extension_manager": "readonly",
            "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        }
        command = [sys.executable, "-m", "jupyterlab"]
        command += [f"--{name}={value}" for name, value in options.items()]
        with self.log.open("wb") as log:
            self._process = _spawn(command, cwd=self.root, env=environment, stdout=log, stderr=log)
        return self

    def __exit__(self, *_: object) -> None:
        _end(self._process)

    def wait(self, stop: threading.Event) -> None:
        """Wait until it answers, and learn the port that it got."""
        until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until:
            self.check()
            for file in self.runtime.glob("jpserver-*.json"):
                try:
                    self.port = json.loads(file.read_text(encoding="utf-8"))["port"]
                except (ValueError, KeyError):  # being written at this moment
                    continue
                return
            if stop.wait(0.1):
                raise _StoppedError
        raise StartError(f"JupyterLab did not start in {_PATIENCE_S:.0f} s; see {self.log}")

    def check(self) -> None:
        """See that it still runs.

        Raises:
            StartError: If it has ended.
        """
        if self._process.poll() is not None:
            lines = self.log.read_text(encoding="utf-8", errors="replace").split("\n")
            said = [line.strip() for line in lines if line.strip()]
            reason = said[-1] if said else "it said nothing"
            raise StartError(f"JupyterLab ended by itself: {reason} (all of it is in {self.log})")


def trust(root: Path) -> list[Path]:
    """Sign the notebooks that are as committed, so that JupyterLab shows their outputs whole.

    JupyterLab cleans the outputs of notebooks that nobody vouches for, and pictures go with the
    rest. Only what came with the checkout is signed: a notebook from elsewhere, or a changed one,
    stays as JupyterLab has it. Without git nothing is signed, and running a cell shows its output.

    Args:
        root: The checkout.

    Returns:
        The notebooks that are signed.
    """
    import nbformat
    from nbformat.sign import NotebookNotary

    committed = _git(root, "ls-files", "notebooks")
    changed = set(_git(root, "diff", "--name-only", "HEAD", "--", "notebooks"))
    notary = NotebookNotary()
    signed = []
    with closing(notary.store):
        for name in committed:
            if name.endswith(".ipynb") and name not in changed:
                notebook = nbformat.read(root / name, as_version=4)
                if not notary.check_signature(notebook):
                    notary.sign(notebook)
                signed.append(root / name)
    return signed


def _git(root: Path, *command: str) -> list[str]:
    try:
        done = subprocess.run(
            ["git", "-C", root, *command], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return done.stdout.splitlines()


def fingerprint(root: Path) -> str:
    """What the built book depends on, as a digest of the names and contents of its sources."""
    digest = hashlib.sha256()
    for source in (*_SOURCES, _PROOF):
        top = root / source
        for file in [top] if top.is_file() else sorted(top.rglob("*")):
            if file.is_file() and not _LEFT_OUT & set(file.parts):
                content = hashlib.sha256(file.read_bytes()).hexdigest()
                digest.update(f"{file.relative_to(root).as_posix()}\0{content}\n".encode())
    return digest.hexdigest()


def _built(root: Path, stop: threading.Event) -> Path:
    """The built book, building it only if a source of it has changed since."""
    book = root / "build" / "book"
    stamp = root / "build" / "book.built-from"
    wanted = fingerprint(root)
    there = (book / "index.html").is_file()
    if there and stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return book
    print("Building the book", flush=True)
    # A process of its own: it ends at once when asked to, and its memory is given back.
    builder = _spawn([sys.executable, "-m", "labs.cli", "book"], cwd=root)
    try:
        while builder.poll() is None:
            if stop.wait(0.1):
                raise _StoppedError
    finally:
        _end(builder)
    if builder.returncode == 0:
        stamp.write_text(wanted, encoding="utf-8")
    elif there and (book / "index.html").is_file():
        print("The book could not be built anew; this is the one built before.", flush=True)
    else:
        raise StartError("the book could not be built; the reason stands above")
    return book


@contextmanager
def _signals_set(stop: threading.Event) -> Iterator[None]:
    def ask(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - what signal() calls
        stop.set()

    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    kinds = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {kind: signal.signal(kind, ask) for kind in kinds}
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)


def _spawn(command: list[str], **options: object) -> subprocess.Popen[bytes]:
    """Start a child out of reach of the terminal's Ctrl-C, so that it is ended in order."""
    if sys.platform == "win32":
        options["creationflags"] = subprocess.CREATE_NEW_PROCESS_GROUP
    else:
        options["start_new_session"] = True
    try:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, **options)  # type: ignore[call-overload, no-any-return]
    except OSError as error:
        raise StartError(f"cannot start {command[0]}: {error.strerror}") from error


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a child that was started here, first by asking; its own children with it."""
    for number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        if process.poll() is not None:
            return
        if sys.platform == "win32":
            process.terminate()
        else:
            os.killpg(process.pid, number)
        try:
            process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            continue


def _has_display() -> bool:
    if os.environ.get("CI"):
        return False
    if sys.platform.startswith("linux"):
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True
