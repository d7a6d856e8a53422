#!/usr/bin/python3
"""What is refused at submission, at the handshake, or because nobody is
there: in one line that says what exists instead."""

import concurrent.futures
import re
import subprocess
import threading
import unittest

import grpc

import processes
import service_rpc
from cluster import BIN, internode
from fault_test import FaultTest
from service_rpc import message


class RefusalTest(FaultTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        import cluster
        (cls.shared / "cluster").mkdir()
        cls.cluster = cluster.Cluster(
            cls.shared / "cluster", nworkers=1,
            worker_args=["--function-path", cls.functions,
                         "--data-root", cls.shared])
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.close)

    def assert_refused(self, args, code, *parts):
        out = self.folder / "out.nc"
        done = self.cluster.command(*args, "-o", out)
        self.assertEqual(done.returncode, code, done.stderr + done.stdout)
        errors = [line for line in done.stderr.splitlines()
                  if line.startswith("error: ")]
        self.assertEqual(len(errors), 1, done.stderr)
        for part in parts:
            self.assertIn(part, errors[0])
        self.assertFalse(out.exists())
        self.assertEqual(len(self.cluster.rpc.list_jobs().jobs), 0)
        # The same words as on one machine.
        return errors[0]

    # At submission.

    def test_unknown_names(self):
        run = ["run", "stats", self.cube]
        for options, parts in (
                (["run", "statz", self.cube], ["'statz'", "'stats'?"]),
                ([*run, "--variables", "nirr"], ["'nirr'", "'nir'?"]),
                ([*run, "--core-dims", "tim"], ["'tim'", "'time'?"]),
                ([*run, "--chunks", "yy=3"], ["'yy'", "'y'?"]),
                ([*run, "--select", "yy=0:3"], ["'yy'"]),
                (["run", "noop", self.cube, "--param", "record=1"],
                 ["'record'", "'records'?"]),
                (["run", "noop", self.cube, "--param", "records=many"],
                 ["records", "many"])):
            with self.subTest(options=options):
                refused = self.assert_refused(options, 2, *parts)
                local = internode(*options, "-o", self.folder / "out.nc",
                                  "--function-path", self.functions)
                self.assertIn(refused, local.stderr)

    def test_a_path_that_is_not_there(self):
        self.assert_refused(["run", "stats", self.shared / "none.nc"], 2,
                            "none.nc")

    def test_a_path_outside_the_workers_data_roots(self):
        outside = self.folder / "outside.nc"
        outside.write_bytes(self.cube.read_bytes())
        self.assert_refused(["run", "stats", outside], 4, "outside.nc",
                            str(self.shared))
        # Nor by a link, nor by going up.
        link = self.shared / "link.nc"
        link.symlink_to(outside)
        self.addCleanup(link.unlink)
        self.assert_refused(["run", "stats", link], 4, "link.nc")
        up = self.shared / ".." / self.folder.name / "outside.nc"
        self.assert_refused(["run", "stats", up], 4, "outside.nc")

    def test_unknown_jobs(self):
        for words in (["info"], ["wait"], ["cancel"], ["failures"],
                      ["explain"], ["forget"], ["retry"]):
            done = self.cluster.command("job", *words, "j999999")
            self.assertEqual(done.returncode, 2, words)
            self.assertRegex(done.stderr, r"(?m)^error: .*j999999")
        done = self.cluster.command("job", "info", "seventeen")
        self.assertEqual(done.returncode, 2)
        self.assertIn("seventeen", done.stderr)

    # Nobody there.

    def test_addresses_that_are_none(self):
        for address in ("here", "127.0.0.1", "127.0.0.1:99999", ":"):
            with self.subTest(address=address):
                done = internode("info", "--scheduler", address)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertRegex(done.stderr, "(?m)^error: ")

    def test_nothing_listens(self):
        done = internode("info", "--scheduler", "127.0.0.1:1")
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertRegex(done.stderr, r"(?m)^error: .*127\.0\.0\.1:1")

    def test_flags_of_the_daemons(self):
        for program, words in (
                ("internode-scheduler", ["--listen", "nowhere"]),
                ("internode-scheduler", ["--durability", "never"]),
                ("internode-scheduler", ["--worker-timeout", "soon"]),
                ("internode-scheduler", ["--reserve", "much"]),
                ("internode-scheduler", ["--lisen", "127.0.0.1:0"]),
                ("internode-worker", ["127.0.0.1"]),
                ("internode-worker", []),
                ("internode-worker", ["127.0.0.1:1", "--nworkers", "0"]),
                ("internode-worker", ["127.0.0.1:1", "--memory-limit", "x"]),
                ("internode-worker", ["127.0.0.1:1", "--data-root",
                                      "/nowhere"])):
            with self.subTest(program=program, words=words):
                done = subprocess.run(
                    [BIN / program, *words], text=True, capture_output=True,
                    timeout=30, env=processes.environment(
                        XDG_STATE_HOME=str(self.folder)), check=False)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertEqual(len(done.stderr.strip().splitlines()), 1,
                                 done.stderr)

    # Another version.

    def assert_names_both(self, text):
        self.assertIn("9.1.0", text)
        self.assertRegex(text, re.escape(service_rpc.built_version()))

    def test_a_client_of_another_version_is_refused(self):
        with self.assertRaises(grpc.RpcError) as caught:
            self.cluster.rpc.get_cluster(peer=service_rpc.peer("9.1.0"))
        self.assertEqual(caught.exception.code(),
                         grpc.StatusCode.FAILED_PRECONDITION)
        self.assert_names_both(caught.exception.details())

    def test_a_worker_of_another_version_is_refused(self):
        for peer in (service_rpc.peer("9.1.0"),
                     service_rpc.peer("9.1.0", protocol=2)):
            hello = message("WorkerMessage", hello=message(
                "Hello", peer=peer, process_id=bytes(16), slots=1))
            refused = threading.Event()

            def stay(first=hello, end=refused):
                # Whoever says goodbye at once may not be told why.
                yield first
                end.wait(30)

            with self.assertRaises(grpc.RpcError) as caught:
                list(self.cluster.rpc.control(stay()))
            refused.set()
            self.assertEqual(caught.exception.code(),
                             grpc.StatusCode.FAILED_PRECONDITION)
            self.assert_names_both(caught.exception.details())

    def test_a_scheduler_of_another_version_is_refused(self):
        with scheduler_of_another_version("9.1.0") as address:
            done = internode("info", "--scheduler", address)
            self.assertNotEqual(done.returncode, 0)
            self.assert_names_both(done.stderr)
            worker = subprocess.run(
                [BIN / "internode-worker", address, "--nworkers", "1",
                 "--death-timeout", "2s"], text=True, capture_output=True,
                timeout=60, env=processes.environment(), check=False)
            self.assertEqual(worker.returncode, 1, worker.stderr)
            self.assert_names_both(worker.stderr)


class scheduler_of_another_version:
    """A server that says hello as a scheduler of that version."""

    def __init__(self, version):
        self._peer = service_rpc.peer(version)

    def __enter__(self):
        def get_cluster(_request, _context):
            return message("GetClusterResponse", scheduler=self._peer)

        def control(requests, _context):
            next(requests)
            yield message("SchedulerMessage", welcome=message(
                "Welcome", peer=self._peer, worker_id="w1", session=1,
                heartbeat_interval_ns=10**9, window_bytes=1 << 20))
            for _ in requests:
                pass

        def handler(kind, call, request):
            return kind(call, request_deserializer=type(request).FromString,
                        response_serializer=lambda m: m.SerializeToString())

        self._server = grpc.server(
            concurrent.futures.ThreadPoolExecutor(8))
        self._server.add_generic_rpc_handlers((
            grpc.method_handlers_generic_handler(
                "internode.v1.ClientService", {"GetCluster": handler(
                    grpc.unary_unary_rpc_method_handler, get_cluster,
                    message("GetClusterRequest"))}),
            grpc.method_handlers_generic_handler(
                "internode.v1.WorkerService", {"Control": handler(
                    grpc.stream_stream_rpc_method_handler, control,
                    message("WorkerMessage"))})))
        port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()
        return f"127.0.0.1:{port}"

    def __exit__(self, *_):
        self._server.stop(None).wait()


if __name__ == "__main__":
    unittest.main()
