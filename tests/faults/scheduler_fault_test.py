#!/usr/bin/python3
"""Schedulers that die, hang and find their spool damaged."""

import signal
import unittest

import processes
from cluster import BIN
from fault_test import FaultTest


class SchedulerFaultTest(FaultTest):

    def start_gated(self, chunks="y=5,x=4", **options):
        """A job of which all but the gate's task is done."""
        job = self.job("gate", chunks=chunks)
        expected = self.undisturbed(job)
        self.gate.shut()
        cluster = self.start_cluster(**options)
        run, out = self.start_run(cluster, job)
        self.gate.await_function()
        cluster.rpc.await_job(cluster.await_job_id(),
                              lambda job: job.tasks_done == job.tasks - 1,
                              "all tasks but the gate's")
        return cluster, run, out, expected

    def check_end(self, run, out, expected):
        self.gate.open_for_ever()
        self.finish(run)
        self.assert_same(out, expected)

    def test_the_job_goes_on_after_kill_and_restart(self):
        cluster, run, out, expected = self.start_gated()
        cluster.restart_scheduler()
        job = cluster.rpc.get_job(job_id=cluster.await_job_id()).job
        self.assertEqual(job.tasks_done, job.tasks - 1, job)
        self.check_end(run, out, expected)

    def test_results_that_are_finished_meanwhile_are_kept(self):
        cluster, run, out, expected = self.start_gated()
        cluster.kill_scheduler()
        self.gate.open_for_ever()
        cluster.start_scheduler()
        self.finish(run)
        self.assert_same(out, expected)

    def test_kills_at_random_times(self):
        job = self.job(micros=2000, chunks="1")
        expected = self.undisturbed(job)
        cluster = self.start_cluster()
        run, out = self.start_run(cluster, job)
        job_id = cluster.await_job_id()
        for kill in range(3):
            least = (kill + self.chance.random()) * 480 / 4
            cluster.rpc.await_job(job_id, lambda job: job.tasks_done >= least,
                                  f"{least} tasks")
            cluster.restart_scheduler()
        self.finish(run)
        self.assert_same(out, expected)

    def test_everything_is_killed_and_the_result_fetched_later(self):
        cluster, run, _, expected = self.start_gated()
        job_id = cluster.await_job_id()
        run.kill()
        run.wait()
        cluster.lose_worker(cluster.workers[0])
        cluster.restart_scheduler()
        self.gate.open_for_ever()
        cluster.start_worker()
        cluster.rpc.await_end(job_id)
        self.assert_fetched(cluster, job_id, expected)

    def test_a_stopped_scheduler_goes_on(self):
        cluster, run, out, expected = self.start_gated(
            scheduler_args=["--worker-timeout", "3s",
                            "--heartbeat-interval", "200ms"])
        cluster.scheduler.signal(signal.SIGSTOP)
        self.gate.open_for_ever()
        # Longer than a worker may be silent: it is not the workers' fault.
        processes.let_pass(4)
        cluster.scheduler.signal(signal.SIGCONT)
        self.finish(run)
        self.assert_same(out, expected)
        self.assertNotIn("is gone", cluster.scheduler.words())

    def test_a_graceful_stop_ends_with_0_and_loses_nothing(self):
        cluster, run, out, expected = self.start_gated()
        self.assertEqual(cluster.scheduler.terminate(), 0)
        cluster.start_scheduler()
        self.check_end(run, out, expected)

    def test_a_second_scheduler_in_the_same_folder_is_refused(self):
        cluster = self.start_cluster(workers=0)
        second = processes.Program(
            "second", [BIN / "internode-scheduler", "--listen", "127.0.0.1:0",
                       "--http", "off", "--state-dir", cluster.state_dir],
            cluster.folder)
        self.addCleanup(second.close)
        self.assertNotEqual(second.wait(), 0)
        [line] = second.words().strip().splitlines()
        self.assertIn(str(cluster.state_dir), line)
        self.assertTrue(cluster.scheduler.running())

    # A spool that is not as it was left.

    def damage_spool(self, change, chunks="y=5,x=4"):
        """Kills the scheduler, changes each file of frames with `change`, and
        goes on."""
        cluster, run, out, expected = self.start_gated(chunks)
        cluster.kill_scheduler()
        files = sorted(cluster.state_dir.glob("spool/*/*.frames"))
        self.assertTrue(files)
        for file in files:
            file.write_bytes(change(bytearray(file.read_bytes())))
        cluster.start_scheduler()
        self.check_end(run, out, expected)
        self.assert_spool_is_whole(cluster, expected)

    def assert_spool_is_whole(self, cluster, expected):
        """Started once more, and without workers, it has all results."""
        job_id = cluster.await_job_id()
        # What the client had before the damage is made again too.
        cluster.rpc.await_end(job_id)
        self.assert_done_once(cluster, job_id)
        for worker in list(cluster.workers):
            cluster.lose_worker(worker)
        cluster.restart_scheduler()
        self.assert_fetched(cluster, job_id, expected)

    def test_a_truncated_spool_file(self):
        def cut(data):
            return data[:32 + self.chance.randrange(len(data) - 32)]
        self.damage_spool(cut)

    def test_a_spool_file_cut_within_its_header(self):
        self.damage_spool(lambda data: data[:17])

    def test_an_empty_spool_file(self):
        self.damage_spool(lambda data: b"")

    def test_flipped_bits_in_a_spool_file(self):
        def flip(data):
            for _ in range(3):
                place = self.chance.randrange(32, len(data))
                data[place] ^= 1 << self.chance.randrange(8)
            return data
        self.damage_spool(flip)

    def test_a_flipped_bit_in_the_header_of_a_spool_file(self):
        def flip(data):
            data[5] ^= 4
            return data
        self.damage_spool(flip)

    def test_a_lost_spool(self):
        cluster, run, out, expected = self.start_gated()
        cluster.kill_scheduler()
        for file in cluster.state_dir.glob("spool/*/*.frames"):
            file.unlink()
        cluster.start_scheduler()
        self.check_end(run, out, expected)
        self.assert_spool_is_whole(cluster, expected)

    def test_a_damaged_result_of_a_completed_job_is_made_again(self):
        job = self.job()
        expected = self.undisturbed(job)
        cluster = self.start_cluster()
        job_id = self.start_detached(cluster, job)
        cluster.rpc.await_end(job_id)
        cluster.kill_scheduler()
        for file in cluster.state_dir.glob("spool/*/*.frames"):
            data = bytearray(file.read_bytes())
            data[len(data) // 2] ^= 16
            file.write_bytes(data)
        cluster.start_scheduler()
        self.assert_fetched(cluster, job_id, expected)


if __name__ == "__main__":
    unittest.main()
