"""What the runtime of a site is made from: wheels, lock file, packages of a page, and caches."""

from __future__ import annotations

import ast
import base64
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import labs
from labs.site import node
from labs.site.run_here import Built, CannotBuild, build, builder, bytecode, imports, pages, wheels
from labs.site.run_here.builder import FRONTEND
from labs.site.run_here.in_page.packages import ABSENT
from tests.site.run_here.conftest import CACHE


@pytest.fixture(scope="module")
def packed() -> dict[str, wheels.Wheel]:
    return {one.name: wheels.wheel(one, one.files) for one in wheels.packages()}


@pytest.fixture(scope="module")
def made() -> Built:
    try:
        return builder.prepare(cache=CACHE, distribution=None, isolate=False)
    except CannotBuild as reason:
        pytest.skip(f"the runtime cannot be built: {reason}")


def test_wheels_are_the_same_bytes_every_time(packed: dict[str, wheels.Wheel]) -> None:
    again = {one.name: wheels.wheel(one, one.files).sha256 for one in wheels.packages()}
    assert again == {name: wheel.sha256 for name, wheel in packed.items()}


def test_wheels_hold_no_compiled_code_and_keep_their_licenses(
    packed: dict[str, wheels.Wheel],
) -> None:
    for wheel in packed.values():
        with zipfile.ZipFile(io.BytesIO(wheel.data)) as archive:
            names = archive.namelist()
        assert not [name for name in names if name.endswith((".so", ".pyd", ".c", ".pyc"))]
        if wheel.package in ("markupsafe", "flask", "networkx"):
            assert any("licenses/" in name for name in names), wheel.package


def test_every_module_of_the_site_comes_compiled_and_only_our_own_with_its_source(
    made: Built,
) -> None:
    for package, kept in (("flask", False), ("labs", True), ("labs_page", True)):
        (wheel,) = made.folder.glob(f"_run/*/{package}-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            names = set(archive.namelist())
        sources = {name for name in names if name.endswith(".py")}
        compiled = {name for name in names if name.endswith(".pyc")}
        assert bool(sources) is kept
        assert len(compiled) > 4
        if kept:
            assert {bytecode._cached(name) for name in sources} == compiled


def test_the_library_of_python_loses_no_module_and_comes_compiled_but_for_what_no_lab_imports(
    made: Built,
) -> None:
    published = node.packages(FRONTEND, CACHE) / "pyodide" / builder.LIBRARY
    (ours,) = made.folder.glob(f"_run/*/{builder.LIBRARY}")
    names = set(bytecode.unzipped(ours.read_bytes()))
    for name in bytecode.unzipped(published.read_bytes()):
        as_it_is = builder._STAYS_SOURCE.match(name) or not name.endswith(".py")
        assert (name if as_it_is else f"{name}c") in names
    assert {"json/__init__.pyc", "_pyodide/_base.pyc", "unittest/case.py"} <= names
    whole = b"".join(wheels.labs_files().values()).decode("utf-8", "ignore")
    rare = {name.split("/")[0].removesuffix(".py") for name in names if name.endswith(".py")}
    assert not {name for name in rare if re.search(rf"^\s*(import|from) {name}\b", whole, re.M)}


def test_bytecode_is_the_same_every_time_and_what_cannot_be_compiled_stays_a_source(
    tmp_path: Path,
) -> None:
    pyodide = node.packages(FRONTEND, CACHE) / "pyodide"
    files = {
        "one/__init__.py": b"def f(x):\n    return x in {'p', 'q', 'r', 's', 't', 'u'}\n",
        "one/other.py": b"print 'of another age'\n",
        "one/data.txt": b"kept",
    }
    # What an earlier run of the tests has compiled counts too: it was another process.
    made = [
        bytecode.add({"one": files}, pyodide=pyodide, cache=cache, sourceless={"one"})["one"]
        for cache in (CACHE, tmp_path)
    ]
    assert made[0] == made[1]
    assert made[0].keys() == {"one/__init__.pyc", "one/other.py", "one/data.txt"}


def test_the_record_of_a_wheel_tells_the_truth(packed: dict[str, wheels.Wheel]) -> None:
    with zipfile.ZipFile(io.BytesIO(packed["markupsafe"].data)) as archive:
        (record,) = [name for name in archive.namelist() if name.endswith("/RECORD")]
        lines = [line.rsplit(",", 2) for line in archive.read(record).decode().splitlines()]
        assert {name for name, *_ in lines} == set(archive.namelist())
        for name, digest, size in lines:
            if name == record:
                continue
            data = archive.read(name)
            packed_digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest())
            assert digest == f"sha256={packed_digest.decode().rstrip('=')}"
            assert int(size) == len(data)


def test_markupsafe_runs_without_its_compiled_part(
    packed: dict[str, wheels.Wheel], tmp_path: Path
) -> None:
    for name in ("markupsafe", "jinja2"):
        with zipfile.ZipFile(io.BytesIO(packed[name].data)) as archive:
            archive.extractall(tmp_path)
    code = (
        "import sys, jinja2, markupsafe\n"
        "print(markupsafe._escape_inner.__module__,"
        " jinja2.Template('{{ x|e }}').render(x='<i>'))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["markupsafe._native", "&lt;i&gt;"]


def test_every_import_of_the_labs_is_of_the_site_on_request_or_known_to_be_absent(
    packed: dict[str, wheels.Wheel],
) -> None:
    known = {module for wheel in packed.values() for module in wheel.imports}
    known |= {"numpy", "matplotlib", "cycler"} | set(ABSENT) | set(sys.stdlib_module_names)
    missing = set()
    for path, source in wheels.labs_files().items():
        if not path.endswith(".py"):
            continue
        for part in imports._run_time(ast.parse(source)):
            if isinstance(part, ast.Import):
                names = [alias.name for alias in part.names]
            elif isinstance(part, ast.ImportFrom) and not part.level:
                names = [part.module or ""]
            else:
                continue
            missing |= {(path, n) for n in names if n.partition(".")[0] not in known}
    assert not missing


def test_a_file_that_changed_after_its_installation_is_not_packed(
    tmp_path: Path,
) -> None:
    from importlib.metadata import Distribution, distribution

    info = next(Path(str(f.locate())).parent for f in distribution("six").files or ()
                if f.name == "METADATA")  # fmt: skip
    shutil.copytree(info, tmp_path / info.name)
    (tmp_path / "six.py").write_text("changed = True\n", "utf-8")
    with pytest.raises(CannotBuild, match=r"six\.py was changed"):
        wheels._files(Distribution.at(tmp_path / info.name))


def test_a_lesson_travels_by_itself_with_what_all_labs_share() -> None:
    packages = {one.name: one for one in wheels.packages()}
    lesson = packages["labs-attacks-passwords"]
    assert lesson.depends == ("labs",)
    assert {path.split("/")[2] for path in lesson.files} == {"passwords"}
    assert not any(path.startswith("labs/attacks/passwords/") for path in packages["labs"].files)
    together = [
        path for name in packages if name.startswith("labs") for path in packages[name].files
    ]
    assert len(together) == len(set(together))
    needs = imports.requirements(wheels.labs_files(), {"labs.attacks.passwords": lesson.name})
    assert needs["labs.attacks.passwords.exercises"] == (lesson.name,)
    assert "labs.attacks.sql_injection.exercises" not in needs


def test_a_module_brings_what_its_imports_bring() -> None:
    files = {
        "labs/__init__.py": b"",
        "labs/a/__init__.py": b"from labs.a.model import f",
        "labs/a/model.py": b"import flask.json\ndef f():\n    if f:\n        import networkx",
        "labs/a/figures.py": b"from . import model\nfrom ..b import quiet",
        "labs/b/__init__.py": b"",
        "labs/b/__init__.pyi": b"from .lazy import draw",
        "labs/b/lazy.py": b"import html5lib",
        "labs/b/quiet.py": (
            b"from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import numpy\nimport json"
        ),
    }
    known = {name: name for name in ("flask", "networkx", "html5lib", "numpy")}
    needs = imports.requirements(files, known)
    assert needs["labs.a"] == ("flask", "networkx")
    assert needs["labs.a.figures"] == ("flask", "html5lib", "networkx")
    assert needs["labs.b.quiet"] == ("html5lib",)
    assert "labs" not in needs


def test_the_lock_pins_every_file_of_the_site_and_names_one_host_for_the_rest(
    made: Built,
) -> None:
    run = made.folder / "_run" / made.release
    lock = json.loads((run / "pyodide-lock.json").read_text("utf-8"))
    hosts = set()
    for name, entry in lock["packages"].items():
        assert set(entry["depends"]) <= set(lock["packages"]), name
        if "://" in entry["file_name"]:
            hosts.add(entry["file_name"].split("/")[2])
        else:
            data = (run / entry["file_name"]).read_bytes()
            assert hashlib.sha256(data).hexdigest() == entry["sha256"]
    assert len(hosts) == 1
    elsewhere = {n for n, e in lock["packages"].items() if "://" in e["file_name"]}
    assert {"numpy", "matplotlib", "pillow"} <= elsewhere
    assert not elsewhere & {"flask", "jinja2", "markupsafe", "six", "labs", "networkx"}


def test_no_script_but_the_entry_is_at_the_top_and_it_is_small(made: Built) -> None:
    run = made.folder / "_run"
    assert [file.name for file in run.glob("*.js")] == ["run.js"]
    assert (run / "run.js").stat().st_size < 10_000
    assert not list(made.folder.glob("*.js"))


def test_the_licenses_of_bundled_code_travel_with_it(made: Built) -> None:
    notices = (made.folder / "_run" / "NOTICES.txt").read_text("utf-8")
    for package in ("@codemirror/view", "@noble/hashes"):
        assert package in notices


def test_a_second_build_runs_no_program(
    made: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise AssertionError("a program was started")

    monkeypatch.setattr(subprocess, "run", refuse)
    monkeypatch.setattr(builder, "_release", lambda *_: made.release)
    assert build(tmp_path, cache=CACHE) == made
    assert (tmp_path / "_run" / "run.js").is_file()


def test_a_release_is_named_by_all_that_it_is_made_from(monkeypatch: pytest.MonkeyPatch) -> None:
    files = wheels.labs_files()
    monkeypatch.setattr(wheels, "labs_files", lambda: files)
    before = builder._release(None, False)
    assert builder._release(None, False) == before
    assert builder._release(None, True) != before
    changed = {**files, "labs/arguments.py": b"# another text"}
    monkeypatch.setattr(wheels, "labs_files", lambda: changed)
    assert builder._release(None, False) != before


def test_the_cache_keeps_a_few_releases(tmp_path: Path) -> None:
    for number in range(7):
        (tmp_path / f"site-{number}").mkdir()
        os.utime(tmp_path / f"site-{number}", (number, number))
    builder._prune(tmp_path)
    assert sorted(folder.name for folder in tmp_path.iterdir()) == [
        f"site-{number}" for number in range(7 - builder.RELEASES_KEPT, 7)
    ]


def test_an_older_runtime_in_a_site_is_replaced(made: Built, tmp_path: Path) -> None:
    old = tmp_path / "_run" / "0123456789abcdef"
    old.mkdir(parents=True)
    builder.copy(made.folder, tmp_path)
    assert not old.exists()
    assert (tmp_path / "_run" / made.release / "worker.js").is_file()


def test_without_npm_the_reason_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node, "find_spec", lambda _name: None)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(node.NodeError) as caught:
        build(tmp_path / "site", cache=tmp_path / "cache")
    assert str(caught.value).startswith("npm is missing")
    assert str(caught.value).count(". ") == 0
    assert not (tmp_path / "site").exists()


def test_without_npm_a_book_has_no_button(monkeypatch: pytest.MonkeyPatch) -> None:
    class Settings:
        run_here = True
        run_here_distribution = ""
        run_here_isolate = False
        run_here_ready = True
        run_here_folder = "old"

    class App:
        srcdir = "/nowhere"

    def fail(**_options: object) -> None:
        raise CannotBuild("npm is missing.")

    monkeypatch.setattr(pages, "prepare", fail)
    settings = Settings()
    pages._prepare(App(), settings)  # type: ignore[arg-type]
    assert not settings.run_here_ready
    assert settings.run_here_folder == ""


@pytest.mark.usefixtures("made")
def test_a_distribution_folder_must_hold_the_pinned_files(
    packed: dict[str, wheels.Wheel],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(builder, "_wheels", lambda *_: packed.values())
    folder = tmp_path / "distribution"
    with pytest.raises(CannotBuild, match="is missing"):
        build(tmp_path / "site", cache=CACHE, distribution=folder)
    folder.mkdir()
    with pytest.raises(CannotBuild, match="is missing in the folder"):
        build(tmp_path / "site", cache=CACHE, distribution=folder)
    published = json.loads(
        (node.packages(FRONTEND, CACHE) / "pyodide" / "pyodide-lock.json").read_text("utf-8")
    )
    (folder / published["packages"]["numpy"]["file_name"]).write_bytes(b"another file")
    with pytest.raises(CannotBuild, match="is not the file"):
        build(tmp_path / "site", cache=CACHE, distribution=folder)


@pytest.mark.usefixtures("made")
def test_a_hosted_distribution_leaves_no_other_host_in_the_lock(
    packed: dict[str, wheels.Wheel],
    tmp_path: Path,
) -> None:
    folder = tmp_path / "distribution"
    folder.mkdir()
    published = json.loads(
        (node.packages(FRONTEND, CACHE) / "pyodide" / "pyodide-lock.json").read_text("utf-8")
    )
    for name in builder._with_dependencies(published["packages"], builder.ON_REQUEST):
        entry = published["packages"][name]
        (folder / entry["file_name"]).write_bytes(name.encode())
        entry["sha256"] = hashlib.sha256(name.encode()).hexdigest()
    own = tmp_path / "own"
    own.mkdir()
    lock, manifest = builder._lock(
        own, packed.values(), published, "https://files.example/full/", folder
    )
    assert manifest["requested"]["host"] is None
    for entry in lock["packages"].values():
        assert (own / entry["file_name"]).is_file()


# RFC 9106, section 5: type, tag.
RFC_9106 = [
    (
        "argon2d",
        "512b391b6f1162975371d30919734294f868e3be3984f3c1a13a4db9fabe4acb",
    ),
    (
        "argon2i",
        "c814d9d1dc7f37aa13f0d77f2494bda1c8de6b016dd388d29952a4c4672b6ce8",
    ),
    (
        "argon2id",
        "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659",
    ),
]


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize(("name", "tag"), RFC_9106, ids=[f"RFC 9106, {n}" for n, _ in RFC_9106])
def test_the_library_in_the_worker_reproduces_the_standards_vectors(name: str, tag: str) -> None:
    # Their secret and associated data are inputs that the labs have no way to give.
    modules = node.packages(FRONTEND, CACHE)
    script = (
        "const { [process.argv[1]]: derive } = await import(process.argv[2]);"
        "const of = (n, value) => new Uint8Array(n).fill(value);"
        "const tag = derive(of(32, 1), of(16, 2),"
        " { t: 3, m: 32, p: 4, dkLen: 32, key: of(8, 3), personalization: of(12, 4) });"
        "console.log(Buffer.from(tag).toString('hex'));"
    )
    library = (modules / "@noble" / "hashes" / "argon2.js").as_uri()
    done = subprocess.run(
        [*node.program("node"), "--input-type=module", "-e", script, name, library],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == tag


def test_the_labs_travel_without_what_only_a_desktop_uses() -> None:
    names = set(wheels.labs_files())
    assert "labs/__init__.py" in names
    assert "labs/py.typed" in names
    assert not [name for name in names if name.startswith(("labs/site/", "labs/workshop/"))]
    assert all((Path(labs.__path__[0]).parent / name).is_file() for name in names)
