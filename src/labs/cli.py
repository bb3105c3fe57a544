"""The command line: ``labs start``, ``doctor``, ``kvittra``, ``progress``, ``book`` and the like.

A command ends with status 0 on success, 2 if it was used wrongly and 1 if it failed, then with one
sentence on standard error. What a command needs is imported when it runs, so that each starts
quickly. ``LABS_DEBUG=1`` shows where an unforeseen failure came from.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

app = typer.Typer(
    name="labs",
    help="Trust, Tested: read the book and do its labs on your own machine.",
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
)
progress_app = typer.Typer(
    help="What you have done so far; it is kept on this machine only.", rich_markup_mode=None
)
app.add_typer(progress_app, name="progress")

PortOption = Annotated[int, typer.Option(min=1, max=65_535, help="The port to try first.")]
JobsOption = Annotated[int, typer.Option(min=1, max=64, help="How many run at a time.")]


class _FailedError(Exception):
    """A command failed for a reason that the reader can understand."""


class _MisusedError(Exception):
    """A command was asked for something that does not exist."""


@app.command()
def start(
    port: PortOption = 8000,
    lab_port: PortOption = 8888,
    browser: Annotated[bool, typer.Option(help="Open the book in a browser.")] = True,
) -> None:
    """Start the book and JupyterLab; Ctrl-C ends both."""
    from labs.site.start import StartError
    from labs.site.start import start as start_both

    try:
        start_both(_checkout(), port=port, lab_port=lab_port, browser=browser)
    except StartError as error:
        raise _FailedError(str(error)) from error


@app.command()
def doctor() -> None:
    """Check what the book and the labs need, and say what to do about each problem."""
    from labs.site.doctor import examine

    problems = 0
    for finding in examine(_checkout()):
        problems += finding.state == "problem"
        typer.echo(f"{finding.state:8} {finding.subject}: {finding.detail}")
        if finding.advice:
            typer.echo(f"{'':8} → {finding.advice}")
    if problems:
        raise _FailedError(f"{problems} {'problem' if problems == 1 else 'problems'} found")


@app.command()
def kvittra(
    weakness: Annotated[
        list[str] | None, typer.Option(help="A weakness to switch on, or all; may be repeated.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65_535, help="The port; by default any free one.")
    ] = None,
    listing: Annotated[
        bool, typer.Option("--list", help="List the weaknesses with their CWE ids and end.")
    ] = False,
) -> None:
    """Serve Kvittra, the book's fictional service, to this machine; hardened unless you ask."""
    from labs.kvittra.weaknesses import WEAKNESSES

    if listing:
        for name, item in WEAKNESSES.items():
            typer.echo(f"{name:28} {item.cwe:9} {item.description}")
        return
    chosen = weakness or []
    for name in chosen:
        if name != "all" and name not in WEAKNESSES:
            raise _MisusedError(f"there is no weakness {name!r}; labs kvittra --list names them")
    from labs.kvittra.server import serve

    try:
        serve(chosen, port=port)
    except OSError as error:
        raise _FailedError(f"Kvittra cannot be served: {error.strerror or error}") from error


@progress_app.command("show")
def progress_show() -> None:
    """Show what was hinted, tried and solved."""
    from labs.teaching import progress

    done = progress.load()
    if not done:
        typer.echo("Nothing yet. Run labs start and open the first lab.")
    for name, entry in sorted(done.items()):
        typer.echo(f"{entry['state']:7} {entry['at'][:10]}  {name}")


@progress_app.command("export")
def progress_export(file: Annotated[Path, typer.Argument(help="The file to write.")]) -> None:
    """Write your progress to a file, to take it to another machine."""
    from labs.teaching import progress

    typer.echo(f"Your progress is in {progress.export(file)}.")


@progress_app.command("import")
def progress_import(file: Annotated[Path, typer.Argument(help="An exported file.")]) -> None:
    """Add the progress from an exported file; what is solved stays solved."""
    from labs.teaching import progress

    count = progress.import_file(file)
    typer.echo(f"The file had {count} {'entry' if count == 1 else 'entries'}.")


@progress_app.command("reset")
def progress_reset() -> None:
    """Start over; the progress so far is kept beside the file."""
    from labs.teaching import progress

    kept = progress.reset()
    typer.echo("There was nothing to reset." if kept is None else f"The old progress is in {kept}.")


DistributionOption = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        file_okay=False,
        resolve_path=True,
        help="A folder with Pyodide's complete distribution: its NumPy and matplotlib are then "
        "part of the site, and no other host is ever asked.",
    ),
]


@app.command()
def book(
    clean: Annotated[bool, typer.Option("--clean", help="Forget earlier builds first.")] = False,
    jobs: JobsOption = 2,
    base_url: Annotated[
        str | None, typer.Option(help="The address where it will be published.")
    ] = None,
    distribution: DistributionOption = None,
) -> None:
    """Build the book from the committed notebooks, into build/book."""
    from labs.site.build import BuildError, build

    try:
        folder = build(
            clean=clean,
            jobs=jobs,
            base_url=base_url,
            distribution=distribution,
            progress=sys.stderr,
        )
    except BuildError as error:
        raise _FailedError(str(error)) from error
    typer.echo(f"The book is in {folder}.")


@app.command()
def dist(
    out: Annotated[Path, typer.Option(help="Where the files go.")] = Path("dist"),
    base_url: Annotated[
        str | None, typer.Option(help="The address where it will be published.")
    ] = None,
    distribution: DistributionOption = None,
) -> None:
    """Pack the book for publishing: the site as an archive, an EPUB, a PDF, and checksums."""
    from labs.site.build import BuildError, build
    from labs.site.dist import DistError, pack

    try:
        site = build(base_url=base_url, distribution=distribution, progress=sys.stderr)
        for file in pack(_checkout(), site, out):
            typer.echo(f"{file} ({file.stat().st_size / 1e6:,.1f} MB)")
    except (BuildError, DistError) as error:
        raise _FailedError(str(error)) from error


@app.command()
def notebooks(
    names: Annotated[
        list[str] | None, typer.Argument(help="Paths, or lessons such as attacks.passwords.")
    ] = None,
    jobs: JobsOption = 2,
) -> None:
    """Run the notebooks top to bottom and write those whose outputs have changed."""
    from labs.site.notebooks import NotebookError, chosen, run_with_progress

    root = _checkout()
    try:
        paths = chosen(root, names or [])
    except NotebookError as error:
        raise _MisusedError(str(error)) from error
    if not run_with_progress(paths, root=root, jobs=jobs):
        raise _FailedError("not every notebook ran; the reasons stand above")


def _checkout() -> Path:
    from labs.site.build import BuildError, repository

    try:
        return repository()
    except BuildError as error:
        raise _FailedError(str(error)) from error


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: What stands behind ``labs`` on the command line; by default, what does.

    Returns:
        The exit status.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        # Without its stand-alone mode Typer leaves every failure to us, also the wrong usage.
        status = typer.main.get_command(app).main(given, prog_name="labs", standalone_mode=False)
        sys.stdout.flush()
    except TyperException as error:
        return _say(f"{error.format_message().rstrip('.')}; labs --help shows how", error.exit_code)
    except _MisusedError as error:
        return _say(str(error), 2)
    except (KeyboardInterrupt, typer.Abort):
        return 1
    except BrokenPipeError:  # the reader of our output, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if os.environ.get("LABS_DEBUG"):
            raise
        foreseen = isinstance(error, _FailedError) or type(error).__module__.startswith("labs.")
        return _say(str(error) if foreseen else f"{type(error).__name__}: {error}", 1)
    # Typer answers an interrupt with 130, and a command that returns nothing with None.
    return status if status in (0, 1, 2) else int(status is not None)


def _say(sentence: str, status: int) -> int:
    print(f"labs: {' '.join(sentence.split())}", file=sys.stderr)
    return status


def main() -> None:
    """Run the command line and end the process with its status."""
    sys.exit(run())


if __name__ == "__main__":
    main()
