"""The conformance scenarios in a real Chromium, against a server on this machine.

The hosts end in ``.localhost``, which Chromium itself resolves to this machine and takes for
trustworthy even over http. Where an untrustworthy http is needed, hosts end in ``.example``, a
name that nobody can own, mapped to this machine by a switch; where https is needed, the server
has a certificate that it has signed itself.
"""

from __future__ import annotations

import json
import ssl
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from playwright.sync_api import BrowserContext, Page, Playwright, sync_playwright

from labs.site import chromium
from tests.browser import sites
from tests.browser.in_model import PARENTS, Results, cors_results, first_address
from tests.browser.sites import Addresses, Sites

_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP *.example 127.0.0.1",
    # Frames of other sites in processes of their own would decide nothing differently here, and
    # each would cost a process and a debugging session.
    "--disable-site-isolation-trials",
    "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,HttpsFirstBalancedMode,"
    "IsolateOrigins,site-per-process,IsolateSandboxedIframes",
)

SHORT_WINDOW_S = 10
"""Chromium's switch shortens the two minutes of Lax-allowing-unsafe to this."""

Fired = tuple[list[list[str]], list[list[str]]]
"""Before and after clicking: the cell, the canary's id and the origin of each that fired."""

_FRESH_S = 60
"""After so many seconds the cookies are set anew, lest they outgrow the two minutes."""

_FOCUS_MS = 100
"""Time for a page alone to give the focus away."""

_PATIENCE_MS = 120_000
"""How long a page may take to load: a machine may be busy with other tests."""

_SETTLE_MS = 400
"""Time for what a page does after it has loaded: animations, failing media, promises."""

_CANARY = """
(() => {
  window.canary = function (id) {
    top.postMessage({canary: String(id), origin: self.origin}, '*')
    return undefined
  }
  if (window !== top) return
  window.fired = []
  addEventListener('message', event => {
    if (!event.data || event.data.canary === undefined) return
    let source = event.source
    while (source !== window && source.parent !== window) source = source.parent
    let cell = ''
    if (source !== window) {
      for (const frame of document.querySelectorAll('iframe'))
        if (frame.contentWindow === source) cell = frame.name
    }
    fired.push([cell, event.data.canary, event.data.origin])
  })
})()
"""

_WRITE = """
cells => {
  fired.length = 0
  const loads = cells.map(([name, markup]) => {
    let frame = document.getElementById(name)
    if (!frame) {
      frame = document.createElement('iframe')
      frame.name = frame.id = name
      document.body.append(frame)
    }
    const page = frame.contentDocument
    page.open()
    const loaded = new Promise(resolve => {
      frame.contentWindow.addEventListener('load', resolve)
      setTimeout(resolve, 5000)
    })
    page.write(markup)
    page.close()
    return loaded
  })
  return Promise.all(loads).then(() => undefined)
}
"""

_CLICK = """
() => {
  const cells = [...document.querySelectorAll('body > iframe[id]')]
  const documents = cells.length ? cells
    .map(frame => { try { return frame.contentDocument } catch { return null } }) : [document]
  for (const page of documents) {
    if (!page) continue
    const view = page.defaultView
    view.addEventListener('click', event => {
      const link = event.target.closest('a, area')
      if (link && link.protocol !== undefined && link.protocol !== 'javascript:')
        event.preventDefault()
    }, true)
    view.addEventListener('submit', event => {
      const button = event.submitter
      const action = button && button.hasAttribute('formaction')
        ? button.formAction : event.target.action
      if (!String(action).startsWith('javascript:')) event.preventDefault()
    }, true)
    for (const element of page.querySelectorAll('a, area, button, input, summary, [onclick]')) {
      const options = {bubbles: true, cancelable: true, composed: true, view}
      element.dispatchEvent(new view.MouseEvent('click', options))
    }
  }
}
"""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    app: Sites
    scheme = "http"

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        environ = {
            "REQUEST_METHOD": self.command,
            "PATH_INFO": unquote_to_bytes(url.path).decode("latin-1"),
            "QUERY_STRING": url.query,
            "wsgi.url_scheme": self.scheme,
            "wsgi.input": BytesIO(body),
            **{
                f"HTTP_{name.upper().replace('-', '_')}": value
                for name, value in self.headers.items()
            },
        }

        def start_response(status: str, headers: list[tuple[str, str]]) -> None:
            self.send_response_only(int(status[:3]))
            for name, value in headers:
                self.send_header(name, value)
            self.end_headers()

        for part in self.app(environ, start_response):
            self.wfile.write(part)
        self.wfile.flush()

    do_GET = do_POST = do_DELETE = do_OPTIONS = do_HEAD = _answer  # noqa: N815 - the base's names


def _certificate(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kvittra.localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


@contextmanager
def served() -> Iterator[Sites]:
    """The sites on three ports of this machine: http, another http, https."""
    app = Sites(Addresses())
    servers = []
    with tempfile.TemporaryDirectory() as folder:
        for scheme in ("http", "http", "https"):
            handler = type("Handler", (_Handler,), {"app": app, "scheme": scheme})
            server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
            server.daemon_threads = True
            if scheme == "https":
                server.socket = _certificate(Path(folder)).wrap_socket(
                    server.socket, server_side=True
                )
            servers.append(server)
        app.addresses = Addresses.on(*(server.server_port for server in servers))
        threads = [
            threading.Thread(target=server.serve_forever, args=(0.05,)) for server in servers
        ]
        for thread in threads:
            thread.start()
        try:
            yield app
        finally:
            for server, thread in zip(servers, threads, strict=True):
                server.shutdown()
                thread.join()
                server.server_close()


class Chromium:
    """One Chromium, and the sites that it visits."""

    def __init__(self, app: Sites, playwright: Playwright, profile: Path) -> None:
        self.sites = app
        self.addresses = app.addresses
        self._playwright = playwright
        self._profile = profile
        self._engine = playwright.chromium.launch(
            executable_path=chromium.without_windows(), args=list(_ARGUMENTS)
        )
        self._open = self._persistent("open", [])
        self._short = self._persistent("short", ["--enable-features=ShortLaxAllowUnsafeThreshold"])
        self._planted_at = 0.0

    @property
    def version(self) -> str:
        return self._engine.version

    def _persistent(self, name: str, more: list[str]) -> BrowserContext:
        """A lasting profile that is set to let third-party cookies through."""
        folder = self._profile / name
        (folder / "Default").mkdir(parents=True)
        settings = {"profile": {"cookie_controls_mode": 0, "block_third_party_cookies": False}}
        (folder / "Default" / "Preferences").write_text(json.dumps(settings))
        return self._playwright.chromium.launch_persistent_context(
            str(folder),
            executable_path=chromium.without_windows(),
            args=[*_ARGUMENTS, *more],
            ignore_https_errors=True,
        )

    def close(self) -> None:
        self._short.close()
        self._open.close()
        self._engine.close()

    def plant(self) -> None:
        """Set the cookies that :meth:`old_contexts` will use when they are old."""
        self._plant(self._short.pages[0])
        self._planted_at = time.monotonic()

    def _plant(self, page: Page) -> None:
        for target in sorted({row.get("to", "kvittra") for row in sites.contexts()}):
            page.goto(f"{self.addresses[target]}/empty?set=matrix")

    def old_contexts(self) -> Results:
        """The contexts with cookies that are older than the shortened window."""
        time.sleep(max(0.0, SHORT_WINDOW_S + 1 - (time.monotonic() - self._planted_at)))
        return self._contexts(self._short.pages[0], "old")

    def contexts(self) -> Results:
        return self._contexts(self._open.pages[0], "")

    def private_contexts(self) -> Results:
        """The contexts in a private window, which blocks third-party cookies.

        It is the program with windows that does so, not its engine.
        """
        program = self._playwright.chromium.launch(
            executable_path=chromium.find(), args=list(_ARGUMENTS)
        )
        context = program.new_context(ignore_https_errors=True)
        results = self._contexts(context.new_page(), "private")
        program.close()
        return results

    def _contexts(self, page: Page, which: str) -> Results:
        results: Results = {}
        planted_at = float("-inf")
        for number, row in enumerate(sites.contexts()):
            if not sites.measured_again(row, which):
                continue
            if which != "old" and time.monotonic() - planted_at > _FRESH_S:
                page.context.clear_cookies()
                self._plant(page)
                planted_at = time.monotonic()
            page.goto(first_address(self.addresses, row, number), wait_until="commit")
            deadline = time.monotonic() + (0.5 if row.get("never") else _PATIENCE_MS / 1000)
            while f"c{number}" not in self.sites.seen and time.monotonic() < deadline:
                page.wait_for_timeout(5)
            results[row["name"]] = self.sites.seen.pop(f"c{number}", {"method": "none"})
            if row["how"].startswith(sites.LEAVES):
                page.wait_for_url("**/echo?*", wait_until="commit")
            page.wait_for_load_state()
        return results

    def cookies(self) -> Results:
        results: Results = {}
        page = self._open.pages[0]
        for number, row in enumerate(sites.scenarios("cookies", "scenario")):
            self._open.clear_cookies()
            for step, (address, path, _) in enumerate(row.get("set", [])):
                url = f"{self.addresses[address]}{path}?set={number}.{step}"
                page.goto(url, wait_until="commit")
            for address, path, lines in row.get("script", []):
                page.goto(f"{self.addresses[address]}{path}?read=script")
                for line in lines:
                    page.evaluate("line => { document.cookie = line }", sites.cookie_line(line))
            address, path = row.get("ask", ["kvittra", "/"])
            page.goto(f"{self.addresses[address]}{path}?read=ask", wait_until="commit")
            results[row["name"]] = {"cookie": self.sites.seen["ask"]["cookie"]}
            if row.get("reads"):
                results[row["name"]]["document.cookie"] = page.evaluate("document.cookie")
        return results

    @contextmanager
    def _context(self) -> Iterator[BrowserContext]:
        context = self._engine.new_context(ignore_https_errors=True)
        context.add_init_script(_CANARY)
        context.set_default_timeout(_PATIENCE_MS)
        yield context
        context.close()

    def framing(self) -> Results:
        answers = sites.scenarios("framing", "answer")
        results: Results = {answer["name"]: {} for answer in answers}
        with self._context() as context:
            pages = {parent: context.new_page() for parent in PARENTS}
            for parent, (address, how) in PARENTS.items():
                url = f"{self.addresses[address]}/parent?how={how}"
                pages[parent].goto(url, wait_until="commit")
            for page in pages.values():
                page.wait_for_load_state()
            page.wait_for_timeout(_SETTLE_MS)
            for parent, page in pages.items():
                shown = {name for _, name, _ in page.evaluate("fired")}
                for number, answer in enumerate(answers):
                    framed = "framed" if str(number) in shown else "not framed"
                    results[answer["name"]][parent] = framed
        return results

    def cors(self) -> Results:
        results: Results = {}
        cases = sites.scenarios("cors", "case")
        for sender in dict.fromkeys(case["from"] for case in cases):
            count = sum(case["from"] == sender for case in cases)
            self.sites.seen.clear()
            with self._context() as context:
                page = context.new_page()
                page.goto(f"{self.addresses[sender]}/ask?from={sender}")
                page.wait_for_function(f"fired.length >= {count}", timeout=5_000)
                fired = [name for _, name, _ in page.evaluate("fired")]
            results |= cors_results(sender, fired, self.sites)
        return results

    def scripting(self) -> Results:
        """Every payload in every place under every policy.

        Most cells are frames of one page that has the policy, which they inherit. Each payload
        has a frame, and the markup of one place after another is written into it, so that a cell
        costs no navigation and no frame of its own. (All cells were once loaded over HTTP, each in
        a frame of its own with a header of its own, and came out the same.) What needs the focus
        is loaded alone.
        """
        payloads = sites.payloads()
        results: Results = {f"{item.group}: {item.name}": {} for item in payloads}
        together = [n for n, item in enumerate(payloads) if not item.alone]
        alone = [n for n, item in enumerate(payloads) if item.alone]
        with self._context() as context:
            single = [context.new_page() for _ in sites.POLICIES for _ in alone]
            found = {name: self._alone(single, name, alone) for name in sites.CONTEXTS}
            for page in single:
                page.close()
            pages = [context.new_page() for _ in sites.POLICIES]
            for number, page in enumerate(pages):
                page.goto(f"{self.addresses.kvittra}/batch/{number}")
            for name in sites.CONTEXTS:
                cells = zip(found[name], self._together(pages, name, together), strict=True)
                for policy, (first, second) in zip(sites.POLICIES, cells, strict=True):
                    for number, outcome in (first | second).items():
                        item = payloads[number]
                        results[f"{item.group}: {item.name}"][f"{name}, {policy}"] = outcome
        return results

    def _together(
        self, pages: list[Page], context: str, numbers: list[int]
    ) -> list[dict[int, str]]:
        payloads = sites.payloads()
        cells = [
            [str(number), sites.cell_page(payloads[number], context, self.addresses)]
            for number in numbers
        ]
        for page in pages:
            page.evaluate(f"cells => {{ window.written = ({_WRITE})(cells) }}", cells)
        for page in pages:
            page.evaluate("window.written")
        found = self._fired(pages)
        return [{n: self._outcome(fired, str(n)) for n in numbers} for fired in found]

    def _alone(self, pages: list[Page], context: str, numbers: list[int]) -> list[dict[int, str]]:
        """Load each under each policy, all at once; ``pages`` has one for each of them."""
        place = list(sites.CONTEXTS).index(context)
        cells = [(policy, number) for policy in range(len(sites.POLICIES)) for number in numbers]
        for page, (policy, number) in zip(pages, cells, strict=True):
            path = f"/cell/{policy}/{place}/{number}"
            page.goto(self.addresses.kvittra + path, wait_until="commit")
        for page in pages:
            page.wait_for_load_state()
        results: list[dict[int, str]] = [{} for _ in sites.POLICIES]
        for (policy, number), fired in zip(cells, self._fired(pages, _FOCUS_MS), strict=True):
            results[policy][number] = self._outcome(fired, "")
        return results

    def _fired(self, pages: list[Page], settle_ms: int = _SETTLE_MS) -> list[Fired]:
        """What fired on each of these pages before and after everything was clicked."""
        pages[0].wait_for_timeout(settle_ms)
        before = [page.evaluate("fired") for page in pages]
        for page in pages:
            page.evaluate(_CLICK)
        pages[0].wait_for_timeout(settle_ms)
        return list(zip(before, [page.evaluate("fired") for page in pages], strict=True))

    def _outcome(self, fired: Fired, name: str) -> str:
        own = self.addresses.kvittra
        before, after = fired
        if any(cell == name and origin == own for cell, _, origin in before):
            return "runs"
        if any(cell == name and origin == own for cell, _, origin in after):
            return "runs on a click"
        elsewhere = any(cell == name for cell, _, _ in after)
        return "runs elsewhere" if elsewhere else "does not run"


@contextmanager
def running() -> Iterator[Chromium]:
    """Chromium and its server, for as long as the block lasts."""
    with (
        served() as app,
        sync_playwright() as playwright,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
    ):
        real = Chromium(app, playwright, Path(profile))
        try:
            yield real
        finally:
            real.close()
