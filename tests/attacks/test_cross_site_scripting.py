"""The exercises, the tables and the pictures of the lesson on cross-site scripting."""

from __future__ import annotations

import html
import json
import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from contract import ROOT, Answers, Contract

from labs.attacks import cross_site_scripting as xss
from labs.attacks.cross_site_scripting import exercises, figures, model
from labs.kvittra import WEAKNESSES
from labs.teaching import Quiz
from labs.teaching.sliders import Slider, explore

PLACES = dict(xss.predictions())


def escaped_link(url, label):
    return f'<a href="{html.escape(url)}">{html.escape(label)}</a>'


def no_javascript(url, label):
    return html.escape(label) if url.startswith("javascript:") else escaped_link(url, label)


def blocklisted(url, label):
    bad = url.strip().lower().startswith(("javascript:", "data:", "vbscript:"))
    return html.escape(label) if bad else escaped_link(url, label)


def bare_attribute(url, label):
    if not xss.is_web_address(url):
        return html.escape(label)
    return f"<a href={html.escape(url)}>{html.escape(label)}</a>"


def apostrophes(url, label):
    if not xss.is_web_address(url):
        return html.escape(label)
    return f"<a href='{html.escape(url, quote=False)}'>{html.escape(label)}</a>"


def bare_label(url, label):
    return f'<a href="{html.escape(url)}">{label}</a>' if xss.is_web_address(url) else label


def label_only(_url, label):
    return html.escape(label)


def drops_refused(url, label):
    return escaped_link(url, label) if xss.is_web_address(url) else ""


def lower_and_block(text):
    return model.refuse_bad_words(text)


def strip_all_tags(text):
    return html.escape(re.sub(r"<[^>]*>", "", text))


def entities(text):
    return "".join(f"&#{ord(c)};" if c in "<>&\"'" else c for c in text)


def with_pre_lines(text):
    return "".join(f"<p>{html.escape(line)}</p>" for line in text.split("\n"))


def by_scheme(url, label):
    scheme = re.match(r"\s*(https?)://", url, re.I)
    if not scheme or re.search(r"[\x00-\x20\x7f]", url):
        return f"<span>{entities(label)}</span>"
    return f"<a rel=nofollow href='{entities(url)}'>{entities(label)}</a>"


def replaced(old, new):
    return lambda value: json.dumps(value, ensure_ascii=False).replace(old, new)


def case_blind(value):
    return re.sub(r"</script", r"<\\/script", json.dumps(value), flags=re.I)


def stripped_json(value):
    return re.sub(r"<[^>]*>?", "", json.dumps(value))


def every_character(value):
    def spelled(found):
        return f"\\u{ord(found[0]):04x}"

    return re.sub(r"[<>&'/\u007f-\uffff]", spelled, json.dumps(value, ensure_ascii=False))


def parsed_by_the_script(value):
    text = json.dumps(json.dumps(value)).replace("<", "\\x3c")
    return f"JSON.parse({text})"


def once_then_handlers(source):
    source = re.sub(r"<script.*?</script>", "", source, flags=re.I | re.S)
    return re.sub(r'\son\w+\s*=\s*("[^"]*"|\'[^\']*\'|[^\s>]+)', "", source, flags=re.I)


def bad_tags(source):
    names = "script|img|image|svg|iframe|style|form|input|video|audio|details|object|table|math"
    return re.sub(rf"</?({names})\b[^>]*>", "", source, flags=re.I)


ALLOWED = "p|b|i|strong|em|ul|ol|li|blockquote|a|br"


def tags_by_pattern(source):
    """Keeps allowed tags with whatever they carry."""
    return re.sub(rf"<(?!/?({ALLOWED})\b)[^>]*>?", "", source, flags=re.I)


def anew(*, scheme, closes=True, styles=False):
    """A writer of allowed tags on the standard library's parser."""

    class Writer(HTMLParser):
        def __init__(self):
            super().__init__()
            self.parts, self.open, self.skipping = [], [], False

        def handle_starttag(self, tag, attrs):
            if tag in ("script", "style"):
                self.skipping = True
            if self.skipping or tag not in ALLOWED.split("|"):
                return
            values = dict(attrs)
            extra = ""
            if tag == "a" and scheme(values.get("href") or ""):
                extra = f' href="{html.escape(values["href"])}"'
            if styles and values.get("style"):
                extra += f' style="{html.escape(values["style"])}"'
            self.parts.append(f"<{tag}{extra}>")
            if tag != "br":
                self.open.append(tag)

        def handle_endtag(self, tag):
            if tag in ("script", "style"):
                self.skipping = False
            elif tag in self.open:
                while True:
                    last = self.open.pop()
                    self.parts.append(f"</{last}>")
                    if last == tag:
                        break

        def handle_data(self, data):
            if not self.skipping:
                self.parts.append(html.escape(data))

    def clean(source):
        writer = Writer()
        writer.feed(source)
        writer.close()
        rest = [f"</{tag}>" for tag in reversed(writer.open)] if closes else []
        return "".join(writer.parts + rest)

    return clean


def web(url):
    return urlsplit(url).scheme in ("http", "https")


class TestExercises(Contract):
    answers = (
        Answers(
            exercises.predict_places,
            wrong={
                "escaping holds everywhere": (
                    [dict.fromkeys(PLACES, "holds")],
                    "Escaping touches no space",
                ),
                "escaping never helps": (
                    [dict.fromkeys(PLACES, "runs")],
                    "an escaped `<` is shown and begins nothing",
                ),
                "handlers are scripts": (
                    [{**PLACES, "event handler": "spoiled"}],
                    "back into a quote before it reads the script",
                ),
                "addresses are attributes": (
                    [{**PLACES, "address of a link": "holds"}],
                    "has nothing in it that would be escaped",
                ),
                "one left out": (
                    [{k: v for k, v in PLACES.items() if k != "style"}],
                    "leaves out “style”",
                ),
            },
            other={"with spaces and capitals": [{k: f" {v.title()}" for k, v in PLACES.items()}]},
        ),
        Answers(
            exercises.render_note_and_link,
            wrong={
                "script tags out": (
                    [model.strip_script_tags, xss.render_link],
                    "Do not look for bad words",
                ),
                "lower case and a list": (
                    [lower_and_block, xss.render_link],
                    "capitals included",
                ),
                "handlers out by pattern": (
                    [model.remove_handlers, xss.render_link],
                    "it ran as code",
                ),
                "escaped twice": (
                    [lambda text: html.escape(html.escape(text)), xss.render_link],
                    "escaping once",
                ),
                "escaped, javascript: left": (
                    [xss.render_note, escaped_link],
                    "the scheme is `javascript:`".replace("the scheme", "its scheme"),
                ),
                "a list of bad schemes": (
                    [xss.render_note, blocklisted],
                    "in any case, with line breaks and tabs inside",
                ),
                "no quotes around the address": (
                    [xss.render_note, bare_attribute],
                    "Write the attribute in quotes",
                ),
                "the label as it came": (
                    [xss.render_note, bare_label],
                    "The label needs escaping",
                ),
            },
            other={
                "with entities and a pattern": [entities, by_scheme],
                "paragraphs": [with_pre_lines, xss.render_link],
                "Kvittra's own": [
                    lambda text: str(WEAKNESSES["xss_stored"].repaired(text)),
                    xss.render_link,
                ],
            },
        ),
        Answers(
            exercises.embed_json,
            wrong={
                "JSON alone": ([json.dumps], "it ran as code"),
                "escaped as HTML": (
                    [lambda value: html.escape(json.dumps(value))],
                    "`&quot;` is not turned back",
                ),
                "one spelling of the end tag": (
                    [replaced("</script>", "<\\/script>")],
                    "knows no strings",
                ),
                "end tags of any case": ([case_blind], "was swallowed"),
                "tags taken out": ([stripped_json], "not which character it is"),
            },
            other={
                "every unusual character": [every_character],
                "parsed by the script": [parsed_by_the_script],
                "only the bracket": [replaced("<", "\\u003c")],
                "Kvittra's own": [lambda value: str(WEAKNESSES["xss_json"].repaired(value))],
            },
        ),
        Answers(
            exercises.clean_profile,
            wrong={
                "scripts and handlers out by pattern": (
                    [once_then_handlers],
                    "A pattern knows the spellings that you thought of",
                ),
                "allowed tags with their attributes": (
                    [tags_by_pattern],
                    "it ran as code, on a click",
                ),
                "all of it escaped": ([html.escape], "the words as they were typed"),
                "links to anywhere": ([anew(scheme=bool)], "ran as code, on a click"),
                "nothing closed": (
                    [anew(scheme=web, closes=False)],
                    "an end for everything that is opened",
                ),
                "styles kept": (
                    [anew(scheme=web, styles=True)],
                    "a `style` of the writer's is left",
                ),
            },
            other={
                "on the standard library's parser": [anew(scheme=web)],
                "Kvittra's own": [lambda s: str(WEAKNESSES["xss_rich_text"].repaired(s))],
            },
        ),
    )


MORE_WRONG = [
    pytest.param(
        exercises.render_note_and_link,
        [strip_all_tags, xss.render_link],
        "takes them from honest people too",
        id="render_note_and_link: all tags out",
    ),
    pytest.param(
        exercises.render_note_and_link,
        [xss.render_note, no_javascript],
        "website `JAVASCRIPT:canary",
        id="render_note_and_link: javascript: in lower case only",
    ),
    pytest.param(
        exercises.render_note_and_link,
        [xss.render_note, apostrophes],
        "escape the address for it once, quotes included",
        id="render_note_and_link: the other quotes",
    ),
    pytest.param(
        exercises.render_note_and_link,
        [xss.render_note, label_only],
        "there is no link",
        id="render_note_and_link: no links at all",
    ),
    pytest.param(
        exercises.render_note_and_link,
        [xss.render_note, drops_refused],
        "the page shows nothing",
        id="render_note_and_link: nothing for a refused address",
    ),
    pytest.param(
        exercises.embed_json,
        [replaced("/", "\\/")],
        "one `</script>` is not enough",
        id="embed_json: slashes only",
    ),
    pytest.param(exercises.embed_json, [repr], "for it broke", id="embed_json: Python's repr"),
    pytest.param(
        exercises.clean_profile,
        [strip_all_tags],
        "takes the bold letters away",
        id="clean_profile: all tags out",
    ),
    pytest.param(
        exercises.clean_profile,
        [lambda s: xss.clean_profile(s).lower()],
        "words as they were",
        id="clean_profile: lower case",
    ),
    pytest.param(
        exercises.clean_profile,
        [anew(scheme=lambda _url: False)],
        "leads somewhere else, or nowhere",
        id="clean_profile: no links",
    ),
    pytest.param(
        exercises.clean_profile,
        [bad_tags],
        "it ran as code, on a click",
        id="clean_profile: bad tags out",
    ),
]
"""Further wrong fixes, held to their message only."""


@pytest.mark.parametrize(("exercise", "answer", "words"), MORE_WRONG)
def test_this_wrong_fix_too_is_rejected_with_its_own_message(exercise, answer, words):
    report = exercise.judge(exercise.checks, answer, seed="book")
    assert not report.accepted
    assert words in report.text(), report.text()


def test_every_question_explains_every_option():
    questions = [thing for thing in vars(exercises).values() if isinstance(thing, Quiz)]
    assert len(questions) >= 3
    assert all(len(option.feedback) > 30 for question in questions for option in question.options)


def test_the_answers_to_the_questions_are_what_the_attacks_show():
    unseen = [one.way for one in xss.arrivals() if one.ran and not one.seen_by_server]
    assert unseen == ["DOM-based"]
    still = sum(xss.misuse().values())
    right = next(option.label for option in exercises.http_only.options if option.correct)
    assert (still, len(xss.DEEDS), right) == (5, 7, "Five of the seven")


def test_the_builders_exercises_attack_with_at_least_120_texts(monkeypatch):
    monkeypatch.setattr("labs.teaching.isolation.can_fork", lambda: False)
    for exercise in (
        exercises.render_note_and_link,
        exercises.embed_json,
        exercises.clean_profile,
    ):
        given = set()

        def counting(part, given=given, reference=exercise.reference):
            return lambda *texts: given.add(repr(texts)) or reference[part.name](*texts)

        attacks = [check for check in exercise.checks if check.kind == "attack"]
        answer = [counting(part) for part in exercise.parts]
        assert exercise.judge(attacks, answer, seed="book").accepted
        assert len(given) >= 120, exercise.id


def test_a_text_that_claims_to_equal_every_other_is_looked_at_for_itself():
    class Liar(str):
        def __eq__(self, _other):
            return True

        def __hash__(self):
            return 0

    exercise = exercises.render_note_and_link
    answer = [lambda text: Liar(text), lambda url, label: Liar(xss.render_link(url, label))]
    report = exercise.judge(exercise.checks, answer, seed="book")
    assert "it ran as code" in report.text(), report.text()


def test_a_line_break_counts_as_a_space_when_a_note_is_read():
    note = "<script\n>canary('k')</script>\nMaja"
    page = xss.look(exercises.text_page(xss.render_note(note))).page
    assert exercises._read(page.find("#here")) == " ".join(note.split())


def test_the_table_of_places_says_what_the_browser_does():
    rows = {row[0]: tuple(row[2:5]) for row in figures.places().rows}
    assert {row[0] for row in rows.values()} == {"runs"}
    assert {name: row[1] for name, row in rows.items()} == PLACES
    assert {row[2] for row in rows.values()} == {"holds"}


def test_only_escaping_stops_every_attack_and_keeps_every_honest_text():
    good = [row[0] for row in figures.half_fixes().rows if row[1:] == [0, 0]]
    assert good == ["escape"]
    assert all(row[1] > 0 and row[2] > 0 for row in figures.half_fixes().rows[:-1])


def test_a_policy_that_names_the_pages_script_stops_the_others_and_one_with_inline_stops_none():
    rows = {row[0]: row[2:] for row in figures.policies().rows}
    everything = rows["none"][0]
    assert rows["own files and inline"] == [everything, "runs"]
    assert rows["nonce"] == rows["hash"] == [0, "runs"]
    assert rows["own files"] == [0, "is blocked"]


def test_the_live_proof_is_framed_and_sandboxed():
    shown = figures.live({"a note": "<img src=x onerror=canary()>"}, title="A note").html()
    assert 'sandbox="allow-scripts"' in shown
    assert "<img" not in shown


@pytest.mark.parametrize(("people", "visits"), [(20, 1.0), (1_000_000, 2.0)])
def test_the_picture_of_the_day_gives_the_models_numbers(people, visits):
    shown = figures.spread_over_time(people, visits)
    assert shown == figures.spread_over_time(people, visits)
    assert f"{model.spread_logistic(people, 8 * visits):,.0f} after 8 hours" in shown.alt
    assert len(shown.svg) < 40_000


def test_the_sliders_of_the_lab_fit_the_book():
    shown = explore(
        figures.spread_over_time,
        people=Slider((20, 1_000, 1_000_000), start=1_000_000),
        visits_an_hour=Slider((0.25, 0.5, 1.0, 2.0, 4.0), start=1.0),
    )
    assert len(shown.frames()) <= 60


def test_the_numbers_on_the_page_are_those_of_the_lab():
    page = (ROOT / "book/attacks/cross_site_scripting.md").read_text(encoding="utf-8")
    words = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight")
    verdicts = list(PLACES.values())
    assert f"In {words[verdicts.count('runs')]} the attack still ran" in page
    assert f"In another {words[verdicts.count('spoiled')]}, in two kinds" in page
    assert f"{words[verdicts.count('holds')].capitalize()} held." in page
    assert (
        f"{words[sum(xss.misuse().values())].capitalize()} of the {words[len(xss.DEEDS)]}" in page
    )
    attacks = len(xss.payloads.texts())
    assert f"{attacks} attacks" in page
    million = xss.spread_logistic(1_000_000, 14)
    assert 0.5 < million / 1_000_000 < 0.6
    assert "about 14 visits" in page
