#!/usr/bin/python3
"""TLS, tokens and roles, as clients, workers and strangers meet them: what is
wrong is refused with one clear line, what is right works, and a change of the
files counts without a restart."""

import contextlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import tempfile
import threading
import unittest
import urllib.error
import urllib.request

import processes
import service_rpc
from cluster import Cluster, Worker, internode
from processes import BIN

MIB = 1 << 20


def shell(*words, env=None, timeout=60):
    """An `internode` command with the environment's variables added."""
    return subprocess.run(
        [BIN / "internode", *map(str, words)], text=True, capture_output=True,
        timeout=timeout, env=processes.environment(**(env or {})), check=False)


def ok(done):
    assert done.returncode == 0, (done.args, done.stderr, done.stdout)
    return done.stdout


class Certificates:
    """A folder of `internode tls init`."""

    def __init__(self, folder, *names, **kwargs):
        self.folder = pathlib.Path(folder)
        words = [word for name in names for word in ("--name", name)]
        for key, value in kwargs.items():
            words += [f"--{key.replace('_', '-')}", value]
        ok(shell("tls", "init", self.folder, *words))

    def __getattr__(self, name):
        # ca, server, server_key, …
        stem, _, kind = name.partition("_")
        return str(self.folder / f"{stem}.{'key' if kind == 'key' else 'crt'}")

    def server_flags(self):
        return ["--tls-cert", self.server, "--tls-key", self.server_key]

    def client_flags(self, name="client"):
        return ["--tls-ca", self.ca, "--tls-cert", self.folder / f"{name}.crt",
                "--tls-key", self.folder / f"{name}.key"]


class SecureTest(unittest.TestCase):

    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.addCleanup(self._folder.cleanup)
        self.folder = pathlib.Path(self._folder.name)
        self.tokens = self.folder / "tokens"
        self.tokens.write_text("")
        self._programs = []
        self.addCleanup(lambda: [p.close() for p in self._programs])

    def token(self, role, *words, name=None):
        """A file with a new token."""
        path = self.folder / f"{name or role}.token"
        ok(shell("token", "create", "--tokens", self.tokens, "--role", role,
                 "--name", name or role, "--out", path, *words))
        return path

    def scheduler(self, *words, name="scheduler"):
        flags = [word for flag in ("--listen", "--http") if flag not in words
                 for word in (flag, "127.0.0.1:0")]
        program = processes.Program(
            name, [BIN / "internode-scheduler", *flags, "--state-dir",
                   self.folder / f"state-{name}", *words], self.folder)
        self._programs.append(program)
        said = program.await_ready()
        program.address, program.http = said["address"], said["http"]
        return program

    def worker(self, address, *words, name="worker", **kwargs):
        program = Worker(name, [BIN / "internode-worker", address, "--nworkers",
                                "1", "--nthreads", "1", *words], self.folder,
                         **kwargs)
        self._programs.append(program)
        return program

    def assert_refused(self, done, *parts, code=4):
        """One line that has all the parts; never gRPC's own words."""
        self.assertEqual(done.returncode, code, done.stderr + done.stdout)
        lines = [line for line in done.stderr.splitlines()
                 if not re.match(r"\d{4}-", line)]
        self.assertEqual(len(lines), 1, done.stderr)
        for part in parts:
            self.assertIn(part, lines[0])
        for word in ("Socket closed", "SSL_ERROR", "handshaker",
                     "failed to connect to all addresses"):
            self.assertNotIn(word, lines[0])

    def assert_works(self, address, *words, command="info"):
        return ok(shell(command, "--scheduler", address, *words))


class TlsTest(SecureTest):

    def setUp(self):
        super().setUp()
        self.certificates = Certificates(self.folder / "tls", "node1")

    def test_files_are_for_their_owner_and_not_overwritten(self):
        folder = self.certificates.folder
        self.assertEqual(stat.S_IMODE(folder.stat().st_mode), 0o700)
        for file in folder.iterdir():
            self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600, file)
        before = {f.name: f.read_bytes() for f in folder.iterdir()}
        again = shell("tls", "init", folder)
        self.assertEqual(again.returncode, 2)
        self.assertIn("not overwritten", again.stderr)
        ok(shell("tls", "init", folder, "--if-missing"))
        self.assertEqual(before,
                         {f.name: f.read_bytes() for f in folder.iterdir()})
        # What OpenSSL says of them.
        for name, purpose in (("server", "sslserver"), ("client", "sslclient"),
                              ("worker", "sslclient")):
            subprocess.run(["openssl", "verify", "-x509_strict", "-purpose",
                            purpose, "-CAfile", folder / "ca.crt",
                            folder / f"{name}.crt"], check=True,
                           capture_output=True)
        said = json.loads(ok(shell("tls", "info", folder / "server.crt",
                                   "--output", "json")))
        self.assertIn("DNS:node1", said["certificates"][0]["names"])
        self.assertIn("IP:127.0.0.1", said["certificates"][0]["names"])

    def test_a_whole_job_with_certificates_alone(self):
        tls = self.certificates
        scheduler = self.scheduler(*tls.server_flags(), "--tls-client-ca",
                                   tls.ca)
        self.worker(scheduler.address, *tls.client_flags("worker")).await_ready()
        cube = self.folder / "cube.nc"
        ok(shell("simulate", cube, "--size", "y=20,x=20", "--dates", "30"))
        ok(shell("run", "stats", cube, "-o", self.folder / "a.nc"))
        ok(shell("run", "stats", cube, "-o", self.folder / "b.nc",
                 "--scheduler", scheduler.address, *tls.client_flags()))
        same = shell("segments", "info", self.folder / "b.nc")
        self.assertEqual(same.returncode, 0)
        # The environment does the same.
        ok(shell("info", env={
            "INTERNODE_SCHEDULER": scheduler.address,
            "INTERNODE_TLS_CA": tls.ca, "INTERNODE_TLS_CERT": tls.client,
            "INTERNODE_TLS_KEY": tls.client_key}))
        self.assertRegex(scheduler.words(100_000),
                         r"audit action=submit by=client role=admin .*"
                         r"job=j\d+ function=stats .*result=ok")
        # A local cluster beside it is as it was.
        ok(shell("run", "stats", cube, "-o", self.folder / "c.nc", "--nprocs",
                 "1", env={"INTERNODE_TLS_CA": tls.ca,
                           "INTERNODE_WORKER_TLS_CA": tls.ca}))

    def test_what_is_wrong_with_certificates(self):
        tls = self.certificates
        scheduler = self.scheduler(*tls.server_flags(), "--tls-client-ca",
                                   tls.ca)
        info = ["info", "--scheduler", scheduler.address]
        other = Certificates(self.folder / "other")
        expired = self.folder / "expired"
        Certificates(expired)
        make_expired(expired, "client", tls.folder)
        port = scheduler.address.rpartition(":")[2]
        for words, parts in (
                # No TLS, no certificate, no CA.
                ([], ["speaks TLS", "--tls-ca"]),
                (["--tls-ca", tls.ca], ["asks for a certificate",
                                        "--tls-cert"]),
                # Of another CA: theirs, ours.
                (["--tls-ca", other.ca], ["is not of the CA in", other.ca]),
                (["--tls-ca", tls.ca, "--tls-cert", other.client, "--tls-key",
                  other.client_key],
                 ["does not take the certificate", other.client]),
                # Another name.
                ([*tls.client_flags(), "--tls-name", "node2"],
                 ["not for 'node2'", "DNS:node1"]),
                (["--tls-ca", tls.ca, "--tls-cert", expired / "client.crt",
                  "--tls-key", expired / "client.key"],
                 ["expired at", str(expired / "client.crt")])):
            with self.subTest(words=words):
                self.assert_refused(shell(*info, *words), *parts)
        # A certificate for a server is nobody's.
        self.assert_refused(
            shell(*info, *tls.client_flags("server")), code=4)
        self.assertIn(f":{port}", scheduler.address)
        # Files.
        for words, part in (
                (["--tls-ca", "/nowhere.crt"], "/nowhere.crt"),
                (["--tls-ca", "/dev/zero"], "/dev/zero"),
                (["--tls-ca", tls.ca_key], "no certificate"),
                (["--tls-ca", tls.ca, "--tls-cert", tls.client], "together"),
                (["--tls-ca", tls.ca, "--tls-cert", tls.client, "--tls-key",
                  tls.worker_key], "is not the key of"),
                (["--tls-cert", tls.client, "--tls-key", tls.client_key],
                 "--tls-ca"),
                (["--tls-name", "a"], "--tls-ca")):
            with self.subTest(words=words):
                self.assert_refused(shell(*info, *words), part, code=2)
        self.assertTrue(scheduler.running())
        self.assert_works(scheduler.address, *tls.client_flags())

    def test_a_worker_says_what_is_wrong(self):
        tls = self.certificates
        other = Certificates(self.folder / "other")
        scheduler = self.scheduler(*tls.server_flags(), "--tls-client-ca",
                                   tls.ca)
        for i, (words, part) in enumerate((
                ([], "speaks TLS"), (["--tls-ca", tls.ca],
                                     "asks for a certificate"),
                (["--tls-ca", other.ca], "is not of the CA in"))):
            worker = self.worker(scheduler.address, "--death-timeout", "2s",
                                 *words, name=f"worker{i}")
            self.assertEqual(worker.wait(), 1, worker.words())
            self.assertIn(part, worker.words())
        # A client's certificate takes no tasks, a worker's submits nothing.
        worker = self.worker(scheduler.address, *tls.client_flags("client"),
                             name="worker9")
        self.assertEqual(worker.wait(), 1, worker.words())
        self.assertIn("Control is for worker", worker.words())
        self.assert_refused(
            shell("job", "list", "--scheduler", scheduler.address,
                  *tls.client_flags("worker")), "role worker")

    def test_no_tls_where_it_is_expected(self):
        scheduler = self.scheduler()
        self.assert_refused(
            shell("info", "--scheduler", scheduler.address, "--tls-ca",
                  self.certificates.ca), "does not speak TLS")
        self.assert_refused(
            shell("info", "--scheduler", "127.0.0.1:1", "--tls-ca",
                  self.certificates.ca), "127.0.0.1:1")

    def test_an_expired_server(self):
        tls = self.certificates
        make_expired(tls.folder, "server", tls.folder)
        scheduler = self.scheduler(*tls.server_flags())
        self.assert_refused(
            shell("info", "--scheduler", scheduler.address, "--tls-ca",
                  tls.ca), "certificate expired at", "--renew")
        # Renewed while it runs.
        ok(shell("tls", "init", tls.folder, "--renew"))
        processes.poll(
            lambda: shell("info", "--scheduler", scheduler.address, "--tls-ca",
                          tls.ca).returncode == 0, "the new certificate")

    def test_another_authority_while_it_runs(self):
        tls = self.certificates
        other = Certificates(self.folder / "other")
        scheduler = self.scheduler(*tls.server_flags(), "--tls-client-ca",
                                   tls.ca)
        before = tls.folder.rename(self.folder / "before")
        shutil.copytree(other.folder, tls.folder)
        processes.poll(
            lambda: shell("info", "--scheduler", scheduler.address,
                          *other.client_flags()).returncode == 0,
            "the other authority")
        self.assert_refused(
            shell("info", "--scheduler", scheduler.address, "--tls-ca",
                  other.ca, "--tls-cert", before / "client.crt", "--tls-key",
                  before / "client.key"), "does not take the certificate")

    def test_old_versions_of_tls_are_refused(self):
        tls = self.certificates
        scheduler = self.scheduler(*tls.server_flags())
        host, port = scheduler.address.rsplit(":", 1)
        for version, accepted in ((ssl.TLSVersion.TLSv1, False),
                                  (ssl.TLSVersion.TLSv1_1, False),
                                  (ssl.TLSVersion.TLSv1_2, True),
                                  (ssl.TLSVersion.TLSv1_3, True)):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = version
            context.load_verify_locations(tls.ca)
            context.set_alpn_protocols(["h2"])
            with self.subTest(version=version), socket.create_connection(
                    (host, int(port)), timeout=30) as plain:
                if accepted:
                    with context.wrap_socket(plain, server_hostname="node1"):
                        pass
                else:
                    with self.assertRaises((ssl.SSLError, ConnectionError)):
                        context.wrap_socket(plain, server_hostname="node1")

    def test_ten_thousand_bad_handshakes(self):
        """They cost neither memory nor the others' service, and the log says
        so in few lines."""
        tls = self.certificates
        scheduler = self.scheduler(*tls.server_flags(), "--tls-client-ca",
                                   tls.ca)
        chance = random.Random(5)
        host, port = scheduler.address.rsplit(":", 1)
        hello = client_hello()

        def knock(count):
            for i in range(count):
                said = (b"", hello[:chance.randrange(1, len(hello))], hello,
                        chance.randbytes(300), b"GET / HTTP/1.1\r\n\r\n")[i % 5]
                with contextlib.suppress(OSError), socket.create_connection(
                        (host, int(port)), timeout=30) as client:
                    client.sendall(said)

        def knock_together(count):
            threads = [threading.Thread(target=knock, args=(count // 4,))
                       for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        def resident():
            """When nothing of them is left open."""
            processes.poll(
                lambda: len(os.listdir(f"/proc/{scheduler.pid}/fd")) < 100,
                "the connections to be closed")
            return processes.resident_bytes(scheduler.pid)

        # A handshake takes some 100 kB while it lasts, and the allocator keeps
        # what the most of them at a time took.
        warm = 0
        for _ in range(6):
            knock_together(2500)
            warm = max(warm, resident())
        self.assert_works(scheduler.address, *tls.client_flags())
        for _ in range(4):
            knock_together(2500)
            last = resident()
        self.assert_works(scheduler.address, *tls.client_flags())
        grown = last - warm
        print(f"10000 bad handshakes: {warm / MIB:.0f} MiB, then "
              f"{grown / MIB:+.1f} MiB", flush=True)
        self.assertLess(grown, 64 * MIB)
        self.assertLess(len(scheduler.words(10**9).splitlines()), 500)

    def test_healthcheck(self):
        tls = self.certificates
        scheduler = self.scheduler(*tls.server_flags(), "--tokens", self.tokens)
        # No token is needed.
        done = shell("healthcheck", scheduler.address, "--tls-ca", tls.ca)
        self.assertEqual((done.returncode, done.stdout), (0, "serving\n"),
                         done.stderr)
        for address, words, part in (
                (scheduler.address, [], "speaks TLS"),
                ("127.0.0.1:1", ["--tls-ca", tls.ca], "127.0.0.1:1")):
            self.assert_refused(shell("healthcheck", address, *words), part,
                                code=1)
        scheduler.terminate()
        self.assertEqual(shell("healthcheck", scheduler.address, "--tls-ca",
                               tls.ca, "--timeout", "1s").returncode, 1)


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


class ExposureTest(SecureTest):

    def test_nothing_listens_beyond_this_machine_by_default(self):
        scheduler = self.scheduler()
        worker = self.worker(scheduler.address)
        worker.await_ready()
        pids = [scheduler.pid, worker.pid, *worker.pids()]
        listening = listening_addresses(pids)
        self.assertEqual(len(listening), 2, listening)
        for address in listening:
            self.assertRegex(address, r"^(127\.|::1$)")

    def test_a_local_cluster_is_for_its_user_alone(self):
        cube = self.folder / "cube.nc"
        ok(shell("simulate", cube, "--size", "y=10,x=10", "--dates", "20"))
        client = subprocess.Popen(
            [BIN / "internode", "run", "stats", cube, "-o",
             self.folder / "out.nc", "--nprocs", "1"],
            env=processes.environment(), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)

        def ports():
            found = []
            for pid in processes.children(client.pid):
                with contextlib.suppress(OSError):
                    if "internode-scheduler" in os.readlink(f"/proc/{pid}/exe"):
                        found = listening_addresses([pid], with_ports=True)
            return found if len(found) == 2 else None

        listening = processes.poll(ports, "the cluster's scheduler")
        # It waits for whoever is faster.
        client.send_signal(signal.SIGSTOP)
        try:
            refused = []
            for address in listening:
                done = shell("info", "--scheduler", address)
                self.assertNotEqual(done.returncode, 0)
                refused.append("no token was shown" in done.stderr)
            # The other one is its status page.
            self.assertEqual(sorted(refused), [False, True])
        finally:
            client.send_signal(signal.SIGCONT)
        self.assertEqual(client.wait(timeout=60), 0)

    def metrics(self, scheduler):
        with urllib.request.urlopen(scheduler.http + "/metrics",
                                    timeout=30) as answer:
            return answer.read().decode()

    def test_strangers_are_refused_unless_insecure(self):
        tls = Certificates(self.folder / "tls")
        state = ["--state-dir", self.folder / "state"]
        for words, part in (
                (["--listen", "0.0.0.0:0"], "--insecure"),
                (["--listen", "[::]:0"], "--insecure"),
                (["--http", "0.0.0.0:0"], "--insecure"),
                (["--listen", "0.0.0.0:0", *tls.server_flags()],
                 "--tokens or --tls-client-ca"),
                (["--listen", "0.0.0.0:0", "--tokens", self.tokens,
                  "--insecure"], "unencrypted"),
                (["--tls-cert", tls.server], "--tls-key"),
                (["--tls-client-ca", tls.ca], "--tls-cert")):
            with self.subTest(words=words):
                done = subprocess.run(
                    [BIN / "internode-scheduler", *map(str, [*words, *state])],
                    text=True, capture_output=True, timeout=30,
                    env=processes.environment(), check=False)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertEqual(len(done.stderr.splitlines()), 1)
                self.assertIn(part, done.stderr)
        for i, words in enumerate((
                ["--listen", "0.0.0.0:0", "--insecure"],
                ["--listen", "0.0.0.0:0", *tls.server_flags(), "--tokens",
                 self.tokens])):
            scheduler = self.scheduler(*words, name=f"open{i}")
            if i == 0:
                processes.poll(
                    lambda: "whoever can connect" in scheduler.words(),
                    "the warning")
                self.assertIn("internode_insecure 1", self.metrics(scheduler))
            else:
                scheduler.terminate()
                self.assertNotIn("whoever can connect", scheduler.words())


class HttpTest(SecureTest):

    def setUp(self):
        super().setUp()
        self.certificates = Certificates(self.folder / "tls")

    def get(self, url, context=None, method="GET", **headers):
        request = urllib.request.Request(
            url, method=method,
            headers={k.replace("_", "-"): v for k, v in headers.items()})
        try:
            with urllib.request.urlopen(request, timeout=30,
                                        context=context) as answer:
                return answer.status, answer.read().decode(), answer.headers
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(), error.headers

    def test_beyond_loopback_everything_but_health_needs_a_token(self):
        read = self.token("read").read_text().strip()
        worker = self.token("worker").read_text().strip()
        scheduler = self.scheduler(
            "--http", "0.0.0.0:0", *self.certificates.server_flags(),
            "--tokens", self.tokens, "--http-name", "scheduler")
        self.assertRegex(scheduler.http, r"^https://0\.0\.0\.0:")
        context = ssl.create_default_context(cafile=self.certificates.ca)
        base = scheduler.http.replace("0.0.0.0", "127.0.0.1")
        for path in ("/healthz", "/readyz"):
            self.assertEqual(self.get(base + path, context)[0], 200, path)
        for path in ("/metrics", "/status", "/", "/api/v1/jobs",
                     "/api/v1/workers", "/api/v1/cluster", "/nothing",
                     "/healthz/", "//healthz"):
            with self.subTest(path=path):
                status, text, headers = self.get(base + path, context)
                self.assertEqual(status, 401, text)
                self.assertIn("Basic", headers["WWW-Authenticate"])
                self.assertEqual(self.get(base + path, context, Authorization=
                                          f"Bearer {read}x")[0], 401)
                self.assertEqual(self.get(base + path, context, Authorization=
                                          f"Bearer {worker}")[0], 403)
                self.assertIn(self.get(base + path, context, Authorization=
                                       f"Bearer {read}")[0], (200, 404))
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
            self.assertEqual(self.get(base + "/api/v1/jobs", context,
                                      method)[0], 401, method)
        # Names that are allowed.
        port = base.rpartition(":")[2]
        for host, code in ((f"scheduler:{port}", 200), ("evil.example", 403)):
            self.assertEqual(self.get(base + "/healthz", context,
                                      Host=host)[0], code, host)
        # The certificate is renewed without a restart.
        before = ssl.get_server_certificate(("127.0.0.1", int(port)))
        ok(shell("tls", "init", self.certificates.folder, "--renew"))
        self.assertNotEqual(
            ssl.get_server_certificate(("127.0.0.1", int(port))), before)
        self.assertEqual(self.get(base + "/healthz", context)[0], 200)

    def test_host_and_origin_of_every_method(self):
        base = self.scheduler().http
        host = base.removeprefix("http://")
        for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
            for headers in ({"Host": "evil.example"},
                            {"Origin": "http://evil.example"},
                            {"Origin": "null"}):
                with self.subTest(method=method, headers=headers):
                    status, text, _ = self.get(base + "/api/v1/jobs",
                                               method=method, **headers)
                    self.assertEqual(status, 403, text)
        status, _, headers = self.get(base + "/status",
                                      Origin=f"http://{host}")
        self.assertEqual(status, 200)
        self.assertEqual(headers["X-Frame-Options"], "DENY")
        self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
        self.assertIn("frame-ancestors 'none'",
                      headers["Content-Security-Policy"])
        self.assertNotIn("Access-Control-Allow-Origin", headers)


def make_expired(folder, name, authority):
    """Replaces NAME.crt by one of the authority that has expired."""
    request = folder / "request.pem"
    extensions = folder / "extensions"
    extensions.write_text(
        "extendedKeyUsage=serverAuth,clientAuth\n"
        "subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    subprocess.run(["openssl", "req", "-new", "-key", folder / f"{name}.key",
                    "-subj", f"/O=Internode/OU=admin/CN={name}", "-out",
                    request], check=True, capture_output=True)
    made = folder / "made.crt"
    subprocess.run(["openssl", "x509", "-req", "-in", request, "-CA",
                    authority / "ca.crt", "-CAkey", authority / "ca.key",
                    "-days", "-1", "-extfile", extensions, "-out", made],
                   check=True, capture_output=True)
    os.replace(made, folder / f"{name}.crt")
    request.unlink()
    extensions.unlink()


def client_hello():
    """The first bytes of a TLS client without a certificate."""
    context = ssl.create_default_context()
    received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
    connection = context.wrap_bio(received, sent, server_hostname="node1")
    with contextlib.suppress(ssl.SSLWantReadError):
        connection.do_handshake()
    return sent.read()


def listening_addresses(pids, with_ports=False):
    """Where these processes listen, of /proc/net/tcp and tcp6."""
    inodes = set()
    for pid in pids:
        for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                match = re.match(r"socket:\[(\d+)\]", os.readlink(entry))
                if match:
                    inodes.add(match[1])
    found = []
    for file, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        lines = pathlib.Path(f"/proc/net/{file}").read_text().splitlines()[1:]
        for fields in map(str.split, lines):
            if fields[3] == "0A" and fields[9] in inodes:
                raw = bytes.fromhex(fields[1].split(":")[0])
                swapped = b"".join(raw[i:i + 4][::-1]
                                   for i in range(0, len(raw), 4))
                # gRPC listens to IPv4 by way of IPv6.
                address = socket.inet_ntop(family, swapped).removeprefix(
                    "::ffff:")
                if with_ports:
                    address += f":{int(fields[1].split(':')[1], 16)}"
                found.append(address)
    return found


if __name__ == "__main__":
    unittest.main()
