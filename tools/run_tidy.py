#!/usr/bin/python3
"""Runs clang-tidy on every source outside tests/ that a build compiles.

    tools/run_tidy.py [--analyze] BUILD_DIR [JOBS] [FILE...]

With --analyze also clang's path-sensitive analyzer, which takes long.

What was found clean is remembered in BUILD_DIR/tidy by the contents of the
source, of all the project's headers that it reads, and of .clang-tidy; only
what has changed since is looked at again.
"""

import concurrent.futures
import hashlib
import json
import pathlib
import subprocess
import sys
import time

import check_layers

ROOT = pathlib.Path(__file__).resolve().parents[1]
CLANG_TIDY = "clang-tidy-14"
# Flags for GCC that clang does not know; the lock annotations are clang's.
EXTRA = [f"--extra-arg={flag}" for flag in (
    "-Wno-unknown-warning-option", "-Wthread-safety", "-Wold-style-cast")]
# Order of members for the sake of padding, and memcpy_s, which glibc lacks.
ANALYZER = ("--checks=clang-analyzer-*,-clang-analyzer-optin.*,"
            "-clang-analyzer-security.insecureAPI."
            "DeprecatedOrUnsafeBufferHandling")
CONFIGURATIONS = (".clang-tidy", "tests/.clang-tidy")


def fingerprint(source, files, memo):
    """A hash of all that decides what clang-tidy says of `source`."""
    seen, waiting = {source}, [source]
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
    digest = hashlib.sha256(" ".join(EXTRA).encode())
    for name in CONFIGURATIONS:
        digest.update((ROOT / name).read_bytes())
    for name in sorted(seen):
        digest.update(f"\0{name}\0{memo[name][0]}".encode())
    return digest.hexdigest()


def run(source, build):
    """(ok, output, seconds) of clang-tidy on `source`."""
    begin = time.monotonic()
    done = subprocess.run(
        [CLANG_TIDY, "--quiet", f"-p={build}", *EXTRA, str(ROOT / source)],
        capture_output=True, text=True, check=False)
    output = done.stdout
    if done.returncode != 0 and not output:
        output = done.stderr
    return done.returncode == 0, output, time.monotonic() - begin


def main():
    arguments = sys.argv[1:]
    if arguments[:1] == ["--analyze"]:
        EXTRA.append(ANALYZER)
        del arguments[0]
    build = pathlib.Path(arguments[0]).resolve()
    jobs = int(arguments[1]) if len(arguments) > 1 else 2
    wanted = set(arguments[2:])
    files = dict(check_layers.sources(ROOT))
    clean = build / "tidy"
    clean.mkdir(exist_ok=True)
    sources, memo, unchanged = {}, {}, 0
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["file"]).resolve()
        name = path.relative_to(ROOT).as_posix() if path.is_relative_to(
            ROOT) else ""
        if name not in files or (wanted and name not in wanted):
            continue
        # Tests are compiled with all warnings and run under the sanitizers;
        # to look at them too would cost as much again.
        if name.startswith("tests/") and not wanted:
            continue
        mark = clean / fingerprint(name, files, memo)
        if mark.exists():
            unchanged += 1
        else:
            sources[name] = mark
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        results = pool.map(lambda name: run(name, build), sources)
        for (name, mark), (ok, output, seconds) in zip(sources.items(),
                                                       results):
            print(f"{'ok  ' if ok else 'FAIL'} {seconds:6.1f} s {name}",
                  flush=True)
            if ok:
                mark.touch()
            else:
                failed += 1
                print(output.replace(f"{ROOT}/", ""), flush=True)
    print(f"tidy: {len(sources)} sources looked at, {unchanged} unchanged "
          f"since they were clean, {failed} with findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
