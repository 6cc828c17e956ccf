"""The requests that each implementation handles: build, time, memory, rate.

Needs only the standard library. Subclasses of `Side` define `prepare`, `matrix_product` and
`device_memory`.
"""

import contextlib
import ctypes
import functools
import gc
import os
import statistics
import time
from pathlib import Path

MATRIX = int(os.environ.get("MATRIX", 2048))
LONG = 5.0  # seconds; after a first call longer than this, no second warm-up call is needed
TURN = 0.5  # seconds of measured calls in one turn


class Side:
    step = None
    parameters = None  # the number of parameters of the prepared model
    compiled_for = 0.0  # seconds that `prepare` needed to compile

    @functools.cached_property
    def products(self):
        """Functions that compute matrix products, by dtype and library."""
        return {}

    def prepare(self, case, batch, mode, dtype, **sizes):
        """A function that does the work once and returns when it is complete."""
        raise NotImplementedError

    def matrix_product(self, dtype):
        """A function that multiplies two MATRIX x MATRIX matrices and waits for the result."""
        raise NotImplementedError

    def device_memory(self):
        """Peak bytes on an accelerator since the last call of this method, or None on a CPU."""
        return None

    @contextlib.contextmanager
    def compiling(self):
        """Counts the seconds inside as part of the first call, for runtimes that compile before."""
        start = time.perf_counter()
        yield
        self.compiled_for = time.perf_counter() - start

    def build(self, **work):
        """Makes model and inputs. The first call of the model compiles, a second warms up.

        Returns:
            A dict: seconds of making (and writing or converting) the model, seconds of the first
            call with compilation, and the number of parameters.
        """
        self.drop()
        self.compiled_for, self.parameters = 0.0, None
        start = time.perf_counter()
        self.step = self.prepare(**work)
        prepared = time.perf_counter() - start - self.compiled_for
        first = self.call() + self.compiled_for
        if self.last < LONG:
            self.call()
        return {
            "prepare_seconds": prepared,
            "first_seconds": first,
            "parameters": self.parameters,
        }

    def call(self):
        """Seconds of one call."""
        start = time.perf_counter()
        self.step()
        self.last = time.perf_counter() - start
        return self.last

    def time(self):
        """Median seconds of the calls in one turn, after one warm-up call that is not counted."""
        if self.last < LONG:
            self.call()
        times = [self.call()]
        while sum(times) < TURN:
            times.append(self.call())
        return statistics.median(times)

    def drop(self):
        self.step = None
        gc.collect()
        return True

    def memory(self, **work):
        """Peak bytes of one call, above what the process holds before it; needs a new process.

        It is the second call, so that neither compilation nor what it leaves behind counts.
        """
        self.step = self.prepare(**work)
        self.step()
        give_back_free_memory()
        before = resident("VmRSS")
        if self.device_memory() is None:
            forget_peak()
        self.step()
        device, peak = self.device_memory(), resident("VmHWM")
        return {"call_bytes": peak - before if device is None else device, "total_bytes": peak}

    def rate(self, dtype, seconds=1.5, with_numpy=False):
        """Floating-point operations per second of large matrix products: best and median."""
        key = dtype, with_numpy
        if key not in self.products:
            make = numpy_product if with_numpy else self.matrix_product
            self.products[key] = make(dtype)
        multiply = self.products[key]
        multiply()
        times, end = [], time.perf_counter() + seconds
        while time.perf_counter() < end or len(times) < 3:
            start = time.perf_counter()
            multiply()
            times.append(time.perf_counter() - start)
        done = 2 * MATRIX**3
        return {"best": done / min(times), "median": done / statistics.median(times)}


def numpy_product(dtype):
    """A matrix product with NumPy."""
    import numpy as np

    a = np.random.default_rng(0).standard_normal((MATRIX, MATRIX)).astype(dtype)
    return lambda: a @ a


def resident(field):
    """VmRSS (current bytes in memory) or VmHWM (the peak since the last reset)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise OSError(f"no {field}")


def forget_peak():
    Path("/proc/self/clear_refs").write_text("5")


def give_back_free_memory():
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)
