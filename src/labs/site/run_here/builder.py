"""Builds the folder ``_run`` of the site: runtime, wheels, lock file and scripts.

Two caches make a second build instant: one of the npm packages, by the lock file, and one of the
finished folder, by everything that it is made from.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from labs.site import node
from labs.site.run_here import bytecode, imports, wheels
from labs.site.run_here.wheels import CannotBuild

FRONTEND = Path(__file__).with_name("frontend")
ON_REQUEST = ("numpy", "matplotlib")
"""Packages that come from Pyodide's own distribution, with what they depend on."""

RUNTIME = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm")
LIBRARY = "python_stdlib.zip"

_STAYS_SOURCE = re.compile(
    r"(_pydatetime|_pyio|_pyrepl|doctest|imaplib|mailbox|multiprocessing|pdb|pydoc|unittest|xmlrpc)\b"
)
"""Modules of Python's library that no lab imports: bytecode takes longer to download."""

RELEASES_KEPT = 4
"""Finished folders that stay in the cache."""

# Megabytes of the files in Pyodide's distribution, for the notice that a reader agrees to. Its
# lock file does not tell; where the publisher hosts the files, they are measured.
_MEGABYTES = {
    "numpy": 3.1,
    "matplotlib": 6.6,
    "contourpy": 0.3,
    "fonttools": 1.1,
    "kiwisolver": 0.1,
    "pillow": 1.0,
    "python-dateutil": 0.2,
    "pyparsing": 0.1,
    "pytz": 0.5,
}
_COMPRESSED_BESIDE = {".mjs", ".js", ".wasm", ".json", ".css"}


@dataclass(frozen=True, slots=True)
class Built:
    """A finished runtime.

    Args:
        folder: Holds what goes to the root of the site: ``_run``, and the service worker if any.
        release: Names this content; it changes when anything in the folder does.
    """

    folder: Path
    release: str


def build(
    out: Path,
    *,
    cache: Path | None = None,
    distribution: Path | None = None,
    isolate: bool = False,
) -> Built:
    """Build the runtime and put it into a site.

    Args:
        out: The root of the built site; ``_run`` is made in it.
        cache: Where finished work is kept; by default ``build/run_here``.
        distribution: A folder with Pyodide's complete distribution. Its NumPy, matplotlib and
            what they need are hosted with the site, so that no other host is ever asked.
        isolate: Bring a service worker that isolates the pages, for hosts that send no headers.

    Raises:
        CannotBuild: With one sentence that says what is missing.
    """
    built = prepare(cache=cache or node.CACHE, distribution=distribution, isolate=isolate)
    copy(built.folder, out)
    return built


def copy(folder: Path, out: Path) -> None:
    """Put a finished runtime into a site, in place of an older one."""
    target = out / "_run"
    stamp = target / "run.js"
    if stamp.is_file() and stamp.read_bytes() == (folder / "_run" / "run.js").read_bytes():
        return
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(folder, out, dirs_exist_ok=True)


def prepare(*, cache: Path, distribution: Path | None, isolate: bool) -> Built:
    """Build the runtime in the cache, or find it there.

    Raises:
        CannotBuild: With one sentence that says what is missing.
    """
    cache = cache.resolve()
    release = _release(distribution, isolate)
    folder = cache / f"site-{release}"
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        modules = node.packages(FRONTEND, cache)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            made = Path(scratch, "site")
            _assemble(made, cache, modules, release, distribution, isolate)
            try:
                made.replace(folder)
            except OSError:  # another build finished the same folder first
                if not folder.is_dir():
                    raise
        _prune(cache)
    os.utime(folder)
    return Built(folder, release)


def _prune(cache: Path) -> None:
    """Forget all releases but the last few that were used; each is some 18 MB."""
    releases = sorted(cache.glob("site-*"), key=lambda folder: folder.stat().st_mtime)
    for folder in releases[:-RELEASES_KEPT]:
        shutil.rmtree(folder, ignore_errors=True)


def _release(distribution: Path | None, isolate: bool) -> str:
    digest = hashlib.sha256(wheels.fingerprint().encode())
    sources = [*FRONTEND.glob("*"), *Path(__file__).parent.glob("*.py")]
    for source in sorted(path for path in sources if path.is_file()):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    if distribution is not None:
        if not distribution.is_dir():
            raise CannotBuild(f"the folder {distribution} with Pyodide's distribution is missing.")
        for file in sorted(distribution.glob("*.whl")):
            digest.update(f"{file.name} {file.stat().st_size}\n".encode())
    digest.update(repr((distribution is not None, isolate)).encode())
    return digest.hexdigest()[:16]


def _assemble(
    made: Path, cache: Path, modules: Path, release: str, distribution: Path | None, isolate: bool
) -> None:
    run = made / "_run"
    own = run / release
    own.mkdir(parents=True)
    pyodide = modules / "pyodide"
    version = json.loads((pyodide / "package.json").read_text("utf-8"))["version"]
    runtime = run / f"pyodide-{version}"
    runtime.mkdir()
    for name in RUNTIME:
        shutil.copyfile(pyodide / name, runtime / name)
    published = json.loads((pyodide / "pyodide-lock.json").read_text("utf-8"))
    host = _host(pyodide, version)
    lock, manifest = _lock(own, _wheels(pyodide, cache), published, host, distribution)
    (own / LIBRARY).write_bytes(_library(pyodide, cache))
    (own / "pyodide-lock.json").write_text(_compact(lock), "utf-8")
    manifest["runtime"] = f"../{runtime.name}/"
    described = made.parent / "manifest.json"
    described.write_text(_compact(manifest), "utf-8")
    _bundle(modules, "page.js", own, "--format=esm", f"--alias:labs-manifest={described}")
    _bundle(modules, "worker.js", own, "--format=esm")
    shutil.copyfile(FRONTEND / "run.css", own / "run.css")
    _bundle(
        modules,
        "run.js",
        run,
        "--format=iife",
        f"--define:RELEASE={json.dumps(release)}",
        f"--define:ISOLATE={json.dumps(isolate)}",
    )
    if isolate:
        shutil.copyfile(modules / "mini-coi" / "mini-coi.js", made / "mini-coi.js")
    _notices(modules, run / "NOTICES.txt")
    for file in list(made.rglob("*")):
        if file.suffix in _COMPRESSED_BESIDE and file.stat().st_size > 500:
            packed = gzip.compress(file.read_bytes(), 9, mtime=0)
            file.with_name(f"{file.name}.gz").write_bytes(packed)


def _bundle(modules: Path, name: str, out: Path, *options: str) -> None:
    esbuild = modules / "esbuild" / "bin" / "esbuild"
    node.run(
        [
            *node.program("node"),
            str(esbuild),
            str(FRONTEND / name),
            "--bundle",
            "--minify",
            "--charset=utf8",
            "--target=es2022",
            "--legal-comments=none",
            "--log-level=error",
            f"--outfile={out / name}",
            *options,
        ],
        folder=FRONTEND,
        failed=f"{name} cannot be bundled",
        NODE_PATH=str(modules),
    )


def _compact(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _host(pyodide: Path, version: str) -> str:
    """Where Pyodide's own distribution lies, as its runtime knows it."""
    script = (pyodide / "pyodide.mjs").read_text("utf-8")
    found = re.search(r"`(https://[^`$]+)\$\{\w+\}/full/`", script)
    if found is None:
        raise CannotBuild("the pyodide package does not tell where its distribution lies.")
    return f"{found[1]}{version}/full/"


def _library(pyodide: Path, cache: Path) -> bytes:
    """Python's own library, compiled: from sources, a start would take three times as long."""
    files = bytecode.unzipped((pyodide / LIBRARY).read_bytes())
    sources = {path: data for path, data in files.items() if _STAYS_SOURCE.match(path)}
    rest = {path: data for path, data in files.items() if path not in sources}
    compiled = bytecode.add(
        {"python": rest},
        pyodide=pyodide,
        cache=cache,
        sourceless={"python"},
        place=bytecode.STANDARD_LIBRARY,
    )
    return wheels.zipped(sources | compiled["python"])


def _wheels(pyodide: Path, cache: Path) -> Iterator[wheels.Wheel]:
    """The wheels of the site, compiled; only the labs and the page keep their sources."""
    packages = {package.name: package for package in wheels.packages()}
    compiled = bytecode.add(
        {name: package.files for name, package in packages.items()},
        pyodide=pyodide,
        cache=cache,
        sourceless={name for name, package in packages.items() if package.metadata},
    )
    for name, package in packages.items():
        yield wheels.wheel(package, compiled[name])


def _lock(
    own: Path,
    site_wheels: Iterable[wheels.Wheel],
    published: dict[str, Any],
    host: str,
    distribution: Path | None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The lock file of this site, and what the page needs to know about it."""
    packages: dict[str, Any] = {}
    for wheel in site_wheels:
        (own / wheel.filename).write_bytes(wheel.data)
        packages[wheel.package] = _entry(
            wheel.package,
            wheel.version,
            wheel.filename,
            wheel.sha256,
            list(wheel.depends),
            list(wheel.imports),
        )
    requested: dict[str, float] = {}
    for name in _with_dependencies(published["packages"], ON_REQUEST):
        if name in packages:
            continue
        entry = published["packages"][name]
        where = host + entry["file_name"]
        requested[name] = _MEGABYTES.get(name, 0.05)
        if distribution is not None:
            data = _hosted(distribution, entry)
            (own / entry["file_name"]).write_bytes(data)
            where = entry["file_name"]
            requested[name] = round(len(data) / 1e6, 2)
        packages[name] = {**entry, "file_name": where}
    modules = {m: name for name, entry in packages.items() for m in entry["imports"]}
    site = {m: name for m, name in modules.items() if name not in requested}
    site["zoneinfo"] = "tzdata"
    needs = imports.requirements(wheels.labs_files(), site)
    manifest = {
        "imports": {module: list(names) for module, names in needs.items()},
        "modules": site,
        "requested": {
            "modules": {m: name for m, name in modules.items() if name in requested},
            "megabytes": requested,
            "depends": {name: packages[name]["depends"] for name in requested},
            "host": None if distribution is not None else urlsplit(host).hostname,
        },
    }
    return {"info": published["info"], "packages": packages}, manifest


def _entry(
    name: str, version: str, file: str, sha256: str, depends: list[str], modules: list[str]
) -> dict[str, Any]:
    return {
        "name": name,
        "version": version,
        "file_name": file,
        "install_dir": "site",
        "sha256": sha256,
        "package_type": "package",
        "imports": modules,
        "depends": depends,
        "unvendored_tests": False,
    }


def _with_dependencies(packages: dict[str, Any], names: tuple[str, ...]) -> list[str]:
    found: list[str] = []
    waiting = list(names)
    while waiting:
        name = wheels.normalized(waiting.pop(0))
        if name not in found:
            found.append(name)
            waiting += packages[name]["depends"]
    return found


def _hosted(distribution: Path, entry: dict[str, Any]) -> bytes:
    file = Path(distribution, entry["file_name"])
    if not file.is_file():
        raise CannotBuild(f"{file.name} is missing in the folder {distribution}.")
    data = file.read_bytes()
    if hashlib.sha256(data).hexdigest() != entry["sha256"]:
        raise CannotBuild(f"{file} is not the file that Pyodide's lock file names.")
    return data


def _notices(modules: Path, target: Path) -> None:
    """The licenses of the packages whose code the scripts carry."""
    parts = []
    for license_file in sorted(modules.glob("**/LICENSE*")):
        package = license_file.parent.relative_to(modules).as_posix()
        if package.startswith(("esbuild", "@esbuild")):
            continue
        parts.append(f"{package}\n\n{license_file.read_text('utf-8', errors='replace').strip()}\n")
    target.write_text(f"\n{'-' * 72}\n\n".join(parts), "utf-8")
