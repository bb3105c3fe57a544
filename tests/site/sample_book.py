"""A tiny book that holds one of everything that pages are made of, for fast tests of the theme."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from labs import teaching
from labs.teaching.sliders import MIME as EXPLORE

REPOSITORY = Path(__file__).parents[2]

TOC = """
format: jb-book
root: book/index
chapters:
  - file: book/attacks/index
    sections:
      - file: book/attacks/sample
        sections:
          - file: notebooks/attacks/sample
  - file: book/promises
  - file: book/glossary
  - file: book/references
  - file: book/progress
"""

PAGES = {
    "index": """
# A sample

One paragraph that says what this is.

```{leaked-table}
```

## The promises

```{promise-map}
```
""",
    "attacks/index": """
# Attacks: the service withstands them

What this part is about.

```{lessons} attacks
```
""",
    "attacks/sample": """
# A lesson with everything

A {term}`salt` is no secret {cite}`source`. A {term}`hash function` has no way back. See
[the glossary](../glossary.md) and [the questions](#what-to-ask).

## Formulas and code

Of $n$ people two share a birthday with probability

$$ 1 - \\prod_{i=1}^{n-1} \\left(1 - \\frac{i}{365}\\right) $$ (birthday)

```python
def store(password: str) -> str:  # a comment
    return f"{len(password)} and {3.5}"
```

:::{admonition} One rule
:class: important
Only on systems that you own.
:::

:::{dropdown} Something folded
The folded words, with **emphasis**.
:::

## A wide table

| One | Two | Three | Four | Five | Six |
| --- | --- | --- | --- | --- | --- |
| a-rather-long-word | another-long-word | words | and words | and more words | still more |

## What to ask

> When did you last look?

1. First
2. Second

Kvittra
: The service in this book.
""",
    "promises": """
# The promises

```{promise-map}
:full:
```
""",
    "glossary": """
# Glossary

```{glossary}
salt
salting
  A few random bytes that are *no* secret.

hash function
  A computation with no way back.
```
""",
    "references": """
# References

```{bibliography}
```
""",
    "progress": """
# Your progress

```{progress-list}
```
""",
}

BIBLIOGRAPHY = """
@misc{source,
  author = {{An Author}},
  title  = {A source},
  year   = {2020},
  url    = {https://source.example/}
}
"""


def weak(password: str, record: str) -> bool:
    return password == record


def repaired(password: str, record: str) -> bool:
    import hmac

    return hmac.compare_digest(password, record)


def quiz() -> teaching.Quiz:
    return teaching.Quiz(
        "attacks.sample.first",
        "What does a salt do?",
        [
            teaching.Option("It hides the password", "A salt is no secret."),
            teaching.Option("It makes records differ", "Yes, for each user.", correct=True),
        ],
    )


def prediction() -> teaching.Quiz:
    return teaching.Quiz(
        "attacks.sample.guess",
        "How many fall?",
        [
            teaching.Option("Few", "More than that."),
            teaching.Option("Most", "So it is.", correct=True),
        ],
        prediction=True,
    )


def drawing() -> teaching.Picture:
    figure, axes = teaching.axes(width=6, height=2.5)
    for number in range(6):
        axes.plot([0, 1, 2], [number, number + 1, number], label=f"series {number}")
    axes.legend()
    axes.set_xlabel("years")
    return teaching.picture(
        figure, alt="Six lines that rise by 1 and fall again.", caption="Six lines"
    )


def report() -> teaching.Report:
    return teaching.Report(
        "attacks.sample.store",
        "Store a password",
        [
            teaching.Finding("Two records differ", True),
            teaching.Finding(
                "A guess is slow",
                False,
                given="`store('123456')`",
                happened="a guess took 1 ms",
                missing="a slow function",
                nudge="How long should a guess take?",
            ),
            teaching.Finding("Nobody is locked out", None),
        ],
    )


def shown(thing: Any) -> dict[str, Any]:
    data = dict(thing._repr_mimebundle_())
    return {"output_type": "display_data", "metadata": {}, "data": data}


def markdown(source: str, *tags: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {"tags": list(tags)}, "source": source}


def code(source: str, *outputs: dict[str, Any], tags: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "metadata": {"tags": list(tags)},
        "source": source,
        "outputs": list(outputs),
        "execution_count": None,
    }


def notebook() -> dict[str, Any]:
    stream = {"output_type": "stream", "name": "stdout", "text": "one line\n\x1b[31mred\x1b[0m\n"}
    explored = shown(drawing())
    explored["data"][EXPLORE] = {"figure": "module:name", "sliders": []}
    cells = [
        markdown("# The lab with everything\n\nOnly on systems that you own."),
        code("prediction", shown(prediction())),
        markdown("A word to instructors.", "instructor"),
        code("2 + 2", stream),
        code("drawing()", explored, tags=("hide-input",)),
        code("show_source(weak, repaired)", shown(teaching.show_source(weak, repaired))),
        code("quiz", shown(quiz())),
        markdown("## Write the fix\n\nNow it is your turn.", "builders"),
        code("def store(): ...\nreport", shown(report()), tags=("exercise", "builders")),
        code("def store():\n    return 'secret solution'", tags=("solution",)),
        markdown("The same in words: *slow*.", "solution"),
        code("secret_of_instructors = 1", tags=("instructor",)),
        code(
            "frame(...)",
            shown(teaching.frame("<b>Hello</b><script>1</script>", title="A page")),
            shown(
                teaching.Table("A small table", ["Name", "Number"], [["one", 1], ["two", 2_000]])
            ),
        ),
        markdown("## What it does not promise\n\nMuch."),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {
        "nbformat": 4,
        "nbformat_minor": 4,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "cells": cells,
    }


def write(folder: Path) -> Path:
    """Write the book's sources to ``folder``, with the real configuration."""
    config = (REPOSITORY / "_config.yml").read_text(encoding="utf-8")
    # Building Python for the page takes longer than everything else here; it has its own tests.
    config = config.rstrip() + "\n    run_here: false\n"
    (folder / "_config.yml").write_text(config, encoding="utf-8")
    (folder / "_toc.yml").write_text(TOC, encoding="utf-8")
    for name, text in PAGES.items():
        page = folder / "book" / f"{name}.md"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(text.lstrip(), encoding="utf-8")
    (folder / "book" / "references.bib").write_text(BIBLIOGRAPHY, encoding="utf-8")
    lab = folder / "notebooks" / "attacks" / "sample.ipynb"
    lab.parent.mkdir(parents=True, exist_ok=True)
    lab.write_text(json.dumps(notebook(), indent=1), encoding="utf-8")
    return folder
