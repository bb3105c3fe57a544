"""The sites of the conformance run: one WSGI application that the model and Chromium both visit."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from functools import cache
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote

SCENARIOS = Path(__file__).parent / "scenarios"
NONCE = "cmFuZG9tIG5vbmNlIQ"

COOKIES = {
    "absent": "absent=1; Path=/",
    "Lax": "Lax=1; Path=/; SameSite=Lax",
    "Strict": "Strict=1; Path=/; SameSite=Strict",
    "None; Secure": "None=1; Path=/; SameSite=None; Secure",
    "None": "Bare=1; Path=/; SameSite=None",
    "absent; Secure": "Secure=1; Path=/; Secure",
}
"""The cookies that each context of the run is measured with, by what the book calls them."""

POLICIES = {
    "no policy": "",
    "'self'": "default-src 'self'",
    "'unsafe-inline'": "default-src 'self'; script-src 'self' 'unsafe-inline'",
    "nonce": f"script-src 'nonce-{NONCE}' 'strict-dynamic'; object-src 'none'; base-uri 'none'",
}
"""The four policies."""

CONTEXTS: dict[str, Callable[[str], str]] = {
    "text": lambda text: f"<p>{text}</p>",
    "attribute": lambda text: f'<input value="{text}">',
    "address": lambda text: f'<a href="{escape(text)}">website</a>',
    "script": lambda text: f'<script nonce="{NONCE}">var name = "{text}";</script>',
    "style": lambda text: f'<style nonce="{NONCE}">p {{ color: {text} }}</style>',
    "JSON": lambda text: f'<script nonce="{NONCE}">var data = {json.dumps(text)};</script>',
}
"""The six places where a page repeats what somebody wrote, each as careless as it is often seen.

Only the address is escaped as HTML: the danger there is the scheme. JSON is encoded as JSON.
"""

Answer = tuple[int, list[Any], bytes]
"""Status, header fields and body."""

LEAVES = ("link", "location", "refresh", "get", "post", "top", "typed")
"""How the actions begin that lead the tab away from the page."""

_FRESH = ("Cache-Control", "max-age=600")

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


@dataclass(frozen=True)
class Addresses:
    """Where the sites answer; ports differ from run to run."""

    kvittra: str = "http://kvittra.localhost:8001"
    port: str = "http://kvittra.localhost:8002"
    blog: str = "http://blog.kvittra.localhost:8001"
    evil: str = "http://evil.localhost:8001"
    secure: str = "https://kvittra.localhost:8003"
    example: str = "http://kvittra.example:8001"
    evil_example: str = "http://evil.example:8001"
    secure_example: str = "https://kvittra.example:8003"

    @classmethod
    def on(cls, http: int, other: int, https: int) -> Addresses:
        """The addresses for three ports."""
        ports = {"8001": http, "8002": other, "8003": https}
        return cls(
            **{
                item.name: f"{str(item.default)[:-4]}{ports[str(item.default)[-4:]]}"
                for item in fields(cls)
            }
        )

    def __getitem__(self, name: str) -> str:
        return str(getattr(self, name))

    def fill(self, text: str) -> str:
        """Put addresses in place of their names in capitals, longest first."""
        for name in sorted((item.name for item in fields(self)), key=len, reverse=True):
            text = text.replace(name.upper(), self[name])
        return text

    def unfill(self, text: str) -> str:
        """The reverse, so that results do not depend on ports; paths are cut to ``…``."""
        for name in (item.name for item in fields(self)):
            if text.startswith(self[name]):
                rest = text[len(self[name]) :]
                return name.upper() + (rest if rest in ("", "/") else "/…")
        return text


@dataclass(frozen=True)
class Payload:
    group: str
    name: str
    text: str
    alone: bool


@cache
def payloads() -> tuple[Payload, ...]:
    data = tomllib.loads((SCENARIOS / "payloads.toml").read_text(encoding="utf-8"))
    return tuple(
        Payload(group["name"], item["name"], item["text"], item.get("alone", False))
        for group in data["group"]
        for item in group["payload"]
    )


@cache
def scenarios(name: str, key: str) -> tuple[dict[str, Any], ...]:
    data = tomllib.loads((SCENARIOS / f"{name}.toml").read_text(encoding="utf-8"))
    return tuple(data[key])


def contexts() -> tuple[dict[str, Any], ...]:
    return scenarios("contexts", "context")


def measured_again(row: dict[str, Any], which: str) -> bool:
    """Whether a context is measured with old cookies, or in a private window, too.

    Age counts for what leads the tab elsewhere from another site; blocked third-party cookies for
    what does not.
    """
    leaves = row["how"].startswith(LEAVES)
    foreign = row["from"] not in ("", "kvittra") or "evil" in row["how"]
    return not which or (leaves and foreign if which == "old" else not leaves)


def cookie_line(line: str) -> str:
    for size in (4095, 4096, 1024, 1025):
        line = line.replace(f"LONG{size}", "x" * size)
    return line


def cell_page(payload: Payload, context: str, addresses: Addresses) -> str:
    """A page that repeats the payload, and where it moves the base, has a script of its own."""
    own = f'<script nonce="{NONCE}" src="app.js"></script>' if "<base" in payload.text else ""
    return (
        "<!doctype html><html><head><meta charset=utf-8><title>Kvittra</title></head><body>\n"
        f"{CONTEXTS[context](addresses.fill(payload.text))}\n<p>Kvittra</p>\n{own}</body></html>"
    )


_GO = "document.getElementById('go').click()"
_SEND = "document.forms[0].submit()"


def action(how: str, url: str, own: str, evil: str) -> str:
    """A page that does one thing by itself.

    Args:
        how: What it does.
        url: The target.
        own: The address of the page's own site.
        evil: The address of another site.
    """
    link = f'<a id=go href="{url}">go</a><script>{_GO}</script>'
    form = (
        '<form method={} {}action="{}"><input name=a value=1></form><script>' + _SEND + "</script>"
    )
    over = "{}/redirect?code={}&to=" + quote(url, safe="")

    def fetch(options: str) -> str:
        return f"<script>fetch('{url}',{options})</script>"

    pages = {
        "link": link,
        "link noreferrer": link.replace("<a ", "<a rel=noreferrer "),
        "link over evil": link.replace(url, over.format(evil, 302)),
        "location": f"<script>location.href='{url}'</script>",
        "refresh": f'<meta http-equiv=refresh content="0;url={url}">',
        "get": form.format("get", "", url).replace(
            "name=a value=1", f"name=id value={url[-3:].strip('=d')}"
        ),
        "post": form.format("post", "", url),
        "post text": form.format("post", "enctype=text/plain ", url),
        "frame post": "<iframe name=f></iframe>" + form.format("post", "target=f ", url),
        "post over redirect": form.format("post", "", over.format(own, 307)),
        "post over found": form.format("post", "", over.format(own, 302)),
        "image": f'<img src="{url}">',
        "image over evil": f'<img src="{over.format(evil, 302)}">',
        "script": f'<script src="{url}"></script>',
        "style": f'<link rel=stylesheet href="{url}">',
        "object": f'<object data="{url}"></object>',
        "frame": f'<iframe src="{url}"></iframe>',
        "fetch": fetch("{}"),
        "fetch omit": fetch("{credentials:'omit'}"),
        "fetch include": fetch("{credentials:'include'}"),
        "fetch no-cors": fetch("{mode:'no-cors',credentials:'include'}"),
        "fetch post include": fetch("{method:'POST',body:'a=1',credentials:'include'}"),
    }
    if how in pages:
        return pages[how]
    inner = quote(url, safe="")
    if how == "top from a frame":
        return f'<iframe src="{own}/act?how=leave&to={inner}"></iframe>'
    if how == "leave":
        return link.replace("<a ", "<a target=_top ")
    if how == "frame in evil in frame":
        return f'<iframe src="{evil}/act?how=frame&to={inner}"></iframe>'
    if how == "frame with an image":
        target = url.partition("/echo")[0]
        return f'<iframe src="{target}/act?how=image&to={inner}"></iframe>'
    if how == "sandboxed post":
        page = escape(form.format("post", "", url))
        return f'<iframe sandbox="allow-scripts allow-forms" srcdoc="{page}"></iframe>'
    raise KeyError(how)


@dataclass
class Sites:
    """The application, and what it has seen."""

    addresses: Addresses
    seen: dict[str, dict[str, str]] = field(default_factory=dict)

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        query = {key: values[0] for key, values in parse_qs(environ["QUERY_STRING"]).items()}
        first, _, rest = environ["PATH_INFO"].lstrip("/").partition("/")
        answer = getattr(self, f"_{first.replace('.', '_')}", None)
        if rest and first != "cell" and first != "batch":
            answer = self._file if rest.endswith(("canary.js", "app.js")) else None
        status, headers, body = 404, [("Content-Type", "text/plain")], b"not found"
        if "set" in query or "read" in query:
            status, headers, body = self._cookies(query, environ)
        elif answer is not None:
            status, headers, body = answer(query, environ)
        start_response(f"{status} Status", [*headers, ("Content-Length", str(len(body)))])
        return [body]

    def _page(self, markup: str, *headers: tuple[str, str]) -> Answer:
        kind = ("Content-Type", "text/html; charset=utf-8")
        return 200, [kind, *headers], markup.encode()

    def _file(self, _query: dict[str, str], environ: dict[str, Any]) -> Answer:
        path, host = environ["PATH_INFO"], environ["HTTP_HOST"]
        fires = path.endswith("canary.js") or host.startswith("evil.")
        body = b"canary('k')" if fires else b"'nothing'"
        return 200, [("Content-Type", "text/javascript"), _FRESH], body

    _canary_js = _app_js = _file

    def _ok_png(self, _query: Any, _environ: Any) -> Answer:
        return 200, [("Content-Type", "image/png"), _FRESH], PNG

    def _ok_css(self, _query: Any, _environ: Any) -> Answer:
        return 200, [("Content-Type", "text/css"), _FRESH], b"p {}"

    def _frame(self, _query: Any, _environ: Any) -> Answer:
        return self._page("<script>canary('k')</script>")

    def _empty(self, _query: Any, _environ: Any) -> Answer:
        return self._page("<title>empty</title>")

    # Cookies.

    def _cookies(self, query: dict[str, str], environ: dict[str, Any]) -> Answer:
        if "read" in query:
            self.seen[query["read"]] = {"cookie": environ.get("HTTP_COOKIE", "")}
            return self._page("<title>read</title>")
        if query["set"] == "matrix":
            lines = list(COOKIES.values())
        else:
            number, step = query["set"].split(".")
            lines = scenarios("cookies", "scenario")[int(number)]["set"][int(step)][2]
        return self._page(
            "<title>set</title>",
            *(("Set-Cookie", cookie_line(line).encode().decode("latin-1")) for line in lines),
        )

    # Contexts.

    def _act(self, query: dict[str, str], environ: dict[str, Any]) -> Answer:
        own = f"{environ['wsgi.url_scheme']}://{environ['HTTP_HOST']}"
        return self._page(
            f"<body>{action(query['how'], query['to'], own, self.addresses.evil)}</body>"
        )

    def _redirect(self, query: dict[str, str], _environ: Any) -> Answer:
        return int(query["code"]), [("Location", query["to"])], b""

    def _echo(self, query: dict[str, str], environ: dict[str, Any]) -> Answer:
        pairs = environ.get("HTTP_COOKIE", "").split("; ")
        known = {line.partition("=")[0]: name for name, line in COOKIES.items()}
        names = {known[pair.partition("=")[0]] for pair in pairs if pair}
        self.seen[query["id"]] = {
            "method": environ["REQUEST_METHOD"],
            "cookies": ", ".join(name for name in COOKIES if name in names),
            "site": environ.get("HTTP_SEC_FETCH_SITE", ""),
            "mode": environ.get("HTTP_SEC_FETCH_MODE", ""),
            "dest": environ.get("HTTP_SEC_FETCH_DEST", ""),
            "user": environ.get("HTTP_SEC_FETCH_USER", ""),
            "origin": self.addresses.unfill(environ.get("HTTP_ORIGIN", "")),
            "referer": self.addresses.unfill(environ.get("HTTP_REFERER", "")),
        }
        return self._page("<title>echo</title>")

    # Framing.

    def _parent(self, query: dict[str, str], _environ: Any) -> Answer:
        answers = range(len(scenarios("framing", "answer")))
        target = self.addresses.kvittra
        frames = "".join(f'<iframe src="{target}/framed?n={n}"></iframe>' for n in answers)
        around = {
            "srcdoc": f'<iframe srcdoc="{escape(frames)}"></iframe>',
            "sandbox": f'<iframe sandbox="allow-scripts" srcdoc="{escape(frames)}"></iframe>',
            "evil": f'<iframe src="{self.addresses.evil}/parent?how=direct"></iframe>',
            "own": f'<iframe src="{target}/parent?how=direct"></iframe>',
        }
        return self._page(around.get(query["how"], frames))

    def _framed(self, query: dict[str, str], _environ: Any) -> Answer:
        answer = scenarios("framing", "answer")[int(query["n"])]
        headers = [("X-Frame-Options", value) for value in answer.get("x_frame_options", [])]
        headers += [("Content-Security-Policy", value) for value in answer.get("csp", [])]
        if "report_only" in answer:
            headers.append(("Content-Security-Policy-Report-Only", answer["report_only"]))
        meta = ""
        if "meta" in answer:
            meta += f'<meta http-equiv=Content-Security-Policy content="{answer["meta"]}">'
        if "meta_x_frame_options" in answer:
            meta += f'<meta http-equiv=X-Frame-Options content="{answer["meta_x_frame_options"]}">'
        headers = [(name, self.addresses.fill(value)) for name, value in headers]
        return self._page(
            f"<head>{meta}</head><body><script>canary('{query['n']}')</script></body>", *headers
        )

    # CORS.

    def _ask(self, query: dict[str, str], _environ: Any) -> Answer:
        cases = scenarios("cors", "case")
        sender = query["from"]
        calls = "".join(
            f"fetch('{self.addresses.kvittra}/answer?n={n}',{case.get('options', '{}')})"
            f".then(r => r.text()).then(t => canary('{n} ' + (t ? 'readable' : 'opaque')))"
            f".catch(() => canary('{n} failed'));"
            for n, case in enumerate(cases)
            if case["from"] == sender
        )
        return self._page(f"<script>{calls}</script>")

    def _answer(self, query: dict[str, str], environ: dict[str, Any]) -> Answer:
        case = scenarios("cors", "case")[int(query["n"])]
        if environ["REQUEST_METHOD"] != "OPTIONS":
            self.seen[f"cors {query['n']}"] = {"method": environ["REQUEST_METHOD"]}
        headers = [(name, self.addresses.fill(value)) for name, value in case.get("headers", [])]
        return 200, [("Content-Type", "text/plain"), *headers], b"the invoices"

    # Cross-site scripting.

    def _cell(self, _query: dict[str, str], environ: dict[str, Any]) -> Answer:
        _, _, policy, context, number = environ["PATH_INFO"].split("/", 4)
        if not number.isdigit():
            return 404, [("Content-Type", "text/plain"), _FRESH], b"not found"
        value = POLICIES[list(POLICIES)[int(policy)]]
        headers = [("Content-Security-Policy", value)] if value else []
        page = cell_page(payloads()[int(number)], list(CONTEXTS)[int(context)], self.addresses)
        return self._page(page, *headers)

    def _batch(self, _query: Any, environ: dict[str, Any]) -> Answer:
        policy = environ["PATH_INFO"].removeprefix("/batch/")
        if not policy.isdigit():
            return 404, [("Content-Type", "text/plain"), _FRESH], b"not found"
        value = POLICIES[list(POLICIES)[int(policy)]]
        headers = [("Content-Security-Policy", value)] if value else []
        return self._page("<!doctype html><title>cells</title><body>", *headers)
