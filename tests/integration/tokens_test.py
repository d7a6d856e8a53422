#!/usr/bin/python3
"""Tokens and roles: made, listed, revoked; whose token allows what, and what
is wrong with one is said in one line."""

import json
import os
import pathlib
import shutil
import stat
import subprocess
import unittest

import processes
import service_rpc
from processes import BIN
from secured import Certificates, SecureTest, ok, shell


class TokenTest(SecureTest):

    def setUp(self):
        super().setUp()
        self.certificates = Certificates(self.folder / "tls")

    def start(self, *words, **kwargs):
        """A scheduler with TLS and tokens; the flags to connect to it."""
        scheduler = self.scheduler(*self.certificates.server_flags(),
                                   "--tokens", self.tokens, *words, **kwargs)
        scheduler.flags = ["--scheduler", scheduler.address, "--tls-ca",
                           self.certificates.ca]
        return scheduler

    def test_tokens_are_made_listed_and_revoked(self):
        made = ok(shell("token", "create", "--tokens", self.tokens, "--role",
                        "submit", "--name", "alice")).strip()
        self.assertRegex(made, r"^internode_[0-9a-f]{8}_[\w-]{43}$")
        self.assertNotIn(made, self.tokens.read_text())
        self.assertNotIn(made.rpartition("_")[2], self.tokens.read_text())
        self.assertEqual(stat.S_IMODE(self.tokens.stat().st_mode), 0o600)
        path = self.token("worker", "--expires", "never")
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        listed = ok(shell("token", "list", "--tokens", self.tokens))
        self.assertRegex(listed, r"submit +alice +20\d\d-.* valid")
        self.assertRegex(listed, r"worker +worker +never +valid")
        both = json.loads(ok(shell("token", "list", "--tokens", self.tokens,
                                   "--output", "json")))["tokens"]
        self.assertEqual(len(both), 2)
        token_id = made.split("_")[1]
        ok(shell("token", "revoke", token_id, "--tokens", self.tokens))
        again = shell("token", "revoke", token_id, "--tokens", self.tokens)
        self.assertEqual(again.returncode, 2)
        self.assertIn(both[1]["id"] if both[0]["id"] == token_id
                      else both[0]["id"], again.stderr)
        for words, part in (
                (["--role", "root"], "'root'"),
                (["--role", "read", "--expires", "soon"], "'soon'"),
                (["--role", "read", "--expires", "0s"], "'0s'"),
                (["--role", "read", "--name", "a b"], "'a b'"),
                (["--role", "read", "--out", path], str(path)),
                (["--role", "read", "--if-missing"], "--out")):
            done = shell("token", "create", "--tokens", self.tokens, *words)
            self.assertEqual(done.returncode, 2, words)
            self.assertIn(part, done.stderr)
        self.assertEqual(len(json.loads(ok(shell(
            "token", "list", "--tokens", self.tokens, "--output",
            "json")))["tokens"]), 1)
        before = self.tokens.read_text()
        ok(shell("token", "create", "--tokens", self.tokens, "--role", "worker",
                 "--out", path, "--if-missing"))
        self.assertEqual(self.tokens.read_text(), before)

    def test_roles(self):
        files = {role: self.token(role)
                 for role in ("read", "submit", "admin", "worker")}
        scheduler = self.start()
        worker = self.worker(
            scheduler.address, "--tls-ca", self.certificates.ca,
            "--token-file", files["worker"])
        worker.await_ready()
        cube = self.folder / "cube.nc"
        ok(shell("simulate", cube, "--size", "y=10,x=10", "--dates", "20"))
        run = ["run", "stats", cube, "--detach", "--output", "quiet"]

        def call(role, *words):
            return shell(*words, *scheduler.flags, "--token-file", files[role])

        job = ok(call("submit", *run)).strip()
        ok(call("submit", "job", "wait", job))
        for role in ("read", "submit", "admin"):
            ok(call(role, "job", "list"))
            ok(call(role, "worker", "list"))
            ok(call(role, "job", "fetch", job, "-o",
                    self.folder / f"{role}.nc"))
        for role, words, parts in (
                ("read", run, ["'read' has the role read",
                               "is for submit or admin"]),
                ("read", ["job", "cancel", job], ["CancelJob"]),
                ("read", ["job", "forget", job], ["ForgetJob"]),
                ("read", ["job", "retry", job], ["RetryJob"]),
                ("submit", ["worker", "drain", "w1"],
                 ["DrainWorker is for admin"]),
                ("worker", run, ["role worker"]),
                ("worker", ["job", "list"], ["role worker"])):
            with self.subTest(role=role, words=words):
                self.assert_refused(call(role, *words), *parts)
        for role in ("read", "submit", "admin"):
            refused = self.worker(
                scheduler.address, "--tls-ca", self.certificates.ca,
                "--token-file", files[role], name=f"worker-{role}")
            self.assertEqual(refused.wait(), 1, refused.words())
            self.assertIn("Control is for worker", refused.words())
        ok(call("admin", "job", "forget", job))
        ok(call("admin", "worker", "drain",
                json.loads(ok(call("read", "worker", "list", "--output",
                                   "json")))["workers"][0]["id"]))
        words = scheduler.words(10**6)
        for action in ("submit", "fetch", "forget", "drain"):
            self.assertRegex(words, rf"audit action={action} by=\w+ role=\w+ "
                                    r"token=[0-9a-f]{8} peer=127\.0\.0\.1:\d+ ")
        self.assertRegex(words, r"warning refused 127\.0\.0\.1:\d+ at "
                                r"/internode\.v1\.ClientService/CancelJob: ")
        for file in files.values():
            self.assertNotIn(file.read_text().strip(), words)

    def test_every_method_asks(self):
        """Called plainly: without, with a wrong and with a worker's token."""
        import grpc
        code = grpc.StatusCode
        worker_token = self.token("worker").read_text().strip()
        wrong = worker_token[:-1] + ("A" if worker_token[-1] != "A" else "B")
        client = service_rpc.messages()["client"].DESCRIPTOR
        worker = service_rpc.messages()["worker"].DESCRIPTOR
        methods = [(f"/internode.v1.{service.name}/{method.name}", service.name)
                   for file in (client, worker)
                   for service in file.services_by_name.values()
                   for method in service.methods]
        self.assertEqual(len(methods), 18)
        # Each with a scheduler of its own, which takes twenty failed attempts
        # to its methods before it ends them sooner.
        for i, (token, expected) in enumerate((
                (None, code.UNAUTHENTICATED), (wrong, code.UNAUTHENTICATED),
                (worker_token, code.PERMISSION_DENIED))):
            scheduler = self.start(name=f"scheduler{i}")
            channel = grpc.secure_channel(
                scheduler.address, grpc.ssl_channel_credentials(
                    pathlib.Path(self.certificates.ca).read_bytes()))
            self.addCleanup(channel.close)
            metadata = [] if token is None else [
                ("authorization", f"Bearer {token}")]

            def call(method):
                with self.assertRaises(grpc.RpcError) as caught:
                    list(channel.stream_stream(method)(
                        iter([b""]), metadata=metadata, timeout=30))
                return caught.exception

            for method, service in methods:
                if token == worker_token and service == "WorkerService":
                    continue
                with self.subTest(method=method, token=token):
                    error = call(method)
                    self.assertEqual(error.code(), expected, error.details())
            for _ in range(50):
                error = call(methods[0][0])
                self.assertIn(error.code(),
                              (expected, code.RESOURCE_EXHAUSTED))
            self.assertEqual(error.code(), code.RESOURCE_EXHAUSTED)
            self.assertIn("too many failed attempts", error.details())
            # Many lines would be another way to do harm.
            self.assertLess(scheduler.words(10**6).count("warning refused"),
                            40)
            # Whoever has a right is let in all the same.
            self.assertEqual(shell(
                "healthcheck", scheduler.address, "--tls-ca",
                self.certificates.ca).returncode, 0)
            self.worker(scheduler.address, "--tls-ca", self.certificates.ca,
                        "--token-file", self.folder / "worker.token",
                        name=f"worker{i}").await_ready()

    def test_what_is_wrong_with_tokens(self):
        good = self.token("read")
        scheduler = self.start()
        info = ["info", *scheduler.flags]
        ok(shell(*info, "--token-file", good))
        stranger = self.folder / "stranger.token"
        ok(shell("token", "create", "--tokens", self.folder / "others",
                 "--role", "admin", "--out", stranger))
        brief = self.token("read", "--expires", "1s", name="brief")
        self.assert_refused(shell(*info), "no token was shown", "--token-file")
        self.assert_refused(shell(*info, "--token-file", stranger),
                            stranger.read_text().split("_")[1],
                            "is not known here")
        processes.let_pass(1.1)
        self.assert_refused(shell(*info, "--token-file", brief), "expired at")
        junk = self.folder / "junk"
        junk.write_text("hello")
        for file, part in ((junk, "holds no token"),
                           (self.folder / "none", "none"),
                           ("/dev/zero", "/dev/zero"),
                           (self.folder, "not a file")):
            self.assert_refused(shell(*info, "--token-file", file), part,
                                code=2)
        # Not in the clear to others.
        self.assert_refused(
            shell("info", "--scheduler", "192.0.2.1:8786", "--token-file",
                  good), "without TLS", code=2)
        worker = self.worker(scheduler.address, "--tls-ca",
                             self.certificates.ca, "--token-file", stranger)
        self.assertEqual(worker.wait(), 1)
        self.assertIn("is not known here", worker.words())
        self.assertTrue(scheduler.running())

    def test_tokens_and_revocations_count_while_it_runs(self):
        scheduler = self.start()
        late = self.token("worker")
        processes.poll(lambda: "1 tokens" in scheduler.words(), "the token")
        worker = self.worker(scheduler.address, "--tls-ca",
                             self.certificates.ca, "--token-file", late)
        worker.await_ready()
        ok(shell("token", "revoke", late.read_text().split("_")[1], "--tokens",
                 self.tokens))
        # It is sent away, and not let in again.
        self.assertEqual(worker.wait(), 1)
        self.assertIn("was revoked or has expired", worker.words())
        # A list that is damaged leaves everything as it was.
        admin = self.token("admin")
        processes.poll(lambda: shell("info", *scheduler.flags, "--token-file",
                                     admin).returncode == 0, "the token")
        self.tokens.write_text("damaged\n")
        processes.poll(lambda: "stay as they were" in scheduler.words(),
                       "the complaint")
        ok(shell("info", *scheduler.flags, "--token-file", admin))

    def test_a_token_file_is_read_anew(self):
        """A client in the middle of something, and a worker."""
        scheduler = self.start()
        first, second = self.token("worker"), self.token("worker", name="next")
        shown = self.folder / "shown"
        shutil.copy(first, shown)
        processes.poll(lambda: "2 tokens" in scheduler.words(), "the tokens")
        worker = self.worker(scheduler.address, "--tls-ca",
                             self.certificates.ca, "--token-file", shown)
        worker.await_ready()
        new = self.folder / "new"
        shutil.copy(second, new)
        os.replace(new, shown)
        ok(shell("token", "revoke", first.read_text().split("_")[1], "--tokens",
                 self.tokens))
        processes.poll(
            lambda: worker.words().count("connected to the scheduler") == 2,
            "the worker to come back")
        self.assertTrue(worker.running())

    def test_certificate_or_token(self):
        tls = self.certificates
        admin = self.token("admin")
        scheduler = self.start("--tls-client-ca", tls.ca)
        ok(shell("info", *scheduler.flags, "--token-file", admin))
        ok(shell("info", "--scheduler", scheduler.address,
                 *tls.client_flags()))
        self.assert_refused(shell("info", *scheduler.flags),
                            "no token was shown")

    def test_tokens_on_loopback_without_tls(self):
        admin = self.token("admin")
        scheduler = self.scheduler("--tokens", self.tokens)
        info = ["info", "--scheduler", scheduler.address]
        ok(shell(*info, "--token-file", admin))
        self.assert_refused(shell(*info), "no token was shown")
        ok(shell("healthcheck", scheduler.address))

    def test_lists_that_are_none(self):
        for text, part in ((None, "No such file"), ("junk\n", "line 1")):
            path = self.folder / "list"
            if text is not None:
                path.write_text(text)
            done = subprocess.run(
                [BIN / "internode-scheduler", "--state-dir",
                 self.folder / "state", "--tokens", path], text=True,
                capture_output=True, timeout=30, env=processes.environment(),
                check=False)
            self.assertEqual(done.returncode, 1)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertIn(part, done.stderr)


if __name__ == "__main__":
    unittest.main()
