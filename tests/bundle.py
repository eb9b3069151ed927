#!/usr/bin/python3
"""Bundles of small programs: that they are whole, may be moved, and keep their hands off what is not theirs.

usage: bundle.py [--loader LOADER] [--arch ISA]. Builds the programs in a folder of its own. As root, or where user
namespaces may be made, the bundle also runs in a root folder that holds nothing else. The last line is
`N passed, N failed`.
"""
import os
import pathlib
import shutil
import subprocess
import sys

import twins
from twins import ROOT, Skip

SOURCES = {
    # Says what it is and what it was given; `opened` is there when libopened.so.1 could be opened.
    "prog.c": r"""
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
extern char** environ;
int one(void);
static char zeros[3 << 20];
int main(int argc, char** argv) {
  char exe[4096] = "", comm[64] = "";
  if (readlink("/proc/self/exe", exe, sizeof exe - 1) < 0) strcpy(exe, "-");
  FILE* f = fopen("/proc/self/comm", "r");
  if (f && !fgets(comm, sizeof comm, f)) comm[0] = 0;
  comm[strcspn(comm, "\n")] = 0;
  void* opened = dlopen("libopened.so.1", RTLD_NOW);
  printf("one=%d opened=%s argv0=%s args=%d exe=%s comm=%s\n", one() + zeros[argc], opened ? "yes" : "no", argv[0],
         argc - 1, exe, comm);
  for (char** e = environ; *e; e++)
    if (!strncmp(*e, "LD_", 3) || !strncmp(*e, "TEST_", 5)) printf("env %s\n", *e);
  fflush(stdout);
  if (argc > 1 && !strcmp(argv[1], "maps")) execl("/bin/cat", "cat", "/proc/self/maps", (char*)0);
  if (argc > 1 && !strcmp(argv[1], "own")) {
    char line[4096];
    f = fopen("/proc/self/maps", "r");
    while (f && fgets(line, sizeof line, f)) fputs(line, stdout);
  }
  return 7;
}""",
    "one.c": "int one(void) { return 1; }",
    "other.c": "int one(void) { return 2; }",
    "opened.c": "int opened = 1;",
    "env.c": '#include <stdio.h>\n#include <stdlib.h>\nint main(void) { const char* e = getenv("TEST_NOTE"); puts(e ? e : "none"); }',
    "note.S": """
    .section .note.dlopen, "a", %note
    .balign 4
    .long 4, 2f - 1f, 0x407c0c0a
    .asciz "FDO"
1:  .asciz "[{\\"soname\\":[\\"libnowhere.so.9\\",\\"libopened.so.1\\"],\\"feature\\":\\"x\\",\\"priority\\":\\"PRIORITY\\"}]"
2:  .balign 4
    .section .note.GNU-stack, "", %progbits
""",
    # As docs/config.md shows it.
    "config.S": """
    .section .note.myld.config, "a", %note
    .balign 4
    .long 5, 2f - 1f, 1
    .asciz "myld"
    .balign 4
1:  .incbin "note.conf"
2:  .balign 4
    .section .note.GNU-stack, "", %progbits
""",
    "note.conf": "env TEST_NOTE $ORIGIN/x\n",
}


class Bundles:
    def __init__(self, loader, folder):
        self.loader, self.folder = loader, folder
        for name, text in SOURCES.items():
            (folder / name).write_text(text + "\n")

    def cc(self, *arguments):
        subprocess.run(["cc", *arguments], cwd=self.folder, check=True)

    def program(self, *flags, priority="required", where="libs"):
        """prog, which needs libone.so and, says its note, opens libopened.so.1; both in `where`."""
        libs = self.folder / where
        libs.mkdir(exist_ok=True)
        self.cc("-shared", "-fPIC", "-Wl,-soname,libone.so", "one.c", "-o", f"{where}/libone.so")
        self.cc("-shared", "-fPIC", "-Wl,-soname,libopened.so.1", "opened.c", "-o", f"{where}/libopened.so.1")
        (self.folder / "n.S").write_text(SOURCES["note.S"].replace("PRIORITY", priority))
        self.cc("prog.c", "n.S", "-o", "prog", f"{where}/libone.so", f"-Wl,-rpath,{libs}", *flags)

    def bundle(self, *arguments, status=0):
        r = subprocess.run([ROOT / "tools/bundle", "--myld", self.loader, *arguments], cwd=self.folder,
                           text=True, capture_output=True)
        assert r.returncode == status, (r.returncode, r.stdout, r.stderr)
        return r.stderr

    def run(self, *command, env=None, cwd=None):
        return subprocess.run([str(c) for c in command], cwd=cwd or self.folder, text=True, capture_output=True, timeout=60,
                              env={"PATH": "/usr/bin:/usr/sbin", **(env or {})})

    def made(self, *flags, **more):
        """The path of the program in a bundle that was moved after it was made, and that the original is gone of."""
        self.program(*flags, **more)
        self.bundle("prog", "made")
        (self.folder / "made").rename(self.folder / "moved")
        shutil.rmtree(self.folder / more.get("where", "libs"))
        return self.folder / "moved/bin/prog"

    # ---- what runs ----
    def check_run(self, prog, r, argv0):
        assert r.returncode == 7 and r.stderr == "", r
        assert r.stdout == f"one=1 opened=yes argv0={argv0} args=2 exe={prog} comm={pathlib.Path(prog).name}\n", r

    def test_moved(self):
        prog = self.made()
        self.check_run(prog, self.run(prog, "a", "b"), prog)
        self.check_run(prog, self.run("./prog", "a", "b", cwd=prog.parent), "./prog")
        self.check_run(prog, self.run("bash", "-c", "prog a b", env={"PATH": f"{prog.parent}:/usr/bin"}), "prog")

    def test_fixed_address(self):
        prog = self.made("-no-pie")
        self.check_run(prog, self.run(prog, "a", "b"), prog)

    def test_through_a_link(self):
        prog = self.made()
        (self.folder / "link").symlink_to(prog)
        # The process's name is that of the path that was executed, as without a bundle.
        r = self.run("./link", "a", "b")
        assert r.stdout == f"one=1 opened=yes argv0=./link args=2 exe={prog} comm=link\n", r

    def test_started_by_the_loader(self):
        prog = self.made()
        r = self.run(self.loader, prog, "a", "b")
        assert r.returncode == 7 and r.stdout.startswith("one=1 opened=yes") and r.stderr == "", r
        assert self.run(self.loader, "--verify", prog).returncode == 2
        listed = self.run(prog, env={"LD_TRACE_LOADED_OBJECTS": "1"}).stdout
        assert f"{prog.parent}/../lib/libone.so" in listed and "not found" not in listed, listed

    def test_nothing_but_the_bundle(self):
        prog = self.made()
        empty = self.folder / "empty"
        empty.mkdir()
        shutil.copytree(prog.parent.parent, empty / "b", symlinks=True)
        enter = ["chroot"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "chroot"]
        if self.run(*enter, "/", "true").returncode:
            raise Skip("neither root nor user namespaces: no root folder of its own")
        # There is no /proc either: the path that was executed stands in for /proc/self/exe.
        r = self.run(*enter, empty, "/b/bin/prog", "a", "b")
        assert r.returncode == 7 and r.stdout == "one=1 opened=yes argv0=/b/bin/prog args=2 exe=- comm=\n", r

    def test_children_and_environment(self):
        prog = self.made()
        evil = self.folder / "evil"
        evil.mkdir()
        self.cc("-shared", "-fPIC", "-Wl,-soname,libone.so", "other.c", "-o", "evil/libone.so")
        r = self.run(prog, "own", env={"LD_LIBRARY_PATH": str(evil)})
        assert r.stdout.startswith("one=1 ") and f"env LD_LIBRARY_PATH={evil}\n" in r.stdout, r
        mapped = {line.split()[-1] for line in r.stdout.splitlines() if ".so" in line and " r" in line}
        assert mapped and all(path.startswith(f"{self.folder}/moved/") for path in mapped), mapped
        r = self.run(prog, "maps")
        assert "/cat\n" in r.stdout and f"{self.folder}/moved" not in r.stdout.split("\n", 1)[1], r

    def test_environment_of_the_bundle(self):
        self.program()
        self.bundle("prog", "made", "--env", "TEST_A=$BUNDLE/x:/y", "--env", "TEST_B=b")
        for set_before in ({}, {"TEST_B": "old"}, {"TEST_A": "old", "TEST_B": "old"}):
            r = self.run("made/bin/prog", env=set_before)
            assert set(r.stdout.splitlines()[1:]) == {f"env TEST_A={self.folder}/made/bin/../x:/y", "env TEST_B=b"}, r
            assert r.returncode == 7 and r.stderr == "", r

    def test_data_and_several_programs(self):
        self.program()
        self.cc("env.c", "-o", "env")
        (self.folder / "data/sub").mkdir(parents=True)
        (self.folder / "data/sub/text").write_text("text\n")
        (self.folder / "data/link").symlink_to("sub/text")
        shutil.copy(self.folder / "env", self.folder / "data/helper")
        said = self.bundle("prog", "env", "made", "--data", "data=share/x", "--env", "TEST_NOTE=$BUNDLE/y")
        assert "bin/prog, bin/env, share/x/helper;" in said, said
        assert (self.folder / "made/share/x/link").read_text() == "text\n"
        for program, up in (("bin/env", ".."), ("share/x/helper", "../..")):
            program = self.folder / "made" / program
            assert self.run(program).stdout == f"{program.parent}/{up}/y\n", program

    # ---- what is opened at run time ----
    def test_priorities_of_opened_libraries(self):
        for priority, there in (("required", True), ("recommended", True), ("suggested", False)):
            self.program(priority=priority)
            self.bundle("prog", priority)
            assert f"opened={'yes' if there else 'no'}" in self.run(f"{priority}/bin/prog").stdout
        self.bundle("prog", "asked", "--suggested")
        assert "opened=yes" in self.run("asked/bin/prog").stdout
        self.bundle("prog", "with", "--with", "libs/libopened.so*")
        assert "opened=yes" in self.run("with/bin/prog").stdout

    def test_what_is_missing(self):
        self.program()
        (self.folder / "libs/libopened.so.1").unlink()
        said = self.bundle("prog", "made", status=1)
        assert "libnowhere.so.9 or libopened.so.1, which " in said and "opens for x, is not on this system" in said
        self.program(priority="recommended")
        (self.folder / "libs/libopened.so.1").unlink()
        assert "is not on this system: left out" in self.bundle("prog", "made")
        shutil.rmtree(self.folder / "made")
        (self.folder / "libs/libone.so").unlink()
        assert "needs libone.so, which is not on this system" in self.bundle("prog", "made", status=1)
        assert not (self.folder / "made").exists()

    # ---- what is refused ----
    def test_refused(self):
        self.program()
        (self.folder / "script").write_text("#!/bin/sh\n")
        assert "a script of /bin/sh" in self.bundle("script", "made", status=1)
        assert "no such file" in self.bundle("nosuch", "made", status=1)
        (self.folder / "prog").chmod(0o4755)
        assert "set-user-ID" in self.bundle("prog", "made", status=1)
        (self.folder / "prog").chmod(0o755)
        (self.folder / "full").mkdir()
        (self.folder / "full/x").touch()
        assert "not empty" in self.bundle("prog", "full", status=1) and (self.folder / "full/x").exists()

    def test_set_user_id(self):
        prog = self.made()
        if os.geteuid() != 0:
            raise Skip("not root: no set-user-ID program")
        self.folder.chmod(0o755)
        os.chown(prog, 65534, 65534)
        prog.chmod(0o4755)
        r = self.run(prog)
        assert r.returncode == 127 and "does not run with more rights than its user's" in r.stderr, r

    def test_broken_bundles(self):
        prog = self.made()
        loader = self.folder / "moved/lib/myld"
        loader.rename(self.folder / "away")
        r = self.run(prog)
        assert r.returncode == 127 and r.stderr == \
            f"{prog}: cannot open its loader {prog.parent}/../lib/myld: No such file or directory\n", r
        loader.write_text("x" * 2000)
        r = self.run(prog)
        assert r.returncode == 127 and "this is no loader for this machine: " in r.stderr, r
        (self.folder / "away").rename(loader)
        (self.folder / "moved/lib/libone.so").unlink()
        r = self.run(prog)
        assert r.returncode == 127 and "libone.so: cannot open shared object file" in r.stderr, r

    def test_kernel_too_old(self):
        prog = self.made()
        libc = next((self.folder / "moved/lib").rglob("libc.so.6"))
        raw = libc.read_bytes()
        tag = raw.index(b"\4\0\0\0\x10\0\0\0\1\0\0\0GNU\0") + 16  # NT_GNU_ABI_TAG: Linux, and three numbers
        libc.write_bytes(raw[:tag + 4] + bytes([99, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0]) + raw[tag + 16:])
        r = self.run(prog)
        assert r.returncode == 127 and r.stderr.startswith(f"{prog}: error while loading shared libraries: ") and \
            f"libc.so.6: kernel too old: it needs Linux 99.5.0 or newer, this is {os.uname().release}\n" in r.stderr, r

    # ---- another machine ----
    def foreign(self, arch, loader):
        """A bundle of another machine's program, made by the loader of this one and run by qemu-user."""
        tuple_ = f"{arch}-linux-gnu"
        root = self.folder / "root"
        (root / "lib").mkdir(parents=True)
        (root / "bin").mkdir()
        for name in ("libc.so.6", "libgcc_s.so.1"):
            shutil.copy(f"/usr/{tuple_}/lib/{name}", root / "lib")
        cc = f"{tuple_}-gcc"
        for command in ([cc, "-shared", "-fPIC", "-Wl,-soname,libone.so", "one.c", "-o", root / "lib/libone.so"],
                        [cc, "-shared", "-fPIC", "-Wl,-soname,libopened.so.1", "opened.c", "-o", root / "lib/libopened.so.1"],
                        [cc, "prog.c", "-o", root / "bin/prog", root / "lib/libone.so"]):
            subprocess.run(command, cwd=self.folder, check=True)
        self.loader = loader
        self.bundle("--sysroot", root, "/bin/prog", "made", "--with", "libopened.so.1", "--env", "TEST_A=$BUNDLE/x")
        (self.folder / "made").rename(self.folder / "moved")
        prog = self.folder / "moved/bin/prog"
        cpu = ["-cpu", "rv64,v=true,vext_spec=v1.0"] if arch == "riscv64" else []
        r = self.run(f"qemu-{arch}-static", *cpu, prog, "a", "b")
        assert r.returncode == 7 and r.stderr == "", r
        assert r.stdout.startswith(f"one=1 opened=yes argv0={prog} args=2 exe={prog} comm="), r
        assert r.stdout.splitlines()[1:] == [f"env TEST_A={prog.parent}/../x"], r
        if arch == "aarch64":
            # The loader's code has its landing pads checked (PROT_BTI) before it is entered.
            calls = self.run(f"qemu-{arch}-static", "-strace", prog).stderr
            before_entry = calls[:calls.index(" close(")]
            assert "PROT_EXEC|PROT_READ|0x10) = 0" in before_entry, before_entry

    # ---- configuration in a note ----
    def test_note_by_the_linker_and_by_the_tool(self):
        self.cc("env.c", "config.S", "-o", "linked")
        self.cc("env.c", "-o", "plain")
        self.cc("env.c", "-no-pie", "-o", "fixed")
        for plain in ("plain", "fixed"):
            subprocess.run([ROOT / "tools/add_config", plain, "note.conf", f"{plain}.out"], cwd=self.folder, check=True)
            r = self.run(ROOT / "tools/add_config", f"{plain}.out", "note.conf")
            assert r.returncode == 1 and "has a configuration already" in r.stderr, r
        for program in ("linked", "plain.out", "fixed.out"):
            there = f"{self.folder.resolve()}/x\n"
            r = self.run(self.loader, f"./{program}")
            assert r.stdout in (there, f"{self.folder}/./x\n") and r.stderr == "", r
            assert self.run(f"./{program}").stdout == "none\n"  # ld.so knows nothing of it, and runs it
            interp = self.folder / f"{program}.interp"
            subprocess.run(["patchelf", "--set-interpreter", self.loader, "--output", interp,
                            self.folder / ("linked" if program == "linked" else program.split(".")[0])], check=True)
            if program != "linked":
                subprocess.run([ROOT / "tools/add_config", interp, self.folder / "note.conf"], check=True)
            r = self.run(interp)
            assert r.stdout == there and r.returncode == 0, (program, r)
            # The side file is read instead.
            (self.folder / f"{program}.interp.myld.conf").write_text("env TEST_NOTE side\n")
            assert self.run(interp).stdout == "side\n"
            (self.folder / f"{program}.interp.myld.conf").unlink()
            if os.geteuid() == 0:
                self.folder.chmod(0o755)
                os.chown(interp, 65534, 65534)
                interp.chmod(0o4755)
                r = self.run(interp)
                assert r.stdout == "none\n" and r.stderr == "", r
                (self.folder / f"{program}.interp.myld.conf").write_text("env TEST_NOTE side\nbad line\n")
                r = self.run(interp)
                assert r.stdout == "none\n" and r.stderr == "", r

    def test_bad_note(self):
        self.cc("env.c", "-o", "plain")
        (self.folder / "bad.conf").write_text("# one\n\nenv X\n")
        subprocess.run([ROOT / "tools/add_config", "plain", "bad.conf"], cwd=self.folder, check=True)
        r = self.run(self.loader, "./plain")
        assert r.returncode == 127 and "./plain: line 3: 'env' takes a name and a value" in r.stderr, r


def main():
    parser = twins.common_arguments("Bundles of small programs.")
    parser.add_argument("--arch", help="a bundle for this ISA, with build-ISA/myld, instead of all tests for this one")
    options = parser.parse_args()

    def attempt(name, folder):
        bundles = Bundles(str(options.loader), folder)
        if options.arch:
            bundles.foreign(options.arch, str(ROOT / f"build-{options.arch}/myld"))
        else:
            getattr(bundles, name)()
    cases = [("foreign", "foreign")] if options.arch else twins.methods(Bundles)
    sys.exit(twins.run_all(cases, attempt, options))


if __name__ == "__main__":
    main()
