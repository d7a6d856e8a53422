"""Probes and metrics of a worker."""

import http.client
import pathlib
import re
import socket
import subprocess
import tempfile
import unittest

import cluster
import processes
from processes import BIN


class WorkerHttpTest(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="internode-worker-http-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def start(self, *words):
        worker = processes.Program("worker", [BIN / "internode-worker", *words],
                                   self.folder)
        self.addCleanup(worker.close)
        text = processes.poll(
            lambda: re.search(r"metrics at https?://(\S+)", worker.words()),
            "where it listens").group(1)
        return worker, text

    @staticmethod
    def get(address, path, **headers):
        connection = http.client.HTTPConnection(address, timeout=30)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def healthcheck(self, url, code):
        done = cluster.internode("healthcheck", url)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def test_alive_without_a_scheduler_and_ready_with_one(self):
        worker, address = self.start("127.0.0.1:1", "--http", "127.0.0.1:0")
        self.assertEqual(self.get(address, "/healthz"), (200, "ok\n"))
        self.assertEqual(self.get(address, "/readyz"),
                         (503, "it is not connected to the scheduler\n"))
        self.healthcheck(f"http://{address}", 0)
        status, text = self.get(address, "/metrics")
        self.assertEqual(status, 200)
        self.assertIn("internode_worker_connected 0\n", text)
        self.assertEqual(self.get(address, "/status")[0], 404)
        worker.kill()
        done = self.healthcheck(f"http://{address}", 1)
        self.assertEqual(done.stderr.count("\n"), 1)

    def test_what_it_says_of_a_connected_worker(self):
        with cluster.Cluster(self.folder, workers=0, nworkers=2,
                             nthreads=3) as here:
            address = here.start_worker("--http", "127.0.0.1:0").await_ready()[
                "http"].removeprefix("http://")
            processes.poll(lambda: self.get(address, "/readyz")[0] == 200,
                           "a ready worker")
            text = self.get(address, "/metrics")[1]
            for line in ("internode_worker_connected 1",
                         "internode_worker_processes 2",
                         "internode_worker_processes_running 2",
                         "internode_worker_threads 6",
                         "internode_worker_threads_busy 0",
                         "internode_worker_processes_died_total 0"):
                self.assertIn(line + "\n", text)
            processes.send(here.worker_pids()[0], 9)
            processes.poll(
                lambda: "internode_worker_processes_died_total 1\n" in
                self.get(address, "/metrics")[1], "a death that is counted")

    def test_other_sites_are_refused(self):
        _, address = self.start("127.0.0.1:1", "--http", "127.0.0.1:0",
                                "--http-name", "worker")
        self.assertEqual(self.get(address, "/metrics", Host="evil.org")[0], 403)
        self.assertEqual(self.get(address, "/metrics", Host="worker")[0], 200)
        self.assertEqual(self.get(address, "/metrics",
                                  Origin="http://evil.org")[0], 403)

    def test_beyond_loopback_a_token_is_needed(self):
        tokens = self.folder / "tokens"
        made = {}
        for role in ("read", "worker"):
            done = cluster.internode("token", "create", "--tokens", tokens,
                                     "--role", role, "--expires", "1d",
                                     "--name", role, "--out",
                                     self.folder / role)
            self.assertEqual(done.returncode, 0, done.stderr)
            made[role] = (self.folder / role).read_text().strip()
        _, address = self.start("127.0.0.1:1", "--http", "0.0.0.0:0",
                                "--http-tokens", tokens)
        address = address.replace("0.0.0.0", "127.0.0.1")
        self.assertEqual(self.get(address, "/healthz")[0], 200)
        self.assertEqual(self.get(address, "/metrics")[0], 401)
        for token, status in ((made["read"], 200), (made["worker"], 403),
                              (made["read"][:-1], 401), ("", 401)):
            got = self.get(address, "/metrics",
                           Authorization=f"Bearer {token}")[0]
            self.assertEqual(got, status, token)

    def test_wrong_addresses_are_one_line(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            busy = f"127.0.0.1:{taken.getsockname()[1]}"
            for words, code, what in (
                    (["--http", "0.0.0.0:0"], 2, "--http-tokens"),
                    (["--http", "nonsense"], 2, "HOST:PORT"),
                    (["--http", busy], 1, "cannot listen")):
                done = subprocess.run(
                    [BIN / "internode-worker", "127.0.0.1:1", *words],
                    text=True, capture_output=True, timeout=60, check=False,
                    env=processes.environment())
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertIn(what, done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        for url in ("http://", "http://x/path", "https://"):
            self.assertEqual(self.healthcheck(url, 2).stderr.count("\n"), 1)


if __name__ == "__main__":
    unittest.main()
