"""What `check` found."""

import dataclasses

from keras_perceiver.inspection.html_table import html_table


@dataclasses.dataclass(frozen=True)
class Finding:
    """One question and its answer.

    Args:
        name: Short name of the question.
        passed: True, False, or None if it could not be answered.
        told: What was measured.
        remedy: What to do, if it did not pass.
    """

    name: str
    passed: bool | None
    told: str
    remedy: str = ""

    @property
    def word(self):
        return {True: "good", False: "BAD", None: "?"}[self.passed]


@dataclasses.dataclass(frozen=True)
class Report:
    """The findings of `check`. It prints as text and shows as a table in a notebook.

    Args:
        model: Name of the model.
        findings: `Finding`s.
    """

    model: str
    findings: tuple

    @property
    def passed(self):
        """Whether nothing is bad."""
        return all(finding.passed is not False for finding in self.findings)

    @property
    def failures(self):
        """{name: Finding} of all that are bad."""
        return {one.name: one for one in self.findings if one.passed is False}

    def __str__(self):
        verdict = "nothing bad" if self.passed else f"{len(self.failures)} bad"
        lines = [f"check of {self.model}: {verdict}"]
        for one in self.findings:
            lines.append(f"  {one.word:5}{one.name}: {one.told}")
            if one.passed is not True and one.remedy:
                lines.append(f"         {one.remedy}")
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self):
        rows = [
            (one.word, one.name, one.told, "" if one.passed else one.remedy)
            for one in self.findings
        ]
        some = any(remedy for *_, remedy in rows)
        return html_table(("", "", "found", "remedy" if some else ""), rows)
