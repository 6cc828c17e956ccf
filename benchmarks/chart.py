"""The chart: time ratio, memory ratio, achieved fraction."""

from benchmarks.best import against
from benchmarks.works import title

OURS, THEIRS = "#1b6ca8", "#b0b0b0"


def draw(results, path):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    panels = [
        ("Best runtime of theirs over best of ours, forward", best_ratios(results["times"])),
        ("Leanest peer's memory over ours", ratios(results["memory"])),
        ("Achieved fraction of matrix-product rate", fractions(results["times"])),
    ]
    panels = [(heading, bars) for heading, bars in panels if bars]
    if not panels:
        return
    counts = [len(bars) + 2 for _, bars in panels]
    size = (8, 1 + 0.26 * sum(counts))
    figure, axes = pyplot.subplots(
        len(panels), 1, figsize=size, height_ratios=counts, layout="constrained"
    )
    for axis, (heading, bars) in zip([axes] if len(panels) == 1 else axes, panels):
        labels = [label for label, _ in bars]
        axis.set_yticks(range(len(bars)), labels, fontsize=9)
        axis.set_ylim(len(bars) - 0.4, -0.6)
        axis.set_title(heading, fontsize=11)
        axis.axvline(1, color="black", linewidth=0.8)
        axis.spines[["top", "right"]].set_visible(False)
        for row, (_, values) in enumerate(bars):
            thickness = 0.7 / len(values)
            for i, (value, color) in enumerate(values):
                place = row + (i - (len(values) - 1) / 2) * thickness
                axis.barh(place, value, thickness, color=color)
                axis.text(value, place, f" {value:.2f}", va="center", fontsize=8)
    machine = results["machine"]
    named = machine.get("device") or f"{machine['cpu']}, {machine['cores']} cores"
    figure.suptitle(f"keras_perceiver (blue) and peers (grey) on {named}", fontsize=11)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def best_ratios(rows):
    """Bars of the best runtime of theirs over the best of ours in forward passes."""
    forward = [row for row in rows if row["work"]["mode"] == "forward"]
    return ratios([{**row, "ratio": (against(row) or {"ratio": None})["ratio"]} for row in forward])


def ratios(rows):
    """Bars of ratios, in grey if the peer is better."""
    return [
        (label(row["work"]), [(row["ratio"], OURS if row["ratio"] >= 1 else THEIRS)])
        for row in rows
        if row["ratio"] is not None
    ]


def fractions(rows):
    bars = []
    for row in rows:
        sides = row["sides"]
        both = ((sides["ours"], OURS), (sides.get(row["fastest_peer"], {}), THEIRS))
        values = [(side["fraction"], color) for side, color in both if "fraction" in side]
        if values:
            bars.append((label(row["work"]), values))
    return bars


def label(work):
    name = title(work).split(",")[0]
    mode = "" if work["mode"] == "forward" else ", training"
    dtype = "" if work["dtype"] == "float32" else ", bf16"
    return f"{name}{mode}, batch {work['batch']}{dtype}"
