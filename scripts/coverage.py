#!/usr/bin/env python3
"""Prints the line coverage of every module, from a build made with the coverage preset whose tests have run.

    scripts/coverage.py <build dir>
"""

import collections
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Folders whose name is the module's, and folders of which every subfolder is a module.
MODULE_FOLDERS = {"resilience", "repository", "observability", "testing", "tools"}
FOLDERS_OF_MODULES = ("include/breakwater", "src")


def module_of(path):
    for folder in FOLDERS_OF_MODULES:
        if path.startswith(folder + "/"):
            rest = path[len(folder) + 1:].split("/")
            return rest[0] if len(rest) > 1 else None
    first = path.split("/")[0]
    return first if first in MODULE_FOLDERS else None


def main():
    build = pathlib.Path(sys.argv[1])
    summary = subprocess.run(
        ["gcovr", "--root", ROOT, "--object-directory", build, "--json-summary", "-",
         "--exclude-unreachable-branches", "--exclude", "tests/", "--exclude", "examples/", build],
        check=True, stdout=subprocess.PIPE, cwd=ROOT).stdout
    lines = collections.defaultdict(lambda: [0, 0])
    for file in json.loads(summary)["files"]:
        module = module_of(file["filename"])
        for name in (module, "all") if module else ():
            lines[name][0] += file["line_covered"]
            lines[name][1] += file["line_total"]

    print(f"{'module':<16}{'lines':>8}{'covered':>9}{'%':>8}")
    for name in sorted(lines, key=lambda name: (name == "all", name)):
        covered, total = lines[name]
        print(f"{name:<16}{total:>8}{covered:>9}{100 * covered / max(total, 1):>8.1f}")


if __name__ == "__main__":
    main()
