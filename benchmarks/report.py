"""Results as a page of tables."""

from benchmarks.best import against
from benchmarks.side_names import ordered
from benchmarks.works import TITLES, title

GIB = 2**30


def page(results):
    """A Markdown page of all results so far."""
    parts = [f"# Benchmark: {results['name']}", head(results)]
    for heading, rows, table in (
        ("Best against best", [row for row in results["times"] if against(row)], best_table),
        ("Time", results["times"], time_table),
        ("First calls", with_first_calls(results["times"]), first_table),
        ("Peak memory", results["memory"], memory_table),
        ("Cost by inputs and by depth", results["sweeps"], sweep_table),
    ):
        if rows:
            parts += [f"## {heading}", table(rows)]
    if results["profiles"]:
        parts += ["## Where our time goes", *map(profile_table, results["profiles"])]
    return "\n\n".join(parts) + "\n"


def head(results):
    m, lines = results["machine"], []
    device = f", {m['device']}" if m.get("device") else ""
    lines.append(
        f"Machine: {m['cpu']}, {m['cores']} cores, {m['memory_gib']} GiB{device}. "
        f"Versions: {', '.join(f'{n} {v}' for n, v in sorted(results['versions'].items()))}, "
        f"Python {m['python']}. Made by `{results['command']}`."
    )
    side = results.get("matrix", 2048)
    for dtype, rates in results.get("libraries", {}).items():
        ordered = sorted(rates.items(), key=lambda item: -item[1])
        each = ", ".join(f"{name} {rate / 1e9:,.0f}" for name, rate in ordered)
        lines.append(
            f"Matrix products of {side} x {side} in {dtype}, the best seen, GFLOP/s: {each}."
        )
    if results["rates"]:
        by = ", ".join(f"{dtype} {name}" for dtype, name in results["rate_of"].items())
        lines.append(
            "The achieved fraction is the number of operations of the published computation, "
            "divided by the time and by the median rate of such matrix products in the same rounds "
            "(the speed of a shared machine varies). The rate is that of the worker that is "
            f"fastest at them ({by}). An implementation with fewer operations can exceed 100 %."
        )
    for package, reason in sorted(results["missing"].items()):
        lines.append(f"{package} was not measured: {reason}.")
    if results["left"]:
        lines.append("Left out for lack of time: " + "; ".join(results["left"]) + ".")
    wins = peer_wins(results["times"])
    if wins:
        lines.append("A peer is faster here: " + "; ".join(wins) + ".")
    return "\n\n".join(lines)


def peer_wins(rows):
    """The works at which the best peer is faster than the best of ours."""
    pairs = ((row["work"], against(row)) for row in rows)
    return [
        f"{best['peer']} at {name_of(work)} ({best['ratio']:.2f}x)"
        for work, best in pairs
        if best and best["ratio"] < 1
    ]


def name_of(work):
    mode = {"forward": "forward", "train": "training step"}[work["mode"]]
    return f"{title(work)}, {mode}, batch {work['batch']}, {work['dtype']}"


def time_table(rows):
    """Medians with minimum and maximum; one column for each side that was ever measured."""
    names = ordered(rows)
    header = ["Work", "Batch", *(f"{heading(name)}, s" for name in names)]
    header += ["Fastest peer over ours", "Achieved, ours", "Achieved, fastest peer"]
    header += ["Matrix products, GFLOP/s", "Ours, GFLOP/s", "Products of NumPy, GFLOP/s"]
    lines = []
    for row in rows:
        sides, work = row["sides"], row["work"]
        cells = [*short_name(work), *(seconds(sides.get(name)) for name in names)]
        cells += [ratio(row), fraction(sides["ours"])]
        cells.append(fraction(sides.get(row["fastest_peer"])))
        rate = row["rate"] / 1e9 if row.get("rate") else None
        cells.append(f"{rate:,.0f}" if rate else "")
        done = rate and sides["ours"].get("fraction")
        cells.append(f"{done * rate:,.0f}" if done else "")
        cells.append(f"{row['numpy_rate'] / 1e9:,.0f}" if row.get("numpy_rate") else "")
        lines.append(cells)
    return table(header, lines)


def heading(name):
    return "Ours" if name == "ours" else name.replace("ours in ", "Ours in ")


def short_name(work):
    """The first two cells of a row: the work with its precision, and the batch."""
    mode = "" if work["mode"] == "forward" else ", training step"
    return f"{title(work)}{mode}, {work['dtype']}", work["batch"]


def best_table(rows):
    """The fastest runtime of ours and the fastest of theirs, with the floors."""
    header = ["Work", "Batch", "Ours", "Ours, s", "Theirs", "Theirs, s", "Theirs over ours"]
    lines = []
    for row in rows:
        best, sides = against(row), row["sides"]
        low, high = best["ratio_spread"]
        ratio = f"{best['ratio']:.2f}x ({low:.2f}..{high:.2f})"
        cells = [*short_name(row["work"])]
        for name in (best["ours"], best["peer"]):
            cells += [name, seconds(sides[name])]
        cells.append(ratio if best["ratio"] >= 1 else f"**{ratio}**")
        floor = "" if best["floor"] is None else f"{best['floor']:.2f}x"
        cells += [floor, {None: "", True: "met", False: "**missed**"}[best["met"]]]
        lines.append(cells)
    note = (
        "Of ours and of theirs, the runtime with the smallest median in the same precision, and "
        "the ratio of their times, with the smallest and largest ratio of one round. The floor is "
        "the ratio that ours should reach at least in a forward pass."
    )
    return note + "\n\n" + table([*header, "Floor", "Result"], lines)


def with_first_calls(rows):
    return [row for row in rows if any("prepare_seconds" in s for s in row["sides"].values())]


def first_table(rows):
    """Seconds of the first call of each side, which the times do not contain."""
    names = ordered(rows)
    lines = [
        [*short_name(row["work"]), *(first_call(row["sides"].get(name)) for name in names)]
        for row in rows
    ]
    note = (
        "Seconds of the first call with compilation, in brackets those of making the model (with "
        "export or conversion to a file, if it is not written yet), and the number of parameters."
    )
    return note + "\n\n" + table(["Work", "Batch", *map(heading, names)], lines)


def first_call(side):
    if not side or "prepare_seconds" not in side:
        return why_not(side)
    text = f"{side['first_seconds']:.3g} ({side['prepare_seconds']:.3g})"
    return f"{text}, {side['parameters']:,}" if side.get("parameters") else text


def seconds(side):
    if side and "median" in side:
        return f"{side['median']:.3g} ({side['min']:.3g}..{side['max']:.3g})"
    return why_not(side)


def why_not(side):
    """Why a side has no number, or an empty string if it was not measured."""
    return (side or {}).get("error", "")[:60].replace("|", "/").replace("\n", " ")


def ratio(row):
    if row["ratio"] is None:
        return ""
    text = f"{row['ratio']:.2f}x"
    if row.get("ratio_spread"):
        text += " ({:.2f}..{:.2f})".format(*row["ratio_spread"])
    name = row.get("fastest_peer") or row.get("leanest_peer")
    return f"{text}, {name}" if row["ratio"] >= 1 else f"**{text}, {name} wins**"


def fraction(side):
    return f"{100 * side['fraction']:.0f} %" if side and "fraction" in side else ""


def memory_table(rows):
    names = ordered(rows)
    header = ["Work", *(f"{heading(name)}, GiB" for name in names), "Leanest peer over ours"]
    lines = []
    for row in rows:
        mode = "" if row["work"]["mode"] == "forward" else ", training step"
        cells = [f"{title(row['work'])}{mode}"]
        cells += [gib(row["sides"].get(name)) for name in names]
        lines.append([*cells, ratio(row)])
    note = (
        "One call in a separate process, batch 1, float32: the peak above the memory of the "
        "process with model and inputs, and in brackets the peak of the whole process."
    )
    return note + "\n\n" + table(header, lines)


def gib(side):
    if side and "call_bytes" in side:
        return f"{side['call_bytes'] / GIB:.2f} ({side['total_bytes'] / GIB:.2f})"
    return why_not(side)


def sweep_table(rows):
    names = ordered(rows)
    header = ["Sweep", "Inputs", "Self-attends", *(f"{heading(name)}, s" for name in names)]
    lines = []
    for row in rows:
        work = row["work"]
        cells = [TITLES[work["case"]], f"{work['side'] ** 2:,}", work.get("depth", "")]
        lines.append([*cells, *(seconds(row["sides"].get(name)) for name in names)])
    return table([*header, "Peer over ours"], [[*c, ratio(r)] for c, r in zip(lines, rows)])


def profile_table(profile):
    whole = profile["whole"]
    lines = [
        [
            row["layer"],
            row["calls"],
            f"{row['seconds']:.3g}",
            f"{100 * row['seconds'] / whole:.0f} %",
        ]
        for row in profile["layers"]
        if row["seconds"] > 0.005 * whole
    ]
    lines.append(["whole model", 1, f"{whole:.3g}", "100 %"])
    heading = f"{name_of(profile['work'])}: each layer timed separately, so sums may differ."
    return heading + "\n\n" + table(["Layer", "Calls", "Seconds", "Share"], lines)


def table(header, lines):
    rows = [header, ["---"] * len(header), *lines]
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in rows)
