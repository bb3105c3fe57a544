"""Packs the built book for others: a site archive, an EPUB and a PDF, with their checksums.

The EPUB and the PDF are made from the very pages of the site. They hold no script: sliders show
their first picture, solutions are unfolded, and a link to another page of the book leads to that
page's place in the same document. Archives hold files in order and with one fixed time, so that
the same book packs to the same bytes. (EPUB 3.3, W3C; the PDF is printed by Chromium.)
"""

from __future__ import annotations

import hashlib
import posixpath
import re
import shutil
import subprocess
import tempfile
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit
from xml.etree import ElementTree as Tree

import html5lib

from labs import __version__
from labs.site import chromium, contents

TITLE = "Trust, Tested"
XHTML = "http://www.w3.org/1999/xhtml"
SVG = "http://www.w3.org/2000/svg"
MATHML = "http://www.w3.org/1998/Math/MathML"
_FIXED_TIME = (2020, 1, 1, 0, 0, 0)
_PRINT_TIMEOUT_S = 300

_DROPPED = {"script", "style", "button", "input", "iframe", "form", "template", "noscript", "link"}
_DROPPED_CLASSES = {"headerlink", "actions", "on-page", "copy", "trail", "turn", "hidden-text"}
_DROPPED_ATTRIBUTES = ("data-", "on", "popover", "xmlns", "{http://www.w3.org/2000/xmlns/}")
_KEPT_PROTOCOLS = {"http", "https", "mailto"}

for _prefix, _uri in (("", XHTML), ("svg", SVG), ("m", MATHML)):
    Tree.register_namespace(_prefix, _uri)


class DistError(Exception):
    """Something could not be packed; the message says what and why in one sentence."""


@dataclass
class Chapter:
    """One page of the site on its way into a document.

    Args:
        name: The page's address in the site, without its suffix.
        title: Its title.
        article: Its content.
        level: How deep it stands in the contents, from 0.
        images: Files that it shows, by their address in the site.
    """

    name: str
    title: str
    article: Tree.Element
    level: int
    images: set[str] = field(default_factory=set)

    @property
    def anchor(self) -> str:
        """Its name inside one document."""
        return "page-" + re.sub(r"[^a-z0-9]+", "-", self.name.lower())


def pack(root: Path, site: Path, out: Path) -> list[Path]:
    """Pack a built site.

    Args:
        root: The checkout, for the order of the pages.
        site: The built site.
        out: Where the files go; files of an earlier pack are replaced.

    Returns:
        The files made: the site archive, the EPUB, the PDF and ``SHA256SUMS``.

    Raises:
        DistError: If a page, an image or the target of a link is missing, or there is no Chromium
            for the PDF; what could be made has been made then.
    """
    out.mkdir(parents=True, exist_ok=True)
    stem = f"trust-tested-{__version__}"
    archive = _archive(site, out / f"{stem}-site.zip")
    chapters = read(root, site)
    epub = write_epub(chapters, site, out / f"{stem}.epub")
    made = [archive, epub]
    try:
        made.append(write_pdf(chapters, site, out / f"{stem}.pdf"))
    finally:
        sums = out / "SHA256SUMS"
        lines = [f"{hashlib.sha256(f.read_bytes()).hexdigest()}  {f.name}\n" for f in made]
        sums.write_text("".join(lines), encoding="ascii")
    return [*made, sums]


def _archive(site: Path, target: Path) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for file in sorted(site.rglob("*")):
            name = file.relative_to(site).as_posix()
            if file.is_file() and not name.startswith("."):
                _add(packed, name, file.read_bytes())
    return target


def _add(packed: zipfile.ZipFile, name: str, data: bytes, kind: int = zipfile.ZIP_DEFLATED) -> None:
    entry = zipfile.ZipInfo(name, _FIXED_TIME)
    entry.compress_type = kind
    entry.external_attr = 0o644 << 16
    packed.writestr(entry, data)


def read(root: Path, site: Path) -> list[Chapter]:
    """The book's pages in reading order, ready for one document.

    Raises:
        DistError: If a page is missing, or a link or an image leads nowhere.
    """
    names = contents.files(root / "_toc.yml")
    title_page, rest = names[0], names[1:]
    pages = [("index", 0), *((name, name.count("/") - 1) for name in rest)]
    chapters = []
    for name, level in pages:
        file = site / f"{name}.html"
        if not file.is_file():
            raise DistError(f"the site has no page {name}.html; build the book first")
        tree = html5lib.parse(file.read_text(encoding="utf-8"))
        article = tree.find(f".//{{{XHTML}}}article")
        heading = article.find(f".//{{{XHTML}}}h1") if article is not None else None
        if article is None or heading is None:
            raise DistError(f"the page {name}.html has no title")
        _clean(article)
        title = "".join(heading.itertext()).strip()
        if name.startswith("notebooks/"):
            title = f"Lab: {title}"
        chapters.append(Chapter(name, title, article, level))
    _connect(chapters, site, {title_page: "index"})
    return chapters


def _tag(element: Tree.Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else "comment"


def _clean(element: Tree.Element) -> None:
    """Take out what only a screen with scripts can use; open what is folded."""
    place = 0
    while place < len(element):
        child = element[place]
        classes = set(child.get("class", "").split())
        if child.tag == f"{{{XHTML}}}button" and "term" in classes:
            child.tag = f"{{{XHTML}}}span"
            child.attrib.clear()
        if _tag(child) in _DROPPED or classes & _DROPPED_CLASSES or _tag(child) == "comment":
            if _tag(child) == "iframe":
                note = Tree.Element(f"{{{XHTML}}}p", {"class": "framed"})
                note.text = f"[{child.get('title', 'A framed page')}]"
                note.tail = child.tail
                element[place] = note
            else:
                _join(element, place, child.tail)
            continue
        for name in [n for n in child.attrib if n.startswith(_DROPPED_ATTRIBUTES)]:
            del child.attrib[name]
        if _tag(child) == "details":
            child.set("open", "open")
        for name in ("hidden", "tabindex", "for", "role"):
            if _tag(child) != "svg":
                child.attrib.pop(name, None)
        _clean(child)
        place += 1


def _join(element: Tree.Element, place: int, tail: str | None) -> None:
    if tail and place:
        element[place - 1].tail = (element[place - 1].tail or "") + tail
    elif tail:
        element.text = (element.text or "") + tail
    del element[place]


def _connect(chapters: list[Chapter], site: Path, aliases: dict[str, str]) -> None:
    """Make every name in the document unique and every inner link lead to one of them."""
    by_name = {chapter.name: chapter for chapter in chapters}
    by_name |= {alias: by_name[name] for alias, name in aliases.items()}
    known: set[str] = set()
    for chapter in chapters:
        chapter.article.set("id", "")
        for element in chapter.article.iter():
            if "id" in element.attrib:
                own = element.get("id")
                element.set("id", f"{chapter.anchor}--{own}" if own else chapter.anchor)
                known.add(element.get("id", ""))
    for chapter in chapters:
        for element in chapter.article.iter():
            for name, value in list(element.attrib.items()):
                if value.startswith("url(#"):
                    element.set(name, f"url(#{chapter.anchor}--{value[5:]}")
            if "aria-labelledby" in element.attrib:
                del element.attrib["aria-labelledby"]
            if _tag(element) == "img":
                chapter.images.add(_image(chapter, element, site))
            if "href" in element.attrib:
                _link(chapter, element, by_name, known)


def _image(chapter: Chapter, element: Tree.Element, site: Path) -> str:
    address = element.get("src", "")
    name = posixpath.normpath(posixpath.join(posixpath.dirname(chapter.name), unquote(address)))
    if not (site / name).is_file():
        raise DistError(f"{chapter.name} shows the image {address}, which is missing")
    element.set("src", name)
    return name


def _link(
    chapter: Chapter, element: Tree.Element, by_name: dict[str, Chapter], known: set[str]
) -> None:
    address = element.get("href", "")
    parts = urlsplit(address)
    if parts.scheme in _KEPT_PROTOCOLS:
        return
    path, fragment = urldefrag(address)
    name = chapter.name
    if path:
        name = posixpath.normpath(posixpath.join(posixpath.dirname(chapter.name), unquote(path)))
    page = by_name.get(name.removesuffix(".html"))
    if page is None:  # a download, or the search: it stays with the site
        del element.attrib["href"]
        return
    target = f"{page.anchor}--{unquote(fragment)}" if fragment else page.anchor
    if target not in known:
        raise DistError(f"{chapter.name} links to {address}, and nothing there has that name")
    element.set("href", f"#{target}")


def _colors(site: Path) -> dict[str, str]:
    """The light colors of the site's style sheet, for readers that know no variables."""
    css = (site / "_static" / "book.css").read_text(encoding="utf-8")
    found = dict(re.findall(r"(--[\w-]+): light-dark\((#[0-9a-f]+),", css))
    for name, other in re.findall(r"(--[\w-]+): var\((--[\w-]+)\);", css):
        if other in found:
            found[name] = found[other]
    return found


def _resolved(text: str, colors: dict[str, str]) -> str:
    """Put fixed colors in the place of variables, from the inside out."""

    def color(match: re.Match[str]) -> str:
        fallback = match[2].lstrip(",") if match[2] else "inherit"
        return colors.get(match[1], fallback)

    before = ""
    while before != text:
        before = text
        text = re.sub(r"var\((--[\w-]+)(,(?:[^()]|\([^()]*\))*)?\)", color, text)
    return text


_SHEET = """
body { font-family: serif; line-height: 1.5; }
h1, h2, h3, h4, th, caption, summary { font-family: sans-serif; line-height: 1.25; }
pre, code { font-family: monospace; font-size: .9em; white-space: pre-wrap; }
pre { border-left: .2em solid PAPERLINE; padding: .2em .8em; }
table { border-collapse: collapse; font-size: .9em; }
td, th { border-bottom: 1px solid PAPERLINE; padding: .2em .6em .2em 0; text-align: left;
  vertical-align: top; }
figure { margin: 1em 0; }
svg { max-width: 100%; height: auto; }
figcaption, .facts, .kicker { color: PAPERMUTED; font-size: .9em; }
.labs-quiz, .labs-report, .labs-hint, .admonition { border: 1px solid PAPERLINE;
  padding: .2em 1em; margin: 1em 0; }
.definition, dialog { display: none; }
"""


def write_epub(chapters: list[Chapter], site: Path, target: Path) -> Path:
    """Write the book as an EPUB 3 publication.

    Args:
        chapters: The pages, from :func:`read`.
        site: The built site, for images and colors.
        target: The file to write.

    Raises:
        DistError: If a page refers to something of another host that a reader would load.
    """
    colors = _colors(site)
    pages = {chapter.anchor: f"{chapter.anchor}.xhtml" for chapter in chapters}
    images = sorted({image for chapter in chapters for image in chapter.images})
    identity = uuid.uuid5(uuid.NAMESPACE_URL, f"urn:trust-tested:{__version__}")
    with zipfile.ZipFile(target, "w") as packed:
        # The first entry, uncompressed, is how readers recognize an EPUB (OCF, section 4.2.4).
        _add(packed, "mimetype", b"application/epub+zip", zipfile.ZIP_STORED)
        _add(packed, "META-INF/container.xml", _CONTAINER.encode())
        sheet = _SHEET.replace("PAPERLINE", colors["--line"])
        _add(packed, "book/book.css", sheet.replace("PAPERMUTED", colors["--muted"]).encode())
        manifest, spine = [], []
        for chapter in chapters:
            text = _resolved(_page(chapter, pages), colors)
            Tree.fromstring(text)  # well-formed, or it is no XHTML
            name = pages[chapter.anchor]
            _add(packed, f"book/{name}", text.encode())
            kinds = "".join(f" {kind}" for kind in ("svg", "mathml") if _holds(chapter, kind))
            properties = f' properties="{kinds.strip()}"' if kinds else ""
            manifest.append(
                f'<item id="{chapter.anchor}" href="{name}" '
                f'media-type="application/xhtml+xml"{properties}/>'
            )
            spine.append(f'<itemref idref="{chapter.anchor}"/>')
        for number, image in enumerate(images):
            _add(packed, f"book/{image}", (site / image).read_bytes())
            suffix = image.rpartition(".")[2].lower()
            media = {"jpg": "jpeg", "svg": "svg+xml"}.get(suffix, suffix)
            manifest.append(
                f'<item id="image-{number}" href="{image}" media-type="image/{media}"/>'
            )
        _add(packed, "book/nav.xhtml", _navigation(chapters, pages).encode())
        opf = _OPF.format(
            identity=identity, title=TITLE, manifest="".join(manifest), spine="".join(spine)
        )
        _add(packed, "book/book.opf", opf.encode())
    return target


def _holds(chapter: Chapter, kind: str) -> bool:
    space = {"svg": f"{{{SVG}}}svg", "mathml": f"{{{MATHML}}}math"}[kind]
    return chapter.article.find(f".//{space}") is not None


def _page(chapter: Chapter, pages: dict[str, str]) -> str:
    """One XHTML page; links to other pages name their file."""

    def elsewhere(match: re.Match[str]) -> str:
        anchor = match[1].split("--")[0]
        inside = anchor == chapter.anchor or anchor not in pages
        return match[0] if inside else f'href="{pages[anchor]}#{match[1]}"'

    body = Tree.tostring(chapter.article, encoding="unicode")
    return _XHTML.format(
        title=escape(chapter.title), body=re.sub(r'href="#([^"]+)"', elsewhere, body)
    )


def _navigation(chapters: list[Chapter], pages: dict[str, str]) -> str:
    lines = "".join(f'<li><a href="{pages[c.anchor]}">{escape(c.title)}</a></li>' for c in chapters)
    return _XHTML.format(
        title="Contents",
        body=f'<nav epub:type="toc" xmlns:epub="http://www.idpf.org/2007/ops"><h1>Contents</h1>'
        f"<ol>{lines}</ol></nav>",
    )


_XHTML = (
    '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE html>\n'
    f'<html xmlns="{XHTML}" lang="en" xml:lang="en"><head><title>{{title}}</title>'
    '<link rel="stylesheet" href="book.css"/></head><body>{body}</body></html>\n'
)
_CONTAINER = (
    '<?xml version="1.0"?><container version="1.0" '
    'xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="book/book.opf" media-type="application/oebps-package+xml"/>'
    "</rootfiles></container>"
)
_OPF = (
    '<?xml version="1.0" encoding="utf-8"?><package xmlns="http://www.idpf.org/2007/opf" '
    'version="3.0" unique-identifier="id" xml:lang="en">'
    '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
    '<dc:identifier id="id">urn:uuid:{identity}</dc:identifier><dc:title>{title}</dc:title>'
    "<dc:language>en</dc:language><dc:creator>The Trust, Tested authors</dc:creator>"
    '<dc:rights>CC BY 4.0</dc:rights><meta property="dcterms:modified">2020-01-01T00:00:00Z</meta>'
    '</metadata><manifest><item id="nav" href="nav.xhtml" properties="nav" '
    'media-type="application/xhtml+xml"/><item id="css" href="book.css" media-type="text/css"/>'
    "{manifest}</manifest><spine>{spine}</spine></package>"
)


def write_pdf(chapters: list[Chapter], site: Path, target: Path) -> Path:
    """Print the whole book into one PDF with Chromium.

    Raises:
        DistError: If there is no Chromium, or it cannot print.
    """
    browser = chromium.without_windows()
    if browser is None:
        raise DistError(f"the PDF needs Chromium: {chromium.HOW_TO_GET_ONE}")
    with tempfile.TemporaryDirectory(prefix="labs-pdf-") as name:
        folder = Path(name)
        for image in {image for chapter in chapters for image in chapter.images}:
            (folder / image).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(site / image, folder / image)
        shutil.copy(site / "_static" / "book.css", folder / "book.css")
        body = "".join(_printed(chapters))
        page = folder / "book.xhtml"
        page.write_text(_XHTML.format(title=TITLE, body=body), encoding="utf-8")
        command = [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", f"--user-data-dir={folder / 'profile'}",
            "--host-resolver-rules=MAP * ~NOTFOUND", "--no-pdf-header-footer",
            "--generate-pdf-document-outline", f"--print-to-pdf={target.resolve()}",
            page.as_uri(),
        ]  # fmt: skip
        target.unlink(missing_ok=True)
        try:
            subprocess.run(command, capture_output=True, timeout=_PRINT_TIMEOUT_S, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            raise DistError(f"Chromium could not print the book: {type(error).__name__}") from error
        if not target.is_file():
            raise DistError("Chromium could not print the book: it wrote no file")
    return target


def _printed(chapters: list[Chapter]) -> Iterator[str]:
    for number, chapter in enumerate(chapters):
        after = ' style="break-before: page"' if number else ""
        yield f"<main{after}>{Tree.tostring(chapter.article, encoding='unicode')}</main>"
