#!/usr/bin/python3
"""The scheduler's disk is full: a small tmpfs of its own."""

import os
import subprocess
import sys
import unittest

import processes
from cluster import digest, internode
from fault_test import FaultTest

MIB = 1 << 20
SKIPPED = 77


class DiskFaultTest(FaultTest):

    def setUp(self):
        super().setUp()
        self.disk = self.folder / "disk"
        self.disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs",
                        self.disk], check=True)
        self.addCleanup(subprocess.run, ["umount", "--lazy", self.disk],
                        check=True)

    def job_of_bytes(self, mebibytes):
        """noop with so many MiB of records, in tasks of one pixel."""
        records = mebibytes * MIB // 4 // 480
        return ["run", "noop", self.cube, "--variables", "bands=none",
                "--chunks", "1", "--param", f"records={records}"]

    def expected(self, job):
        out = self.folder / "local.nc"
        done = internode(*job, "-o", out, "--executor", "sync")
        self.assertEqual(done.returncode, 0, done.stderr)
        return out

    def await_full(self, cluster):
        """Until /readyz says that the disk is full."""
        def not_ready():
            status, text = cluster.get("/readyz")
            return status == 503 and text
        text = processes.poll(not_ready, "/readyz to say that it is full")
        self.assertRegex(text, "disk|room|space")
        return text

    def test_the_job_pauses_and_goes_on_when_there_is_room(self):
        job = self.job_of_bytes(12)
        expected = self.expected(job)
        ballast = self.disk / "ballast"
        ballast.write_bytes(bytes(16 * MIB))
        cluster = self.start_cluster(
            state_dir=self.disk / "state",
            scheduler_args=["--reserve", "2MiB"])
        self.assertEqual(cluster.get("/readyz")[0], 200)
        run, out = self.start_run(cluster, job)
        self.await_full(cluster)
        job_id = cluster.await_job_id()
        why = " ".join(cluster.rpc.explain(job_id=job_id).reasons)
        self.assertRegex(why, "disk|room|space")
        # Nothing that is not stored is held as done.
        stored = cluster.rpc.get_job(job_id=job_id).job
        self.assertLess(stored.tasks_done, stored.tasks)
        ballast.unlink()
        self.finish(run)
        self.assertEqual(digest(out), digest(expected))
        self.assertEqual(cluster.get("/readyz")[0], 200)

    def test_a_scheduler_killed_while_the_disk_is_full_loses_nothing(self):
        job = self.job_of_bytes(12)
        expected = self.expected(job)
        ballast = self.disk / "ballast"
        ballast.write_bytes(bytes(16 * MIB))
        cluster = self.start_cluster(
            state_dir=self.disk / "state",
            scheduler_args=["--reserve", "2MiB"])
        run, out = self.start_run(cluster, job)
        self.await_full(cluster)
        cluster.restart_scheduler()
        ballast.unlink()
        self.finish(run)
        self.assertEqual(digest(out), digest(expected))


def mounting_is_permitted():
    if os.geteuid() != 0:
        return False
    done = subprocess.run(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
        capture_output=True, check=False)
    return done.returncode == 0


if __name__ == "__main__":
    if not mounting_is_permitted():
        print("disk_fault_test: this user may not mount a tmpfs",
              file=sys.stderr)
        sys.exit(SKIPPED)
    unittest.main()
