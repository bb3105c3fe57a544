"""Finds packages of the site when they are imported, and says what a browser does not have."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

ABSENT = {
    "ssl": "TLS needs the operating system's network",
    "cryptography": "it is compiled for desktop Pythons only",
    "ipywidgets": "its widgets belong to Jupyter",
    "bcrypt": "it is compiled for desktop Pythons only",
    "ipykernel": "it is Jupyter's own engine",
}
"""Modules that Python in a browser lacks, with the reason."""


class NotHere(ModuleNotFoundError):  # noqa: N818 - says what is the case
    """A module that the page cannot import as things stand."""


class NotInBrowser(NotHere):
    """A module that no browser has; the lab goes on where it is installed."""


class NeedsAgreement(NotHere):
    """A module that is fetched only when the reader agrees."""


class SiteFinder(MetaPathFinder):
    """Brings packages of the site in at their first import.

    What a page surely needs is loaded before it starts. The rest (an import that a reader types)
    comes from here.

    Args:
        site: Which package of the site holds a top-level module, or a lesson.
        on_request: Which package holds a module that needs the reader's agreement.
        bring: Fetches a package, checks its hash, unpacks it, and returns what it depends on.
        present: Packages that are there already.
        after: What to do with a module when it has been imported.
    """

    def __init__(
        self,
        site: Mapping[str, str],
        on_request: Mapping[str, str],
        bring: Callable[[str], Sequence[str]],
        present: Sequence[str],
        after: Mapping[str, Callable[[ModuleType], None]],
    ) -> None:
        self._site = site
        self._after = after
        self._on_request = on_request
        self._bring = bring
        self.present = set(present)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Find a module as every finder does.

        Raises:
            NotInBrowser: If a browser cannot have it.
            NeedsAgreement: If the reader has to agree first.
        """
        if fullname in self._after:
            return self._watched(fullname, path)
        if path is not None and fullname not in self._site:
            return None
        if fullname in ABSENT:
            raise NotInBrowser(f"`{fullname}`: {ABSENT[fullname]}", name=fullname)
        wanted = self._on_request.get(fullname)
        if wanted is not None and wanted not in self.present:
            raise NeedsAgreement(f"`{fullname}` is not part of this site", name=fullname)
        package = self._site.get(fullname)
        if package is None or package in self.present:
            return None
        self._load(package)
        return PathFinder.find_spec(fullname, path, target)

    def missing(self, modules: Iterable[str]) -> str | None:
        """The first of ``modules`` that needs the reader's agreement, if any does."""
        for module in modules:
            package = self._on_request.get(module.partition(".")[0])
            if package is not None and package not in self.present:
                return module.partition(".")[0]
        return None

    def _load(self, package: str) -> None:
        waiting = [package]
        while waiting:
            name = waiting.pop()
            if name not in self.present:
                self.present.add(name)
                waiting += self._bring(name)
        PathFinder.invalidate_caches()

    def _watched(self, name: str, path: Sequence[str] | None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            spec.loader = _Watched(spec.loader, self._after[name])
        return spec


class _Watched(Loader):
    def __init__(self, loader: Loader, after: Callable[[ModuleType], None]) -> None:
        self._loader = loader
        self._after = after

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        self._after(module)


def install(finder: SiteFinder) -> None:
    """Put ``finder`` before all others, and forget modules that are there in name only."""
    for name in ABSENT:
        sys.modules.pop(name, None)  # Pyodide's ``ssl`` is empty, and loaded before any cell
    sys.meta_path.insert(0, finder)
