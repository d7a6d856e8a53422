#!/usr/bin/python3
"""What the commands `job` and `worker` say of jobs that fail, wait and are
stopped, and how they end."""

import json
import os
import signal
import unittest

import processes
from fault_test import FaultTest
from storage_fault_test import invert_storage_chunk


class JobFaultTest(FaultTest):

    def ask(self, *words, code=0):
        """What the command prints as JSON."""
        done = self.cluster.command(*words, "--output", "json")
        self.assertEqual(done.returncode, code, done.stderr + done.stdout)
        [line] = done.stdout.splitlines()
        answer = json.loads(line)
        self.assertEqual(answer["schema"], 1)
        return answer

    def say(self, *words, code=0):
        """What it prints for people."""
        done = self.cluster.command(*words)
        self.assertEqual(done.returncode, code, done.stderr + done.stdout)
        return done.stdout

    def refuse(self, *words, code):
        """Its one error."""
        done = self.cluster.command(*words)
        self.assertEqual(done.returncode, code, done.stderr + done.stdout)
        [line] = [line for line in done.stderr.splitlines()
                  if line.startswith("error: ")]
        answer = self.ask(*words, code=code)
        self.assertEqual(answer["error"]["message"], line[len("error: "):])
        return line

    def test_a_job_with_failures_is_looked_into_retried_and_forgotten(self):
        cube = self.folder / "damaged.nc"
        cube.write_bytes(self.cube.read_bytes())
        invert_storage_chunk(cube, "nir", 7)
        self.cluster = self.start_cluster()
        job = self.ask(*self.job(cube=cube), "--detach", "--job-name",
                       "mine")["job"]
        waited = self.ask("job", "wait", job, code=3)
        self.assertEqual(waited["state"], "completed_with_failures")
        self.assertEqual((waited["tasks_failed"], waited["tasks_done"]),
                         (1, 23))
        followed = self.cluster.command("job", "progress", job, "--output",
                                        "json")
        self.assertEqual(followed.returncode, 3, followed.stderr)
        self.assertEqual(json.loads(followed.stdout.splitlines()[-1])["state"],
                         "completed_with_failures")
        self.assertIn("1 failed", self.say("job", "progress", job, code=3))
        self.assertIn("mine", self.say("job", "list"))
        [listed] = self.ask("job", "list")["jobs"]
        self.assertEqual((listed["id"], listed["tasks_failed"]), (job, 1))
        self.assertEqual(self.ask("job", "info", job)["tasks_failed"], 1)
        self.assertIn("1 failed", self.say("job", "info", job))

        failures = self.ask("job", "failures", job)
        self.assertEqual(failures["total"], 1)
        [failure] = failures["failures"]
        self.assertRegex(failure["location"], r"^y=\d+:\d+, x=\d+:\d+$")
        self.assertIn("nir", failure["message"])
        self.assertFalse(failure["poisonous"])
        task = failure["task"]
        text = self.say("job", "failures", job)
        self.assertIn(f"task {task} at {failure['location']}", text)
        self.assertIn("1 of 1 failed tasks", text)
        self.assertEqual(self.ask("job", "failures", job, "--from",
                                  task + 1)["failures"], [])
        self.assertIn("nir", " ".join(
            self.ask("job", "explain", job, "--task", task)["reasons"]))
        self.assertIn("no task 24",
                      self.refuse("job", "explain", job, "--task", 24, code=2))

        out = self.folder / "out.nc"
        self.assertIn("nir", self.cluster.command(
            "job", "fetch", job, "-o", out).stderr)
        self.ask("job", "fetch", job, "-o", out, "--overwrite", code=3)
        fetched = self.ask("job", "fetch", job, "-o", out, "--overwrite",
                           "--max-fails", 20)
        self.assertEqual(fetched["pixels"]["failed"], 20)

        invert_storage_chunk(cube, "nir", 7)
        self.assertEqual(self.ask("job", "retry", job)["id"], job)
        self.assertEqual(self.ask("job", "wait", job)["state"], "completed")
        self.assert_fetched(self.cluster, job, self.undisturbed(
            self.job(cube=cube)))
        self.assertIn("no failed tasks",
                      self.refuse("job", "retry", job, code=1))
        # It has ended: nothing is left to cancel.
        self.assertEqual(self.ask("job", "cancel", job)["state"], "completed")
        self.assertEqual(self.say("job", "info", job, "--output", "quiet"), "")
        self.assertTrue(self.ask("job", "forget", job)["forgotten"])
        self.assertEqual(self.ask("job", "list")["jobs"], [])
        self.assertIn(job, self.refuse("job", "info", job, code=2))

    def start_gated(self, **options):
        self.gate.shut()
        self.cluster = self.start_cluster(**options)
        job = self.start_detached(self.cluster, self.job("gate"))
        self.gate.await_function()
        return job

    def test_waits_end_with_their_timeout(self):
        job = self.start_gated()
        for command in ("wait", "progress"):
            done = self.cluster.command("job", command, job, "--timeout",
                                        "300ms")
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertRegex(done.stderr, "(?m)^error: the deadline passed")
        self.assertIn("--timeout", self.cluster.command(
            "job", "wait", job, "--timeout", "soon").stderr)
        # The job is not touched.
        self.gate.open_for_ever()
        self.assertEqual(self.ask("job", "wait", job)["state"], "completed")

    def test_a_wait_that_is_interrupted_leaves_the_job(self):
        job = self.start_gated()
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            wait = self.cluster.start_command("job", "progress", job)
            self.addCleanup(self.end_process, wait)
            # It prints the state, so it is there.
            self.assertIn(job, wait.stdout.readline())
            wait.send_signal(number)
            wait.communicate(timeout=60)
            self.assertEqual(wait.returncode, code)
        self.gate.open_for_ever()
        self.assertEqual(self.ask("job", "wait", job)["state"], "completed")

    def test_a_cancelled_job_says_why(self):
        job = self.start_gated()
        out = self.folder / "out.nc"
        fetch = self.cluster.start_command("job", "fetch", job, "-o", out)
        self.addCleanup(self.end_process, fetch)
        wait = self.cluster.start_command("job", "wait", job)
        self.addCleanup(self.end_process, wait)
        # Both are under way.
        processes.poll(out.with_name("out.nc.partial").exists, "the fetch")
        cancelled = self.ask("job", "cancel", job, "--reason", "wrong year")
        self.assertEqual(cancelled["state"], "cancelled")
        self.finish(wait, code=5)
        self.assertIn("wrong year", self.finish(fetch, code=5))
        self.assertEqual(list(self.folder.glob("out.nc*")), [])
        self.assertIn("wrong year",
                      self.refuse("job", "fetch", job, "-o", out, code=5))
        self.assertEqual(self.ask("job", "wait", job, code=5)["message"],
                         "wrong year")
        self.assertIn("wrong year", self.say("job", "info", job))
        self.gate.open_for_ever()

    def test_a_job_that_stops_at_its_first_failure(self):
        cube = self.folder / "damaged.nc"
        cube.write_bytes(self.cube.read_bytes())
        invert_storage_chunk(cube, "nir", 0)
        self.cluster = self.start_cluster(nworkers=1)
        job = self.start_detached(
            self.cluster, [*self.job(cube=cube, micros=5000), "--fail-fast"])
        waited = self.ask("job", "wait", job, code=1)
        self.assertEqual(waited["state"], "failed")
        self.assertIn("fail", waited["message"])
        self.assertIn(job, self.refuse("job", "fetch", job, "-o",
                                       self.folder / "out.nc", code=1))
        self.assertFalse((self.folder / "out.nc").exists())
        # The rest is run on demand.
        invert_storage_chunk(cube, "nir", 0)
        self.ask("job", "retry", job)
        self.ask("job", "wait", job)
        self.assert_fetched(self.cluster, job, self.undisturbed(
            self.job(cube=cube, micros=5000)))

    def test_poison_is_known_after_a_restart(self):
        """The count of deaths is not kept, but it begins anew."""
        expected = self.undisturbed(self.job())
        self.cluster = self.start_cluster(nworkers=1)
        job = self.start_detached(self.cluster, self.job("segfault"))
        self.cluster.rpc.await_job(job, lambda info: info.tasks_done > 0,
                                   "the first task")
        self.cluster.restart_scheduler()
        self.assertEqual(self.ask("job", "wait", job, code=3)["tasks_failed"],
                         1)
        # And a failure outlives it.
        self.cluster.restart_scheduler()
        [failure] = self.ask("job", "failures", job)["failures"]
        self.assertTrue(failure["poisonous"])
        self.assertEqual(failure["location"], "y=10:15, x=12:16")
        self.assertGreaterEqual(len(failure["history"]), 3)
        out = self.folder / "out.nc"
        self.ask("job", "fetch", job, "-o", out, code=3)
        self.assert_lacks_only(out, expected, [
            (y, x) for y in range(10, 15) for x in range(12, 16)])

    def test_workers_are_listed_and_drained_by_name(self):
        self.cluster = self.start_cluster(workers=2, nworkers=1)
        workers = self.ask("worker", "list")["workers"]
        self.assertEqual(sorted(worker["name"] for worker in workers),
                         ["worker1", "worker2"])
        for worker in workers:
            self.assertEqual((worker["cores"], worker["state"]),
                             (1, "running"))
        self.assertIn("worker2", self.say("worker", "list"))
        [leaving] = [w for w in self.cluster.workers if w.name == "worker2"]
        self.assertTrue(self.ask("worker", "drain", "worker2")["draining"])
        self.assertEqual(leaving.wait(), 0)
        self.cluster.await_workers(1)
        self.assertIn("worker list",
                      self.refuse("worker", "drain", "worker2", code=2))
        self.assertEqual(self.ask("info")["cores"], 1)

    def test_nothing_is_lost_when_the_last_worker_is_drained(self):
        expected = self.undisturbed(self.job("gate"))
        job = self.start_gated(nworkers=1)
        self.assertIn("finishes", self.say("worker", "drain", "worker1"))
        self.gate.open_for_ever()
        self.assertEqual(self.cluster.workers[0].wait(), 0)
        self.assertIn("worker", " ".join(
            self.ask("job", "explain", job)["reasons"]))
        self.cluster.start_worker()
        self.ask("job", "wait", job)
        self.assert_fetched(self.cluster, job, expected)


if __name__ == "__main__":
    os.environ.pop("INTERNODE_SCHEDULER", None)
    unittest.main()
