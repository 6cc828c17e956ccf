"""Results as a page of tables."""

from benchmarks.works import TITLES, title

GIB = 2**30


def page(results):
    """A Markdown page of all results so far."""
    parts = [f"# Benchmark: {results['name']}", head(results)]
    for heading, rows, table in (
        ("Time", results["times"], time_table),
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
    return [
        f"{row['fastest_peer']} at {name_of(row['work'])} ({row['ratio']:.2f}x)"
        for row in rows
        if row["ratio"] is not None and row["ratio"] < 1
    ]


def name_of(work):
    mode = {"forward": "forward", "train": "training step"}[work["mode"]]
    return f"{title(work)}, {mode}, batch {work['batch']}, {work['dtype']}"


def time_table(rows):
    """Medians with minimum and maximum; one column for each peer that was ever measured."""
    peers = sorted({name for row in rows for name in row["sides"]} - {"ours"})
    header = ["Work", "Batch", "Ours, s", *(f"{p}, s" for p in peers)]
    header += ["Fastest peer over ours", "Achieved, ours", "Achieved, fastest peer"]
    header += ["Matrix products, GFLOP/s", "Ours, GFLOP/s", "Products of NumPy, GFLOP/s"]
    lines = []
    for row in rows:
        sides, work = row["sides"], row["work"]
        mode = "" if work["mode"] == "forward" else ", training step"
        cells = [f"{title(work)}{mode}, {work['dtype']}", work["batch"]]
        cells += [seconds(sides.get(name)) for name in ("ours", *peers)]
        cells += [ratio(row), fraction(sides["ours"])]
        cells.append(fraction(sides.get(row["fastest_peer"])))
        rate = row["rate"] / 1e9 if row.get("rate") else None
        cells.append(f"{rate:,.0f}" if rate else "")
        done = rate and sides["ours"].get("fraction")
        cells.append(f"{done * rate:,.0f}" if done else "")
        cells.append(f"{row['numpy_rate'] / 1e9:,.0f}" if row.get("numpy_rate") else "")
        lines.append(cells)
    return table(header, lines)


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
    peers = sorted({name for row in rows for name in row["sides"]} - {"ours"})
    header = ["Work", "Ours, GiB", *(f"{p}, GiB" for p in peers), "Leanest peer over ours"]
    lines = []
    for row in rows:
        mode = "" if row["work"]["mode"] == "forward" else ", training step"
        cells = [f"{title(row['work'])}{mode}"]
        cells += [gib(row["sides"].get(name)) for name in ("ours", *peers)]
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
    peers = sorted({name for row in rows for name in row["sides"]} - {"ours"})
    header = ["Sweep", "Inputs", "Self-attends", "Ours, s", *(f"{p}, s" for p in peers)]
    lines = []
    for row in rows:
        work = row["work"]
        cells = [TITLES[work["case"]], f"{work['side'] ** 2:,}", work.get("depth", "")]
        lines.append([*cells, *(seconds(row["sides"].get(n)) for n in ("ours", *peers))])
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
