#!/usr/bin/python3
"""Functions that take their process with them, on one pixel."""

import json
import unittest

from cluster import internode
from fault_test import FaultTest

# The gate's pixel (11, 13) lies in this chunk of y=5,x=4.
CHUNK = [(y, x) for y in range(10, 15) for x in range(12, 16)]
LOCATION = "y=10:15, x=12:16"
# Its first pixel, as the command lists failures.
PLACE = "y=10, x=12"


class FunctionFaultTest(FaultTest):

    def check(self, action, *causes, chunks="y=5,x=4", pixels=CHUNK,
              location=LOCATION, place=PLACE, options=(), **cluster_options):
        """Only `pixels` are missing; the failure says where and why."""
        expected = self.undisturbed(self.job(chunks=chunks))
        cluster = self.start_cluster(**cluster_options)
        job = [*self.job(action, chunks=chunks), *options]
        job_id = self.start_detached(cluster, job)
        ended = cluster.rpc.await_end(job_id)
        self.assertEqual(ended.tasks_failed, 1, ended)
        self.assertEqual(ended.tasks_done, ended.tasks - 1, ended)
        out = self.folder / "out.nc"
        done = cluster.command("job", "fetch", job_id, "-o", out)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn(place, done.stderr)
        self.assert_lacks_only(out, expected, pixels)
        [failure] = cluster.rpc.list_failures(job_id=job_id).failures
        self.assertTrue(failure.poisonous, failure)
        self.assertEqual(failure.location, location)
        self.assertGreaterEqual(len(failure.history), 3)
        for cause in causes:
            self.assertIn(cause, failure.message + str(failure.history))
        # The workers are all there, and do other things.
        again = self.folder / "again.nc"
        done = cluster.command(*self.job(chunks=chunks), "-o", again)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_same(again, expected)
        return cluster, job_id

    def test_a_segmentation_fault(self):
        cluster, job_id = self.check("segfault", "SIGSEGV")
        listed = cluster.command("job", "failures", job_id, "--output", "json")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        self.assertIn(LOCATION, json.dumps(json.loads(listed.stdout)))

    def test_an_abort_in_a_task_of_one_pixel(self):
        self.check("abort", "SIGABRT", chunks="1", pixels=[self.pixel],
                   location="y=11:12, x=13:14", place="y=11, x=13",
                   nthreads=2)

    def test_the_function_ends_the_process(self):
        self.check("exit", "7")

    def test_a_function_that_allocates_without_end(self):
        self.check("allocate", "memory", nworkers=1,
                   worker_args=["--memory-limit", "300MiB"])

    def test_a_function_that_hangs(self):
        self.check("hang", "1s", options=["--task-timeout", "1s"])

    def test_run_itself_ends_with_3(self):
        expected = self.undisturbed(self.job())
        cluster = self.start_cluster()
        run, out = self.start_run(cluster, self.job("segfault"))
        self.assertIn(PLACE, self.finish(run, code=3))
        self.assert_lacks_only(out, expected, CHUNK)

    def test_in_a_local_cluster(self):
        expected = self.undisturbed(self.job())
        out = self.folder / "out.nc"
        done = internode(*self.job("segfault"), "-o", out, "--nprocs", 2,
                         "--nthreads", 1, "--function-path", self.functions)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn(PLACE, done.stderr)
        self.assert_lacks_only(out, expected, CHUNK)

    def test_a_failed_pixel_is_that_pixel_alone(self):
        job = self.job("fail")
        expected = self.undisturbed(job, code=3)
        cluster = self.start_cluster()
        run, out = self.start_run(cluster, job)
        self.assertIn("as it was told", self.finish(run, code=3))
        self.assert_same(out, expected)

    def test_fail_fast_stops_at_the_first_failure(self):
        cluster = self.start_cluster()
        job_id = self.start_detached(
            cluster, [*self.job("segfault"), "--fail-fast"])
        ended = cluster.rpc.await_end(job_id)
        self.assertEqual(ended.state, 5, ended)
        self.assertTrue(ended.message)


if __name__ == "__main__":
    unittest.main()
