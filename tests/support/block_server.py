"""Asks `cube_dump --serve` for blocks, and says what they should hold."""

import json
import os
import subprocess

import numpy as np


class BlockServer:
    """One process that keeps files and readers open from question to question."""

    def __init__(self):
        self.process = subprocess.Popen(
            [os.path.join(os.environ["INTERNODE_BIN_DIR"], "cube_dump"),
             "--serve"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.asked = 0
        # Of the last reader asked: storage chunks and bytes that it has read
        # without the HDF5 library.
        self.fast = {}

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        assert self.process.wait(timeout=60) == 0

    def forget(self):
        """Closes all files."""
        self._ask({"close": True})

    def _ask(self, question):
        self.process.stdin.write(json.dumps(question).encode() + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"cube_dump has ended: {question}"
        return json.loads(line)

    def read(self, path, variables, core, noncore, begin, end, **more):
        """(series name and band -> numbers (pixel, count)), or the error."""
        self.asked += 1
        answer = self._ask({"path": str(path), "variables": list(variables),
                            "core": list(core), "noncore": list(noncore),
                            "begin": list(map(int, begin)),
                            "end": list(map(int, end)), **more})
        if "error" in answer:
            return answer
        self.fast = answer["fast"]
        block = answer["block"]
        size = block["num_pixels"] * block["pixel_stride"]
        raw = np.frombuffer(self.process.stdout.read(size), "u1").reshape(
            block["num_pixels"], block["pixel_stride"])
        found = {}
        for series in block["series"]:
            dtype = np.dtype(series["dtype"])
            stop = series["offset"] + series["count"] * dtype.itemsize
            found[series["variable"], series["band"]] = (
                raw[:, series["offset"]:stop].copy().view(dtype))
        return found


def expected_series(dims, data, core, noncore, begin, end):
    """What a block holds of `data` over `dims`: numbers (pixel, count)."""
    order = [d for d in noncore if d in dims] + [d for d in core if d in dims]
    cut = data[tuple(
        slice(begin[noncore.index(d)], end[noncore.index(d)])
        if d in noncore else slice(None) for d in dims)]
    cut = cut.transpose([dims.index(d) for d in order])
    pixels = [e - b for b, e in zip(begin, end)]
    # Repeated along the dimensions that it lacks.
    shape = [n if d in dims else 1 for d, n in zip(noncore, pixels)]
    tail = list(cut.shape[len([d for d in noncore if d in dims]):])
    cut = np.broadcast_to(cut.reshape(shape + tail), pixels + tail)
    count = int(np.prod(tail, dtype=np.int64))
    return np.ascontiguousarray(cut).reshape(
        int(np.prod(pixels, dtype=np.int64)), count)
