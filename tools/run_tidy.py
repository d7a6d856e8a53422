#!/usr/bin/python3
"""Runs clang-tidy on every source that a build compiles.

    tools/run_tidy.py [--analyze] BUILD_DIR [JOBS] [FILE...]

With --analyze also clang's path-sensitive analyzer, which takes long.

Most of the time goes into what a source includes. Sources that are compiled
with the same flags are therefore looked at together, as one unit that includes
them; where such a unit does not compile, because of the joining, or clang-tidy
dies of it, its sources are looked at one by one.

What was found clean is remembered in BUILD_DIR/tidy by the contents of the
source, of all the project's headers that it reads, and of .clang-tidy; only
what has changed since is looked at again.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import hashlib
import pathlib
import shutil
import subprocess
import sys
import time

import check_layers
import compilations

ROOT = compilations.ROOT
CLANG_TIDY = "clang-tidy-14"
SOURCES_IN_A_UNIT = 10
# Flags for GCC that clang does not know; the lock annotations are clang's.
EXTRA = ["-Wno-unknown-warning-option", "-Wthread-safety", "-Wold-style-cast"]
# Sources that other sources include have findings too, but not that.
JOINED = ["--checks=-bugprone-suspicious-include",
          r"--header-filter=.*/(base|core|cube|functions|http|rpc|scheduler"
          r"|security|worker|client|tests)/.*\.(h|cc)$"]
# Order of members for the sake of padding, and memcpy_s, which glibc lacks.
ANALYZER = ("--checks=clang-analyzer-*,-clang-analyzer-optin.*,"
            "-clang-analyzer-security.insecureAPI."
            "DeprecatedOrUnsafeBufferHandling")
CONFIGURATIONS = (".clang-tidy", "tests/.clang-tidy")


@dataclasses.dataclass
class Source:
    name: str
    flags: tuple
    folder: str
    mark: pathlib.Path  # there once the source is clean


def fingerprint(compilation, files, memo, options):
    """A hash of all that decides what clang-tidy says of a source."""
    seen, waiting = {compilation.source}, [compilation.source]
    while waiting:
        name = waiting.pop()
        if name not in memo:
            text = files[name].read_text(encoding="utf-8")
            memo[name] = (text, [
                target for _, _, include in check_layers.includes_of(text)
                if (target := check_layers.resolve(include, files))])
        for target in memo[name][1]:
            if target not in seen:
                seen.add(target)
                waiting.append(target)
    digest = hashlib.sha256(
        " ".join([*EXTRA, *options, *compilation.flags]).encode())
    for name in CONFIGURATIONS:
        digest.update((ROOT / name).read_bytes())
    for name in sorted(seen):
        digest.update(f"\0{name}\0{memo[name][0]}".encode())
    return digest.hexdigest()


def can_be_joined(source, files):
    """Highway includes a source in itself, once per instruction set."""
    return (source.endswith(".cc") and
            "HWY_TARGET_INCLUDE" not in files[source].read_text())


def run(file, source, options):
    """(ok, output) of clang-tidy on `file` with the flags of `source`."""
    flags = [flag for flag in source.flags[1:] if flag != "-Werror"]
    done = subprocess.run(
        [CLANG_TIDY, "--quiet", *options, str(file), "--", *flags, *EXTRA],
        cwd=source.folder, capture_output=True, text=True, check=False)
    output = done.stdout
    if done.returncode != 0 and not output:
        output = done.stderr
    return done.returncode == 0, output.replace(f"{ROOT}/", "")


class Tidy:
    """The look at a list of sources, in units."""

    def __init__(self, folder, options):
        self.folder = folder
        self.options = options
        # clang-tidy reads the configuration of the unit's folder and above.
        (folder / "tests").mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "tests/.clang-tidy", folder / "tests/.clang-tidy")

    def unit_file(self, number, unit):
        tests = unit[0].name.startswith("tests/")
        file = self.folder / ("tests" if tests else "") / f"unit_{number}.cc"
        file.write_text("".join(f'#include "{ROOT / source.name}"\n'
                                for source in unit))
        return file

    def look_at(self, number, unit):
        """(findings, seconds) of a unit; marks what is clean."""
        begin = time.monotonic()
        findings = []
        joined = len(unit) > 1
        if joined:
            ok, output = run(self.unit_file(number, unit), unit[0],
                             [*self.options, *JOINED])
            joined = ok or ("-warnings-as-errors]" in output and
                            "[clang-diagnostic-error]" not in output)
        if joined and ok:
            for source in unit:
                source.mark.touch()
        elif joined:
            findings.append(("together", output))
        else:
            for source in unit:
                ok, output = run(ROOT / source.name, source, self.options)
                if ok:
                    source.mark.touch()
                else:
                    findings.append((source.name, output))
        return findings, time.monotonic() - begin


def units_of(sources, files):
    """Lists of sources that may be looked at together."""
    groups = collections.defaultdict(list)
    units = []
    for source in sources:
        if can_be_joined(source.name, files):
            tests = source.name.startswith("tests/")
            groups[(source.flags, tests)].append(source)
        else:
            units.append([source])
    for group in groups.values():
        count = -(-len(group) // SOURCES_IN_A_UNIT)
        units += [group[i::count] for i in range(count)]
    # The longest first, so that the processors end together.
    return sorted(units, key=len, reverse=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--analyze", action="store_true")
    parser.add_argument("build", type=pathlib.Path, metavar="BUILD_DIR")
    parser.add_argument("jobs", type=int, nargs="?", default=2, metavar="JOBS")
    parser.add_argument("files", nargs="*", metavar="FILE")
    arguments = parser.parse_args()
    build, jobs = arguments.build.resolve(), arguments.jobs
    wanted = set(arguments.files)
    options = [ANALYZER] if arguments.analyze else []
    if not (build / "compile_commands.json").is_file():
        parser.error(f"nothing was configured in '{build}'")
    files = dict(check_layers.sources(ROOT))
    tidy = Tidy(build / "tidy", options)
    sources, memo, unchanged = {}, {}, 0
    for compilation in compilations.compilations(build):
        name = compilation.source
        if name not in files or (wanted and name not in wanted):
            continue
        mark = tidy.folder / fingerprint(compilation, files, memo, options)
        if mark.exists():
            unchanged += 1
        else:
            sources[name] = Source(name, compilation.flags, compilation.folder,
                                   mark)
    failed = 0
    units = units_of(sources.values(), files)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        results = pool.map(tidy.look_at, range(len(units)), units)
        for unit, (findings, seconds) in zip(units, results):
            failed += len(findings)
            print(f"{seconds:6.1f} s {len(findings)} with findings of "
                  f"{' '.join(source.name for source in unit)}", flush=True)
            for name, output in findings:
                print(f"{name}:\n{output}", flush=True)
    print(f"tidy: {len(sources)} sources looked at, {unchanged} unchanged "
          f"since they were clean, {failed} with findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
