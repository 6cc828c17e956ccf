"""Writes examples/results.md from the numbers that the experiments left in examples/results.

python examples/papers/results.py
"""

import json
from pathlib import Path

from experiment import RESULTS, spread

HEAD = """# The papers' experiments in small

Each file in [papers](papers) tries one claim of the papers on two cores, in at most ten minutes a
seed. Numbers are means over seeds (least to most), on data that were not trained on; *italics* are
models that are no Perceiver. Small data and short training do not show every claim; where one does
not show, the table says so. Written by `python examples/papers/results.py`.
"""


def main(directory=RESULTS, output=RESULTS.parent / "results.md"):
    """Writes the page; returns its text."""
    records = {path.stem: json.loads(path.read_text()) for path in sorted(directory.glob("*.json"))}
    records = {name: record for name, record in records.items() if "claim" in record}  # no curves
    parts = [HEAD]
    if records:
        parts += ["| experiment | the claim | seeds |", "|---|---|---|"]
        for record in records.values():
            anchor = record["title"].lower().replace(" ", "-").replace(",", "")
            seen = {True: "shows", False: "does not show", None: "not all variants run"}
            parts.append(
                f"| [{record['title']}](#{anchor}) | {seen[record['shows']]} | {record['seeds']} |"
            )
    parts += [section(name, record, directory) for name, record in records.items()]
    text = "\n".join(parts) + "\n"
    Path(output).write_text(text)
    return text


def section(name, record, directory):
    """The part of the page on one experiment."""
    more = "more" if record["more_is_better"] else "less"
    lines = [
        f"\n## {record['title']}\n",
        f"Paper: {record['claim']}.\n",
        f"Here: {record['data']}, {record['steps']:,} steps. `{record['command']}`\n",
        f"| | {record['unit']} ({more} is better) | seconds a seed |",
        "|---|---|---|",
    ]
    for variant, scores in record["scores"].items():
        seconds = sorted(record["seconds"][variant])[len(record["seconds"][variant]) // 2]
        label = f"*{variant}*" if variant in record["baselines"] else variant
        lines.append(f"| {label} | {spread(scores)} | {seconds:.0f} |")
    shown = {True: "The claim shows", False: "**The claim does not show**", None: "No verdict"}
    lines.append(f"\n{shown[record['shows']]}: {record['verdict']}.")
    if (directory / f"{name}.png").is_file():
        lines.append(f"\n![{record['title']}](results/{name}.png)")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
