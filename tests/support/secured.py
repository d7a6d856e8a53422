"""Schedulers and workers with certificates and tokens, made in a private
folder, and the one line by which they refuse."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import processes
from cluster import Worker
from processes import BIN


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
    """A folder of its own with a list of tokens, and programs that end with
    the test."""

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
