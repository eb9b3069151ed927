#!/usr/bin/python3
"""Holds the loader to figures that noise does not touch: instructions, system calls, page faults, mappings.

tests/figures.toml has what was measured, and by how much more a figure may be. Times are no test: the same code takes
twice as long next to a busy neighbour. What is measured is a start up to the program's entry point (tools/benchmarks),
and one call of dlopen and its family as the difference of two runs.

  tests/figures.py [--loader PATH] [--update]

--update writes what is measured now to the file; say why in the commit. The file's figures are for meson's default
build by g++.
"""
import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
from benchmarks import closure, common, memory, programs, start  # noqa: E402

FILE = ROOT / "tests/figures.toml"
# As little as can be comes from outside; what the kernel does not have (mseal) is not asked for.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "MYLD_ALLOW": "unsealed"}
CALLS = [("open", 0), ("open", 90), ("reopen", 90), ("hit", 0), ("last", 90), ("missing", 90), ("handle", 90),
         ("address", 0), ("iterate", 90)]


def start_figures(loader: common.Loader) -> dict[str, dict[str, int]]:
    found = {}
    for program in start.programs_of(["true=/bin/true", "closure-100"]):
        stop, end = programs.stopping_at_entry(program).under(loader), programs.at_entry(program).under(loader)
        memory.at_entry(stop, ENVIRONMENT)  # fills the page cache
        # Where things come to lie is random, and which pages and tables that takes.
        runs = [memory.at_entry(stop, ENVIRONMENT) for _ in range(5)]
        found[program.name] = {key: min(run[key] for run in runs) for key in ("faults", "mappings", "private")}
        found[program.name]["system_calls"] = memory.system_calls(end, ENVIRONMENT)
        found[program.name]["instructions"] = memory.instructions(end, ENVIRONMENT)
    return found


def image_figures(loader: common.Loader) -> dict[str, dict[str, int]]:
    """A closure that has an image: a library takes three system calls (and one that seals it)."""
    [program] = start.programs_of(["closure-100"])
    with tempfile.TemporaryDirectory() as folder:
        environment = ENVIRONMENT | {"MYLD_BINDING": folder}
        stop, end = programs.stopping_at_entry(program).under(loader), programs.at_entry(program).under(loader)
        for _, path in (stop, end):
            subprocess.run([loader.path, "--bind", "--image", path], env=environment, stdout=subprocess.DEVNULL, check=True)
        runs = [memory.at_entry(stop, environment) for _ in range(5)]
        found = {key: min(run[key] for run in runs) for key in ("faults", "mappings", "private")}
        found["system_calls"] = memory.system_calls(end, environment)
    binding = common.Loader(loader.name, loader.path, bind=("--bind", "--image"))
    found["instructions"] = memory.bound_instructions(binding, programs.at_entry(program), ENVIRONMENT)
    return {"closure-100-image": found}


def call_figures(loader: common.Loader) -> dict[str, dict[str, int]]:
    source = common.HERE / "steps.cpp"

    def make(folder: Path) -> None:
        common.run_tool([common.CXX, "-std=c++17", "-O2", "-Wall", "-o", "steps", str(source), "-ldl"], folder)
        common.run_tool([common.CC, "-shared", "-fPIC", "-x", "c", "-", "-o", "libsmall.so"], folder,
                        "int small(void) { return 1; }\n")

    folder = common.made(common.WORK / "steps", source.read_text(), make)
    libraries = str(closure.closure("closure-100", start.closures()["closure-100"]))
    found = {}
    for what, loaded in CALLS:
        # Only what takes milliseconds is done few times: what comes before differs from run to run, and so do the
        # ways through tables with a random key, which a median takes out.
        few, many, pairs = (20, 60, 1) if what == "open" else (1500, 3500, 5)
        runs = [[loader.path, str(folder / "steps"), libraries, str(loaded), str(folder / "libsmall.so"), what, str(n)]
                for n in (few, many)]

        def of_one(count) -> int:
            return round(statistics.median(count(runs[1], ENVIRONMENT) - count(runs[0], ENVIRONMENT)
                                           for _ in range(pairs)) / (many - few))

        found[f"{what}-{loaded}"] = {"instructions": of_one(memory.instructions)}
        if "open" in what:
            found[f"{what}-{loaded}"]["system_calls"] = of_one(memory.system_calls)
    return found


def write(allowed: dict, figures: dict[str, dict[str, int]]) -> None:
    comment = FILE.read_text().split("[allowed]")[0]
    lines = [comment + "[allowed]", *(f"{key} = \"{value}\"" if isinstance(value, str) else f"{key} = {value}" for key, value in allowed.items())]
    for name, each in figures.items():
        lines += ["", f"[figures.{name}]", *(f"{key} = {value}" for key, value in each.items())]
    FILE.write_text("\n".join(lines) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    # Started by a relative path, the loader asks the system for its own: one call more.
    parser.add_argument("--loader", type=os.path.abspath, default=str(ROOT / "build/myld"))
    parser.add_argument("--update", action="store_true")
    options = parser.parse_args()
    loader = common.Loader("myld", options.loader)
    known = tomllib.loads(FILE.read_text())
    figures = start_figures(loader) | image_figures(loader) | call_figures(loader)
    if options.update:
        write(known["allowed"], figures)
        return 0
    passed = failed = 0
    for name, each in figures.items():
        for key, now in each.items():
            before = known["figures"].get(name, {}).get(key)
            if before is None:
                print(f"FAIL  {name}: {key} {now}, and nothing to hold it to")
                failed += 1
                continue
            allowance = known["allowed"][key]
            percent = re.fullmatch(r"(\d+) %", str(allowance))
            most = before + (before * int(percent[1]) // 100 if percent else int(allowance))
            if now <= most:
                passed += 1
                print(f"ok    {name}: {key} {now:,} (of {before:,})")
            else:
                failed += 1
                print(f"FAIL  {name}: {key} {now:,} is more than {most:,}: {before:,} and an allowance of {allowance}")
    print(f"{passed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
