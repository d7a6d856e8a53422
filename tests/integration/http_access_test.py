#!/usr/bin/python3
"""Who may read the pages of the scheduler, and under which names."""

import ssl
import unittest
import urllib.error
import urllib.request

from secured import Certificates, SecureTest, ok, shell


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


if __name__ == "__main__":
    unittest.main()
