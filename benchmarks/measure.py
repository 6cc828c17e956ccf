"""Measures our worker and the peers in turn, and summarises the results."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks.flops import FORWARD, operations
from benchmarks.plain_memory import too_large
from benchmarks.protocol import WorkerError
from benchmarks.side_names import is_ours

LONG = 90.0  # seconds; if rounds take longer than this, three rounds are enough


def alternate(workers, work, rounds, device="cpu", log=print, rater=None):
    """Times all workers in turn.

    The first worker is ours. Each is warmed up by `build`; then each round measures the rate of
    matrix products of `rater` and one turn of each worker.

    Returns:
        A dict from names of workers to {"seconds": [...]}, or {"error": reason}; and the rate of
        matrix products in each round.
    """
    results, ready, rates = {}, [], []

    def build(worker):
        reason = None if is_ours(worker.name) else too_large(work, device)
        try:
            return {"error": reason} if reason else worker.ask("build", **work)
        except WorkerError as error:
            return {"error": str(error)}

    # A machine with an accelerator has cores enough to compile for all of them at once.
    with ThreadPoolExecutor(1 if device == "cpu" else len(workers)) as pool:
        for worker, built in zip(workers, pool.map(build, workers)):
            results[worker.name] = built
            if "error" in built:
                log(f"  {worker.name}: {built['error']}")
            else:
                built["seconds"] = []
                ready.append(worker)
    start = time.perf_counter()
    for done in range(rounds):
        if rater is not None:
            rates.append(rater.ask("rate", dtype=work["dtype"], seconds=0.3)["median"])
        for worker in list(ready):
            try:
                results[worker.name]["seconds"].append(worker.ask("time"))
            except WorkerError as error:
                results[worker.name] = {"error": str(error)}
                ready.remove(worker)
        if done >= 2 and time.perf_counter() - start > LONG * (done + 1):
            break
    for worker in ready:
        worker.ask("drop")
    return results, rates


def spread(seconds):
    return {"median": statistics.median(seconds), "min": min(seconds), "max": max(seconds)}


def summarize(work, results, rates):
    """A row of the results: the times of all workers, the fastest peer, and its time over ours.

    Ours is the side "ours", not our exports; `best.against` takes these too.

    `rates` are the rates of matrix products in the same rounds.
    """
    row = {"work": work, "sides": {}, "fastest_peer": None, "ratio": None}
    row["rate"] = statistics.median(rates) if rates else None
    for name, result in results.items():
        row["sides"][name] = dict(result)
        if result.get("seconds"):
            side = row["sides"][name]
            side.update(spread(result["seconds"]))
            if work["case"] in FORWARD and rates:
                sizes = {k: v for k, v in work.items() if k in ("side", "depth")}
                done = operations(work["case"], work["batch"], work["mode"], **sizes)
                side["fraction"] = done / side["median"] / row["rate"]
    sides = row["sides"].items()
    peers = {n: s["median"] for n, s in sides if not is_ours(n) and "median" in s}
    ours = row["sides"]["ours"]
    if peers:
        row["fastest_peer"] = min(peers, key=peers.get)
        if "median" in ours:
            row["ratio"] = peers[row["fastest_peer"]] / ours["median"]
            row["ratio_spread"] = ratio_spread(ours, row["sides"][row["fastest_peer"]])
    return row


def ratio_spread(ours, theirs):
    """The smallest and largest ratio of two calls in the same round."""
    ratios = [their / our for our, their in zip(ours["seconds"], theirs["seconds"])]
    return [min(ratios), max(ratios)]


def memory_row(workers, work, device="cpu", log=print):
    """Peak memory of each worker, in a new process, and the ratio of the leanest peer to ours."""
    row = {"work": work, "sides": {}, "leanest_peer": None, "ratio": None}
    for worker in workers:
        reason = None if is_ours(worker.name) else too_large(work, device)
        fresh = worker.fresh()
        try:
            if reason is None:
                row["sides"][worker.name] = fresh.ask("memory", **work)
        except WorkerError as error:
            reason = str(error)
        finally:
            fresh.stop()
        if reason is not None:
            row["sides"][worker.name] = {"error": reason}
            log(f"  {worker.name}: {reason}")
    return with_leanest(row)


def with_leanest(row):
    peers = {
        name: side["call_bytes"]
        for name, side in row["sides"].items()
        if not is_ours(name) and "call_bytes" in side
    }
    ours = row["sides"]["ours"]
    if peers:
        row["leanest_peer"] = min(peers, key=peers.get)
        if "call_bytes" in ours:
            row["ratio"] = peers[row["leanest_peer"]] / max(1, ours["call_bytes"])
    return row
