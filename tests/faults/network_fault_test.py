#!/usr/bin/python3
"""The network between the scheduler and a worker is cut.

The program runs itself again in a network namespace of its own, and the worker
in a second one; both, and the cable between them, are gone with the program.
"""

import os
import shutil
import subprocess
import sys
import unittest

from fault_test import FaultTest

SKIPPED = 77
INSIDE = "FAULTS_IN_NAMESPACE"


def ip(*words):
    subprocess.run(["ip", *words], check=True)


class NetworkFaultTest(FaultTest):

    def setUp(self):
        super().setUp()
        # It lives until its stdin is closed.
        self.holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "echo ready; exec cat"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(self.holder.communicate)
        self.holder.stdout.readline()
        self.there = ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net"]
        ip("link", "add", "name", "here", "type", "veth", "peer", "name",
           "there", "netns", str(self.holder.pid))
        self.addCleanup(ip, "link", "delete", "here")
        ip("address", "add", "10.111.0.1/24", "dev", "here")
        ip("link", "set", "here", "up")
        for words in (["address", "add", "10.111.0.2/24", "dev", "there"],
                      ["link", "set", "there", "up"],
                      ["link", "set", "lo", "up"]):
            subprocess.run([*self.there, "ip", *words], check=True)

    def start_divided(self):
        """A cluster with one worker, beyond the cable."""
        return self.start_cluster(
            nworkers=1, listen="10.111.0.1:0", worker_prefix=self.there,
            scheduler_args=["--insecure", "--worker-timeout", "2s",
                            "--heartbeat-interval", "200ms"])

    def start_gated(self):
        job = self.job("gate")
        expected = self.undisturbed(job)
        self.gate.shut()
        cluster = self.start_divided()
        run, out = self.start_run(cluster, job)
        self.gate.await_function()
        return cluster, run, out, expected

    def test_the_job_goes_on_when_the_cable_is_mended(self):
        cluster, run, out, expected = self.start_gated()
        ip("link", "set", "here", "down")
        cluster.await_workers(0)
        self.gate.open_for_ever()
        ip("link", "set", "here", "up")
        self.finish(run)
        self.assert_same(out, expected)

    def test_others_do_the_work_meanwhile(self):
        cluster, run, out, expected = self.start_gated()
        cluster.start_worker(prefix=[])
        cluster.await_workers(2)
        ip("link", "set", "here", "down")
        cluster.await_workers(1)
        self.gate.await_function()
        self.gate.open_for_ever()
        self.finish(run)
        self.assert_same(out, expected)
        # What comes late is dropped.
        ip("link", "set", "here", "up")
        cluster.await_workers(2)

    def test_a_cut_shorter_than_the_timeout_is_not_noticed(self):
        cluster, run, out, expected = self.start_gated()
        before = cluster.rpc.list_workers().workers[0].id
        ip("link", "set", "here", "down")
        ip("link", "set", "here", "up")
        self.gate.open_for_ever()
        self.finish(run)
        self.assert_same(out, expected)
        self.assertEqual(cluster.rpc.list_workers().workers[0].id, before)


    def test_packets_that_are_lost_in_one_direction(self):
        """Neither side hears that the other is cut off."""
        for prefix, there in (([], "10.111.0.2"), (self.there, "10.111.0.1")):
            with self.subTest(lost_towards=there):
                cluster, run, out, expected = self.start_gated()
                route = [*prefix, "ip", "route", "{}", "blackhole",
                         f"{there}/32"]
                subprocess.run([w.format("add") for w in route], check=True)
                try:
                    cluster.await_workers(0)
                    self.gate.open_for_ever()
                finally:
                    subprocess.run([w.format("delete") for w in route],
                                   check=True)
                self.finish(run)
                self.assert_same(out, expected)
                self.assert_done_once(cluster)
                cluster.close()
                shutil.rmtree(self.folder / "cluster")


def main():
    if os.environ.get(INSIDE):
        ip("link", "set", "lo", "up")
        unittest.main()
    try_out = ["unshare", "--net", "ip", "link", "add", "name", "one", "type",
               "veth", "peer", "name", "two"]
    allowed = (shutil.which("ip") and shutil.which("nsenter") and
               subprocess.run(try_out, capture_output=True,
                              check=False).returncode == 0)
    if not allowed:
        print("network_fault_test: this user may not make network namespaces",
              file=sys.stderr)
        sys.exit(SKIPPED)
    os.environ[INSIDE] = "1"
    os.execvp("unshare", ["unshare", "--net", sys.executable, *sys.argv])


if __name__ == "__main__":
    main()
