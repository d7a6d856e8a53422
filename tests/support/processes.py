"""Programs under test: started so that they end with the test, waited for
without sleeping."""

import contextlib
import json
import os
import pathlib
import select
import signal
import subprocess
import time

BIN = pathlib.Path(os.environ.get("INTERNODE_BIN_DIR", "build/release/bin"))


class DeadlineExceeded(AssertionError):
    """What a test waited for did not happen in time."""


class Deadline:
    """A moment after which waiting is given up."""

    def __init__(self, seconds):
        self._end = time.monotonic() + seconds

    def left(self, what):
        """Seconds until then, above 0."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise DeadlineExceeded(f"waited in vain for {what}")
        return left


def environment(**extra):
    """The environment without what could set options of the programs."""
    keep = {k: v for k, v in os.environ.items()
            if not k.startswith("INTERNODE_")}
    return {**keep, "INTERNODE_BIN_DIR": str(BIN), **extra}


def children(pid):
    """The processes that `pid` started and that have not ended."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += map(int, task.read_text().split())
    return sorted(found)


def state(pid):
    """The letter of ps: R, S, T (stopped), Z; "" when there is no such
    process."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return text.rpartition(")")[2].split()[0]


def resident_bytes(pid, key="VmRSS"):
    """Resident memory; VmHWM: the most it ever was."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) * 1024
    return 0


def cpu_seconds(pid):
    """User and system time of all its threads."""
    text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def await_end(pid, seconds=30):
    """Until the process, of whichever parent, has ended."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if not select.select([handle], [], [], seconds)[0]:
            raise DeadlineExceeded(f"process {pid} did not end")
    finally:
        os.close(handle)


def send(pid, number):
    """Sends a signal to a process that may have ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def poll(condition, what, seconds=60, interval=0.02):
    """The first true value of `condition()`: for what sends no event."""
    deadline = Deadline(seconds)
    while True:
        value = condition()
        if value:
            return value
        # Nothing is ever written here: a wait that a signal ends.
        select.select([], [], [], min(interval, deadline.left(what)))


def let_pass(seconds):
    """For a test of what happens when time passes, and nothing else does."""
    select.select([], [], [], seconds)


class Program:
    """A daemon. It gets the read end of a pipe as its lifeline, so that it
    ends with this process; its output is in `log`."""

    def __init__(self, name, arguments, folder, prefix=(), env=None):
        self.name = name
        self.log = pathlib.Path(folder) / f"{name}.log"
        ready, ready_of_child = os.pipe()
        lifeline_of_child, self._lifeline = os.pipe()
        self._ready = ready
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*prefix, *map(str, arguments),
                 "--ready-fd", str(ready_of_child),
                 "--lifeline-fd", str(lifeline_of_child)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                pass_fds=[ready_of_child, lifeline_of_child],
                env=environment(**(env or {})), start_new_session=True)
        os.close(ready_of_child)
        os.close(lifeline_of_child)
        self.pid = self.process.pid

    def await_ready(self, seconds=30):
        """What it says when it serves."""
        deadline = Deadline(seconds)
        text = b""
        while not text.endswith(b"\n"):
            what = f"{self.name} to be ready:\n{self.words()}"
            if not select.select([self._ready], [], [], deadline.left(what))[0]:
                continue
            piece = os.read(self._ready, 4096)
            if not piece:
                code = self.process.wait(timeout=10)
                raise AssertionError(f"{self.name} ended with {code} before it "
                                     f"was ready:\n{self.words()}")
            text += piece
        return json.loads(text)

    def words(self, most=4000):
        """The end of what it said."""
        return self.log.read_text(errors="replace")[-most:]

    def running(self):
        return self.process.poll() is None

    def signal(self, number):
        send(self.pid, number)

    def wait(self, seconds=30):
        """Its exit code, when it has ended; negative: by a signal."""
        try:
            return self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise DeadlineExceeded(
                f"{self.name} did not end:\n{self.words()}") from None

    def terminate(self, seconds=30):
        """Asks it to end; its exit code."""
        self.signal(signal.SIGTERM)
        return self.wait(seconds)

    def kill(self):
        """Ends it without its knowledge."""
        self.signal(signal.SIGKILL)
        self.process.wait()

    def cut_lifeline(self):
        """What the end of this process would do."""
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None

    def close(self):
        """Ends it and all that it started, stopped or not."""
        family = [self.pid, *children(self.pid)]
        if self.running():
            for pid in family:
                send(pid, signal.SIGKILL)
            self.process.wait()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self.cut_lifeline()
        if self._ready is not None:
            os.close(self._ready)
            self._ready = None
