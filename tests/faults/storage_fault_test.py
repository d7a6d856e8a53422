#!/usr/bin/python3
"""Cubes that cannot be read, or change while they are."""

import os
import unittest

import h5py

from fault_test import FaultTest


def invert_storage_chunk(path, variable, number):
    """Inverts its bytes, at the same time of change: whole when done twice."""
    times = os.stat(path)
    with h5py.File(path) as file:
        info = file[variable].id.get_chunk_info(number)
    with open(path, "r+b") as file:
        file.seek(info.byte_offset)
        data = file.read(info.size)
        file.seek(info.byte_offset)
        file.write(bytes(byte ^ 0xff for byte in data))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


class StorageFaultTest(FaultTest):

    def setUp(self):
        super().setUp()
        self.damaged = self.folder / "damaged.nc"
        self.damaged.write_bytes(self.cube.read_bytes())

    def test_an_unreadable_storage_chunk_fails_the_tasks_that_need_it(self):
        invert_storage_chunk(self.damaged, "nir", 5)
        for chunks in ("y=5,x=4", "y=7,x=5", "1"):
            job = self.job(cube=self.damaged, chunks=chunks)
            expected = self.undisturbed(job, code=3)
            cluster = self.start_cluster()
            run, out = self.start_run(cluster, job)
            errors = self.finish(run, code=3)
            self.assertIn("damaged.nc", errors)
            self.assertIn("nir", errors)
            self.assert_same(out, expected)
            cluster.close()

    def test_what_was_unreadable_is_retried_on_demand(self):
        invert_storage_chunk(self.damaged, "red", 3)
        job = self.job(cube=self.damaged)
        cluster = self.start_cluster()
        job_id = self.start_detached(cluster, job)
        ended = cluster.rpc.await_end(job_id)
        self.assertEqual((ended.state, ended.tasks_failed), (4, 1), ended)
        invert_storage_chunk(self.damaged, "red", 3)
        done = cluster.command("job", "retry", job_id)
        self.assertEqual(done.returncode, 0, done.stderr)
        ended = cluster.rpc.await_end(job_id)
        self.assertEqual((ended.state, ended.tasks_failed), (3, 0), ended)
        self.assert_fetched(cluster, job_id, self.undisturbed(job))

    def test_a_truncated_cube_is_refused_at_submission(self):
        data = self.damaged.read_bytes()
        self.damaged.write_bytes(data[:len(data) // 2])
        cluster = self.start_cluster(nworkers=1)
        out = self.folder / "out.nc"
        done = cluster.command(*self.job(cube=self.damaged), "-o", out)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("damaged.nc", done.stderr)
        self.assertFalse(out.exists())

    def test_a_cube_that_changed_since_the_job_was_planned_is_not_mixed(self):
        job = self.job("gate", cube=self.damaged)
        self.gate.shut()
        cluster = self.start_cluster(nworkers=1)
        job_id = self.start_detached(cluster, job)
        self.gate.await_function()
        os.utime(self.damaged, ns=(0, 0))
        # Another process plans anew, and sees it.
        cluster.lose_worker(cluster.workers[0])
        self.gate.open_for_ever()
        cluster.start_worker()
        ended = cluster.rpc.await_end(job_id)
        self.assertGreater(ended.tasks_failed, 0, ended)
        failures = cluster.rpc.list_failures(job_id=job_id).failures
        self.assertIn("changed", failures[0].message)


if __name__ == "__main__":
    unittest.main()
