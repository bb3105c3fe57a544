"""Starting the book and JupyterLab together, and ending both."""

from __future__ import annotations

import contextlib
import gc
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import nbformat
import nbformat.sign
import pytest

from labs.site import start as starting
from labs.site.start import StartError, fingerprint, trust

SCRIPT = """
import sys
from pathlib import Path
from labs.site.start import start
start(Path(sys.argv[1]), port=int(sys.argv[2]), lab_port=int(sys.argv[3]), browser=False)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout whose book is built already."""
    for name in ("_config.yml", "_toc.yml", "requirements.txt"):
        (tmp_path / name).write_text(name)
    for name in ("book", "notebooks", "src/labs", "build/book"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "book" / "index.md").write_text("# Trust, Tested")
    (tmp_path / "build" / "book" / "index.html").write_text("<h1>Trust, Tested</h1>")
    (tmp_path / "build" / "book.built-from").write_text(fingerprint(tmp_path))
    return tmp_path


def descendants(pid: int) -> set[int]:
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found |= {int(child)} | descendants(int(child))
    return found


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.sockets
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads Linux's process table")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_both_start_say_where_they_are_and_end_together(
    root: Path, tmp_path: Path, end: signal.Signals
) -> None:
    with contextlib.ExitStack() as stack:
        taken = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = taken.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(root), str(port), str(port)],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"LABS_HOME": str(tmp_path / "home")},
        )
        stack.enter_context(process)
        stack.callback(process.send_signal, signal.SIGTERM)
        assert process.stdout
        book = re.fullmatch(r"Book: (http://localhost:(\d+)/)\n", process.stdout.readline())
        lab = re.fullmatch(
            r"Lab: (http://127\.0\.0\.1:(\d+)/lab\?token=\S+)\n", process.stdout.readline()
        )
        assert book
        assert lab
        assert len({port, int(book[2]), int(lab[2])}) == 3
        for address in (book[1], lab[1]):
            with urllib.request.urlopen(address, timeout=20) as answer:
                assert answer.status == 200
        children = descendants(process.pid)
        assert children
        process.send_signal(end)
        assert process.wait(30) == 0
        assert [pid for pid in children if alive(pid)] == []
    for number in (book[2], lab[2]):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", int(number)), timeout=2)


def test_a_book_whose_sources_are_unchanged_is_not_built_again(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "_spawn", None)
    assert starting._built(root, threading.Event()) == root / "build" / "book"


@pytest.mark.parametrize(
    "change",
    ["book/index.md", "book/new.md", "notebooks/lab.ipynb", "src/labs/model.py", "_toc.yml"],
)
def test_a_change_to_what_the_book_shows_is_noticed(root: Path, change: str) -> None:
    before = fingerprint(root)
    (root / change).write_text("changed")
    assert fingerprint(root) != before


@pytest.mark.parametrize(
    "change", ["src/labs/__pycache__/a.pyc", "notebooks/.ipynb_checkpoints/a.ipynb", "build/x"]
)
def test_what_tools_leave_behind_is_not_taken_for_a_change(root: Path, change: str) -> None:
    before = fingerprint(root)
    (root / change).parent.mkdir(exist_ok=True)
    (root / change).write_text("changed")
    assert fingerprint(root) == before


def builder(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_build_that_fails_leaves_the_earlier_book_to_read(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A notebook that its learner has saved may hold anything; it must not shut the book."""
    (root / "book" / "index.md").write_text("changed")
    spawn = starting._spawn
    monkeypatch.setattr(
        starting, "_spawn", lambda _c, **options: spawn(builder("exit(1)"), **options)
    )
    event = threading.Event()
    assert starting._built(root, event) == root / "build" / "book"
    assert "the one built before" in capsys.readouterr().out
    assert (root / "build" / "book.built-from").read_text() != fingerprint(root)
    shutil.rmtree(root / "build" / "book")
    with pytest.raises(StartError, match="could not be built"):
        starting._built(root, event)


def test_ending_during_the_build_ends_the_build(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "book" / "index.md").write_text("changed")
    spawned = []
    spawn = starting._spawn

    def slow(_command: list[str], **options: object) -> subprocess.Popen[bytes]:
        spawned.append(spawn(builder("import time; time.sleep(60)"), **options))
        return spawned[0]

    monkeypatch.setattr(starting, "_spawn", slow)
    stop = threading.Event()
    stop.set()
    began = time.monotonic()
    with pytest.raises(starting._StoppedError):
        starting._built(root, stop)
    assert spawned[0].poll() is not None
    assert time.monotonic() - began < 10


def test_a_jupyterlab_that_does_not_start_is_one_clear_sentence(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spawn = starting._spawn
    code = "print('noise'); raise SystemExit('the port may not be used')"
    monkeypatch.setattr(starting, "_spawn", lambda _c, **options: spawn(builder(code), **options))
    with (
        starting.Lab(root, tmp_path, 8888) as lab,
        pytest.raises(StartError, match=r"^JupyterLab ended by itself: the port may not be used"),
    ):
        lab.wait(threading.Event())


def test_the_token_is_not_among_the_arguments_that_other_users_can_list(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []
    spawn = starting._spawn

    def watch(command: list[str], **options: object) -> subprocess.Popen[bytes]:
        seen.append(command)
        return spawn(builder("pass"), **options)

    monkeypatch.setattr(starting, "_spawn", watch)
    with starting.Lab(root, tmp_path, 8888) as lab:
        assert lab.token not in " ".join(seen[0])
        assert len(lab.token) >= 32


def test_only_notebooks_as_committed_are_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    root = tmp_path / "checkout"
    (root / "notebooks").mkdir(parents=True)
    for name in ("committed", "changed", "foreign"):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(name)])
        nbformat.write(notebook, root / "notebooks" / f"{name}.ipynb")
    assert trust(root) == []  # not a checkout: nobody vouches for anything
    git = ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@b.example"]
    for command in (
        ["init", "-q"],
        ["add", "notebooks/committed.ipynb", "notebooks/changed.ipynb"],
        ["commit", "-qm", "as it came"],
    ):
        subprocess.run([*git, *command], check=True)
    with (root / "notebooks/changed.ipynb").open("a", encoding="utf-8") as file:
        file.write("\n")
    assert trust(root) == [root / "notebooks/committed.ipynb"]
    notary = nbformat.sign.NotebookNotary()
    with contextlib.closing(notary.store):
        trusted = {
            file.stem: notary.check_signature(nbformat.read(file, as_version=4))
            for file in (root / "notebooks").glob("*.ipynb")
        }
    gc.collect()  # Python 3.13 warns of a database of signatures that trust has not closed
    assert trusted == {"committed": True, "changed": False, "foreign": False}
