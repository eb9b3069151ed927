#!/usr/bin/python3
"""Runs the distribution's own programs under the system's loader and under myld, and compares.

tests/system/*.toml hold the cases:

    [[case]]
    name = "find and grep"
    packages = ["findutils", "grep"]    # Debian packages that it needs
    tools = ["find", "/usr/lib/*/x"]    # the programs that run under the loader: names, paths, patterns
    script = "find . | grep x"          # for sh
    normalise = ["addresses"]           # what may differ between runs: addresses, numbers
    timeout = 60
    expect = {stdout = "...", status = 0}
    differs = "reason"                  # then expect is myld's and expect_ldso ld.so's

The script runs in an empty folder whose `bin` comes first in PATH and holds the tools: for the reference
copies of them, for `direct` scripts that start `myld PROGRAM`, for `interp` copies whose PT_INTERP is
myld. $LOADER is the loader that a program built by the script should be linked for, $SOURCES this folder.

With --release NAME the programs, the shell and the reference loader are those of another Debian release,
which is unpacked by sysroots.py and made the root folder of each script.
"""
import os
import pathlib
import re
import shlex
import shutil
import sys
import tomllib

import machines
import sysroots
import twins
from machines import SEARCH
from twins import ROOT, Failure, Skip

SOURCES = ROOT / "tests/system"
KEYS = {"name", "packages", "tools", "script", "normalise", "timeout", "expect", "differs",
        "expect_ldso"}


def read_cases():
    for file in sorted(SOURCES.glob("*.toml")):
        for case in tomllib.loads(file.read_text())["case"]:
            if set(case) - KEYS:
                raise SystemExit(f"{file}: unknown keys {set(case) - KEYS}")
            yield f"{file.stem}: {case['name']}", case


def install_tool(leg, name, bin_folder, machine):
    """Makes `name` in bin_folder a program that runs as the leg says."""
    program = machine.find(name)
    if program is None:
        raise Skip(f"no {name}")
    entry = bin_folder / pathlib.Path(name).name
    if not twins.has_interpreter(machine.file(program)):
        raise Failure(f"{program} is not a dynamically linked program")
    if leg == "direct":
        # Found in PATH, a program sees its bare name; called by a path (or a link), that path.
        entry.write_text(f"""#!/bin/sh
case $0 in {shlex.quote(str(bin_folder))}/*) name=${{0##*/}} ;; *) name=$0 ;; esac
exec {shlex.quote(str(machine.loader))} --argv0 "$name" {shlex.quote(str(program))} "$@"
""")
        entry.chmod(0o755)
        return
    shutil.copy(machine.file(program), entry)
    if leg == "interp":
        twins.set_interpreter(entry, machine.loader)


def run_leg(leg, case, folder, options, machine):
    """All legs run in a folder of the same name, since programs tell where they are."""
    here = folder / "here"
    (here / "bin").mkdir(parents=True)
    for tool in case["tools"]:
        install_tool(leg, tool, here / "bin", machine)
    env = {"PATH": f"{here}/bin:{SEARCH}", "HOME": str(here), "LC_ALL": "C.UTF-8", "TZ": "UTC",
           "TMPDIR": str(here), "SOURCES": str(options.sources),
           "LOADER": twins.LDSO[options.arch] if leg == "ldso" else str(machine.loader)}
    command, env, _ = machine.command(["/bin/sh", "-c", case["script"]], env)
    outcome = twins.run(command, here, env, timeout=case.get("timeout", 60))
    os.rename(here, folder / leg)
    return outcome.normalised(case.get("normalise", []), here)


def try_case(case, folder, options):
    expect = case.get("expect", {})
    reference_expect = case["expect_ldso"] if "differs" in case else expect
    machine = machines.Machine(options.loader)
    if options.root:
        machine = machines.Release(options.root, options.loader, SOURCES)
    reference = run_leg("ldso", case, folder, options, machine)
    reference.require({"status": 0} | reference_expect, "ld.so")
    if not reference.stdout:
        raise Failure("ld.so: printed nothing, so nothing would be compared")
    for leg in twins.legs(options):
        outcome = run_leg(leg, case, folder, options, machine)
        outcome.require({"status": 0} | expect if "differs" in case else vars(reference), leg)


def main():
    parser = twins.arguments("The distribution's programs, under the system's loader and under myld.")
    parser.add_argument("--packages", action="store_true",
                        help="print the Debian packages that the cases need, and stop")
    parser.add_argument("--release", help="another Debian release, by name or by its glibc (2.41)")
    options = parser.parse_args()
    cases = list(read_cases())
    if options.only:
        cases = [(name, case) for name, case in cases if re.search(options.only, name)]
    if options.packages:
        print("\n".join(sorted({p for _, case in cases for p in case["packages"]})))
        return
    options.root, options.sources = None, SOURCES
    if options.release:
        options.root = sysroots.make(options.release, sorted({p for _, case in cases for p in case["packages"]}))
        options.sources = pathlib.Path("/tmp/sources")
    sys.exit(twins.run_all(cases, lambda case, folder: try_case(case, folder, options), options))


main()
