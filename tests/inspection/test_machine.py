"""Free memory as a made file system tells it."""

import pytest

from keras_perceiver.inspection.machine import free_bytes

MIB = 2**20


def machine(tmp_path, files):
    files = {"proc/meminfo": f"MemTotal: {9 * 2**20} kB\nMemAvailable: {2**20} kB\n", **files}
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def second(folder, most, now, stat="anon 1\ninactive_file 0\n"):
    folder = f"sys/fs/cgroup/{folder}"
    return {
        f"{folder}/memory.max": f"{most}\n",
        f"{folder}/memory.current": f"{now}\n",
        f"{folder}/memory.stat": stat,
    }


def first(most):
    folder = "sys/fs/cgroup/memory"
    return {
        "proc/self/cgroup": "4:cpu:/\n3:memory:/\n",
        f"{folder}/memory.limit_in_bytes": str(most),
        f"{folder}/memory.usage_in_bytes": str(30 * MIB),
        f"{folder}/memory.stat": f"total_inactive_file {10 * MIB}\n",
    }


IN_A_GROUP = {"proc/self/cgroup": "0::/a/b\n"}


@pytest.mark.parametrize(
    "files, mebibytes",
    [
        ({}, 1024),
        ({**IN_A_GROUP, **second("a/b", "max", MIB)}, 1024),
        ({**IN_A_GROUP, **second("a/b", 50 * MIB, 20 * MIB)}, 30),
        ({**IN_A_GROUP, **second("a", 40 * MIB, 20 * MIB), **second("a/b", "max", MIB)}, 20),
        (
            {**IN_A_GROUP, **second("a/b", 50 * MIB, 20 * MIB, f"inactive_file {5 * MIB}\n")},
            35,
        ),
        ({**IN_A_GROUP, **second("a/b", 50 * MIB, 60 * MIB)}, 0),
        (first(100 * MIB), 80),
        (first(2**63 - 4096), 1024),
    ],
)
def test_the_smallest_of_machine_and_limits(tmp_path, files, mebibytes):
    assert free_bytes(machine(tmp_path, files)) == mebibytes * MIB


def test_this_machine():
    assert free_bytes() > MIB
