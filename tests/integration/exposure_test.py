#!/usr/bin/python3
"""What strangers can reach, and what they can do by knocking."""

import contextlib
import os
import pathlib
import random
import re
import signal
import socket
import ssl
import subprocess
import threading
import unittest
import urllib.request

import processes
from processes import BIN
from secured import Certificates, SecureTest, ok, shell

MIB = 1 << 20


class ExposureTest(SecureTest):

    def test_nothing_listens_beyond_this_machine_by_default(self):
        scheduler = self.scheduler()
        worker = self.worker(scheduler.address)
        worker.await_ready()
        pids = [scheduler.pid, worker.pid, *worker.pids()]
        listening = listening_addresses(pids)
        self.assertEqual(len(listening), 2, listening)
        for address in listening:
            self.assertRegex(address, r"^(127\.|::1$)")

    def test_programs_load_the_systems_libraries_alone(self):
        for name in ("internode", "internode-scheduler", "internode-worker"):
            said = subprocess.run(["readelf", "--dynamic", BIN / name],
                                  capture_output=True, text=True, check=True)
            self.assertIn("NEEDED", said.stdout)
            self.assertNotRegex(said.stdout, "RPATH|RUNPATH")

    def test_a_local_cluster_is_for_its_user_alone(self):
        cube = self.folder / "cube.nc"
        ok(shell("simulate", cube, "--size", "y=10,x=10", "--dates", "20"))
        client = subprocess.Popen(
            [BIN / "internode", "run", "stats", cube, "-o",
             self.folder / "out.nc", "--nprocs", "1"],
            env=processes.environment(), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)

        def ports():
            found = []
            for pid in processes.children(client.pid):
                with contextlib.suppress(OSError):
                    if "internode-scheduler" in os.readlink(f"/proc/{pid}/exe"):
                        found = listening_addresses([pid], with_ports=True)
            return found if len(found) == 2 else None

        listening = processes.poll(ports, "the cluster's scheduler")
        # It waits for whoever is faster.
        client.send_signal(signal.SIGSTOP)
        try:
            refused = []
            for address in listening:
                done = shell("info", "--scheduler", address)
                self.assertNotEqual(done.returncode, 0)
                refused.append("no token was shown" in done.stderr)
            # The other one is its status page.
            self.assertEqual(sorted(refused), [False, True])
        finally:
            client.send_signal(signal.SIGCONT)
        self.assertEqual(client.wait(timeout=60), 0)

    def metrics(self, scheduler):
        with urllib.request.urlopen(scheduler.http + "/metrics",
                                    timeout=30) as answer:
            return answer.read().decode()

    def test_strangers_are_refused_unless_insecure(self):
        tls = Certificates(self.folder / "tls")
        state = ["--state-dir", self.folder / "state"]
        for words, part in (
                (["--listen", "0.0.0.0:0"], "--insecure"),
                (["--listen", "[::]:0"], "--insecure"),
                (["--http", "0.0.0.0:0"], "--insecure"),
                (["--listen", "0.0.0.0:0", *tls.server_flags()],
                 "--tokens or --tls-client-ca"),
                (["--listen", "0.0.0.0:0", "--tokens", self.tokens,
                  "--insecure"], "unencrypted"),
                (["--tls-cert", tls.server], "--tls-key"),
                (["--tls-client-ca", tls.ca], "--tls-cert")):
            with self.subTest(words=words):
                done = subprocess.run(
                    [BIN / "internode-scheduler", *map(str, [*words, *state])],
                    text=True, capture_output=True, timeout=30,
                    env=processes.environment(), check=False)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertEqual(len(done.stderr.splitlines()), 1)
                self.assertIn(part, done.stderr)
        for i, words in enumerate((
                ["--listen", "0.0.0.0:0", "--insecure"],
                ["--listen", "0.0.0.0:0", *tls.server_flags(), "--tokens",
                 self.tokens])):
            scheduler = self.scheduler(*words, name=f"open{i}")
            if i == 0:
                processes.poll(
                    lambda: "whoever can connect" in scheduler.words(),
                    "the warning")
                self.assertIn("internode_insecure 1", self.metrics(scheduler))
            else:
                scheduler.terminate()
                self.assertNotIn("whoever can connect", scheduler.words())

    def test_ten_thousand_bad_handshakes(self):
        """They cost neither memory nor the others' service, and the log says
        so in few lines."""
        tls = Certificates(self.folder / "tls", "node1")
        scheduler = self.scheduler(*tls.server_flags(), "--tls-client-ca",
                                   tls.ca)
        chance = random.Random(5)
        host, port = scheduler.address.rsplit(":", 1)
        hello = client_hello()

        def knock(count):
            for i in range(count):
                said = (b"", hello[:chance.randrange(1, len(hello))], hello,
                        chance.randbytes(300), b"GET / HTTP/1.1\r\n\r\n")[i % 5]
                with contextlib.suppress(OSError), socket.create_connection(
                        (host, int(port)), timeout=30) as client:
                    client.sendall(said)

        def knock_together(count):
            threads = [threading.Thread(target=knock, args=(count // 4,))
                       for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        self.assert_works(scheduler.address, *tls.client_flags())
        before = processes.resident_bytes(scheduler.pid)
        for _ in range(4):
            knock_together(2500)
        processes.poll(
            lambda: len(os.listdir(f"/proc/{scheduler.pid}/fd")) < 100,
            "the connections to be closed")
        most = processes.resident_bytes(scheduler.pid, "VmHWM") - before
        self.assert_works(scheduler.address, *tls.client_flags())
        # A handshake takes some 100 kB while it lasts; then they are given back.
        processes.poll(
            lambda: processes.resident_bytes(scheduler.pid) <
            before + 48 * MIB, "the memory to be given back", 60, 0.5)
        left = processes.resident_bytes(scheduler.pid) - before
        print(f"10000 bad handshakes: {before / MIB:.0f} MiB, meanwhile "
              f"{most / MIB:+.0f} MiB, then {left / MIB:+.0f} MiB", flush=True)
        self.assertLess(len(scheduler.words(10**9).splitlines()), 500)


def client_hello():
    """The first bytes of a TLS client without a certificate."""
    context = ssl.create_default_context()
    received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
    connection = context.wrap_bio(received, sent, server_hostname="node1")
    with contextlib.suppress(ssl.SSLWantReadError):
        connection.do_handshake()
    return sent.read()


def listening_addresses(pids, with_ports=False):
    """Where these processes listen, of /proc/net/tcp and tcp6."""
    inodes = set()
    for pid in pids:
        for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                match = re.match(r"socket:\[(\d+)\]", os.readlink(entry))
                if match:
                    inodes.add(match[1])
    found = []
    for file, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        lines = pathlib.Path(f"/proc/net/{file}").read_text().splitlines()[1:]
        for fields in map(str.split, lines):
            if fields[3] == "0A" and fields[9] in inodes:
                raw = bytes.fromhex(fields[1].split(":")[0])
                swapped = b"".join(raw[i:i + 4][::-1]
                                   for i in range(0, len(raw), 4))
                # gRPC listens to IPv4 by way of IPv6.
                address = socket.inet_ntop(family, swapped).removeprefix(
                    "::ffff:")
                if with_ports:
                    address += f":{int(fields[1].split(':')[1], 16)}"
                found.append(address)
    return found


if __name__ == "__main__":
    unittest.main()
