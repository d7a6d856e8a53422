#!/usr/bin/python3
"""Certificates of the service: what is wrong with them is refused with one
clear line, what is right works, and new ones count without a restart."""

import json
import shutil
import socket
import ssl
import stat
import subprocess
import unittest

import processes
from secured import Certificates, SecureTest, make_expired, ok, shell


class CertificateTest(SecureTest):

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


if __name__ == "__main__":
    unittest.main()
