"""The exercises of the lesson: questions for everyone, three repairs for builders.

Answers are judged by what happens to them: each is put into a page, the page is opened in the model
browser, everything in it is clicked and pointed at. Then honest texts have to show, letter by
letter.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from labs.attacks.cross_site_scripting import model, payloads
from labs.attacks.cross_site_scripting.model import Outcome, look
from labs.browser import BadUrl, Element, parse_url
from labs.teaching import Answer, Exercise, Failed, Hints, Option, Part, Quiz

who_runs_it = Quiz(
    "attacks.cross_site_scripting.who_runs_it",
    "Otto, who may write notes, writes a script into the note on an invoice. Maja opens the "
    "invoice. Whose rights does the script have?",
    [
        Option(
            "Otto's, for he wrote it",
            "The browser does not know who wrote what. All it sees is one page from Kvittra.",
        ),
        Option(
            "Maja's, at Kvittra",
            "It runs in her page, so it may do there whatever she may, with her session.",
            correct=True,
        ),
        Option(
            "None: a browser runs only files of the site",
            "A script inside the page is a script of the page, unless the page has said otherwise. "
            "We come to that.",
        ),
        Option(
            "Those of Maja's computer",
            "It stays inside the browser, and inside Kvittra's pages. That is bad enough.",
        ),
    ],
    prediction=True,
)

http_only = Quiz(
    "attacks.cross_site_scripting.http_only",
    "The session cookie is marked HttpOnly: no script can read it. A script runs in Maja's page. "
    "How many of the seven things on its list still work?",
    [
        Option(
            "None, for it has no session",
            "It needs none of its own. It sends requests from Maja's page, and her browser adds "
            "the cookie by itself.",
        ),
        Option(
            "Only those that change nothing",
            "To change something it needs the token from a form, and it can read that in the page.",
        ),
        Option(
            "Five of the seven",
            "HttpOnly keeps the cookie. What saves the bank account is the question for the "
            "password.",
            correct=True,
        ),
        Option(
            "All seven",
            "Two do not: it cannot carry the session away, and it does not know Maja's password.",
        ),
    ],
    prediction=True,
)

which_vendor = Quiz(
    "attacks.cross_site_scripting.which_vendor",
    "You ask four vendors what they do against cross-site scripting. Whose answer can you check?",
    [
        Option(
            "“A firewall removes script tags from everything that comes in.”",
            "Most of the payloads in this lab have no script tag, and one of the three ways never "
            "passes the firewall.",
        ),
        Option(
            "“Our templates escape by themselves, exceptions are reviewed, and our policy allows "
            "scripts by nonce only.”",
            "A default, a rule for exceptions, and a header that you can read in your own browser.",
            correct=True,
        ),
        Option(
            "“Our session cookies are HttpOnly.”",
            "Good, and you have seen what still works.",
        ),
        Option(
            "“We were tested last year and nothing was found.”",
            "Ask what was tested, and how many pages have been written since.",
        ),
    ],
)

_WORDS = ("runs", "spoiled", "holds")

predict_places = Exercise(
    "attacks.cross_site_scripting.predict_places",
    "Predict what `html.escape` does in eight places",
    parts=[Part("places", value=dict)],
    starter="""# runs:    the attack still becomes code
# spoiled: no code runs, but O'Brien's name is damaged
# holds:   no code runs, and the name comes through
places = {
    "text": "?",
    "attribute in quotes": "?",
    "attribute without quotes": "?",
    "address of a link": "?",
    "event handler": "?",
    "text in a script": "?",
    "style": "?",
    "JSON in a script": "?",
}""",
    weak={"places": dict.fromkeys(model.PLACES, "?")},
    reference={"places": dict(model.predictions())},
    hints=Hints(
        nudge="Which of the eight attacks contain none of the five characters `& < > \" '`?",
        concept="`&lt;` is read as `<` only where the browser reads text or attributes. In a "
        "script nobody turns it back. In an event handler it is turned back, before the script "
        "is read.",
        place="Three run, two are spoiled, three hold.",
        solution="places = "
        + json.dumps(dict(model.predictions()), indent=4).replace("\n}", ",\n}"),
    ),
    next_step="The next cell shows the table of what the model browser did.",
)

_REASONS = {
    "text": "Between tags, an escaped `<` is shown and begins nothing.",
    "attribute in quotes": "The quotes are escaped too, so the value cannot end early.",
    "attribute without quotes": "Escaping touches no space, and a space ends a bare value.",
    "address of a link": "`javascript:` has nothing in it that would be escaped.",
    "event handler": "The browser turns `&#x27;` back into a quote before it reads the script.",
    "text in a script": "No quote gets out, but in a script `&#x27;` stays five strange letters.",
    "style": "The style element cannot be ended without a `<`. A color should still come from a "
    "list: a style can hide half the page.",
    "JSON in a script": "With `&quot;` for quotes it is no JSON, and the page's own script breaks.",
}


def _predicting(place: str) -> Callable[[Answer, random.Random], None]:
    def check(answer: Answer, _rng: random.Random) -> None:
        said = answer.places.get(place)
        said = said.strip().lower() if isinstance(said, str) else ""
        if said != model.predictions()[place]:
            raise Failed(
                given=f"the place “{place}”, with `{model.PLACES[place].attack}` escaped",
                happened=f"you said that it {_said(said)}; the browser saw something else"
                if said in _WORDS
                else "there is no prediction yet",
                missing="one of the words runs, spoiled and holds that fits",
                nudge=_REASONS[place] if said in _WORDS else "Fill in all eight, then look.",
            )

    return check


def _said(word: str) -> str:
    return "is spoiled" if word == "spoiled" else word


for _place in model.PLACES:
    predict_places.attack(f"What happens is foreseen: {_place}")(_predicting(_place))


@predict_places.honest("All eight places are there")
def _(answer: Answer, _rng: random.Random) -> None:
    missing = [place for place in model.PLACES if place not in answer.places]
    if missing:
        raise Failed(
            given="your answer",
            happened=f"it leaves out “{missing[0]}”",
            missing="a word for each of the eight places",
            nudge="Copy the eight lines again and change only the words.",
        )


# What is around an answer in a page, and what must be there after it.

_HEAD = "<!doctype html>"  # as little as a page may be: hundreds of them are read
_FOOT = "<footer id=foot>Kvittra</footer>"


def text_page(fragment: str) -> str:
    """The page in which a rendered note, link or profile is judged."""
    return f"{_HEAD}<main><article id=here>{fragment}</article></main>{_FOOT}"


def _looked(answer: Answer, fragment: str, *, act: bool = True) -> Outcome:
    """What became of the page around a fragment; each page is opened once for each answer.

    Many texts come to the same page, such as all refused addresses to that with the bare label.
    """
    page = text_page(fragment)  # a true text, while a fragment may be of a class that lies
    kept: dict[tuple[str, bool], Outcome] = vars(answer).setdefault("_outcomes", {})
    if (page, act) not in kept:
        kept[page, act] = look(page, act=act)
    return kept[page, act]


def data_page(fragment: str) -> str:
    """The page in which embedded data is judged: its second script hands the data on."""
    return (
        f"{_HEAD}<main><script>var data = {fragment};</script></main>{_FOOT}"
        "<script>received(data)</script>"
    )


def _code(text: str) -> str:
    cut = text if len(text) <= 90 else text[:89] + "…"
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)
    return f"“{shown}”" if "`" in shown or not shown.strip() else f"`{shown}`"


def _refuse_code(outcome: Outcome, given: str, nudge: str) -> None:
    if outcome.ran:
        raise Failed(
            given=given,
            happened=f"it ran as code, {outcome.when}",
            missing="text that stays text, whatever is in it",
            nudge=nudge,
        )


_CLOSE_NUDGE = "Close each tag that you write, whether its end came or not."


def _here(outcome: Outcome, given: str, nudge: str = _CLOSE_NUDGE) -> Element:
    """The element around the answer, if the page around it is still whole."""
    here, foot = outcome.page.find("#here"), outcome.page.find("#foot")
    whole = here is not None and foot is not None and foot.text == "Kvittra"
    if here is None or foot is None or not whole or here in foot.ancestors():
        raise Failed(
            given=given,
            happened="the rest of the page was swallowed, or became part of it",
            missing="an end for everything that is opened",
            nudge=nudge,
        )
    around = {parent.name for parent in foot.ancestors()} - {"body", "html"}
    # A tag left open reaches into what follows: there the parser opens it again.
    around |= {part.name for part in foot.walk() if part is not foot}
    if around:
        raise Failed(
            given=given,
            happened=f"a `<{sorted(around)[0]}>` of the writer's reaches into the footer",
            missing="an end for everything that is opened",
            nudge=nudge,
        )
    return here


def _folded(text: str) -> str:
    return " ".join(text.split())


def _read(element: Element) -> str:
    """The text of an element as a person reads it: a line break is a space, too."""
    parts: list[str] = []
    stack: list[Element | str] = [element]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            parts.append(node)
        elif node.name not in ("script", "style", "template"):
            around = [" "] if node.name in ("br", "p", "div", "li", "blockquote") else []
            stack += [*around, *reversed(node.children), *around]
    return _folded("".join(parts))


def _shows(here: Element, wanted: str, given: str, missing: str, nudge: str) -> None:
    shown = _read(here)
    if shown != _folded(wanted):
        raise Failed(
            given=given,
            happened=f"the page shows {_code(shown)}" if shown else "the page shows nothing",
            missing=missing,
            nudge=nudge,
        )


_LAYOUT = {"br", "p", "div", "span"}
"""Elements that a note may bring along for its line breaks."""


def _refuse_elements(here: Element, allowed: set[str] | frozenset[str], given: str) -> None:
    for element in here.walk():
        if element is not here and element.name.lower() not in allowed:
            raise Failed(
                given=given,
                happened=f"a `<{element.name}>` of the writer's stands in the page",
                missing="a page whose elements are all the page's own",
                nudge="No script ran, but a false form or a hidden text needs none.",
            )


def _links(here: Element) -> Iterator[tuple[Element, str]]:
    for element in here.walk():
        if "href" in element.attributes:
            try:
                yield element, str(parse_url(element.get("href"), parse_url(f"{model.HOME}/")))
            except BadUrl:
                continue


def _refuse_schemes(here: Element, given: str) -> None:
    for _element, address in _links(here):
        scheme = address.partition(":")[0]
        if scheme not in ("http", "https", "mailto"):
            raise Failed(
                given=given,
                happened=f"the link leads to `{scheme}:`",
                missing="a list of schemes that are allowed, http and https",
                nudge="Ask what is allowed. Nobody can list all that is not.",
            )


# Exercise: a note and a link.

_ESCAPE_NUDGE = (
    "Do not look for bad words. Escape the characters that could begin a tag or end an attribute, "
    "in every text, with `html.escape`."
)

render_note_and_link = Exercise(
    "attacks.cross_site_scripting.render_note_and_link",
    "Show a note and a website so that both stay text",
    parts=[Part("render_note", returns=str), Part("render_link", returns=str)],
    starter='''def render_note(text):
    """Return the note as HTML; it is put between two tags."""
    return text.replace("<script>", "").replace("</script>", "")


def render_link(url, label):
    """Return a link to somebody's website as HTML."""
    return f'<a href="{url}">{label}</a>\'''',
    weak={"render_note": model.render_note_weak, "render_link": model.render_link_weak},
    reference={"render_note": model.render_note, "render_link": model.render_link},
    hints=Hints(
        nudge="Give your functions `<img src=x onerror=canary()>` and `javascript:canary()` and "
        "read what comes back.",
        concept="A text goes into HTML escaped, each time, in whatever it contains. An address "
        "needs one question more: does it lead to the web? Escaping cannot answer it.",
        place="In render_note, replace the whole line. In render_link, escape both values inside "
        "their quotes, and before that look at the scheme with `urlsplit`; if it is another than "
        "http or https, show the label without a link.",
        solution="""import html
from urllib.parse import urlsplit


def render_note(text):
    return html.escape(text).replace("\\n", "<br>")


def render_link(url, label):
    try:
        scheme = urlsplit(url.strip()).scheme
    except ValueError:
        scheme = ""
    if scheme not in ("http", "https"):
        return html.escape(label)
    return f'<a href="{html.escape(url)}">{html.escape(label)}</a>'""",
    ),
    next_step="Now data on its way into a script, where escaping HTML is the wrong rule.",
)


def _note(answer: Answer, text: str) -> tuple[Outcome, str]:
    return _looked(answer, answer.render_note(text)), f"the note {_code(text)}"


@render_note_and_link.honest("What honest people write is shown")
def _(answer: Answer, rng: random.Random) -> None:
    # Without angle brackets, ampersands and quotes, for which the weak version has no rule.
    for text in ("Maja BERG, Gävle", "Tulips 🌷", "تم الإرسال", f"Invoice {rng.randrange(9_999)}"):
        outcome, given = _note(answer, text)
        _shows(
            _here(outcome, given), text, given,
            "every letter as it was typed, capitals included",
            "Return the text itself, prepared for its place. Change nothing else.",
        )  # fmt: skip


@render_note_and_link.honest("A click on a website leads there")
def _(answer: Answer, _rng: random.Random) -> None:
    for url in payloads.HONEST_ADDRESSES:
        outcome = _looked(answer, answer.render_link(url, "website"), act=False)
        given = f"the website {_code(url)}"
        here = _here(outcome, given)
        led = [address for _, address in _links(here)]
        if led != [str(parse_url(url))]:
            raise Failed(
                given=given,
                happened=f"the link leads to {_code(led[0])}" if led else "there is no link",
                missing="a link for every address of the web",
                nudge="Write the attribute in quotes and escape the address for it once, quotes "
                "included."
                if led
                else "Upper case is allowed in `HTTPS:`, and almost anything behind the host. "
                "Compare the scheme that `urlsplit` gives.",
            )
        _shows(
            here, "website", given, "the label, and nothing else", "Show the label inside the link."
        )


def _notes_hold(texts: Sequence[str], answer: Answer) -> None:
    for text in texts:
        fragment, given = answer.render_note(text), f"the note {_code(text)}"
        if "<" in fragment:  # without one, the parser finds nothing but text
            outcome = _looked(answer, fragment)
            _refuse_code(outcome, given, _ESCAPE_NUDGE)
            _refuse_elements(_here(outcome, given, _ESCAPE_NUDGE), _LAYOUT, given)


_NOTE_GROUPS = {
    "script element": "Script elements in a note are shown, in 17 spellings and their variations",
    "handler": "An image with a handler is shown, and 24 relatives of it",
    "click": "Nothing in a note waits for a click",
    "address": "No address in a note runs",
}


def _notes_of(group: str) -> Callable[[Answer, random.Random], None]:
    def check(answer: Answer, rng: random.Random) -> None:
        _notes_hold(payloads.variations(payloads.texts(group), rng, 12), answer)

    return check


for _group, _claim in _NOTE_GROUPS.items():
    render_note_and_link.attack(_claim)(_notes_of(_group))


def _stripped(text: str) -> str:
    return model.strip_script_tags(text)


@render_note_and_link.attack(
    "What a filter makes whole by taking something out does not run",
    weak={"render_note": _stripped, "render_link": model.render_link_weak},
)
def _(answer: Answer, rng: random.Random) -> None:
    _notes_hold(payloads.variations(payloads.SPLIT_TAGS, rng, 6), answer)


@render_note_and_link.attack("Markup without scripts is shown as well")
def _(answer: Answer, _rng: random.Random) -> None:
    _notes_hold(payloads.MARKUP, answer)


@render_note_and_link.attack("A note is shown letter by letter, whatever it says")
def _(answer: Answer, rng: random.Random) -> None:
    texts = [*payloads.HONEST_TEXTS, *rng.sample(payloads.texts(), 6)]
    for text in texts:
        outcome, given = _note(answer, text)
        _refuse_code(outcome, given, _ESCAPE_NUDGE)
        here = _here(outcome, given)
        shown = _read(here)
        if "&" not in text and any(code in shown for code in ("&lt;", "&gt;", "&quot;", "&#")):
            raise Failed(
                given=given,
                happened=f"the page shows {_code(shown)}",
                missing="escaping once; what is escaped twice is shown with its `&`",
                nudge="Escape at the moment of writing into the page, and nowhere before.",
            )
        _shows(
            here, text, given,
            "every letter of it; a filter that takes words out takes them from honest people too",
            _ESCAPE_NUDGE,
        )  # fmt: skip


def _link(answer: Answer, url: str, label: str = "website") -> tuple[Outcome, str]:
    return _looked(answer, answer.render_link(url, label)), f"the website {_code(url)}"


@render_note_and_link.attack("No address of 18 runs when it is clicked, however it is spelled")
def _(answer: Answer, rng: random.Random) -> None:
    more = [
        "".join(rng.choice((c, c.upper())) for c in "javascript") + ":canary(1)" for _ in range(3)
    ]
    places = rng.sample(range(1, 10), 4)
    more += ["javascript"[:n] + rng.choice("\t\n\r") + "javascript:canary(1)"[n:] for n in places]
    more += [rng.choice(" \t\n\x00\x1f\x0b") * 2 + "javascript:canary(1)" for _ in range(4)]
    for url in itertools.chain(payloads.ADDRESSES, more):
        outcome, given = _link(answer, url)
        _refuse_code(
            outcome, given,
            "An address is code when its scheme is `javascript:`, in any case, with line breaks "
            "and tabs inside. Allow http and https; do not look for what is bad.",
        )  # fmt: skip
        _refuse_schemes(_here(outcome, given), given)


@render_note_and_link.attack("Other programs and other kinds of address get no link")
def _(answer: Answer, _rng: random.Random) -> None:
    for url in ("data:text/html,<script>canary(1)</script>", "vbscript:canary(1)", "x-own:1"):
        outcome, given = _link(answer, url)
        _refuse_code(outcome, given, "Allow http and https only.")
        _refuse_schemes(_here(outcome, given), given)


@render_note_and_link.attack("An address does not end the attribute that it stands in")
def _(answer: Answer, _rng: random.Random) -> None:
    spaced = [f"https://bergsbageri.example/{text}" for text in (
        " onclick=canary(1) x=", " onmouseover=canary(1) ", "' onclick='canary(1)",
        "><img src=x onerror=canary(1)>",
    )]  # fmt: skip
    for url in (*payloads.QUOTES, *spaced):
        outcome, given = _link(answer, url)
        _refuse_code(
            outcome, given,
            "Write the attribute in quotes and escape the address for it, quotes included.",
        )  # fmt: skip
        _refuse_elements(_here(outcome, given), _LAYOUT | {"a"}, given)


@render_note_and_link.attack("The label of a link is text")
def _(answer: Answer, rng: random.Random) -> None:
    url = "https://bergsbageri.example"
    for label in (*rng.sample(payloads.texts(), 12), "</a><form>", "a < b", "O'Brien & Söner"):
        outcome, _ = _link(answer, url, label)
        given = f"the label {_code(label)}"
        _refuse_code(outcome, given, "The label needs escaping as much as the address.")
        here = _here(outcome, given)
        _refuse_elements(here, _LAYOUT | {"a"}, given)
        _shows(here, label, given, "the label as it was typed", "Escape the label once.")


@render_note_and_link.attack("A refused address still leaves its label to read")
def _(answer: Answer, _rng: random.Random) -> None:
    label = "Bergs Bageri & Söner"
    outcome, given = _link(answer, "javascript:canary(1)", label)
    _refuse_code(outcome, given, "Show the label without a link.")
    _shows(
        _here(outcome, given), label, given, "the label, without a link",
        "Return the escaped label alone when the address is not of the web.",
    )  # fmt: skip


@render_note_and_link.attack("An address with & in it leads where it says")
def _(answer: Answer, _rng: random.Random) -> None:
    # Unescaped, "&copy" at the end is read as a copyright sign.
    url = "https://floraflora.example/?print=2&copy"
    outcome = _looked(answer, answer.render_link(url, "website"), act=False)
    given = f"the website {_code(url)}"
    led = [address for _, address in _links(_here(outcome, given))]
    if led != [url]:
        raise Failed(
            given=given,
            happened=f"the link leads to {_code(led[0])}" if led else "there is no link",
            missing="escaping of the address; in an attribute too, `&copy` is a character",
            nudge="Escape the address once, for the attribute.",
        )


# Exercise: data in a script.

embed_json = Exercise(
    "attacks.cross_site_scripting.embed_json",
    "Hand data to a script of the page",
    parts=[Part("embed_json", returns=str)],
    starter='''import json


def embed_json(value):
    """Return what stands between `var data = ` and `;` inside a script element."""
    return json.dumps(value)''',
    weak={"embed_json": model.embed_json_weak},
    reference={"embed_json": model.embed_json},
    hints=Hints(
        nudge="Give it `</script>` and look at the page. Who reads it first, the one who knows "
        "JSON or the one who knows HTML?",
        concept="JSON can spell every character as `\\u` and four digits. The script reads the "
        "same text, and the HTML parser, who comes first, sees nothing that it knows.",
        place="After `json.dumps`: replace the character that could begin a tag or a comment by "
        "its `\\u` spelling.",
        solution="""import json


def embed_json(value):
    text = json.dumps(value)
    for character in "<>&":
        text = text.replace(character, f"\\\\u{ord(character):04x}")
    return text""",
    ),
    next_step="Last: a text in which some tags are welcome.",
)

_JSON_NUDGE = (
    "The HTML parser looks for `</script` and `<!--` and knows no strings. Spell `<` as `\\u003c`: "
    "the script reads the same text."
)


def _data(answer: Answer, value: Any) -> tuple[Outcome, str]:
    text = json.dumps(value, ensure_ascii=False)
    return look(data_page(answer.embed_json(value))), f"the data {_code(text)}"


def _arrives(outcome: Outcome, value: Any, given: str, answer: Answer) -> None:
    # A script that breaks leaves the variable undefined, which arrives as None.
    if not outcome.received or (outcome.received[0] is None and value is not None):
        escaped = "&quot;" in answer.embed_json({"a": "b"})
        raise Failed(
            given=given,
            happened="the script of the page got nothing, for it broke"
            + ("; in a script, `&quot;` is not turned back into a quote" if escaped else ""),
            missing="JSON that a script can read"
            if escaped
            else "data that the parser does not take for the end, or a part, of the page",
            nudge="Escaping HTML is the rule for another place. " + _JSON_NUDGE
            if escaped
            else _JSON_NUDGE,
        )
    if outcome.received[0] != value:
        got = json.dumps(outcome.received[0], ensure_ascii=False)
        raise Failed(
            given=given,
            happened=f"the script got {_code(got)}",
            missing="the same data on the other side, letter by letter",
            nudge="Change how a character is spelled, not which character it is. " + _JSON_NUDGE,
        )


@embed_json.honest("Honest data arrive unchanged")
def _(answer: Answer, rng: random.Random) -> None:
    more = {f"buyer {n}": rng.randrange(10**6) for n in range(3)}
    for value in (*payloads.HONEST_DATA, more):
        outcome, given = _data(answer, value)
        _arrives(outcome, value, given, answer)


def _shapes(texts: Sequence[str]) -> Iterator[Any]:
    for number, text in enumerate(texts):
        yield ({"buyer": text, "amount": 1_250}, [1, text], {text: True}, text)[number % 4]


def _data_hold(answer: Answer, texts: Sequence[str], nudge: str) -> None:
    values = list(_shapes(texts))
    fragments = [answer.embed_json(value) for value in values]
    if not any("<" in fragment for fragment in fragments):
        # No tag can begin, so the scripts cannot meddle with each other: one page serves them all.
        scripts = "".join(
            f"<script>var data = {fragment};received(data)</script>" for fragment in fragments
        )
        outcome = look(f"{_HEAD}<main>{scripts}</main>{_FOOT}", act=False)
        if not outcome.ran and list(outcome.received) == values:
            return
    for value, fragment in zip(values, fragments, strict=True):
        outcome = look(data_page(fragment))
        given = f"the data {_code(json.dumps(value, ensure_ascii=False))}"
        _refuse_code(outcome, given, nudge)
        _arrives(outcome, value, given, answer)


@embed_json.attack("No text ends the script element, in 12 ways and 60 variations")
def _(answer: Answer, rng: random.Random) -> None:
    _data_hold(answer, payloads.variations(payloads.IN_JSON, rng, 60), _JSON_NUDGE)


def _by_hand(value: Any) -> str:
    """JSON as it comes out when somebody puts the quotes around a text by hand."""
    return json.dumps(value).replace("\\\\", "\\").replace('\\"', '"')


@embed_json.attack("What runs in other places does not run here", weak={"embed_json": _by_hand})
def _(answer: Answer, rng: random.Random) -> None:
    texts = [*payloads.IN_STRINGS, *rng.sample(payloads.texts(), 20)]
    _data_hold(
        answer, texts, "Let `json.dumps` write the quotes and backslashes; do not do it by hand."
    )


@embed_json.attack("The script does not swallow the rest of the page")
def _(answer: Answer, rng: random.Random) -> None:
    texts = [*payloads.SWALLOWING, *(f"{rng.choice(payloads.SWALLOWING)}x" for _ in range(4))]
    for value in _shapes([text for text in texts for _ in range(2)]):
        outcome, given = _data(answer, value)
        if outcome.page.find("#foot") is None:
            raise Failed(
                given=given,
                happened="the rest of the page was swallowed: after `<!--<script` one `</script>` "
                "is not enough",
                missing="no `<` at all in what is written into the script",
                nudge=_JSON_NUDGE,
            )
        _refuse_code(outcome, given, _JSON_NUDGE)
        _arrives(outcome, value, given, answer)


# Exercise: formatted text.

clean_profile = Exercise(
    "attacks.cross_site_scripting.clean_profile",
    "Let people format their profile, and nothing else",
    parts=[Part("clean_profile", returns=str)],
    starter='''import re


def clean_profile(source):
    """Return the profile as HTML.

    Allowed are p, b, i, strong, em, ul, ol, li, blockquote, br, and a with an href to the web.
    """
    source = re.sub(r"<script.*?</script>", "", source, flags=re.I | re.S)
    return re.sub(r"\\son\\w+=\\S+", "", source)''',
    weak={"clean_profile": model.clean_profile_weak},
    reference={"clean_profile": model.clean_profile},
    hints=Hints(
        nudge="How many ways of writing a handler does your pattern know, and how many does a "
        "browser know?",
        concept="Do not clean the source. Read it as a browser does, throw it away, and write a "
        "new text: allowed tags without their attributes, everything else escaped.",
        place="Parse with `html5lib.parseFragment(source, namespaceHTMLElements=False)`. Each node "
        "has `tag`, `text`, `tail` and its children. For a link, keep an href whose scheme is http "
        "or https.",
        solution="""import html
from urllib.parse import urlsplit

import html5lib

ALLOWED = {"p", "b", "i", "strong", "em", "ul", "ol", "li", "blockquote", "a"}


def written(node):
    text = html.escape(node.text or "")
    for child in node:
        if child.tag == "br":
            text += "<br>"
        elif child.tag in ALLOWED:
            href = child.get("href", "") if child.tag == "a" else ""
            link = f' href="{html.escape(href)}"' if is_web(href) else ""
            text += f"<{child.tag}{link}>{written(child)}</{child.tag}>"
        elif isinstance(child.tag, str) and child.tag not in ("script", "style"):
            text += written(child)
        text += html.escape(child.tail or "")
    return text


def is_web(url):
    try:
        return urlsplit(url).scheme in ("http", "https")
    except ValueError:
        return False


def clean_profile(source):
    return written(html5lib.parseFragment(source, namespaceHTMLElements=False))""",
    ),
    next_step="Read the questions for a vendor, and look at the headers of a page you use.",
)

_PROFILE_NUDGE = (
    "A pattern knows the spellings that you thought of. Parse the text as a browser does, and "
    "write out only what is allowed."
)
_FORMATS = ("p", "b", "i", "strong", "em", "ul", "ol", "li", "blockquote", "br", "a")


def _profile(answer: Answer, source: str) -> tuple[Outcome, str]:
    return _looked(answer, answer.clean_profile(source)), f"the profile {_code(source)}"


def _formats(element: Element) -> list[tuple[str, str]]:
    return [
        (part.name, _read(part))
        for part in element.walk()
        if part.name in _FORMATS and part is not element
    ]


@clean_profile.honest("The allowed formatting is kept, and so are the words")
def _(answer: Answer, rng: random.Random) -> None:
    for source in rng.sample(payloads.HONEST_PROFILES, len(payloads.HONEST_PROFILES)):
        wanted = look(text_page(source), act=False).page.find("#here")
        outcome, given = _profile(answer, source)
        here = _here(outcome, given)
        assert wanted is not None
        _shows(
            here, _read(wanted), given,
            "the words as they were typed",
            "Escape each text once, after the parser has read it.",
        )  # fmt: skip
        if _formats(here) != _formats(wanted):
            kept = ", ".join(f"<{name}>" for name, _ in _formats(here)) or "none"
            raise Failed(
                given=given,
                happened=f"the formatting changed; what is left: `{kept}`",
                missing="the tags that are allowed",
                nudge="Escaping everything is safe, and takes the bold letters away. Write the "
                "allowed tags out again.",
            )
        if [to for _, to in _links(here)] != [to for _, to in _links(wanted)]:
            raise Failed(
                given=given,
                happened="its link leads somewhere else, or nowhere",
                missing="links to the web",
                nudge="Keep the href when its scheme is http or https, escaped for the attribute.",
            )


def _profiles_hold(answer: Answer, sources: Sequence[str]) -> None:
    for source in sources:
        fragment, given = answer.clean_profile(source), f"the profile {_code(source)}"
        if "<" not in fragment:  # the parser finds nothing but text
            continue
        outcome = _looked(answer, fragment)
        _refuse_code(outcome, given, _PROFILE_NUDGE)
        here = _here(outcome, given)
        _refuse_elements(here, {*_FORMATS, "span", "div"}, given)
        _refuse_schemes(here, given)
        for element in here.walk():
            bad = set(element.attributes) - {"href", "rel", "target", "title", "dir", "lang", "id"}
            if element is not here and (bad or element.get("id")):
                name = sorted(bad or {"id"})[0]
                raise Failed(
                    given=given,
                    happened=f"a `{name}` of the writer's is left on `<{element.name}>`",
                    missing="tags without their attributes, but for the address of a link",
                    nudge="A style can lay a link over the whole page. Write the tag anew.",
                )


def _profiles_of(group: str) -> Callable[[Answer, random.Random], None]:
    def check(answer: Answer, rng: random.Random) -> None:
        _profiles_hold(answer, payloads.variations(payloads.texts(group), rng, 12))

    return check


for _group, _claim in {
    "script element": "No script element of 17 is left, however it is spelled",
    "handler": "No handler of 25 is left, on whatever element",
    "click": "Nothing waits for a click",
    "address": "No link, form or frame runs code",
}.items():
    clean_profile.attack(_claim)(_profiles_of(_group))


@clean_profile.attack(
    "What a filter makes whole by taking something out does not run",
    weak={"clean_profile": model.strip_script_tags},
)
def _(answer: Answer, rng: random.Random) -> None:
    _profiles_hold(answer, payloads.variations(payloads.SPLIT_TAGS, rng, 6))


@clean_profile.attack("Allowed tags bring nothing else along")
def _(answer: Answer, rng: random.Random) -> None:
    tags = rng.sample(("p", "b", "i", "em", "li", "blockquote", "strong", "ul"), 5)
    handlers = ("onclick=canary(1)", "onmouseover='canary(1)'", "ONCLICK = canary(1)",
                "title='>' onclick=canary(1)", "/onclick=canary(1)/")  # fmt: skip
    sources = [f"<{tag} {on}>more</{tag}>" for tag, on in zip(tags, handlers, strict=True)]
    sources += [f"<{tag} style='position:fixed;inset:0'>x</{tag}>" for tag in tags[:2]]
    sources += [f'<a href="{url}">website</a>' for url in payloads.ADDRESSES]
    _profiles_hold(answer, sources)


@clean_profile.attack("Markup without scripts is left out as well")
def _(answer: Answer, _rng: random.Random) -> None:
    _profiles_hold(answer, payloads.MARKUP)


@clean_profile.attack("What is opened is closed, so that the rest of the page stays as it was")
def _(answer: Answer, rng: random.Random) -> None:
    opened = ("<b>", "<ul><li>", "<blockquote><p><i>", '<a href="https://evil.example/">', "<em>")
    closed = ("</article></main>", "</div>", "</p></article>")
    sources = [f"Hello {a}{b}there" for a in opened for b in ("", rng.choice(closed))]
    _profiles_hold(answer, sources)
