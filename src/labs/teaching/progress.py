"""What the learner has done, kept on the learner's own machine and sent nowhere.

One JSON file, in ``LABS_HOME`` or the user's data folder::

    {"version": 1, "done": {"attacks.passwords.store": {"state": "solved", "at": "2026-…Z"}}}

It is written to a new file that then takes the old one's place, so a crash at any moment leaves
either the old or the new progress. A damaged file is set aside, never deleted. In the page the
same records go to the browser's local storage, through :func:`on_record`.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

import platformdirs

State = Literal["hinted", "tried", "solved"]

_RANK: dict[str, int] = {state: rank for rank, state in enumerate(get_args(State))}
_VERSION = 1
_listeners: list[Callable[[str, State, str], None]] = []


class ProgressError(Exception):
    """Progress could not be read or written; the message says what to do."""


def path() -> Path:
    """Where progress is kept: ``$LABS_HOME/progress.json`` or the user's data folder."""
    home = os.environ.get("LABS_HOME")
    folder = Path(home) if home else Path(platformdirs.user_data_dir("trust-tested", False))
    return folder / "progress.json"


def load() -> dict[str, dict[str, str]]:
    """What was done: ``{id: {"state": …, "at": …}}``, empty for a newcomer.

    A file that cannot be understood is renamed to ``progress.damaged-<time>.json`` beside it.

    Raises:
        ProgressError: If the file exists but cannot be read at all.
    """
    file = path()
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError:
        text = ""
    except OSError as error:
        raise ProgressError(f"cannot read the progress in {file}: {error.strerror}") from error
    try:
        return _parse(text)
    except ProgressError:
        aside = file.with_name(f"progress.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.json")
        with contextlib.suppress(OSError):
            file.replace(aside)
        return {}


def record(identifier: str, state: State) -> None:
    """Note that something was hinted, tried or solved; solved never goes back to tried.

    A place that cannot be written to does not stop a lab: the record is then kept nowhere, and
    ``labs doctor`` says why.
    """
    at = datetime.now(UTC).isoformat(timespec="seconds")
    for listener in _listeners:
        listener(identifier, state, at)
    with contextlib.suppress(OSError, ProgressError):
        done = load()
        merged = _merge(done, {identifier: {"state": state, "at": at}})
        if merged != done:
            _save(merged)


def on_record(listener: Callable[[str, State, str], None]) -> None:
    """Call ``listener(id, state, at)`` at every record; the page keeps them in the browser."""
    _listeners.append(listener)


def export(target: str | os.PathLike[str]) -> Path:
    """Write the progress to a file of your choice.

    Raises:
        ProgressError: If the file cannot be written.
    """
    file = Path(target)
    try:
        _write(file, load())
    except OSError as error:
        raise ProgressError(f"cannot write {file}: {error.strerror}") from error
    return file


def import_file(source: str | os.PathLike[str]) -> int:
    """Add the progress from an exported file; nothing that is already solved is lost.

    Returns:
        How many entries the file had.

    Raises:
        ProgressError: If the file cannot be read or is not an exported progress.
    """
    file = Path(source)
    try:
        done = _parse(file.read_text(encoding="utf-8"))
        _save(_merge(load(), done))
    except ProgressError as error:
        raise ProgressError(f"{file} is not an exported progress: {error}") from error
    except UnicodeDecodeError as error:
        raise ProgressError(f"{file} is not an exported progress: it is not text") from error
    except OSError as error:
        raise ProgressError(f"cannot read {file}: {error.strerror}") from error
    return len(done)


def reset() -> Path | None:
    """Start over. The old progress is kept beside the file; its path comes back, if there was any.

    Raises:
        ProgressError: If the file cannot be set aside.
    """
    file = path()
    aside = file.with_name(f"progress.before-reset-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.json")
    try:
        file.replace(aside)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ProgressError(f"cannot set {file} aside: {error.strerror}") from error
    return aside


def _parse(text: str) -> dict[str, dict[str, str]]:
    try:
        data: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProgressError("it is not JSON") from error
    if not isinstance(data, dict) or data.get("version") != _VERSION:
        raise ProgressError(f"it does not say version {_VERSION}")
    done = data.get("done")
    if not isinstance(done, dict):
        raise ProgressError("it has no list of what was done")
    for name, entry in done.items():
        if (
            not isinstance(entry, dict)
            or entry.get("state") not in _RANK
            or not isinstance(entry.get("at"), str)
        ):
            raise ProgressError(f"its entry {name!r} is damaged")
    return {name: {"state": e["state"], "at": e["at"]} for name, e in done.items()}


def _merge(
    old: Mapping[str, dict[str, str]], new: Mapping[str, dict[str, str]]
) -> dict[str, dict[str, str]]:
    merged = dict(old)
    for name, entry in new.items():
        before = merged.get(name)
        if before is None or _RANK[entry["state"]] > _RANK[before["state"]]:
            merged[name] = entry
    return merged


def _save(done: Mapping[str, dict[str, str]]) -> None:
    _write(path(), done)


def _write(file: Path, done: Mapping[str, dict[str, str]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".progress-", suffix=".json")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump({"version": _VERSION, "done": done}, out, indent=1, sort_keys=True)
            out.flush()
            os.fsync(out.fileno())
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
