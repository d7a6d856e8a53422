#!/usr/bin/python3
"""Checks that every header compiles by itself.

    tools/check_headers.py BUILD_DIR [JOBS]

A header that a source includes first has been shown to compile by the build,
unless that joined the source behind others; each other one is compiled here,
alone, with the flags of a source near it.
"""

import concurrent.futures
import pathlib
import subprocess
import sys

import check_layers
import compilations

ROOT = compilations.ROOT


def common_folders(a, b):
    """How many leading folders two paths share."""
    count = 0
    for left, right in zip(a.split("/"), b.split("/")):
        if left != right:
            break
        count += 1
    return count


def compile_alone(header, flags, folder):
    """The compiler's complaints about a source that only includes `header`."""
    done = subprocess.run(
        flags + ["-fsyntax-only", "-x", "c++", "-include", str(ROOT / header),
                 "/dev/null"],
        cwd=folder, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"{header}:\n{done.stderr}"


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    jobs = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    files = dict(check_layers.sources(ROOT))
    commands, proven, users = {}, set(), {}
    for compilation in compilations.compilations(build):
        source = compilation.source
        if source not in files or not source.endswith(".cc"):
            continue
        commands[source] = list(compilation.flags)
        included = [check_layers.resolve(found[2], files)
                    for found in check_layers.includes_of(
                        files[source].read_text(encoding="utf-8"))]
        for header in included:
            users.setdefault(header, source)
        if included and not compilation.joined:
            proven.add(included[0])
    headers = [name for name in files if name.endswith(".h")]
    alone = [name for name in headers
             if name not in proven and not name.endswith("-inl.h")]

    def check(header):
        source = users.get(header) or max(
            sorted(commands),
            key=lambda source: common_folders(source, header))
        return compile_alone(header, commands[source], build)

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        complaints = [text for text in pool.map(check, alone) if text]
    for text in complaints:
        print(text)
    print(f"headers: {len(headers)} in all, {len(alone)} compiled alone, "
          f"{len(complaints)} failed")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
