"""Parts of pages that are made from the registry and from the labs, not written by hand."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from html import escape

from argon2.low_level import Type, hash_secret
from docutils import nodes  # type: ignore[import-untyped]
from docutils.parsers.rst import directives  # type: ignore[import-untyped]
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from labs import registry
from labs.kvittra import cast
from labs.site.cells import fold
from labs.teaching.exercise import Exercise
from labs.teaching.quiz import Quiz


class Dropdown(SphinxDirective):
    """``{dropdown} Title``: content that the reader opens; a native ``details`` element."""

    has_content = True
    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Parse the content into a fold."""
        node = fold(summary=self.arguments[0], kind="dropdown")
        self.set_source_info(node)
        self.state.nested_parse(self.content, self.content_offset, node)
        return [node]


class PromiseMap(SphinxDirective):
    """``{promise-map}``: every promise and the lessons that test it.

    With ``:full:`` also the evidence to ask for and what is not promised.
    """

    option_spec = {"full": directives.flag}  # noqa: RUF012 - docutils reads it so

    def run(self) -> list[nodes.Node]:
        """One section for each part, in the order of the page; so nothing may follow but these."""
        full = "full" in self.options
        parts: list[nodes.Node] = []
        for part, title in registry.PARTS.items():
            section = nodes.section(ids=[part])
            section += nodes.title("", title)
            items = nodes.bullet_list(classes=["promises", "full" if full else "short"])
            for promise in registry.promises():
                if promise.part == part:
                    items += self._promise(promise, full=full)
            section += items
            parts.append(section)
        return parts

    def _promise(self, promise: registry.Promise, *, full: bool) -> nodes.list_item:
        item = nodes.list_item(ids=[promise.id])
        claim = nodes.paragraph(classes=["claim"])
        claim += nodes.strong("", promise.id)
        claim += nodes.Text(f" {promise.promise}")
        item += claim
        if full:
            item += _labelled("Evidence to ask for", promise.evidence)
            item += _labelled("Not promised", promise.not_promised)
        tests = nodes.paragraph(classes=["tested-by"])
        tests += nodes.inline("", "Lab: " if full else "")
        for number, identifier in enumerate(promise.lessons):
            if number:
                tests += nodes.Text(", ")
            tests += self._lesson(identifier)
        item += tests
        return item

    def _lesson(self, identifier: str) -> nodes.Node:
        entry = next((e for e in registry.lessons() if e.id == identifier), None)
        docname = entry.page.removesuffix(".md") if entry else ""
        if entry is None or docname not in self.env.found_docs:
            return nodes.inline("", f"{identifier.split('.')[1].replace('_', ' ')} (to come)")
        return _to_page(docname, entry.lesson.title, self.env.docname)


class LessonList(SphinxDirective):
    """``{lessons} part``: the lessons of one part, with what each tests and how long it takes."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """One item for each lesson that has a page."""
        part = self.arguments[0]
        if part not in registry.PARTS:
            raise self.error(f"there is no part {part!r}; parts are {', '.join(registry.PARTS)}")
        items = nodes.bullet_list(classes=["lessons"])
        for entry in registry.lessons():
            docname = entry.page.removesuffix(".md")
            if entry.part != part or docname not in self.env.found_docs:
                continue
            line = nodes.paragraph()
            line += _to_page(docname, entry.lesson.title, self.env.docname)
            about = nodes.paragraph("", facts(entry), classes=["facts"])
            items += nodes.list_item("", line, about)
        return [items] if items.children else []


def facts(entry: registry.Entry) -> str:
    """What to know before starting a lesson, in one line."""
    lesson = entry.lesson
    number = "promise" if len(lesson.promises) == 1 else "promises"
    return (
        f"Tests {number} {listed(lesson.promises)} · lab about {lesson.minutes_to_do} minutes · "
        f"for {listed(lesson.audience)}"
    )


def listed(words: Sequence[str]) -> str:
    """Words as a sentence lists them.

    >>> listed(["customers", "staff", "builders"])
    'customers, staff and builders'
    """
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last


class ProgressList(SphinxDirective):
    """``{progress-list}``: everything that counts toward progress, lesson by lesson.

    The state of each entry is filled in by ``progress.js`` from the reader's own browser.
    """

    def run(self) -> list[nodes.Node]:
        """One list for each lesson that has a page."""
        shown: list[nodes.Node] = []
        for entry in registry.lessons():
            docname = entry.page.removesuffix(".md")
            if docname not in self.env.found_docs:
                continue
            block = nodes.container(classes=["progress-lesson"])
            title = nodes.paragraph(classes=["progress-title"])
            title += _to_page(docname, entry.lesson.title, self.env.docname)
            block += title
            items = nodes.bullet_list(classes=["progress-items"])
            for identifier, name in countable(entry):
                line = nodes.paragraph()
                mark = f'<span data-progress="{escape(identifier)}">not started</span>'
                line += nodes.raw("", mark, format="html")
                line += nodes.Text(f" {name}")
                items += nodes.list_item("", line)
            block += items
            shown.append(block)
        return [nodes.container("", *shown, classes=["labs-progress"])]


def countable(entry: registry.Entry) -> list[tuple[str, str]]:
    """The exercises and questions of a lesson: the id and the title of each, in their order."""
    found = []
    for thing in vars(entry.exercises()).values():
        if isinstance(thing, Exercise):
            found.append((thing.id, thing.title))
        elif isinstance(thing, Quiz):
            found.append((thing.id, thing.question))
    return [(identifier, title) for identifier, title in found if identifier.startswith(entry.id)]


_ACCOUNTS = (
    ("maja", "123456"),
    ("olle", "båtvarv1962"),
    ("siv", "123456"),
    ("torbjorn", "hytte i fjellet"),
)
_SCHEMES = (
    ("As text", "Whoever holds the table holds the passwords. There is nothing left to guess."),
    (
        "SHA-256",
        "No password can be read. But two records are the same, so one guess, 123456, opens both "
        "accounts.",
    ),
    (
        "SHA-256 with salt",
        "All four records differ, and a guess now tests one account at a time. Guessing is still "
        "as fast as a single SHA-256.",
    ),
    (
        "Argon2id",
        "Every single guess now costs 19 MiB of memory and a moment of work. Yet 123456 is still "
        "the first guess that anyone makes.",
    ),
)


def _stored(scheme: str, account: str, password: str) -> str:
    data = password.encode()
    # The salts are derived from the account only so that the page is the same at every build.
    salt = hashlib.sha256(account.encode()).digest()[:16]
    if scheme == "As text":
        return password
    if scheme == "SHA-256":
        return hashlib.sha256(data).hexdigest()
    if scheme == "SHA-256 with salt":
        return f"{salt.hex()}:{hashlib.sha256(salt + data).hexdigest()}"
    record = hash_secret(
        data, salt, time_cost=2, memory_cost=19_456, parallelism=1, hash_len=32, type=Type.ID
    )
    return record.decode()


class LeakedTable(SphinxDirective):
    """``{leaked-table}``: the same four accounts, stored in four ways; the reader chooses.

    Radio buttons and a style rule do the choosing, so it works with scripts off.
    """

    def run(self) -> list[nodes.Node]:
        """The choice and the four tables, with records computed at build time."""
        people = {user.id: user.name for user in cast.USERS}
        choices, tables = [], []
        for number, (scheme, lesson) in enumerate(_SCHEMES):
            checked = " checked" if number == 1 else ""
            choices.append(
                f'<label><input type="radio" name="leak" value="{number}"{checked}> '
                f"{escape(scheme)}</label>"
            )
            records = [_stored(scheme, *account) for account in _ACCOUNTS]
            rows = [
                f"<tr{' class=same' if records.count(record) > 1 else ''}>"
                f'<th scope="row">{escape(people[account])}</th>'
                f"<td><code>{escape(record)}</code></td></tr>"
                for (account, _), record in zip(_ACCOUNTS, records, strict=True)
            ]
            tables.append(
                f'<div class="leak-table" data-scheme="{number}"><table>'
                f'<caption class="hidden-text">Stored as: {escape(scheme)}</caption>'
                f'<thead><tr><th scope="col">Account</th>'
                f'<th scope="col">What the thief reads</th></tr></thead>'
                f"<tbody>{''.join(rows)}</tbody></table><p>{escape(lesson)}</p></div>"
            )
        html = (
            '<div class="leak"><fieldset><legend>Kvittra\'s user table leaks. How had the '
            f"passwords been stored?</legend>{''.join(choices)}</fieldset>{''.join(tables)}</div>"
        )
        return [nodes.raw("", html, format="html")]


def _labelled(label: str, text: str) -> nodes.paragraph:
    line = nodes.paragraph(classes=["detail"])
    line += nodes.strong("", f"{label}. ")
    line += nodes.Text(text)
    return line


def _to_page(docname: str, title: str, here: str) -> addnodes.pending_xref:
    reference: addnodes.pending_xref = addnodes.pending_xref(
        "", refdomain="std", reftype="doc", reftarget=f"/{docname}", refexplicit=True, refdoc=here
    )
    reference += nodes.inline("", title)
    return reference


def _names() -> Sequence[tuple[str, type[SphinxDirective]]]:
    return (
        ("dropdown", Dropdown),
        ("leaked-table", LeakedTable),
        ("lessons", LessonList),
        ("progress-list", ProgressList),
        ("promise-map", PromiseMap),
    )


def setup(app: Sphinx) -> None:
    """Register the directives."""
    for name, directive in _names():
        app.add_directive(name, directive)
