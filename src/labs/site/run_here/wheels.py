"""Pure wheels for the page, packed from what is installed, the same bytes every time."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

import labs
from labs.registry import PARTS
from labs.site.node import NodeError

ROOTS = (
    "argon2-cffi",
    "cvss",
    "dnspython",
    "Flask",
    "html5lib",
    "idna",
    "lazy-loader",
    "markdown-it-py",
    "networkx",
    "platformdirs",
    "Pygments",
    "tzdata",
    "zxcvbn",
)
"""Distributions that run in the page; what they require comes with them."""

PAGE = "labs-page"
"""The package of what stands in for IPython and for compiled code."""

LABS = "labs"
"""The package of what all labs share; each lesson has one of its own beside it."""

_STANDS_IN_FOR = {"argon2-cffi-bindings"}
_ALIASES = {
    "IPython/__init__.py": "def get_ipython():\n    return None\n",
    "IPython/display.py": "from labs_page.display import *\n",
    "_argon2_cffi_bindings/__init__.py": "from labs_page.argon2_bindings import ffi, lib\n",
}
"""Names that cells and libraries import, handed on to what stands in for them."""

_LEFT_OUT = re.compile(r"pygments/lexers/(?!__init__|_mapping|python\.)")
"""Lexers for languages that no lab shows: compiled, 1.7 MB for every reader to download."""

_COMPILED = {".so", ".pyd", ".dylib", ".c", ".h"}
_NOT_IN_THE_PAGE = {"site", "workshop", "cli.py", "__main__.py"}
_MARKERS = {
    "os_name": "posix",
    "sys_platform": "emscripten",
    "platform_system": "Emscripten",
    "platform_machine": "wasm32",
    "python_version": "3.14",
    "python_full_version": "3.14.2",
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
    "extra": "",
}


class CannotBuild(NodeError):  # noqa: N818 - says what happened
    """The runtime cannot be built here; the message is one sentence that says what is missing."""


@dataclass(frozen=True, slots=True)
class Wheel:
    """One wheel, with what the lock file says of it."""

    package: str
    version: str
    filename: str
    data: bytes
    imports: tuple[str, ...]
    depends: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """The digest that the lock file pins."""
        return hashlib.sha256(self.data).hexdigest()


def normalized(name: str) -> str:
    """A distribution's name as indexes compare it (PEP 503).

    >>> normalized("Markdown_It.py")
    'markdown-it-py'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def installed() -> dict[str, Distribution]:
    """The distributions of the page, by normalized name.

    Raises:
        CannotBuild: If one is not installed.
    """
    found: dict[str, Distribution] = {}
    waiting = list(ROOTS)
    while waiting:
        name = normalized(waiting.pop())
        if name in found or name in _STANDS_IN_FOR:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            raise CannotBuild(f"the package {name} is not installed.") from None
        waiting += _requirements(found[name])
    return found


def _requirements(one: Distribution) -> list[str]:
    wanted = [Requirement(text) for text in one.requires or ()]
    return [
        requirement.name
        for requirement in wanted
        if requirement.marker is None or requirement.marker.evaluate(_MARKERS)
    ]


def fingerprint() -> str:
    """Changes when anything changes that the wheels are packed from."""
    digest = hashlib.sha256()
    for name, one in sorted(installed().items()):
        digest.update(f"{name} {one.version}\n{one.read_text('RECORD')}".encode())
    for files in (labs_files(), page_files()):
        for path, data in sorted(files.items()):
            digest.update(path.encode() + b"\0" + hashlib.sha256(data).digest())
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Package:
    """What goes into a wheel.

    Args:
        name: The distribution's normalized name.
        version: Its version.
        files: What it holds, by the path in the wheel.
        depends: The packages of the page that it needs.
        metadata: What its author says of it; empty for our own.
    """

    name: str
    version: str
    files: Mapping[str, bytes]
    depends: tuple[str, ...] = ()
    metadata: str = ""


def packages() -> Iterator[Package]:
    """Every package of the site.

    Raises:
        CannotBuild: If a distribution is missing, or was changed after it was installed.
    """
    for name, one in sorted(installed().items()):
        depends = sorted(
            PAGE if normalized(wanted) in _STANDS_IN_FOR else normalized(wanted)
            for wanted in _requirements(one)
        )
        metadata = one.read_text("METADATA") or ""
        yield Package(name, one.version, _files(one), tuple(depends), metadata)
    yield Package(PAGE, labs.__version__, page_files())
    whole = labs_files()
    for name in (LABS, *lesson_packages(whole).values()):
        files = {path: data for path, data in whole.items() if _package_of(path) == name}
        yield Package(name, labs.__version__, files, () if name == LABS else (LABS,))


def _files(one: Distribution) -> dict[str, bytes]:
    found = {}
    for file in one.files or ():
        parts = file.parts
        if ".." in parts or "__pycache__" in parts or file.suffix in _COMPILED:
            continue
        metadata = parts[0].endswith(".dist-info")
        if (metadata and "licenses" not in parts) or "tests" in parts:
            continue
        if _LEFT_OUT.match(file.as_posix()):
            continue
        data = Path(str(file.locate())).read_bytes()
        if file.hash is not None:
            digest = base64.urlsafe_b64encode(hashlib.new(file.hash.mode, data).digest())
            if digest.decode().rstrip("=") != file.hash.value:
                raise CannotBuild(f"{file} was changed after it was installed.")
        found[file.as_posix()] = data
    return found


def labs_files() -> dict[str, bytes]:
    """The files of the labs that a page can use, by their path in the wheel."""
    folder = Path(labs.__path__[0])
    return {
        f"labs/{path.as_posix()}": (folder / path).read_bytes()
        for path in _walk(folder)
        if path.parts[0] not in _NOT_IN_THE_PAGE
    }


def lesson_packages(files: Iterable[str]) -> dict[str, str]:
    """Each lesson travels by itself, so that a reader of one does not download them all.

    Args:
        files: Paths in the labs' wheel.

    Returns:
        The package of each lesson, by the name of its module.

    >>> lesson_packages(["labs/cli.py", "labs/attacks/sql_injection/model.py"])
    {'labs.attacks.sql_injection': 'labs-attacks-sql-injection'}
    """
    found = {path: _package_of(path) for path in files}
    return {".".join(path.split("/")[:3]): name for path, name in found.items() if name != LABS}


def _package_of(path: str) -> str:
    parts = path.split("/")
    lesson = len(parts) > 3 and parts[0] == LABS and parts[1] in PARTS
    return normalized("-".join(parts[:3])) if lesson else LABS


def page_files() -> dict[str, bytes]:
    """The files of what stands in for IPython and for compiled code."""
    folder = Path(__file__).with_name("in_page")
    own = {f"labs_page/{path.as_posix()}": (folder / path).read_bytes() for path in _walk(folder)}
    return own | {name: text.encode() for name, text in _ALIASES.items()}


def _walk(folder: Path) -> list[Path]:
    return sorted(
        path.relative_to(folder)
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    )


def wheel(package: Package, files: Mapping[str, bytes]) -> Wheel:
    """The wheel of a package.

    Args:
        package: What the wheel is of.
        files: What it holds in place of the package's own files: these and their bytecode.
    """
    modules = {name.removesuffix("/__init__.py").removesuffix(".py") for name in package.files}
    imports = tuple(sorted(top for top in modules if top.isidentifier()))
    imports += tuple(lesson_packages(package.files))
    stem = f"{package.name.replace('-', '_')}-{package.version}"
    info = f"{stem}.dist-info"
    described = f"Metadata-Version: 2.1\nName: {package.name}\nVersion: {package.version}\n"
    whole = {
        re.sub(r"^[^/]+\.dist-info/", f"{info}/", name): data for name, data in files.items()
    } | {
        f"{info}/METADATA": (package.metadata or described).encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: labs\nRoot-Is-Purelib: true\n"
        b"Tag: py3-none-any\n",
    }
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip('=')},"
        f"{len(data)}\n"
        for name, data in sorted(whole.items())
    )
    whole[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    return Wheel(
        package.name,
        package.version,
        f"{stem}-py3-none-any.whl",
        zipped(whole),
        imports,
        package.depends,
    )


def zipped(files: Mapping[str, bytes]) -> bytes:
    """An archive of these files by path, the same bytes every time."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data, compresslevel=9)
    return packed.getvalue()
