#!/usr/bin/python3
"""Workers that die, hang and come back."""

import signal
import unittest

import processes
from fault_test import FaultTest


class WorkerFaultTest(FaultTest):

    def start_gated(self, **options):
        """A cluster with a job whose function waits at the gate: all that is
        elsewhere can be done."""
        job = self.job("gate")
        expected = self.undisturbed(job)
        self.gate.shut()
        cluster = self.start_cluster(**options)
        run, out = self.start_run(cluster, job)
        pid = self.gate.await_function()
        return cluster, run, out, expected, pid

    def check_end(self, cluster, run, out, expected):
        self.gate.open_for_ever()
        self.finish(run)
        self.assert_same(out, expected)

    def test_a_killed_process_is_replaced_and_its_task_run_again(self):
        cluster, run, out, expected, pid = self.start_gated()
        self.assertIn(pid, cluster.worker_pids())
        processes.send(pid, signal.SIGKILL)
        # Another process, or the one that was started for it, comes.
        again = self.gate.await_function()
        self.assertNotEqual(again, pid)
        cluster.await_cores(2)
        self.check_end(cluster, run, out, expected)

    def test_processes_killed_at_random_times(self):
        job = self.job(micros=2000, chunks="1")
        expected = self.undisturbed(self.job(micros=2000, chunks="1"))
        cluster = self.start_cluster()
        run, out = self.start_run(cluster, job)
        job_id = cluster.await_job_id()
        for kill in range(3):
            least = (kill + self.chance.random()) * 480 / 4
            cluster.rpc.await_job(job_id, lambda job: job.tasks_done >= least,
                                  f"{least} tasks")
            processes.send(cluster.workers[0].random_pid(self.chance),
                           signal.SIGKILL)
        self.finish(run)
        self.assert_same(out, expected)

    def test_a_lost_machine_is_done_without(self):
        cluster, run, out, expected, pid = self.start_gated(workers=2,
                                                            nworkers=1)
        [lost] = [w for w in cluster.workers if pid in w.pids()]
        cluster.lose_worker(lost)
        self.assertNotEqual(self.gate.await_function(), pid)
        self.check_end(cluster, run, out, expected)

    def test_the_job_waits_when_the_last_machine_is_lost(self):
        cluster, run, out, expected, _ = self.start_gated(nworkers=1)
        cluster.lose_worker(cluster.workers[0])
        cluster.await_workers(0)
        self.assertIsNone(run.poll())
        why = cluster.rpc.explain(job_id=cluster.await_job_id()).reasons
        self.assertIn("worker", " ".join(why))
        cluster.start_worker()
        self.gate.await_function()
        self.check_end(cluster, run, out, expected)

    def test_processes_end_with_their_supervisor(self):
        cluster, run, out, expected, _ = self.start_gated()
        worker = cluster.workers.pop()
        pids = worker.pids()
        self.assertEqual(len(pids), 2)
        worker.kill()
        for pid in pids:
            processes.await_end(pid, 10)
        cluster.start_worker()
        self.gate.await_function()
        self.check_end(cluster, run, out, expected)

    def test_the_late_results_of_a_hung_process_are_never_doubled(self):
        job = self.job("gate")
        expected = self.undisturbed(job)
        self.gate.shut()
        cluster = self.start_cluster(
            scheduler_args=["--worker-timeout", "2s"])
        job_id = self.start_detached(cluster, job)
        pid = self.gate.await_function()
        processes.send(pid, signal.SIGSTOP)
        # Its leases move: all is done without it.
        cluster.await_workers(1)
        self.gate.open_for_ever()
        cluster.rpc.await_end(job_id)
        bytes_before = self.spool_bytes(cluster)
        processes.send(pid, signal.SIGCONT)
        cluster.await_workers(2)
        self.assert_fetched(cluster, job_id, expected)
        self.assert_done_once(cluster, job_id)
        self.assertEqual(self.spool_bytes(cluster), bytes_before)

    def test_a_process_that_hung_comes_back_while_the_job_runs(self):
        cluster, run, out, expected, pid = self.start_gated(
            scheduler_args=["--worker-timeout", "2s"])
        processes.send(pid, signal.SIGSTOP)
        cluster.await_workers(1)
        self.assertNotEqual(self.gate.await_function(), pid)
        processes.send(pid, signal.SIGCONT)
        cluster.await_workers(2)
        self.check_end(cluster, run, out, expected)

    def test_a_hung_machine_comes_back(self):
        cluster, run, out, expected, pid = self.start_gated(
            workers=2, nworkers=1, scheduler_args=["--worker-timeout", "2s"])
        [hung] = [w for w in cluster.workers if pid in w.pids()]
        family = [hung.pid, *hung.pids()]
        for member in family:
            processes.send(member, signal.SIGSTOP)
        cluster.await_workers(1)
        self.assertNotEqual(self.gate.await_function(), pid)
        for member in reversed(family):
            processes.send(member, signal.SIGCONT)
        cluster.await_workers(2)
        self.check_end(cluster, run, out, expected)

    def test_a_drained_worker_gives_back_and_ends_with_0(self):
        cluster, run, out, expected, pid = self.start_gated(workers=2,
                                                            nworkers=1)
        [idle] = [w for w in cluster.workers if pid not in w.pids()]
        self.assertEqual(idle.terminate(), 0)
        cluster.await_workers(1)
        self.check_end(cluster, run, out, expected)

    def test_draining_ends_although_the_function_does_not(self):
        cluster, run, out, expected, pid = self.start_gated(
            workers=2, nworkers=1, worker_args=["--drain-timeout", "1s"])
        [busy] = [w for w in cluster.workers if pid in w.pids()]
        # It had to end what ran.
        self.assertEqual(busy.terminate(), 1)
        self.assertNotEqual(self.gate.await_function(), pid)
        self.check_end(cluster, run, out, expected)

    def test_a_worker_without_a_scheduler_gives_up_when_told_to(self):
        cluster = self.start_cluster(
            nworkers=1, worker_args=["--death-timeout", "500ms"])
        cluster.kill_scheduler()
        self.assertEqual(cluster.workers[0].wait(), 1)

    def test_a_worker_leaves_at_the_end_of_its_lifetime(self):
        cluster = self.start_cluster(nworkers=1)
        leaving = cluster.start_worker("--lifetime", "500ms")
        self.assertEqual(leaving.wait(), 0)
        cluster.await_workers(1)

    def test_daemons_end_with_their_lifelines(self):
        cluster = self.start_cluster()
        pids = cluster.worker_pids()
        cluster.workers[0].cut_lifeline()
        cluster.scheduler.cut_lifeline()
        self.assertEqual(cluster.scheduler.wait(10), 0)
        cluster.workers[0].wait(10)
        for pid in pids:
            processes.await_end(pid, 10)


if __name__ == "__main__":
    unittest.main()
