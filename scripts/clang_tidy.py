#!/usr/bin/env python3
"""Runs clang-tidy over our translation units; exit code 1 when it found something.

    scripts/clang_tidy.py <build dir with compile_commands.json> <parallel jobs>

A file takes seconds. It is therefore remembered as clean, in the build directory, with a hash of everything that went
into it (its command, our configuration and all that it includes), and not looked at again until one of these changes.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Generated, or not ours.
NOT_OURS = ("..", "build/", ".deps/")
# Clang 14 can not read the range adaptors of the library that comes with g++ 12; g++ reads them, warnings being errors.
UNREADABLE = {"examples/guide/bulk_data.cpp", "tests/integration/repository/copy_test.cpp"}
# Which headers were read: an option of the compiler proper, because clang-tidy removes -M and its relatives.
REPORT_HEADERS = ["-sys-header-deps", "-header-include-file"]
CHATTER = re.compile(r"^(\d+ warnings?( and \d+ errors?)? (generated|treated)|Suppressed|Use -header)")


class Contents:
    """Hashes of files, each read once."""

    def __init__(self):
        self.known = {}

    def hash(self, path):
        if path not in self.known:
            try:
                self.known[path] = hashlib.sha1(pathlib.Path(path).read_bytes()).hexdigest()
            except OSError:
                self.known[path] = "missing"
        return self.known[path]


def digest(contents, common, unit, headers):
    text = [common, unit["command"], *(f"{path} {contents.hash(path)}" for path in [unit["file"], *headers])]
    return hashlib.sha1("\n".join(text).encode()).hexdigest()


def record_of(build, unit):
    return build / "clang-tidy-clean" / os.path.relpath(unit["file"], ROOT).replace("/", "%")


def is_clean(contents, common, build, unit):
    try:
        remembered, *headers = record_of(build, unit).read_text().splitlines()
    except (OSError, ValueError):
        return False
    return remembered == digest(contents, common, unit, headers)


def check(common, build, unit):
    """What clang-tidy says about the unit; empty when it is clean."""
    started = time.time()
    with tempfile.TemporaryDirectory() as folder:
        included = pathlib.Path(folder) / "headers"
        command = ["clang-tidy", "--quiet", "-p", str(build), unit["file"]]
        for option in [*REPORT_HEADERS, str(included)]:
            command += ["--extra-arg=-Xclang", f"--extra-arg={option}"]
        ran = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        headers = list(dict.fromkeys(included.read_text().splitlines())) if included.exists() else []
    said = ran.stdout + "".join(line for line in ran.stderr.splitlines(True) if not CHATTER.match(line))
    if ran.returncode != 0:
        return said or f"{unit['file']}: clang-tidy failed with code {ran.returncode}\n"
    if all(os.stat(path).st_mtime < started for path in [unit["file"], *headers]):  # not edited meanwhile
        record_of(build, unit).write_text("\n".join([digest(Contents(), common, unit, headers), *headers]))
    return ""


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    jobs = int(sys.argv[2])
    (build / "clang-tidy-clean").mkdir(exist_ok=True)
    units = [unit for unit in json.loads((build / "compile_commands.json").read_text())
             if not os.path.relpath(unit["file"], ROOT).startswith(NOT_OURS)
             and os.path.relpath(unit["file"], ROOT) not in UNREADABLE]
    common = subprocess.run(["clang-tidy", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    for path in (ROOT / ".clang-tidy", ROOT / "tests/.clang-tidy"):
        common += "\n".join(line for line in path.read_text().splitlines() if not line.lstrip().startswith("#"))

    contents = Contents()
    unknown = [unit for unit in units if not is_clean(contents, common, build, unit)]
    failed = False
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for said in pool.map(lambda unit: check(common, build, unit), unknown):
            failed = failed or said != ""
            sys.stdout.write(said)
    print(f"{len(units)} translation units, {len(unknown)} of them new or changed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
