#!/usr/bin/python3
"""Runs programs of other Debian releases, and with those the small programs, under one and the same myld.

    matrix.py [--quick] [--arch ISA] [--table] RELEASE...       (all: every release that is supported)

For each release, which is unpacked by sysroots.py:
  1. programs below a folder: `myld --sysroot FOLDER` and `myld --library-path` from outside of it, against
     the release's own loader with --library-path;
  2. tests/system/*.toml in the release as the root folder (system.py --release), on this machine's ISA only;
  3. tests/programs, built here (twin.py).
A release whose glibc is older than 2.34 must be refused. --quick leaves out the parts 2 and 3 but for a few
cases. --table writes the result into docs/glibc.md. Another ISA's programs run under qemu-user.
"""
import argparse
import json
import os
import pathlib
import platform
import re
import shlex
import subprocess
import sys

import sysroots
import twins
from twins import ROOT

TABLE = ROOT / "docs/glibc.md"
SUPPORTED = ["bookworm", "trixie", "sid"]
REFUSED = ["bullseye"]
TWINS = "small programs, built on Debian 12"

# (name, program of /usr/bin or pattern, arguments, package): what can be started from outside, since it finds its files
# by its own place, by the environment below, or needs none.
OUTSIDE = [
    ("true", "true", "", "coreutils"),
    ("ls", "ls", "/usr/bin/..", "coreutils"),
    ("sort with two threads", "sort", "--parallel=2 /etc/services", "coreutils"),
    ("bash", "bash", "-c 'for i in 1 2; do (echo $i $(echo sub)) | while read x; do echo $x; done; done; exit 3'", "bash"),
    ("python3 with extension modules", "python3", "-c 'import ssl, sqlite3, ctypes, threading, lzma, decimal, socket; "
     "t = [threading.Thread(target=print, args=(i,)) for i in range(3)]; [(x.start(), x.join()) for x in t]; "
     "print(ctypes.CDLL(None).abs(-3), socket.getaddrinfo(\"127.0.0.1\", 80)[0][4], "
     "\"x\".encode(\"utf-16\"))'", "python3"),
    ("python3, killed", "python3", "-c 'import os; os.kill(os.getpid(), 11)'", "python3"),
    ("perl with XS modules", "perl", "-MPOSIX -MList::Util=sum -e 'print floor(2.5), sum(1 .. 9), \"\\n\"; exit 4'", "perl"),
    ("git", "git", "--version", "git"),
    ("sqlite3", "sqlite3", ":memory: 'select sqrt(2), json_array(1, 2)'", "sqlite3"),
    ("openssl", "openssl", "dgst -sha256 /etc/passwd", "openssl"),
    ("curl", "curl", "-sS file:///etc/debian_version", "curl"),
    ("xz", "xz", "--version", "xz-utils"),
    ("gawk", "gawk", "'BEGIN {for (i = 0; i < 3; i++) printf \"%.3f\\n\", sin(i)}'", "gawk"),
    ("iconv with a module", "iconv", "-f UTF-8 -t EUC-JP /dev/null", "libc-bin"),
    ("getent", "getent", "passwd root", "libc-bin"),
    ("grep", "grep", "-cE 'o(o|l)' etc/passwd", "grep"),
    ("sed", "sed", "-n 's/^\\(.*\\):x:.*/\\1/p' etc/passwd", "sed"),
    ("find", "find", "usr/share/base-files -name 'm*' -size +0", "findutils"),
    ("tar", "tar", "-cf - etc/hosts etc/passwd", "tar"),
    ("zstd", "zstd", "-c usr/share/base-files/nsswitch.conf", "zstd"),
    ("objdump", "objdump", "-f usr/bin/true", "binutils"),
    ("gcc's compiler proper", "usr/lib*/gcc/*/[0-9]*/cc1", f"-quiet -O2 -o - {ROOT}/examples/vector/addvec.c", "cpp"),
]
# These find files by absolute paths, which the emulator alone looks for in the release's folder.
EMULATED = [
    ("node", "node", "-e 'console.log([3, 1, 2].sort().map(x => x * x).join(), Object.keys(process.versions).length)'",
     "nodejs"),
]
# What another release's libraries do not go together with, by pattern: not tried there.
UNFIT = {"riscv64": (r"dlopen_exceptions \[-static-libgcc\]",
                     "GCC 12's static unwinder and the shared one of a later GCC, under any loader")}
QUICK_SYSTEM = "shell: (true|the system|bash: pipes|sort|names)|python3: (standard|ctypes|threads)|tools: sqlite3"
QUICK_TWINS = r"^(hello|tls|exceptions.*lazy, bfd\]|thread_local|dl_find_object|dl_iterate_phdr|copy_relocation|" \
              r"dlclose_rounds|dlopen_fork|dlerror)$"


class Run:
    """One release on one ISA: its results by name, in order."""

    def __init__(self, name, options):
        self.release, self.architecture = sysroots.parse(name)
        self.options, self.results = options, {}

    def note(self, name, word, detail=""):
        self.results[name] = word
        print(f"{word:4}  {self.release}: {name}{detail}", flush=True)

    def column(self):
        return f"{sysroots.GLIBC[self.release]} {self.options.arch}"

    def go(self):
        outside = OUTSIDE + (EMULATED if self.options.arch != platform.machine() else [])
        packages = sorted({package for *_, package in outside} | {"libc-bin", "libstdc++6"})
        refused = self.release in REFUSED
        try:
            self.root = sysroots.make(f"{self.release}-{self.architecture}", ["coreutils"] if refused else packages)
        except sysroots.NotAvailable as reason:
            self.libraries_alone(str(reason).splitlines()[-1])
            return
        if refused:
            self.refusal()
            return
        for case in outside:
            if re.search(self.options.only or "", case[0]):
                self.outside(*case)
        self.script("system.py", ["--release", self.release], QUICK_SYSTEM, self.options.arch == platform.machine())
        self.small_programs()

    def libraries_alone(self, reason):
        """The release has no packages of this ISA (or they cannot be had now), but perhaps cross compilers for it."""
        try:
            if self.release in REFUSED or self.options.arch == platform.machine():
                raise sysroots.NotAvailable(reason)
            self.root = sysroots.cross_libraries(self.release, self.options.arch)
        except sysroots.NotAvailable:
            self.note("packages", "skip", f" ({reason})")
            return
        print(f"      {self.release}: the libraries of its cross compilers alone ({reason})")
        self.small_programs()

    def small_programs(self):
        if self.options.arch == platform.machine():
            self.script("twin.py", ["--release", self.release], QUICK_TWINS)
        else:
            tuple_ = f"{self.options.arch}-linux-gnu"
            arguments = ["--arch", self.options.arch, "--cc", f"{tuple_}-gcc", "--cxx", f"{tuple_}-g++",
                         "--sysroot", str(self.root), "--emulator", shlex.join(self.emulator())]
            if self.release != "bookworm":
                arguments.append("--other-release")
                if self.options.arch in UNFIT and not (self.options.only or self.options.quick):
                    pattern, reason = UNFIT[self.options.arch]
                    arguments += ["--only", f"^(?!{pattern})"]
                    self.note(f"{TWINS}: " + pattern.replace("\\", ""), "skip", f" ({reason})")
            self.script("twin.py", arguments, QUICK_TWINS)

    def emulator(self):
        if self.options.arch == platform.machine():
            return []
        return [f"qemu-{self.options.arch}-static", "-L", str(self.root)]

    def environment(self):
        """Where the programs find what they know by an absolute path."""
        usr = self.root / "usr"
        perl = sorted(str(p) for pattern in ("lib/*/perl/5.*", "share/perl/5.*", "lib/*/perl-base")
                      for p in usr.glob(pattern) if not p.is_symlink())
        triplet = sysroots.TRIPLET[self.architecture]
        return {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent", "PYTHONHOME": str(usr),
                "PERL5LIB": ":".join(perl), "GCONV_PATH": str(usr / "lib" / triplet / "gconv")}

    def outside(self, name, program, arguments, _):
        path = sysroots.library_path(self.root, self.architecture)
        there = str(self.root / "usr/bin" / program)
        if "/" in program:
            there = str(next(self.root.glob(program), there))
        ldso = str(self.root / twins.LDSO[self.options.arch].lstrip("/"))
        loader = str(self.options.loader)

        def run(command):
            command = [*self.emulator(), *command, there, *shlex.split(arguments)]
            return twins.run(command, self.root, self.environment())
        reference = run([ldso, "--library-path", path])
        for way, own in (("--sysroot", ["--sysroot", str(self.root)]), ("--library-path", ["--library-path", path])):
            try:
                if reference.status == 127 or reference.status is None:
                    raise twins.Failure(f"ld.so: status {reference.status}\n{reference.stderr}")
                run([loader, *own]).require(vars(reference), way)
                self.note(f"{name} ({way})", "ok")
            except twins.Failure as reason:
                self.note(f"{name} ({way})", "FAIL", f": {reason}")

    def script(self, script, arguments, quick_only, possible=True):
        """One of the harnesses; its lines become ours."""
        if not possible:
            return
        command = [sys.executable, str(ROOT / "tests" / script), "--loader", str(self.options.loader),
                   "--jobs", str(self.options.jobs), *arguments]
        if self.options.only or self.options.quick:
            command += ["--only", self.options.only or quick_only]
        process = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        last = ""
        for line in process.stdout:
            last = line
            if found := re.match(r"(ok|FAIL|skip)  (.*?)((: | \().*)?$", line.rstrip()):
                word, whole = found[1], line.rstrip()[6:]
                name = re.sub(r" \([^()]*\)$", "", whole) if word == "skip" else whole
                if word == "FAIL":
                    name = re.sub(r": (ld\.so|direct|interp|\S+: status)\b.*", "", whole)
                self.note(name if script == "system.py" else f"{TWINS}: {name}", word,
                          whole[len(name):])
            elif not re.match(r"[0-9]+ passed", line):
                print("      " + line.rstrip())
        if self.options.only and last.startswith("0 passed, 0 failed"):  # the pattern is for other cases
            return
        if process.wait() and not any(word == "FAIL" for word in self.results.values()):
            self.note(script, "FAIL", f": it stopped: {last}")

    def refusal(self):
        there = str(self.root / "bin/true")
        found = twins.run([*self.emulator(), str(self.options.loader), "--sysroot", str(self.root), there], "/",
                          {"PATH": "/usr/bin:/bin"})
        wanted = [f"found glibc {sysroots.GLIBC[self.release]}", "known on", "not supported"]
        good = found.status == 127 and not found.stdout and all(text in found.stderr for text in wanted)
        self.note("is refused, saying why", "ok" if good else "FAIL",
                  "" if good else f": status {found.status}: {found.stderr}")


def cell(results, name):
    """What the table says of a program, or of all the small ones."""
    if name != TWINS:
        return {"ok": "yes", "FAIL": "**no**", "skip": "-", None: ""}[results.get(name)]
    words = [word for known, word in results.items() if known.startswith(TWINS) and word != "skip"]
    return f"{words.count('ok')} of {len(words)}" if words else ""


def write_table(columns):
    """The table of docs/glibc.md; what was not run now keeps what was said of it."""
    store = ROOT / "docs/glibc.json"
    known = json.loads(store.read_text()) if store.exists() else {}
    for column, results in columns.items():
        known.setdefault(column, {}).update(results)
    store.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
    order = sorted(known, key=lambda c: (c.split()[1] != "x86_64", c.split()[1], c))
    names = {name if not name.startswith(TWINS) else TWINS for column in order for name in known[column]}
    lines = ["| | " + " | ".join(f"glibc {c}" for c in order) + " |", "|---|" + "---|" * len(order)]
    for name in sorted(names, key=lambda n: (n == TWINS, ": " in n, n)):
        lines.append(f"| {name} | " + " | ".join(cell(known[c], name) for c in order) + " |")
    before, _, rest = TABLE.read_text().partition("<!-- matrix -->\n")
    _, _, after = rest.partition("<!-- end of matrix -->\n")
    TABLE.write_text(before + "<!-- matrix -->\n" + "\n".join(lines) + "\n<!-- end of matrix -->\n" + after)


def main():
    parser = argparse.ArgumentParser(description="Other Debian releases' programs under myld.")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--only", metavar="PATTERN", help="regular expression that a case's name must contain")
    parser.add_argument("--arch", default=platform.machine())
    parser.add_argument("--loader", type=pathlib.Path)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("releases", nargs="+", metavar="RELEASE")
    options = parser.parse_args()
    default = "build" if options.arch == platform.machine() else f"build-{options.arch}"
    options.loader = (options.loader or ROOT / default / "myld").resolve()
    if not options.loader.is_file():
        raise SystemExit(f"{options.loader}: no such loader (build it first)")
    count = {"ok": 0, "FAIL": 0, "skip": 0}
    releases = REFUSED + SUPPORTED if "all" in options.releases else options.releases
    for release in releases:
        run = Run(f"{sysroots.parse(release)[0]}-{sysroots.DEBIAN[options.arch]}", options)
        run.go()
        if options.table:  # after each, since a run takes long
            write_table({run.column(): run.results})
        for word in run.results.values():
            count[word] += 1
    tail = f", {count['skip']} skipped" if count["skip"] else ""
    print(f"{count['ok']} passed, {count['FAIL']} failed{tail}")
    sys.exit(1 if count["FAIL"] else 0)


if __name__ == "__main__":
    main()
