"""Workers as jobs of Debian's Slurm: a controller and two nodes on this machine,
all on loopback, with files and keys of their own."""

import getpass
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

import cluster
import processes
from processes import BIN

NEEDED = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel",
          "scontrol")
ROOT = pathlib.Path(os.environ["INTERNODE_SOURCE_DIR"])

CONFIG = """\
ClusterName=internode
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmctldLogFile={folder}/slurmctld.log
StateSaveLocation={folder}/state
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmdLogFile={folder}/slurmd-%n.log
SlurmdSpoolDir={folder}/spool-%n
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CredType=cred/munge
# What needs no control groups and no privileges.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
ReturnToService=2
KillWait=5
MinJobAge=600
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=1 RealMemory=1000
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=1 RealMemory=1000
PartitionName=short Nodes=n1,n2 Default=YES MaxTime=10:00 State=UP
"""


def free_ports(count):
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


class Slurm:
    """Munge, a controller and two nodes; ended with the context."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.daemons = []
        self.environment = {**processes.environment(),
                            "SLURM_CONF": str(self.folder / "slurm.conf")}

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def start(self):
        munge = self.folder / "munge"
        for name in ("munge", "state", "spool-n1", "spool-n2"):
            (self.folder / name).mkdir(mode=0o755)
        key = munge / "key"
        key.touch(0o600)
        key.write_bytes(os.urandom(128))
        (self.folder / "slurm.conf").write_text(CONFIG.format(
            folder=self.folder, host=socket.gethostname().split(".")[0],
            user=getpass.getuser(), ports=free_ports(3)))
        self.daemon("munged", "--foreground", "--force",
                    f"--key-file={key}", f"--socket={munge}/socket",
                    f"--pid-file={munge}/pid", f"--log-file={munge}/log",
                    f"--seed-file={munge}/seed")
        processes.poll((munge / "socket").exists, "munge's socket")
        self.daemon("slurmctld", "-D", "-c")
        for node in ("n1", "n2"):
            self.daemon("slurmd", "-D", "-N", node)
        processes.poll(lambda: self.run("sinfo", "-h", "-o", "%T %D")
                       .stdout.split() == ["idle", "2"], "two idle nodes", 60,
                       0.5)

    def daemon(self, *words):
        log = open(self.folder / f"{words[0]}-{len(self.daemons)}.out", "wb")
        with log:
            self.daemons.append(subprocess.Popen(
                words, env=self.environment, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, cwd=self.folder))

    def run(self, *words):
        return subprocess.run(words, env=self.environment, text=True,
                              capture_output=True, timeout=60, check=False)

    def jobs(self):
        """State and node of each job that there ever was, by its number."""
        text = self.run("scontrol", "show", "job", "-o").stdout
        return {int(number): state for number, state in re.findall(
            r"^JobId=(\d+).*? JobState=(\w+)", text, re.MULTILINE)}

    def close(self):
        self.run("scancel", "--user", getpass.getuser())
        for daemon in reversed(self.daemons):
            daemon.terminate()
        for daemon in self.daemons:
            try:
                daemon.wait(timeout=20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()

    def words(self):
        return "\n".join(f"==== {log.name}\n{log.read_text()[-3000:]}"
                         for log in sorted(self.folder.glob("*.log")))


class SlurmTest(unittest.TestCase):
    """One Slurm for all tests."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="internode-slurm-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        (cls.folder / "slurm").mkdir()
        cls.slurm = Slurm(cls.folder / "slurm").__enter__()
        cls.addClassCleanup(cls.slurm.close)
        # A function that takes its time.
        cls.functions = cls.folder / "functions"
        cls.functions.mkdir()
        subprocess.run(
            ["cc", "-shared", "-fPIC", "-O2", f"-I{ROOT}",
             ROOT / "tests" / "faults" / "trouble.c", "-o",
             cls.functions / "trouble.so"], check=True)
        cls.cube = cls.folder / "cube.nc"
        done = cluster.internode("simulate", cls.cube, "--size", "y=20,x=20",
                                 "--dates", "20", "--seed", "3")
        assert done.returncode == 0, done.stderr

    def launch(self, *words):
        return subprocess.run(
            [BIN / "internode", "launch", "slurm", *map(str, words)],
            env=self.slurm.environment, text=True, capture_output=True,
            timeout=120, check=False, cwd=self.folder)

    def test_the_script_is_printed_and_nothing_is_submitted(self):
        done = self.launch("--scheduler-file", "s.json", "--nworkers", "3",
                           "--cpus", "8", "--mem", "16GiB", "--walltime",
                           "2:00:00", "--partition", "short", "--directive",
                           "--constraint=avx2", "--prologue",
                           "module load hdf5", "--print")
        self.assertEqual(done.returncode, 0, done.stderr)
        for line in ("#SBATCH --array=1-3", "#SBATCH --cpus-per-task=8",
                     "#SBATCH --mem=16384M", "#SBATCH --time=0-02:00:00",
                     "#SBATCH --partition=short",
                     "#SBATCH --constraint=avx2", "module load hdf5",
                     f"  --scheduler-file={self.folder}/s.json \\"):
            self.assertIn(line + "\n", done.stdout)
        script = self.folder / "script.sh"
        script.write_text(done.stdout)
        self.assertEqual(subprocess.run(["bash", "-n", script],
                                        check=False).returncode, 0)
        if shutil.which("shellcheck"):
            checked = subprocess.run(["shellcheck", script], text=True,
                                     capture_output=True, check=False)
            self.assertEqual(checked.returncode, 0, checked.stdout)
        self.assertEqual(self.slurm.run("squeue", "-h").stdout, "")

    def test_workers_trust_the_same_and_show_what_is_theirs(self):
        """In the script: absolute paths, and nothing of the caller's own."""
        done = self.launch(
            "--scheduler", "node1:8786", "--tls-ca", "ca.crt", "--tls-name",
            "node1.example.org", "--token-file", "alice.token",
            "--worker-token-file", "secrets/worker.token", "--worker-tls-cert",
            "/etc/worker.crt", "--worker-tls-key", "worker.key", "--data-root",
            "cubes", "--hdf5-plugins", "filters", "--print")
        self.assertEqual(done.returncode, 0, done.stderr)
        for word in ("node1:8786", f"--tls-ca={self.folder}/ca.crt",
                     "--tls-name=node1.example.org",
                     f"--token-file={self.folder}/secrets/worker.token",
                     "--tls-cert=/etc/worker.crt",
                     f"--tls-key={self.folder}/worker.key",
                     f"--data-root={self.folder}/cubes",
                     f"--hdf5-plugins={self.folder}/filters"):
            self.assertRegex(done.stdout, rf"(?m)^  {re.escape(word)}( \\)?$")
        self.assertNotIn("alice", done.stdout)
        # By the environment, as for all commands.
        done = subprocess.run(
            [BIN / "internode", "launch", "slurm", "--worker-token-file",
             "w.token", "--print"], text=True, capture_output=True, check=True,
            timeout=60, cwd=self.folder, env={
                **self.slurm.environment, "INTERNODE_SCHEDULER": "node1:8786",
                "INTERNODE_TLS_CA": "/ca.crt", "INTERNODE_TOKEN_FILE": "a"})
        self.assertIn("--tls-ca=/ca.crt", done.stdout)
        # Programs of workers take every flag there is in it.
        flags = subprocess.run([BIN / "internode-worker", "--help"], text=True,
                               capture_output=True, check=True).stdout
        for flag in re.findall(r"(?m)^  (--[a-z0-9-]+)", done.stdout):
            self.assertIn(flag, flags)

    def test_wrong_values_are_one_line(self):
        known = ("--scheduler", "127.0.0.1:1")
        for words, what in (
                ((), "say where the scheduler is"),
                ((*known, "--walltime", "2 hours"), "--walltime"),
                ((*known, "--walltime", "0:30"), "at least a minute"),
                ((*known, "--mem", "many"), "--mem"),
                ((*known, "--mem", "1MiB"), "at least 64MiB"),
                ((*known, "--adapt", "5:2"), "MIN:MAX"),
                ((*known, "--adapt", "x"), "MIN:MAX"),
                ((*known, "--partition", "two words"), "--partition"),
                ((*known, "--cpus", "2", "--processes", "3"), "--cpus"),
                ((*known, "--drain-timeout", "5"), "--drain-timeout"),
                ((*known, "--prologue", "a\nb"), "--prologue"),
                ((*known, "--token-file", "mine"), "--worker-token-file"),
                ((*known, "--tls-ca", "ca", "--worker-tls-cert", "c"),
                 "--worker-tls-key"),
                ((*known, "--worker-tls-cert", "c", "--worker-tls-key", "k"),
                 "needs --tls-ca")):
            done = self.launch(*words)
            self.assertEqual(done.returncode, 2, (words, done.stderr))
            self.assertIn(what, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_what_slurm_refuses_is_said(self):
        done = self.launch("--scheduler", "127.0.0.1:1", "--partition", "none")
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("invalid partition", done.stderr)

    def test_a_job_longer_than_the_wall_time_loses_nothing(self):
        # 400 pixels of a fifth of a second: 80 s for one worker, which has 60.
        file = self.folder / "scheduler.json"
        job = ["run", "trouble", self.cube, "--variables", "bands=nir,red",
               "--chunks", "1", "--param", "action=none", "--param",
               "micros=200000", "--progress", "none"]
        want, got = self.folder / "want.nc", self.folder / "got.nc"
        logs = self.folder / "logs"
        logs.mkdir()
        tokens = self.folder / "tokens"
        for role in ("admin", "worker"):
            made = cluster.internode("token", "create", "--tokens", tokens,
                                     "--role", role, "--out",
                                     self.folder / f"{role}.token")
            self.assertEqual(made.returncode, 0, made.stderr)
        where = ["--scheduler-file", file, "--token-file",
                 self.folder / "admin.token", "--worker-token-file",
                 self.folder / "worker.token"]
        with cluster.Cluster(
                self.folder, workers=0,
                scheduler_args=["--scheduler-file", file, "--tokens", tokens],
                token_file=self.folder / "admin.token") as here:
            keeper = subprocess.Popen(
                [BIN / "internode", "launch", "slurm", *where, "--adapt",
                 "1:1", "--walltime", "1", "--interval", "1s",
                 "--drain-timeout", "5s", "--log-dir", logs,
                 "--function-path", self.functions],
                env=self.slurm.environment, stdin=subprocess.DEVNULL,
                stderr=subprocess.PIPE, text=True)
            try:
                here.await_workers(1)
                run = here.start_command(*job, "-o", got)
                said = run.communicate(timeout=240)
                self.assertEqual(run.returncode, 0, said)
                # Both are there for a moment, or one after the other.
                jobs = self.slurm.jobs()
            finally:
                keeper.terminate()
                words = keeper.communicate(timeout=30)[1]
            self.assertGreaterEqual(len(jobs), 2, words)
            first, *_, last = sorted(jobs)
            self.assertEqual(jobs[first], "COMPLETED",
                             words + self.slurm.words())
            self.assertEqual(jobs[last], "RUNNING", words)
            log = next(logs.glob(f"*-{first}.log")).read_text()
            self.assertIn("the batch system's time ends", log)
            status = json.loads(here.command(
                "job", "list", "--output", "json").stdout)["jobs"][0]
            self.assertEqual(status["tasks_failed"], 0)
            self.assertEqual(status["tasks_done"], 400)
            # Without work for long it is let go, and drains.
            done = self.launch(*where, "--adapt", "0:1", "--once")
            self.assertEqual(done.returncode, 0, done.stderr)
            processes.poll(lambda: self.slurm.jobs()[last] == "COMPLETED",
                           "the drained worker's end", 60, 0.5)
        # In one process: it waits in many threads at a time.
        done = cluster.internode(*job, "-o", want, "--nthreads", "64",
                                 "--function-path", self.functions)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(cluster.digest(got), cluster.digest(want))


if __name__ == "__main__":
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        print(f"NOT RUN: there is no {', '.join(missing)}",
              file=sys.stderr)
        sys.exit(77)
    unittest.main()
