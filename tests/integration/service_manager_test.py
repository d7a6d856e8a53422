"""What the daemons tell the service manager that started them."""

import pathlib
import signal
import socket
import tempfile
import unittest

import processes
from processes import BIN


class Manager:
    """The service manager's end: a datagram socket."""

    def __init__(self, folder):
        self.path = pathlib.Path(folder) / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.heard = []

    def environment(self, watchdog_micros=0):
        words = {"NOTIFY_SOCKET": str(self.path)}
        if watchdog_micros:
            words["WATCHDOG_USEC"] = str(watchdog_micros)
        return words

    def await_line(self, wanted, seconds=30):
        """The first datagram with that line, as lines."""
        deadline = processes.Deadline(seconds)
        while True:
            self.socket.settimeout(deadline.left(f"{wanted}: {self.heard}"))
            try:
                lines = self.socket.recv(4096).decode().splitlines()
            except TimeoutError:
                continue
            self.heard.append(lines)
            if wanted in lines:
                return lines

    def is_silent(self, seconds):
        self.socket.settimeout(seconds)
        try:
            self.heard.append(self.socket.recv(4096).decode().splitlines())
        except TimeoutError:
            return True
        return False


class NotifyTest(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="internode-notify-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.manager = Manager(self.folder)
        self.addCleanup(self.manager.socket.close)

    def start(self, name, *words, watchdog=300_000):
        program = processes.Program(
            name, [BIN / f"internode-{name}", *words], self.folder,
            env=self.manager.environment(watchdog))
        self.addCleanup(program.close)
        return program

    def start_scheduler(self):
        return self.start("scheduler", "--listen", "127.0.0.1:0", "--http",
                          "off", "--state-dir", self.folder / "state")

    def test_the_scheduler_is_ready_when_it_listens_and_says_that_it_lives(
            self):
        scheduler = self.start_scheduler()
        lines = self.manager.await_line("READY=1")
        address = scheduler.await_ready()["address"]
        self.assertIn(f"STATUS=listens on {address}", lines)
        for _ in range(3):
            self.manager.await_line("WATCHDOG=1")
        scheduler.signal(signal.SIGTERM)
        self.manager.await_line("STOPPING=1")
        self.assertEqual(scheduler.wait(), 0)

    def test_a_state_that_cannot_be_read_is_never_ready(self):
        (self.folder / "state").mkdir()
        (self.folder / "state" / "journal.db").write_bytes(b"no journal" * 999)
        scheduler = self.start_scheduler()
        self.assertEqual(scheduler.wait(), 1)
        self.assertTrue(self.manager.is_silent(0.1), self.manager.heard)

    def test_the_worker_is_ready_without_a_scheduler_and_tells_when_it_has_one(
            self):
        worker = self.start("worker", "--scheduler-file",
                            self.folder / "scheduler.json")
        self.manager.await_line("READY=1")
        for _ in range(3):
            self.manager.await_line("WATCHDOG=1")
        scheduler = processes.Program(
            "scheduler",
            [BIN / "internode-scheduler", "--listen", "127.0.0.1:0", "--http",
             "off", "--state-dir", self.folder / "state", "--scheduler-file",
             self.folder / "scheduler.json"], self.folder)
        self.addCleanup(scheduler.close)
        worker.await_ready()
        processes.poll(lambda: any("are connected" in line for lines in
                                   [*self.manager.heard,
                                    self.manager.await_line("WATCHDOG=1")]
                                   for line in lines), "its status")
        worker.signal(signal.SIGTERM)
        lines = self.manager.await_line("STOPPING=1")
        self.assertIn("EXTEND_TIMEOUT_USEC=45000000", lines)
        self.assertEqual(worker.wait(), 0)

    def test_processes_of_a_worker_do_not_speak_for_it(self):
        worker = self.start("worker", "127.0.0.1:1", "--nworkers", "2")
        self.manager.await_line("READY=1")
        pids = processes.poll(lambda: processes.children(worker.pid), "them")
        for pid in pids:
            words = pathlib.Path(f"/proc/{pid}/environ").read_bytes()
            self.assertNotIn(b"NOTIFY_SOCKET", words)
            self.assertNotIn(b"WATCHDOG_USEC", words)


if __name__ == "__main__":
    unittest.main()
