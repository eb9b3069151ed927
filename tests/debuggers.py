#!/usr/bin/python3
"""What debuggers, profilers and unwinders see of a program whose interpreter is myld.

usage: debuggers.py [--loader LOADER] [--packages]. Builds tests/debuggers in a folder of its own. With --packages
it prints the Debian packages that it needs. The last line is `N passed, N failed`.
"""
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys

import twins
from twins import ROOT, Skip

SOURCES = ROOT / "tests/debuggers"
PACKAGES = ["binutils", "gdb", "libunwind-dev", "linux-perf", "valgrind"]
PROBES = {"init_start": 2, "init_complete": 2, "map_start": 2, "map_complete": 3, "map_failed": 2, "reloc_start": 2,
          "reloc_complete": 3, "unmap_start": 2, "unmap_complete": 2}


class Debuggers:
    def __init__(self, loader, folder):
        self.loader, self.folder = loader, folder
        self.library("libspin.so", "spin.c")
        self.library("libopened.so", "opened.c")
        self.library("libbroken.so", "broken.c")
        self.cc("prog.c", "-o", "prog", "-L.", "-lspin", "-Wl,-rpath,$ORIGIN", f"-Wl,--dynamic-linker={loader}")

    def cc(self, source, *flags):
        subprocess.run(["cc", "-O1", "-g", str(SOURCES / source), *flags], cwd=self.folder, check=True)

    def library(self, out, source, *flags):
        self.cc(source, "-shared", "-fPIC", f"-Wl,-soname,{out}", "-o", out, *flags)

    def run(self, *command, env=None, status=0, timeout=120):
        if shutil.which(command[0]) is None and "/" not in command[0]:
            raise Skip(f"no {command[0]}")
        done = subprocess.run(command, cwd=self.folder, text=True, timeout=timeout, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C"} | (env or {}))
        assert status is None or done.returncode == status, (done.returncode, done.stdout[-2000:])
        return done.stdout

    def gdb(self, *commands, program=("./prog",)):
        words = [word for command in ("set debuginfod enabled off", "set breakpoint pending on", *commands)
                 for word in ("-ex", command)]
        # gdb's status is that of its last command.
        return self.run("gdb", "-nx", "-batch", *words, "--args", *program, status=None)

    # ---- the probes ----
    def test_the_probes_are_there(self):
        text = self.run("readelf", "-nW", str(self.loader))
        found = re.findall(r"Provider: rtld\s+Name: (\S+)\s+Location: 0x([0-9a-f]+), Base: 0x([0-9a-f]+), "
                           r"Semaphore: 0x0+\s+Arguments: (.*)", text)
        assert {name: len(arguments.split()) for name, _, _, arguments in found} == PROBES, text
        # Each is an instruction of the text that does nothing.
        raw = self.loader.read_bytes()
        segments = re.findall(r"LOAD +0x([0-9a-f]+) 0x([0-9a-f]+) 0x[0-9a-f]+ 0x([0-9a-f]+) 0x[0-9a-f]+ R E",
                              self.run("readelf", "-lW", str(self.loader)))
        for name, at, _, _ in found:
            offsets = [int(at, 16) - int(v, 16) + int(o, 16) for o, v, size in segments
                       if int(v, 16) <= int(at, 16) < int(v, 16) + int(size, 16)]
            assert offsets, f"{name} is not in the text"
            if platform.machine() == "x86_64":
                assert raw[offsets[0]] == 0x90, name

    def test_gdb_stops_at_the_probes(self):
        text = self.gdb("set stop-on-solib-events 1", "run", "maint info breakpoints", *["continue"] * 14)
        assert text.count("shlib events") == 7, text
        loaded = re.findall(r"Inferior (loaded|unloaded) ((?:.*\n    )*.*)", text)
        names = [(what, [pathlib.Path(file).name for file in files.split()]) for what, files in loaded]
        assert names[0] == ("loaded", ["libspin.so", "libc.so.6"]), names
        assert ("loaded", ["libopened.so"]) in names and ("unloaded", ["libopened.so"]) in names, names
        assert "exited normally" in text, text

    def test_gdb_sees_a_new_namespace(self):
        text = self.gdb("break opened_inner", "run", "continue", "info sharedlibrary", "bt")
        assert len(re.findall(r"^0x.*libopened\.so$", text, re.M)) == 2, text
        assert re.search(r"#1 .*in opened_outer .*opened\.c", text) and re.search(r"#2 .* main .*prog\.c", text), text

    def test_gdb_without_the_probes(self):
        # An older debugger stops in _dl_debug_state.
        bare = self.folder / "bare-loader"
        self.run("objcopy", "-R", ".note.stapsdt", str(self.loader), str(bare))
        self.cc("prog.c", "-o", "prog-bare", "-L.", "-lspin", "-Wl,-rpath,$ORIGIN", f"-Wl,--dynamic-linker={bare}")
        text = self.gdb("break opened_inner", "run", "maint info breakpoints", "info sharedlibrary",
                        program=("./prog-bare",))
        assert text.count("shlib events") == 1 and "_dl_debug_state" in text, text
        assert re.search(r"^0x.*libopened\.so$", text, re.M), text

    def test_gdb_with_the_loader_as_a_command(self):
        text = self.gdb("break opened_inner", "run", "info sharedlibrary", program=(str(self.loader), "./prog"))
        assert re.search(r"^0x.*libopened\.so$", text, re.M) and "Breakpoint 1, opened_inner" in text, text

    def test_gdb_steps_into_a_function_that_is_not_bound_yet(self):
        text = self.gdb("break prog.c:19", "run x", "step", "bt 1")
        assert re.search(r"^spin \(rounds=.*100000000\)", text, re.M), text

    # ---- others ----
    def test_perf_names_functions_of_libraries(self):
        data = self.folder / "perf.data"
        recorded = self.run("perf", "record", "-q", "-e", "cpu-clock", "-o", str(data), "./prog", "x", status=None)
        if not data.is_file() or "not permitted" in recorded or "Permission" in recorded:
            raise Skip("perf may not record here")
        text = self.run("perf", "report", "-q", "--stdio", "-i", str(data), "--sort", "dso,symbol")
        assert re.search(r"libspin\.so +\[\.\] spin", text), text

    def test_libunwind_walks_out_of_an_opened_library(self):
        if not next(pathlib.Path("/usr/include").rglob("libunwind.h"), None):
            raise Skip("no libunwind")
        apart = self.folder / "unwind"
        apart.mkdir()
        self.library("unwind/libopened.so", "opened.c", "-DUNWIND", "-lunwind")
        text = self.run("./prog", env={"LD_LIBRARY_PATH": str(apart)}, status=None)
        assert text.splitlines()[:3] == ["opened_inner", "opened_outer", "main"], text

    def test_valgrind_names_functions_of_libraries(self):
        text = self.run("valgrind", "--tool=callgrind", f"--callgrind-out-file={self.folder}/callgrind.out", "./prog",
                        timeout=200)
        assert "unrecognised" not in text, text
        names = (self.folder / "callgrind.out").read_text()
        assert "opened_outer" in names and "libopened.so" in names


def main():
    parser = twins.common_arguments(__doc__.splitlines()[0])
    parser.add_argument("--packages", action="store_true", help="print the Debian packages that are needed")
    options = parser.parse_args()
    if options.packages:
        print(*PACKAGES)
        return
    sys.exit(twins.run_all(twins.methods(Debuggers),
                           lambda name, folder: getattr(Debuggers(options.loader, folder), name)(), options))


if __name__ == "__main__":
    main()
