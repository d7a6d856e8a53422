#!/usr/bin/python3
"""The limits of a scheduler (--max-…), each driven over by real clients: one
clear line says which limit it is, what is within goes on, nothing is lost."""

import json
import socket
import unittest

import grpc

from cluster import internode
from fault_test import FaultTest
from service_rpc import message

KIB, MIB = 1 << 10, 1 << 20


class LimitsTest(FaultTest):

    def start(self, *flags, **options):
        """A cluster with a worker of one thread, whose scheduler has these
        limits."""
        options.setdefault("nworkers", 1)
        scheduler_args = [*flags, *options.pop("scheduler_args", ())]
        return self.start_cluster(scheduler_args=scheduler_args, **options)

    def assert_refused(self, done, *parts, code=1):
        """One line on stderr, with all the parts."""
        self.assertEqual(done.returncode, code, done.stderr + done.stdout)
        [line] = [line for line in done.stderr.splitlines()
                  if line.startswith("error: ")]
        for part in parts:
            self.assertIn(part, line)

    def wait_for(self, cluster, job_id, code=0):
        done = cluster.command("job", "wait", job_id)
        self.assertEqual(done.returncode, code, done.stderr)

    def token(self, role, name):
        """A file with a new token of the list `tokens`."""
        out = self.folder / f"{name}.token"
        done = internode("token", "create", "--tokens", self.folder / "tokens",
                         "--role", role, "--name", name, "--out", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        return out

    def start_with_tokens(self, *flags):
        """The same for the clients alice and bob; alice's commands."""
        alice, bob = self.token("submit", "alice"), self.token("submit", "bob")
        cluster = self.start(
            *flags, scheduler_args=["--tokens", self.folder / "tokens"],
            worker_args=["--token-file", self.token("worker", "workers")],
            token_file=alice)
        return cluster, bob

    def submit(self, cluster, job, **kwargs):
        """Submits; the id of the job."""
        done = cluster.command(*job, "--detach", "--output", "quiet", **kwargs)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def test_jobs_of_a_client(self):
        cluster, bob = self.start_with_tokens("--max-jobs", "2")
        job = self.job("gate")
        expected = self.undisturbed(job)
        self.gate.shut()
        jobs = [self.submit(cluster, job) for _ in range(2)]
        self.assert_refused(cluster.command(*job, "--detach"),
                            "'alice' has 2 jobs that have not ended",
                            "takes 2 (--max-jobs)")
        # Others have a number of their own.
        jobs.append(self.submit(cluster, job, token_file=bob))
        # Whoever takes one back may submit another one.
        done = cluster.command("job", "cancel", jobs[1])
        self.assertEqual(done.returncode, 0, done.stderr)
        jobs[1] = self.submit(cluster, job)
        self.gate.open_for_ever()
        for job_id in jobs:
            self.wait_for(cluster, job_id)
            self.assert_fetched(cluster, job_id, expected)
        # Those that have ended do not count, nor does a start change it.
        cluster.restart_scheduler()
        cluster.await_workers(1)
        self.wait_for(cluster, self.submit(cluster, job))

    def test_tasks_of_a_job(self):
        cluster = self.start("--max-tasks", "24")
        # 480 pixels: 24 tasks of 20, or 30 of 16.
        self.assert_refused(
            cluster.command(*self.job(chunks="y=4,x=4"), "--detach"),
            "has 30 tasks", "takes 24 (--max-tasks)", "larger chunks")
        self.assertEqual(len(cluster.rpc.list_jobs().jobs), 0)
        job_id = self.start_detached(cluster, self.job())
        self.wait_for(cluster, job_id)
        self.assert_fetched(cluster, job_id, self.undisturbed(self.job()))

    def test_results_of_a_job(self):
        cluster = self.start("--max-job-spool", "64KiB")
        small = self.start_detached(cluster, self.job())
        self.wait_for(cluster, small)
        # 480 pixels of 40 KiB.
        large = ["run", "noop", self.cube, "--param", "records=10000",
                 "--chunks", "y=5,x=4"]
        out = self.folder / "large.nc"
        self.assert_refused(cluster.command(*large, "-o", out),
                            "its results take more than 64 KiB",
                            "(--max-job-spool)")
        self.assertFalse(out.exists())
        ended = cluster.rpc.list_jobs().jobs[-1]
        self.assertEqual(ended.state, 5, ended)
        self.assertLess(self.spool_bytes(cluster), 8 * MIB)
        # The worker is free, and the other job's results are whole.
        self.assert_fetched(cluster, small, self.undisturbed(self.job()))
        cluster.restart_scheduler()
        cluster.await_workers(1)
        self.assert_fetched(cluster, small, self.undisturbed(self.job()))
        again = self.submit(cluster, self.job())
        self.wait_for(cluster, again)
        self.assert_fetched(cluster, again, self.undisturbed(self.job()))

    def test_results_of_a_client(self):
        cluster, bob = self.start_with_tokens("--max-client-spool", "32KiB")
        # Some 14 KiB each: the third one begins below the limit.
        jobs = []
        for _ in range(3):
            jobs.append(self.submit(cluster, self.job()))
            self.wait_for(cluster, jobs[-1])
        refused = cluster.command(*self.job(), "--detach")
        self.assert_refused(refused, "results of the jobs of 'alice'",
                            "keeps 32 KiB (--max-client-spool)",
                            "internode job forget")
        self.wait_for(cluster, self.submit(cluster, self.job(),
                                           token_file=bob))
        for job_id in jobs:
            self.assert_fetched(cluster, job_id, self.undisturbed(self.job()))
        # It does as it says.
        for job_id in jobs[:2]:
            done = cluster.command("job", "forget", job_id)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.wait_for(cluster, self.submit(cluster, self.job()))
        self.assert_fetched(cluster, jobs[2], self.undisturbed(self.job()))

    def test_a_message(self):
        cluster = self.start("--max-message", "2MiB")
        job_id = self.start_detached(cluster, self.job("gate"))
        spec = message("JobSpec", function="noop")
        spec.parameters.add(name="records", value="x" * (3 * MIB))
        with self.assertRaises(grpc.RpcError) as caught:
            cluster.rpc.plan_job(spec=spec)
        self.assertEqual(caught.exception.code(),
                         grpc.StatusCode.RESOURCE_EXHAUSTED)
        self.assertIn("larger than max", caught.exception.details())
        params = self.folder / "params.json"
        params.write_text(json.dumps({"records": "x" * (3 * MIB)}))
        self.assert_refused(cluster.command(
            "run", "noop", self.cube, "--params", params, "--detach"),
            "the parameters have", "at most 1048576")
        self.wait_for(cluster, job_id)
        self.assert_fetched(cluster, job_id,
                            self.undisturbed(self.job("gate")))

    def test_streams_of_a_connection(self):
        cluster = self.start("--max-streams", "3")
        job = self.job("gate")
        expected = self.undisturbed(job)
        self.gate.shut()
        job_id = self.start_detached(cluster, job)
        self.gate.await_function()
        # Each stays open until the job has ended.
        watched = [cluster.rpc.watch(job_id) for _ in range(3)]
        for watch in watched:
            self.assertEqual(next(watch).id, job_id)
        # A fourth call of this connection waits, and is neither lost nor
        # refused; other connections are none the wiser.
        late = cluster.rpc.start("ListJobs")
        self.assertEqual(len(json.loads(cluster.command(
            "job", "list", "--output", "json").stdout)["jobs"]), 1)
        self.assertFalse(late.done())
        watched.pop().cancel()
        self.assertEqual(len(late.result(timeout=60).jobs), 1)
        self.gate.open_for_ever()
        self.wait_for(cluster, job_id)
        self.assert_fetched(cluster, job_id, expected)

    def test_one_stream_a_connection(self):
        """The least that can be said is enough for workers and clients."""
        cluster = self.start("--max-streams", "1", nworkers=3)
        run, out = self.start_run(cluster, self.job())
        self.finish(run)
        self.assert_same(out, self.undisturbed(self.job()))

    def test_streams_beyond_what_is_allowed(self):
        """Clients of gRPC wait by themselves; another one may not."""
        cluster = self.start("--max-streams", "3")
        job_id = self.start_detached(cluster, self.job())
        host, port = cluster.address.rsplit(":", 1)
        with socket.create_connection((host, int(port)), 30) as stranger:
            stranger.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" +
                             http2_frame(4, 0, 0))
            frames = http2_frames(stranger)
            kind, _, _, settings = next(frames)
            # SETTINGS_MAX_CONCURRENT_STREAMS is 3.
            self.assertEqual(kind, 4)
            self.assertIn(b"\x00\x03\x00\x00\x00\x03", settings)
            stranger.sendall(http2_frame(4, 1, 0))
            stranger.sendall(b"".join(
                http2_frame(1, 4, stream, HEADERS_OF_A_CALL)
                for stream in range(1, 2001, 2)))
            # The connection is cut.
            answered = {stream for _, _, stream, _ in frames}
            self.assertLessEqual(answered, {0, 1, 3, 5})
        self.wait_for(cluster, job_id)
        self.assert_fetched(cluster, job_id, self.undisturbed(self.job()))


# What begins a call, in HPACK without its table.
HEADERS_OF_A_CALL = (
    b"\x83\x86\x04\x26/internode.v1.ClientService/GetCluster"
    b"\x01\x01a\x0f\x10\x10application/grpc\x00\x02te\x08trailers")


def http2_frame(kind, flags, stream, payload=b""):
    return (len(payload).to_bytes(3, "big") + bytes([kind, flags]) +
            stream.to_bytes(4, "big") + payload)


def http2_frames(connection):
    """Type, flags, stream and payload of each frame until the other side
    closes the connection."""
    with connection.makefile("rb") as file:
        while len(head := file.read(9)) == 9:
            size = int.from_bytes(head[:3], "big")
            yield (head[3], head[4], int.from_bytes(head[5:], "big"),
                   file.read(size))


if __name__ == "__main__":
    unittest.main()
