"""How often the worker processes of a job decode the storage chunks of a cube,
by their own metrics."""

import pathlib
import re
import tempfile
import unittest
import urllib.request

import cluster
import processes

# Seven bands and QA, in square storage chunks.
VARIABLES = 8
SIDE = 400
CHUNK = 10
CHUNKS_OF_A_ROW = VARIABLES * SIDE // CHUNK
CHUNKS = CHUNKS_OF_A_ROW * SIDE // CHUNK


class DecodedOnceTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="internode-decoded-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.cube = cls.folder / "cube.nc"
        done = cluster.internode(
            "simulate", cls.cube, "--size", f"y={SIDE},x={SIDE}", "--dates",
            "30", "--storage-chunks", f"y={CHUNK},x={CHUNK}")
        assert done.returncode == 0, done.stderr

    def decoded(self, wanted, chunks, nworkers, nthreads):
        """How many storage chunks are decoded in a job whose blocks together
        want `wanted` of them."""
        with tempfile.TemporaryDirectory(dir=self.folder) as name, \
                cluster.Cluster(
                    name, workers=0, nworkers=nworkers, nthreads=nthreads,
                    scheduler_args=["--heartbeat-interval", "20ms"]) as here:
            url = here.start_worker("--http", "127.0.0.1:0").await_ready()[
                "http"]
            done = cluster.internode(
                "run", "stats", self.cube, "--scheduler", here.address,
                "--chunks", chunks, "-o", pathlib.Path(name) / "out.nc")
            self.assertEqual(done.returncode, 0, done.stderr)

            # The processes tell of it with their next heartbeats.
            def all_told():
                self.read = self.counters(url)
                return sum(self.read.values()) >= wanted

            processes.poll(all_told, "counters of all that was read")
            return self.read["decoded"]

    @staticmethod
    def counters(url):
        """What became of storage chunks that were wanted."""
        with urllib.request.urlopen(f"{url}/metrics", timeout=30) as answer:
            text = answer.read().decode()
        return {what: int(number) for what, number in re.findall(
            r"^internode_worker_storage_chunks_(\w+)_total (\d+)$", text,
            re.MULTILINE)}

    def test_blocks_of_whole_storage_chunks(self):
        self.assertLessEqual(
            self.decoded(CHUNKS, f"y={CHUNK},x={CHUNK}", 1, 2), CHUNKS)

    def test_blocks_of_whole_storage_chunks_in_two_processes(self):
        # A task that is given to another process when it is late is read again.
        for size in (CHUNK, 3 * CHUNK):
            self.assertLessEqual(
                self.decoded(CHUNKS, f"y={size},x={size}", 2, 1),
                CHUNKS * 105 // 100)

    def test_rows_of_pixels_in_a_process_of_two_threads(self):
        wanted = SIDE * CHUNKS_OF_A_ROW
        self.assertLessEqual(self.decoded(wanted, f"y=1,x={SIDE}", 1, 2),
                             CHUNKS)

    def test_rows_of_pixels_in_two_processes(self):
        # Where one process ends and the other begins, both need a row of
        # storage chunks.
        wanted = SIDE * CHUNKS_OF_A_ROW
        self.assertLessEqual(self.decoded(wanted, f"y=1,x={SIDE}", 2, 1),
                             CHUNKS * 11 // 10)


if __name__ == "__main__":
    unittest.main()
