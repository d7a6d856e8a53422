#!/usr/bin/python3
"""Clients that die, hang, or do not read."""

import json
import signal
import subprocess
import unittest

import processes
from cluster import BIN
from fault_test import FaultTest

MIB = 1 << 20


class ClientFaultTest(FaultTest):

    def test_the_job_of_a_killed_client_is_picked_up(self):
        job = self.job("gate")
        expected = self.undisturbed(job)
        self.gate.shut()
        cluster = self.start_cluster()
        run, out = self.start_run(cluster, job)
        self.gate.await_function()
        job_id = cluster.await_job_id()
        run.kill()
        run.communicate()
        self.assertFalse(out.exists())
        wait = cluster.start_command("job", "wait", job_id)
        self.addCleanup(self.end_process, wait)
        fetched = self.folder / "fetched.nc"
        fetch = cluster.start_command("job", "fetch", job_id, "-o", fetched)
        self.addCleanup(self.end_process, fetch)
        self.gate.open_for_ever()
        self.finish(wait)
        self.finish(fetch)
        self.assert_same(fetched, expected)
        self.assert_done_once(cluster, job_id)
        # Often, and by anyone.
        self.assert_fetched(cluster, job_id, expected)

    def test_a_killed_client_leaves_no_file_and_the_next_one_succeeds(self):
        job = self.job("gate")
        expected = self.undisturbed(job)
        self.gate.shut()
        cluster = self.start_cluster()
        run, out = self.start_run(cluster, job)
        self.gate.await_function()
        run.kill()
        run.communicate()
        self.gate.open_for_ever()
        run, out = self.start_run(cluster, job)
        self.finish(run)
        self.assert_same(out, expected)
        self.assertEqual(list(self.folder.glob("out.nc*")), [out])

    def test_memory_is_bounded_while_a_client_is_stopped(self):
        cluster = self.start_cluster()
        before = processes.resident_bytes(cluster.scheduler.pid)
        run = cluster.start_command("bench", "spool", "--mib", 384, "--repeat",
                                    1)
        self.addCleanup(self.end_process, run)
        job_id = cluster.await_job_id()
        run.send_signal(signal.SIGSTOP)
        # It has not begun to fetch, or does not read on: the spool absorbs it.
        cluster.rpc.await_job(job_id, lambda job: job.tasks_done == job.tasks,
                              "all tasks")
        most = processes.resident_bytes(cluster.scheduler.pid, "VmHWM")
        self.assertLess(most - before, 200 * MIB)
        for pid in cluster.worker_pids():
            self.assertLess(processes.resident_bytes(pid, "VmHWM"), 300 * MIB)
        run.send_signal(signal.SIGCONT)
        out, errors = run.communicate(timeout=120)
        self.assertEqual(run.returncode, 0, errors)
        self.assertEqual(json.loads(out)["bytes"], 384 * MIB)

    def test_a_fetch_that_never_reads_does_not_fill_the_memory(self):
        # 480 tasks of 200,000 records of 4 bytes: 384 MB.
        job = ["run", "noop", self.cube, "--variables", "bands=none",
               "--chunks", "1", "--param", "records=200000"]
        cluster = self.start_cluster()
        job_id = self.start_detached(cluster, job)
        before = processes.resident_bytes(cluster.scheduler.pid)
        idle = [cluster.rpc.fetch(job_id, from_task=0) for _ in range(4)]
        firsts = [next(answer) for answer in idle]
        self.assertEqual({first.tasks.begin for first in firsts}, {0})
        # Others are served meanwhile.
        tasks = 0
        for answer in cluster.rpc.fetch(job_id, from_task=0):
            if not answer.continues:
                self.assertEqual(answer.tasks.begin, tasks)
                tasks = answer.tasks.end
        self.assertEqual(tasks, 480)
        most = processes.resident_bytes(cluster.scheduler.pid, "VmHWM")
        self.assertLess(most - before, 200 * MIB)
        for answer in idle:
            answer.cancel()

    def test_a_fetch_goes_on_where_it_broke_off(self):
        cluster = self.start_cluster()
        job_id = self.start_detached(cluster, self.job(chunks="1"))
        cluster.rpc.await_end(job_id)
        at = 0
        whole = b""
        while at < 480:
            answer = cluster.rpc.fetch(job_id, from_task=at,
                                       end_task=min(480, at + 100))
            for part in answer:
                self.assertEqual(part.tasks.begin, at)
                whole += part.frame
                if not part.continues:
                    at = part.tasks.end
            cluster.restart_scheduler()
            # Until the connection is made again.
            cluster.rpc.list_jobs()
        self.assertGreater(len(whole), 480 * 24)

    def test_a_client_that_is_told_to_stop_leaves_the_job(self):
        job = self.job("gate")
        expected = self.undisturbed(job)
        self.gate.shut()
        cluster = self.start_cluster()
        run, out = self.start_run(cluster, job)
        self.gate.await_function()
        job_id = cluster.await_job_id()
        run.send_signal(signal.SIGTERM)
        run.communicate(timeout=60)
        self.assertIn(run.returncode, (143, 5))
        self.assertFalse(out.exists())
        self.gate.open_for_ever()
        cluster.rpc.await_end(job_id)
        self.assert_fetched(cluster, job_id, expected)

    def test_a_local_cluster_ends_with_its_client(self):
        job = self.job("gate")
        self.gate.shut()
        for number in (signal.SIGKILL, signal.SIGTERM):
            run = self.start_local(job)
            self.gate.await_function()
            family = self.descendants(run.pid)
            # Scheduler, supervisor, two processes.
            self.assertEqual(len(family), 4)
            run.send_signal(number)
            for pid in family:
                processes.await_end(pid, 10)
            run.communicate()

    def start_local(self, job):
        run = subprocess.Popen(
            [BIN / "internode", *map(str, job), "-o", self.folder / "l.nc",
             "--function-path", self.functions, "--nprocs", "2", "--nthreads",
             "1", "--overwrite"], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=processes.environment())
        self.addCleanup(self.end_process, run)
        return run

    @staticmethod
    def descendants(pid):
        found = []
        for child in processes.children(pid):
            found += [child, *ClientFaultTest.descendants(child)]
        return found


if __name__ == "__main__":
    unittest.main()
