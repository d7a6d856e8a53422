#!/usr/bin/python3
"""Clients and workers that do what none of ours does. The scheduler refuses,
says why, and goes on serving the others."""

import contextlib
import os
import queue
import select
import socket
import struct
import threading
import unittest

import grpc

import processes
import service_rpc
from fault_test import FaultTest
from service_rpc import message

MIB = 1 << 20
Code = grpc.StatusCode


class HostileTest(FaultTest):

    def setUp(self):
        super().setUp()
        self.cluster = self.start_cluster()
        self.rpc = self.cluster.rpc

    def tearDown(self):
        """Whatever was done to it, the scheduler runs jobs."""
        self.gate.open_for_ever()
        self.assertTrue(self.cluster.scheduler.running())
        expected = self.undisturbed(self.job())
        self.cluster.await_cores(2)
        out = self.folder / "after.nc"
        done = self.cluster.command(*self.job(), "-o", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_same(out, expected)
        super().tearDown()

    def assert_error(self, codes, call, *args, **kwargs):
        """`call` fails with one of `codes`; the error's words."""
        with self.assertRaises(grpc.RpcError) as caught:
            call(*args, **kwargs)
        self.assertIn(caught.exception.code(), codes,
                      caught.exception.details())
        return caught.exception.details()

    def plan(self, **spec):
        spec.setdefault("function", "noop")
        return self.rpc.plan_job(spec=message("JobSpec", **spec)).plan

    def plan_of_pixels(self, pixels):
        """A job without a cube, of tasks of one pixel."""
        return self.plan(
            shape=[message("Dimension", name="x", size=pixels)],
            chunk_kind=1,
            variables=[type(message("JobSpec")).VariableChoice(
                role="bands", variable="none")])

    # Clients.

    def test_a_thousand_clients_connect_and_vanish(self):
        host, port = self.cluster.address.rsplit(":", 1)
        before = processes.resident_bytes(self.cluster.scheduler.pid)
        preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(
            [0, 0, 0, 4, 0, 0, 0, 0, 0])
        for i in range(1000):
            with contextlib.suppress(ConnectionError), socket.create_connection(
                    (host, int(port)), timeout=30) as client:
                client.sendall(
                    [b"", preface[:self.chance.randrange(1, 30)], preface,
                     self.chance.randbytes(200), b"GET / HTTP/1.1\r\n\r\n"]
                    [i % 5])
                if i % 2:
                    # A reset instead of an end.
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                      struct.pack("ii", 1, 0))
        after = processes.resident_bytes(self.cluster.scheduler.pid)
        self.assertLess(after - before, 100 * MIB)

    def test_calls_that_are_given_up(self):
        job_id = self.submit(self.plan_of_pixels(1000))
        calls = []
        for _ in range(100):
            with service_rpc.Rpc(self.cluster.address) as rpc:
                calls += [rpc.watch(job_id), rpc.fetch(job_id, from_task=0)]
        for call in calls:
            call.cancel()

    def test_500_submissions_at_once(self):
        plan = self.plan_of_pixels(100)
        submit = self.rpc.unary("SubmitJob")
        answers = queue.Queue()

        def submit_some():
            for _ in range(50):
                answers.put(submit(plan=plan,
                                   request_id=os.urandom(16)).job_id)
        threads = [threading.Thread(target=submit_some) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ids = {answers.get_nowait() for _ in range(500)}
        self.assertEqual(len(ids), 500)
        for job_id in sorted(ids):
            job = self.rpc.await_end(job_id)
            self.assertEqual(job.state, 3, job)

    def submit(self, plan, request_id=None):
        return self.rpc.submit_job(
            plan=plan, request_id=request_id or os.urandom(16)).job_id

    def test_a_request_sent_twice_is_one_job(self):
        plan = self.plan_of_pixels(100)
        request_id = os.urandom(16)
        first = self.submit(plan, request_id)
        self.assertEqual(self.submit(plan, request_id), first)
        self.cluster.restart_scheduler()
        self.assertEqual(self.submit(plan, request_id), first)
        self.assertEqual(len(self.rpc.list_jobs().jobs), 1)

    def test_plans_that_are_too_large(self):
        plan = self.plan_of_pixels(100)
        cases = []
        # 2^63 - 1 tasks; products that overflow; a cut outside.
        for sizes in ([2**63 - 1], [2**62, 2**62], [2**32, 2**31],
                      [2**40, 2**40, 2**40]):
            huge = type(plan).FromString(plan.SerializeToString())
            del huge.grid.dims[:]
            del huge.grid.cuts[:]
            for i, size in enumerate(sizes):
                huge.grid.dims.add(name=f"d{i}", size=size)
                huge.grid.cuts.add(begin=0, end=size, chunk=1)
            cases.append(huge)
        for change in (lambda cut: setattr(cut, "end", 101),
                       lambda cut: setattr(cut, "begin", -1),
                       lambda cut: setattr(cut, "chunk", 0),
                       lambda cut: setattr(cut, "chunk", -5),
                       lambda cut: setattr(cut, "origin", -2**63)):
            wrong = type(plan).FromString(plan.SerializeToString())
            change(wrong.grid.cuts[0])
            cases.append(wrong)
        cases.append(message("JobPlan"))
        for case in cases:
            with self.subTest(grid=case.grid):
                words = self.assert_error(
                    (Code.INVALID_ARGUMENT, Code.RESOURCE_EXHAUSTED,
                     Code.OUT_OF_RANGE), self.submit, case)
                self.assertTrue(words)
                self.assertNotIn("\n", words)
        self.assertEqual(len(self.rpc.list_jobs().jobs), 0)

    def test_a_plan_that_no_worker_makes(self):
        # What they would send does not fit the plan that the client has.
        plan = self.plan_of_pixels(100)
        changes = (lambda plan: setattr(plan.schema.fields[0], "name", "other"),
                   lambda plan: plan.schema.fields.pop(),
                   lambda plan: plan.ClearField("schema"),
                   lambda plan: setattr(plan.grid.cuts[0], "chunk", 2),
                   lambda plan: setattr(plan.grid.cuts[0], "begin", 50),
                   lambda plan: setattr(plan.grid.dims[0], "name", "other"),
                   lambda plan: setattr(plan, "fingerprint",
                                        plan.fingerprint ^ 1),
                   lambda plan: setattr(plan.spec, "function", "stats"),
                   lambda plan: setattr(plan.spec, "function", "nobody"))
        for change in changes:
            wrong = type(plan).FromString(plan.SerializeToString())
            change(wrong)
            try:
                job_id = self.submit(wrong)
            except grpc.RpcError as error:
                self.assertEqual(error.code(), Code.INVALID_ARGUMENT)
                self.assertTrue(error.details())
                continue
            ended = self.rpc.await_end(job_id)
            self.assertEqual(ended.tasks_done, 0, ended)
            self.assertEqual(ended.tasks_failed, ended.tasks, ended)
            [failure] = self.rpc.list_failures(job_id=job_id,
                                               limit=1).failures
            self.assertRegex(failure.message,
                             "changed|'nobody'|'stats'|is another")
        self.assertNotIn("is disconnected", self.cluster.scheduler.words())

    def test_a_gibibyte_of_parameters(self):
        # The server ends the call before it has read it.
        self.assertLess(send_endless_message(
            self.cluster.address, "PlanJob", 1 << 30), 1 << 30)
        self.assertLess(processes.resident_bytes(self.cluster.scheduler.pid,
                                                 "VmHWM"), 300 * MIB)
        spec = message("JobSpec", function="noop")
        spec.parameters.add(name="records", value="x" * (2 * MIB))
        self.assert_error((Code.RESOURCE_EXHAUSTED, Code.INVALID_ARGUMENT),
                          self.rpc.plan_job, spec=spec)

    def test_arguments_that_are_none(self):
        job_id = self.submit(self.plan_of_pixels(10))
        self.rpc.await_end(job_id)
        invalid = (Code.INVALID_ARGUMENT, Code.OUT_OF_RANGE, Code.NOT_FOUND)
        for name in ("", "17", "j", "jj", "j-1", "j99999999999999999999",
                     "j000999", "x" * 100_000, "j1\x00"):
            self.assert_error(invalid, self.rpc.get_job, job_id=name)
            self.assert_error(invalid, self.rpc.cancel_job, job_id=name)
            self.assert_error(invalid, list, self.rpc.watch(name))
            self.assert_error(invalid, list, self.rpc.fetch(name))
        for fields in ({"from_task": -1}, {"from_task": 11},
                       {"from_task": 5, "end_task": 4}, {"end_task": 11},
                       {"end_task": 2**63 - 1}):
            self.assert_error(invalid, list, self.rpc.fetch(job_id, **fields))
        for limit in (-1, 10_001):
            self.assert_error(invalid, self.rpc.list_failures, job_id=job_id,
                              limit=limit)
        for task in (-1, 10, 2**63 - 1):
            self.assert_error(invalid, self.rpc.explain, job_id=job_id,
                              task=task)
        plan = self.plan_of_pixels(10)
        for policy in ({"priority": 101}, {"priority": -101},
                       {"max_retries": 101}, {"name": "x" * 257}):
            self.assert_error(invalid, self.rpc.submit_job, plan=plan,
                              policy=message("JobPolicy", **policy),
                              request_id=os.urandom(16))
        self.assert_error(invalid, self.rpc.submit_job, plan=plan,
                          request_id=b"short")
        self.assert_error(invalid, self.rpc.drain_worker, worker_id="w999")

    # Workers.

    def test_a_worker_that_sends_frames_it_holds_no_lease_of(self):
        job_id = self.submit_gated()
        with LyingWorker(self.cluster) as liar:
            for number in (1, 2**63):
                liar.send_frame(job=1, lease_id=number, frame=b"")
            liar.await_end()
        self.end_gated(job_id)

    def test_a_worker_that_sends_damaged_frames(self):
        job_id = self.submit_gated()
        for change in (lambda frame: b"", lambda frame: frame[:-1],
                       lambda frame: frame[:60] + bytes(
                           [frame[60] ^ 1]) + frame[61:],
                       lambda frame: bytes([frame[0] ^ 1]) + frame[1:],
                       lambda frame: frame + b"more",
                       lambda frame: bytes(2 * MIB)):
            with LyingWorker(self.cluster) as liar:
                lease = liar.await_lease()
                frame = self.frame_of(lease.tasks.begin)
                liar.send_frame(job=lease.job, lease_id=lease.lease_id,
                                frame=change(frame))
                liar.await_end()
        self.end_gated(job_id)

    def test_a_worker_that_sends_wrong_counts_and_other_records(self):
        job_id = self.submit_gated()
        for pixels, record_bytes in ((2, 24), (1, 25), (0, 24)):
            with LyingWorker(self.cluster) as liar:
                lease = liar.await_lease()
                frame = self.frame_of(lease.tasks.begin, pixels, record_bytes)
                liar.send_frame(job=lease.job, lease_id=lease.lease_id,
                                frame=frame)
                liar.await_end()
        self.end_gated(job_id)

    def test_a_worker_that_talks_nonsense(self):
        job_id = self.submit_gated()
        kinds = [
            message("WorkerMessage"),
            message("WorkerMessage", tasks_failed=message(
                "TasksFailed", job=1, lease_id=77, tasks=message(
                    "TaskRange", begin=0, end=2**62), message="x")),
            message("WorkerMessage", lease_returned=message(
                "LeaseReturned", job=9, lease_id=1, tasks=[message(
                    "TaskRange", begin=-5, end=2**63 - 1)])),
            message("WorkerMessage", answer=message(
                "Answer", question_id=5, code=0)),
            message("WorkerMessage", process_died=message(
                "ProcessDied", process_id=b"x", cause="nothing")),
            message("WorkerMessage", heartbeat=message(
                "Heartbeat", memory_bytes=-1, running=[message(
                    "RunningTask", job=1, task=-7, elapsed_ns=-1)])),
        ]
        for kind in kinds:
            with LyingWorker(self.cluster) as liar:
                liar.say(kind)
                liar.say(message("WorkerMessage", draining=message(
                    "Draining", reason="end of the test")))
                liar.hang_up()
                liar.await_end()
        # A first message that is none, an id of another length.
        for first in (kinds[0], message("WorkerMessage", hello=message(
                "Hello", peer=service_rpc.peer(), process_id=b"123",
                slots=1))):
            words = queue.Queue()
            words.put(first)
            self.assert_error((Code.INVALID_ARGUMENT,), list,
                              self.rpc.control(iter(words.get, None)))
            words.put(None)
        with LyingWorker(self.cluster) as liar:
            liar.say_hello()
            liar.await_end()
        self.end_gated(job_id)

    def test_a_session_that_was_guessed(self):
        words = queue.Queue()
        words.put(message("FrameMessage", attach=message("Attach", session=1)))
        self.assert_error(
            (Code.INVALID_ARGUMENT, Code.PERMISSION_DENIED, Code.NOT_FOUND,
             Code.UNAUTHENTICATED, Code.FAILED_PRECONDITION), list,
            self.rpc.data(iter(words.get, None)))
        words.put(None)

    def submit_gated(self):
        """A job that cannot end, and whose tasks only liars may get."""
        self.expected = self.undisturbed(self.job("gate", chunks="1"))
        self.gate.shut()
        job_id = self.start_detached(self.cluster,
                                     self.job("gate", chunks="1"))
        self.gate.await_function()
        self.cluster.lose_worker(self.cluster.workers[0])
        self.cluster.await_workers(0)
        return job_id

    def end_gated(self, job_id):
        """It ends as if no liar had been there."""
        self.cluster.start_worker()
        self.gate.await_function()
        self.gate.open_for_ever()
        ended = self.rpc.await_end(job_id)
        self.assertEqual(ended.tasks_done, 480, ended)
        self.assert_fetched(self.cluster, job_id, self.expected)

    @staticmethod
    def frame_of(task, pixels=1, record_bytes=24):
        """A frame of one task (docs/frame-format.md) with right checksums."""
        records = bytes(record_bytes * pixels)
        index = b"\0\1" + varint(pixels << 1)
        if pixels:
            index += varint((pixels - 1) << 4 | 1)
        index += b"\0"
        body = records + index
        head = struct.pack("<IHHqIIqqqI", 0x464e4989, 1, 0, task, 1,
                           record_bytes, pixels, pixels, len(body),
                           crc32c(body))
        return head + struct.pack("<I", crc32c(head)) + body


def send_endless_message(address, method, size):
    """Calls `method` with a message that is said to have `size` bytes, as fast
    as the server lets it, without holding them here; how many were sent before
    the server ended the call."""
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=60) as peer:
        return EndlessMessage(peer).send(
            service_rpc.CLIENT_SERVICE + method, size)


class EndlessMessage:
    """Just enough of HTTP/2 (RFC 9113) for one call."""

    DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = (
        0, 1, 3, 4, 6, 7, 8)
    PIECE = bytes(16384)

    def __init__(self, peer):
        self._peer = peer
        self._received = b""
        # Of the connection, and of stream 1.
        self._windows = {0: 65535, 1: 65535}
        self._initial = 65535
        self._over = False

    def send(self, path, size):
        headers = {":method": "POST", ":scheme": "http", ":path": path,
                   ":authority": "test", "content-type": "application/grpc",
                   "te": "trailers"}
        block = b"".join(
            b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) +
            value.encode() for name, value in headers.items())
        self._peer.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" +
                           self._frame(self.SETTINGS, 0, 0, b"") +
                           self._frame(self.HEADERS, 4, 1, block) +
                           self._frame(self.DATA, 0, 1,
                                       struct.pack(">BI", 0, size)))
        self._windows = {i: room - 5 for i, room in self._windows.items()}
        sent = 0
        try:
            while sent < size and not self._over:
                piece = min(len(self.PIECE), size - sent,
                            *self._windows.values())
                if piece > 0:
                    self._peer.sendall(self._frame(self.DATA, 0, 1,
                                                   self.PIECE[:piece]))
                    sent += piece
                    for window in self._windows:
                        self._windows[window] -= piece
                self._listen(wait=piece <= 0)
        except ConnectionError:
            pass
        return sent

    @staticmethod
    def _frame(kind, flags, stream, payload):
        return struct.pack(">I", len(payload))[1:] + struct.pack(
            ">BBI", kind, flags, stream) + payload

    def _listen(self, wait):
        if wait or select.select([self._peer], [], [], 0)[0]:
            more = self._peer.recv(1 << 16)
            self._over = self._over or not more
            self._received += more
        while len(self._received) >= 9:
            size = int.from_bytes(self._received[:3], "big")
            if len(self._received) < 9 + size:
                return
            kind, flags, stream = struct.unpack(">BBI", self._received[3:9])
            self._handle(kind, flags, stream, self._received[9:9 + size])
            self._received = self._received[9 + size:]

    def _handle(self, kind, flags, stream, payload):
        if kind == self.WINDOW_UPDATE:
            self._windows[stream] += int.from_bytes(payload, "big")
        elif kind == self.SETTINGS and not flags & 1:
            for at in range(0, len(payload), 6):
                name, value = struct.unpack(">HI", payload[at:at + 6])
                if name == 4:
                    self._windows[1] += value - self._initial
                    self._initial = value
            self._peer.sendall(self._frame(self.SETTINGS, 1, 0, b""))
        elif kind == self.PING and not flags & 1:
            self._peer.sendall(self._frame(self.PING, 1, 0, payload))
        elif kind in (self.RST_STREAM, self.GOAWAY) or (
                kind == self.HEADERS and flags & 1):
            self._over = True


def varint(value):
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def crc32c(data):
    """RFC 3720 section 12.1, bit by bit."""
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


class LyingWorker:
    """A worker of one slot on the wire; what it says is up to the test."""

    def __init__(self, cluster_, slots=1):
        self._rpc = service_rpc.Rpc(cluster_.address)
        self._words = queue.Queue()
        self._frames = queue.Queue()
        self._sequence = 0
        self._received = queue.Queue()
        self._ended = threading.Event()
        self._slots = slots
        self.say_hello()
        self._control = self._rpc.control(iter(self._words.get, None))
        first = next(self._control)
        assert first.WhichOneof("message") == "welcome", first
        self._frames.put(message("FrameMessage", attach=message(
            "Attach", session=first.welcome.session)))
        self._data = self._rpc.data(iter(self._frames.get, None))
        self._threads = [threading.Thread(target=self._listen, daemon=True),
                         threading.Thread(target=self._read_acks,
                                          daemon=True)]
        for thread in self._threads:
            thread.start()

    def _listen(self):
        with contextlib.suppress(grpc.RpcError):
            for received in self._control:
                self._received.put(received)
        self._received.put(None)
        self._ended.set()

    def _read_acks(self):
        with contextlib.suppress(grpc.RpcError):
            for _ in self._data:
                pass

    def say(self, words):
        self._words.put(words)

    def say_hello(self):
        self.say(message("WorkerMessage", hello=message(
            "Hello", peer=service_rpc.peer(), name="liar",
            process_id=os.urandom(16), supervisor_id=os.urandom(16),
            slots=self._slots)))

    def hang_up(self):
        self._words.put(None)

    def send_frame(self, **fields):
        self._sequence += 1
        self._frames.put(message("FrameMessage", frame=message(
            "Frame", sequence=self._sequence, **fields)))

    def await_lease(self, seconds=30):
        deadline = processes.Deadline(seconds)
        while True:
            received = self._received.get(timeout=deadline.left("a lease"))
            assert received is not None, "the scheduler hung up"
            if received.WhichOneof("message") == "lease":
                return received.lease

    def await_end(self, seconds=30):
        """Until the scheduler has ended the connection."""
        if not self._ended.wait(seconds):
            raise processes.DeadlineExceeded(
                "the scheduler did not hang up on a liar")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._words.put(None)
        self._frames.put(None)
        self._control.cancel()
        self._data.cancel()
        for thread in self._threads:
            thread.join()
        self._rpc.close()


if __name__ == "__main__":
    unittest.main()
