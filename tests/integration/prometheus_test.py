"""Debian's Prometheus scrapes a running cluster, with the project's rules."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest
import urllib.parse
import urllib.request

import cluster
import processes

ROOT = pathlib.Path(os.environ["INTERNODE_SOURCE_DIR"])
MONITORING = ROOT / "deploy" / "monitoring"

CONFIG = """\
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: ["{rules}"]
scrape_configs:
  - job_name: internode-scheduler
    static_configs: [{{targets: ["{scheduler}"]}}]
  - job_name: internode-worker
    static_configs: [{{targets: ["{worker}"]}}]
"""


def promtool(*words, **kwargs):
    return subprocess.run(["promtool", *map(str, words)], text=True,
                          capture_output=True, check=False, **kwargs)


class RulesTest(unittest.TestCase):

    def test_promtool_finds_no_fault(self):
        for words in (("check", "rules", MONITORING / "alerts.yml"),
                      ("test", "rules", "alerts_test.yml"),
                      ("check", "config", "--syntax-only",
                       MONITORING / "prometheus.yml")):
            done = promtool(*words, cwd=MONITORING)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_rules_ask_for_metrics_that_there_are(self):
        text = (MONITORING / "alerts.yml").read_text()
        used = set(cluster_metrics(text))
        folder = tempfile.TemporaryDirectory(prefix="internode-rules-")
        self.addCleanup(folder.cleanup)
        with cluster.Cluster(folder.name, workers=0) as here:
            worker = here.start_worker("--http", "127.0.0.1:0")
            url = worker.await_ready()["http"]
            there = here.get("/metrics")[1] + read(url + "/metrics")
        self.assertEqual(used - set(cluster_metrics(there)), set())


def cluster_metrics(text):
    """The names of metrics in a text."""
    words = "".join(c if c.isalnum() or c == "_" else " " for c in text)
    return {word for word in words.split() if word.startswith("internode_")}


def read(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read().decode()


class PrometheusTest(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="internode-prometheus-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def start(self, scheduler, worker):
        """A Prometheus that looks at the two; returns where it answers."""
        config = self.folder / "prometheus.yml"
        config.write_text(CONFIG.format(
            rules=MONITORING / "alerts.yml",
            scheduler=scheduler.removeprefix("http://"),
            worker=worker.removeprefix("http://")))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{probe.getsockname()[1]}"
        log = open(self.folder / "prometheus.log", "wb")
        self.addCleanup(log.close)
        process = subprocess.Popen(
            ["prometheus", f"--config.file={config}",
             f"--storage.tsdb.path={self.folder}/data",
             f"--web.listen-address={address}"], stdout=log, stderr=log,
            stdin=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return f"http://{address}"

    @staticmethod
    def ask(url, query):
        """The values of an instant query, or none while it starts."""
        try:
            text = read(f"{url}/api/v1/query?query="
                        f"{urllib.parse.quote(query)}")
        except OSError:
            return []
        return [float(one["value"][1])
                for one in json.loads(text)["data"]["result"]]

    def test_it_sees_a_cluster_at_work(self):
        with cluster.Cluster(self.folder, workers=0) as here:
            worker = here.start_worker("--http", "127.0.0.1:0")
            worker_url = worker.await_ready()["http"]
            for text in (here.get("/metrics")[1],
                         read(worker_url + "/metrics")):
                done = promtool("check", "metrics", input=text)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
            url = self.start(here.http, worker_url)
            cube = self.folder / "cube.nc"
            cluster.internode("simulate", cube, "--size", "y=40,x=40",
                              "--dates", "20", "--seed", "1")
            done = here.command("run", "stats", cube, "-o",
                                self.folder / "out.nc", "--chunks", "10")
            self.assertEqual(done.returncode, 0, done.stderr)
            for query, want in (
                    ("up", [1, 1]), ("internode_ready", [1]),
                    ("internode_workers", [2]),
                    ('internode_tasks{state="done"}', [16]),
                    ('internode_jobs{state="completed"}', [1]),
                    ("internode_worker_connected", [1]),
                    ("internode_worker_processes_running", [2])):
                processes.poll(lambda: self.ask(url, query) == want, query, 60,
                               0.2)
            rules = json.loads(read(url + "/api/v1/rules"))["data"]["groups"]
            self.assertEqual({rule["health"] for rule in rules[0]["rules"]}
                             - {"unknown"}, {"ok"})


if __name__ == "__main__":
    missing = [name for name in ("prometheus", "promtool")
               if shutil.which(name) is None]
    if missing:
        print(f"NOT RUN: there is no {', '.join(missing)}", file=sys.stderr)
        sys.exit(77)
    unittest.main()
