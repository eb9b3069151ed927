#!/usr/bin/python3
"""Programs of the distribution for another ISA, unpacked into a folder and run under qemu-user.

    foreign.py --arch aarch64 --loader build-aarch64/myld [--release bookworm]

Each command of foreign.toml, with `stdin` and an `expect` other than status 0 and no errors, runs under that release's own loader and under myld; the two must show the same.
The folder is made by sysroots.py; nothing of the system is touched.
"""
import pathlib
import platform
import sys
import tomllib

import sysroots
import twins
from twins import Failure

CASES = pathlib.Path(__file__).with_name("foreign.toml")
KEYS = {"name", "packages", "command", "stdin", "expect"}
CPU = {"riscv64": ["-cpu", "rv64,v=true,vext_spec=v1.0"]}


def try_case(case, folder, options):
    emulator = [f"qemu-{options.arch}-static", *CPU.get(options.arch, []), "-L", str(options.root)]
    path, *arguments = case["command"]
    program = str(options.root) + path
    env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": "/nonexistent"}
    wanted = case.get("expect", {"status": 0, "stderr": ""})

    def run(*loader):
        return twins.run([*emulator, *loader, program, *arguments], folder, env, case.get("stdin", ""), 120)
    reference = run()
    reference.require(wanted, "ld.so")
    if not reference.stdout and "stdout" not in wanted:
        raise Failure("ld.so: printed nothing, so nothing would be compared")
    run(str(options.loader)).require(vars(reference), "myld")


def main():
    parser = twins.arguments("Another ISA's programs, under their own loader and under myld.")
    parser.add_argument("--release", help="Debian release; the oldest that has the ISA")
    options = parser.parse_args()
    if options.arch == platform.machine():
        parser.error("--arch is this machine's own: see system.py")
    cases = []
    for case in tomllib.loads(CASES.read_text())["case"]:
        if set(case) - KEYS:
            raise SystemExit(f"{CASES}: unknown keys {set(case) - KEYS}")
        cases.append((case["name"], case))
    release = options.release or ("sid" if options.arch == "riscv64" else "bookworm")
    packages = sorted({p for _, case in cases for p in case["packages"]})
    options.root = sysroots.make(f"{release}-{sysroots.DEBIAN[options.arch]}", packages)
    sys.exit(twins.run_all(cases, lambda case, folder: try_case(case, folder, options), options))


main()
