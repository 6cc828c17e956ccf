"""Workers: one process for each implementation, controlled by lines of JSON.

A request is {"op": name, ...arguments}, a response {"ok": result} or {"error": text}. Workers that
are not being timed wait for their next line and use no processor time.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class WorkerError(Exception):
    """The request failed, or the worker has ended."""


class Worker:
    """A handle of a worker process: `worker.ask("time")`."""

    def __init__(self, name, command, environment=None):
        self.name, self.command = name, [str(word) for word in command]
        self.environment = {**os.environ, **(environment or {})}
        self.process = None

    def ask(self, op, **arguments):
        if self.process is None:
            self.start()
        try:
            self.process.stdin.write(json.dumps({"op": op, **arguments}) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            code = self.process.wait()
            reason = "out of memory" if code == -9 else f"ended with {code}: {self.last_words()}"
            self.stop()
            raise WorkerError(reason)
        answer = json.loads(line)
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer["ok"]

    def start(self):
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 closed by `stop`
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            cwd=ROOT,
            env=self.environment,
        )

    def stop(self):
        if self.process is not None:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()
            self.process.wait()
            self.process.stdout.close()
            self.errors.close()
            self.process = None

    def last_words(self):
        self.errors.seek(0)
        return self.errors.read().strip()[-300:]

    def fresh(self):
        """The same worker in a new process."""
        return Worker(self.name, self.command, self.environment)


def serve(handler, requests=None, answers=None):
    """Handles requests with the methods of `handler` until there are no more."""
    if answers is None:
        answers = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)  # what libraries print goes to the error stream
        give_way_when_memory_ends()
    for line in requests or sys.stdin:
        request = json.loads(line)
        try:
            answer = {"ok": getattr(handler, request.pop("op"))(**request)}
        except WorkerError as error:
            answer = {"error": str(error)}
        except Exception as error:  # report any error of a library
            answer = {"error": f"{type(error).__name__}: {error}".strip()[:400]}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def give_way_when_memory_ends():
    """If memory runs out, the system should end this process, not the one that waits for it."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
