"""What a check tells the learner: what was given, what happened, what is missing, one nudge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from labs.teaching.rendering import Shown, escaped, inline, plain


class Failed(Exception):  # noqa: N818 - reads as what it says: the check failed
    """Raised by a check whose claim does not hold for the learner's answer.

    Args:
        given: What the check gave to the answer, or did with it.
        happened: What came of it: what leaked, changed, was lost, who was locked out.
        missing: The property that the answer lacks.
        nudge: One step that helps, without giving the solution away.
    """

    def __init__(self, *, given: str, happened: str, missing: str, nudge: str) -> None:
        super().__init__(happened)
        self.given = given
        self.happened = happened
        self.missing = missing
        self.nudge = nudge


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check. ``passed`` is ``None`` when the check was not reached."""

    claim: str
    passed: bool | None
    given: str = ""
    happened: str = ""
    missing: str = ""
    nudge: str = ""


@dataclass(frozen=True)
class Report(Shown):
    """The outcome of an exercise: one finding for each check, in order.

    Args:
        exercise: The exercise's id.
        title: The exercise's title.
        findings: One for each check.
        next_step: What to do after success.
        printed: What the answer printed while it was checked, cut to a bound.
    """

    exercise: str
    title: str
    findings: Sequence[Finding]
    next_step: str = ""
    printed: str = field(default="", repr=False)

    @property
    def accepted(self) -> bool:
        """Whether every check passed."""
        return bool(self.findings) and all(finding.passed for finding in self.findings)

    @property
    def first_failure(self) -> Finding | None:
        """The first check that did not pass, whose nudge the learner sees."""
        return next((finding for finding in self.findings if finding.passed is False), None)

    def _headline(self) -> str:
        passed = sum(finding.passed is True for finding in self.findings)
        count = f"{passed} of {len(self.findings)} checks hold"
        return f"{self.title}: {count}." if not self.accepted else f"{self.title}: holds. {count}."

    def html(self) -> str:
        """One list item for each check; the first failure is explained and gets the nudge."""
        rows = []
        for finding in self.findings:
            state = {True: "holds", False: "fails", None: "not reached"}[finding.passed]
            mark = {True: "✓", False: "✗", None: "·"}[finding.passed]
            detail = ""
            if finding.passed is False:
                detail = (
                    f"<dl><dt>Given</dt><dd>{inline(finding.given)}</dd>"
                    f"<dt>Happened</dt><dd>{inline(finding.happened)}</dd>"
                    f"<dt>Missing</dt><dd>{inline(finding.missing)}</dd></dl>"
                )
            rows.append(
                f'<li class="labs-{state.replace(" ", "-")}">'
                f'<span class="labs-mark" aria-hidden="true">{mark}</span> '
                f"{inline(finding.claim)} <em>({state})</em>{detail}</li>"
            )
        tail = ""
        if self.first_failure:
            tail = f"<p><strong>Try this.</strong> {inline(self.first_failure.nudge)}</p>"
        elif self.next_step:
            tail = f"<p><strong>Next.</strong> {inline(self.next_step)}</p>"
        if self.printed:
            tail += (
                f"<details><summary>Printed</summary><pre>{escaped(self.printed)}</pre></details>"
            )
        verdict = "accepted" if self.accepted else "open"
        return (
            f'<section role="group" class="labs-report labs-{verdict}" '
            f'aria-label="Report: {escaped(self.title)}">'
            f"<p><strong>{inline(self._headline())}</strong></p>"
            f"<ul>{''.join(rows)}</ul>{tail}</section>"
        )

    def text(self) -> str:
        """The same for a terminal."""
        lines = [plain(self._headline())]
        for finding in self.findings:
            mark = {True: "[holds]", False: "[fails]", None: "[not reached]"}[finding.passed]
            lines.append(f"  {mark} {plain(finding.claim)}")
            if finding.passed is False:
                lines += [
                    f"      given:    {plain(finding.given)}",
                    f"      happened: {plain(finding.happened)}",
                    f"      missing:  {plain(finding.missing)}",
                ]
        if self.first_failure:
            lines.append(f"Try this: {plain(self.first_failure.nudge)}")
        elif self.next_step:
            lines.append(f"Next: {plain(self.next_step)}")
        if self.printed:
            lines += ["Printed:", self.printed]
        return "\n".join(lines)
