#!/usr/bin/python3
"""What the loader tells of programs: failing starts, --tree, --explain, as text and as JSON.

usage: tell.py [--loader LOADER]. Builds small programs in a folder of its own and looks at what the loader
says of them. The last line is `N passed, N failed`.
"""
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys

import twins
from twins import ROOT, Skip

SOURCES = {
    "prog.c": "int one(void), two(void); int main(void) { return one() + two(); }",
    "one.c": "int one(void) { return 1; }",
    "two.c": "int three(void); int two(void) { return three(); }",
    "three.c": "int three(void) { return 3; }",
    "four.c": "int one(void) { return 4; }",
    "versioned.c": "int versioned(void) { return 0; }",
    "user.c": "int versioned(void); int main(void) { return versioned(); }",
    "old.map": "V_1.9 { global: versioned; };",
    "new.map": "V_1.9 { }; V_1.10 { global: versioned; } V_1.9;",
    "empty.c": "int main(void) { return 0; }",
}


class Tells:
    def __init__(self, loader, folder):
        self.loader, self.folder = loader, folder
        for name, text in SOURCES.items():
            (folder / name).write_text(text + "\n")

    def cc(self, *arguments, compiler="cc"):
        subprocess.run([compiler, *arguments], cwd=self.folder, check=True)

    def library(self, out, source, *flags):
        self.cc("-shared", "-fPIC", f"-Wl,-soname,{out}", source, "-o", out, *flags)

    def program(self):
        """prog needs libone.so.2 and libtwo.so; libtwo.so needs libthree.so.1."""
        self.library("libone.so.2", "one.c")
        self.library("libthree.so.1", "three.c")
        self.library("libtwo.so", "two.c", "./libthree.so.1", "-Wl,-rpath,$ORIGIN")
        self.cc("prog.c", "-o", "prog", "./libone.so.2", "./libtwo.so", "-Wl,-rpath,$ORIGIN:/nonexistent",
                "-Wl,-z,now")

    def run(self, *arguments, env=None):
        return subprocess.run([self.loader, *arguments], cwd=self.folder, text=True, timeout=60,
                              capture_output=True, env=env or {"PATH": "/usr/bin:/bin"})

    def json(self, *arguments, status=0):
        r = self.run("--json", *arguments)
        assert r.returncode == status, (r.returncode, r.stderr)
        return json.loads(r.stdout)

    # ---- failing starts ----
    def test_all_missing_libraries_at_once(self):
        self.program()
        (self.folder / "libone.so.2").rename(self.folder / "libone.so.1")
        (self.folder / "libthree.so.1").unlink()
        r = self.run("./prog")
        assert r.returncode == 127 and r.stdout == ""
        assert r.stderr.splitlines()[0] == (
            "./prog: error while loading shared libraries: libone.so.2: cannot open shared object "
            "file: No such file or directory"), r.stderr
        for line in ("Missing: 2 libraries, 2 symbols.", "Library libone.so.2", "Library libthree.so.1",
                     f"  similar    {self.folder}/./libone.so.1", "/etc/ld.so.cache: no entry",
                     "/nonexistent/ (RUNPATH of ./prog): no such directory"):
            assert line in r.stderr, (line, r.stderr)
        told = self.json("./prog", status=127)
        assert [l["name"] for l in told["libraries"]] == ["libone.so.2", "libthree.so.1"]
        assert told["libraries"][1]["needed_by"] == [f"{self.folder}/./libtwo.so", "./prog"]
        assert {s["name"] for s in told["symbols"]} == {"one", "three"}
        assert told["status"] == 127

    def test_where_some_of_very_many_libraries_were_looked_for(self):
        names = [f"libmany{i:02}.so" for i in range(40)]
        self.cc("-shared", "-o", names[0], "-xc", "/dev/null")  # without a soname: needed by its file's name
        for name in names[1:]:
            (self.folder / name).write_bytes((self.folder / names[0]).read_bytes())
        self.cc("empty.c", "-o", "prog", "-L.", "-Wl,--no-as-needed", *(f"-l:{n}" for n in names))
        for name in names:
            (self.folder / name).unlink()
        r = self.run("./prog")
        assert r.returncode == 127, r.stderr
        assert all(f"libraries: {n}: cannot open" in r.stderr for n in names), r.stderr
        assert "Missing: 40 libraries." in r.stderr and "\n... and 10 more libraries (" in r.stderr, r.stderr
        assert "\nLibrary libmany29.so" in r.stderr and "\nLibrary libmany30.so" not in r.stderr, r.stderr
        assert [l["name"] for l in self.json("./prog", status=127)["libraries"]] == names

    def test_why_a_file_was_rejected(self):
        self.program()
        (self.folder / "libone.so.2").unlink()
        hidden = self.folder / "32"
        hidden.mkdir()
        raw = bytearray((self.folder / "libtwo.so").read_bytes())
        raw[4] = 1  # ELFCLASS32
        (hidden / "libone.so.2").write_bytes(raw)
        r = self.run("--library-path", str(hidden), "--json", "./prog")
        assert r.returncode == 127
        reasons = {p["path"]: p["rejected"] for p in json.loads(r.stdout)["libraries"][0]["searched"]}
        assert reasons[f"{hidden}/libone.so.2"] == "wrong ELF class: ELFCLASS32", reasons

    def test_files_of_no_use(self):
        self.program()
        good = (self.folder / "libone.so.2").read_bytes()
        (self.folder / "libone.so.1").write_bytes(good)
        for content, reason in ((b"text", "file too short"), (b"text" * 100, "invalid ELF header"), (good[:500], "outside")):
            (self.folder / "libone.so.2").write_bytes(content)
            (self.folder / "libthree.so.1").write_bytes(content)
            r = self.run("./prog")
            assert r.returncode == 127 and "of no use: 2 files." in r.stderr, r.stderr
            for line in (f"File {self.folder}/./libone.so.2", "  needed by  ./prog", "  rejected   ",
                         f"  similar    {self.folder}/./libone.so.1"):
                assert line in r.stderr, (line, r.stderr)
            files = self.json("./prog", status=127)["files"]
            assert [f["path"] for f in files] == [f"{self.folder}/./{n}" for n in ("libone.so.2", "libthree.so.1")], files
            assert all(reason in f["rejected"] for f in files), files
            assert files[1]["needed_by"] == [f"{self.folder}/./libtwo.so", "./prog"], files

    def test_no_hash_table(self):
        self.program()
        raw = bytearray((self.folder / "libone.so.2").read_bytes())
        for tag in (0x6ffffef5, 4):  # DT_GNU_HASH, DT_HASH: now a tag that nobody knows
            if (at := raw.find(tag.to_bytes(8, "little"), 0x1000)) >= 0:
                raw[at:at + 8] = (0x6000000e).to_bytes(8, "little")
        (self.folder / "libone.so.2").write_bytes(raw)
        r = self.run("./prog")
        assert r.returncode == 127 and f"No symbol is found in {self.folder}/./libone.so.2: it has no hash table" in r.stderr, r
        assert self.json("./prog", status=127)["without_hash"] == [f"{self.folder}/./libone.so.2"]

    def test_no_permission(self):
        if os.geteuid() != 0 or not shutil.which("setpriv"):
            raise Skip("not root, or no setpriv")
        self.program()
        for name in ("libone.so.2", "libthree.so.1", "prog"):
            (self.folder / name).chmod(0o755)
        self.folder.chmod(0o755)
        (self.folder / "libone.so.2").chmod(0)
        loader = self.folder / "loader"  # where everybody may run it
        shutil.copy(self.loader, loader)
        r = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", loader, "--json", "./prog"], cwd=self.folder,
                           text=True, capture_output=True)
        told = json.loads(r.stdout)["libraries"]
        assert [p["rejected"] for p in told[0]["searched"]][:1] == ["Permission denied"], told

    def test_missing_version(self):
        self.library("libv.so.1", "versioned.c", "-Wl,--version-script=new.map")
        self.cc("user.c", "-o", "user", "./libv.so.1", "-Wl,-rpath,$ORIGIN")
        self.library("libv.so.1", "versioned.c", "-Wl,--version-script=old.map")
        r = self.run("./user")
        assert r.returncode == 1, r
        assert r.stderr.splitlines()[0] == (f"./user: {self.folder}/./libv.so.1: version `V_1.10' not found "
                                            "(required by ./user)"), r.stderr
        assert "whose newest is V_1.9" in r.stderr
        told = self.json("./user", status=1)
        assert told["versions"][0]["newest"] == "V_1.9" and told["versions"][0]["version"] == "V_1.10"

    def test_missing_symbol_and_its_other_version(self):
        self.library("libv.so.1", "versioned.c")
        self.cc("user.c", "-o", "user", "./libv.so.1", "-Wl,-rpath,$ORIGIN", "-Wl,-z,now")
        self.library("libv.so.1", "one.c")
        told = self.json("./user", status=127)
        assert told["symbols"] == [{"name": "versioned", "version": None, "needed_by": ["./user"],
                                    "similar": []}], told
        assert told["libraries"] == []

    def packages(self, soname):
        """What is said of the packages for `soname`, in the system below self.folder / "root"."""
        self.library(soname, "one.c")
        self.cc("empty.c", "-o", "e", "-Wl,--no-as-needed", f"./{soname}")
        (self.folder / soname).unlink()
        text = self.run("--sysroot", str(self.folder / "root"), "./e").stderr
        told = self.json("--sysroot", str(self.folder / "root"), "./e", status=127)
        library = next(l for l in told["libraries"] if l["name"] == soname)
        for package in library["packages"]:
            assert f"  {package['name']} (" in text.replace("package    ", "  "), text
        return [p["name"] for p in library["packages"]]

    def test_the_package_that_lists_a_file(self):
        info = self.folder / "root/var/lib/dpkg/info"
        info.mkdir(parents=True)
        (info / "libfoo1:amd64.list").write_text("/.\n/opt/lib/libfoo.so.1\n")
        (info / "libbar1.list").write_text("/opt/lib/libfoo.so.1.2\n/opt/lib/xlibfoo.so.1\n")
        assert self.packages("libfoo.so.1") == ["libfoo1"]

    def test_the_package_of_a_name(self):
        lists = self.folder / "root/var/lib/apt/lists"
        lists.mkdir(parents=True)
        text = "".join(f"Package: {name}\nVersion: 1\n\n" for name in
                       ("aaa", "libfoo-bar2-3", "libold5", "libtime6t64", "libtime60"))
        (lists / "mirror_main_Packages").write_text(text)
        assert self.packages("libFoo_bar2.so.3") == ["libfoo-bar2-3"]
        assert self.packages("libtime.so.6") == ["libtime6t64"]
        assert self.packages("libol.so.5") == []
        # The same in LZ4: one frame, its block stored as it is; and, where there is the program, compressed.
        size = len(text) | 1 << 31
        (lists / "mirror_main_Packages").rename(lists / "text")
        (lists / "mirror_main_Packages.lz4").write_bytes(
            b"\x04\x22\x4d\x18\x40\x40\x00" + size.to_bytes(4, "little") + text.encode() + bytes(4))
        assert self.packages("libold.so.5") == ["libold5"]
        assert self.packages("libol.so.5") == []
        if shutil.which("lz4"):
            (lists / "text").write_text("".join(f"Package: x{i}\n{'filler ' * i}\n" for i in range(1000)) + text)
            subprocess.run(["lz4", "-qf", lists / "text", lists / "mirror_main_Packages.lz4"], check=True)
            assert self.packages("libold.so.5") == ["libold5"]
        (lists / "mirror_main_Packages.lz4").write_bytes(b"not a frame")
        assert self.packages("libold.so.5") == []

    def test_the_capability_of_rpm(self):
        (self.folder / "root/usr/lib/sysimage/rpm").mkdir(parents=True)
        assert self.packages("libfoo.so.1") == ["libfoo.so.1()(64bit)"]

    # ---- --tree and --explain ----
    def test_tree(self):
        self.program()
        r = self.run("--tree", "./prog")
        assert r.returncode == 0 and r.stderr == "", r
        lines = r.stdout.splitlines()
        assert lines[0] == "./prog"
        assert lines[1] == f"|-- libone.so.2 => {self.folder}/./libone.so.2 (RUNPATH of ./prog)"
        assert f"|   `-- libthree.so.1 => {self.folder}/./libthree.so.1 (RUNPATH of {self.folder}/./libtwo.so)" \
            in lines, r.stdout
        assert sum("libc.so.6" in l for l in lines) == 1
        told = self.json("--tree", "./prog")
        assert [m["soname"] for m in told["modules"]][1:3] == ["libone.so.2", "libtwo.so"]

    def test_tree_of_what_is_missing(self):
        self.program()
        (self.folder / "libthree.so.1").unlink()
        r = self.run("--tree", "./prog")
        assert r.returncode == 127 and "libthree.so.1 => not found" in r.stdout, r
        assert "Library libthree.so.1" in r.stderr

    def test_explain_symbol(self):
        self.program()
        self.library("libfour.so", "four.c")
        told = self.json("--preload", "./libfour.so", "--explain", "one", "./prog")
        assert told["asked_for_by"] == [{"module": "./prog", "version": None, "weak": False,
                                         "bound_to": "./libfour.so"}], told
        first, second = told["provided_by"]
        assert first["module"] == "./libfour.so" and first["users"] == 1
        assert second["module"].endswith("libone.so.2") and second["users"] == 0
        assert second["rule"] == "shadowed by one that comes before in the search order"
        r = self.run("--explain", "one", "./prog")
        assert "./prog: one -> " in r.stdout and r.returncode == 0
        assert self.run("--explain", "there_is_no_such_symbol", "./prog").returncode == 1

    def test_explain_library(self):
        self.program()
        later = self.folder / "later"
        later.mkdir()
        shutil.copy(self.folder / "libone.so.2", later)
        r = subprocess.run(["patchelf", "--set-rpath", "$ORIGIN:$ORIGIN/later", "prog"], cwd=self.folder)
        assert r.returncode == 0
        told = self.json("--explain", "libone.so.2", "./prog")
        assert told["needed_by"] == [["./prog"]]
        assert told["searched"] == [{"path": f"{self.folder}/./libone.so.2", "rule": "RUNPATH", "of": "./prog",
                                     "note": None}]
        assert [s["path"] for s in told["shadowed"]] == [f"{self.folder}/./later/libone.so.2"]

    # ---- pictures of a start ----
    def test_trace(self):
        self.program()
        r = self.run("--trace", "out.json", "./prog")
        assert r.returncode == 1 + 3 and r.stderr == "", r
        events = json.loads((self.folder / "out.json").read_text())["traceEvents"]
        steps = {(e["cat"], e["name"].split("/")[-1]) for e in events}
        for step in (("search", "libone.so.2"), ("map", "libtwo.so"), ("relocate", "prog"), ("init", "libtwo.so"),
                     ("pass", "load")):
            assert step in steps, (step, steps)
        assert all(e["ph"] == "X" and e["dur"] >= 0 and e["ts"] > 0 for e in events)
        assert self.run("--trace", "/nonexistent/x", "./prog").stderr == \
            "myld: /nonexistent/x: No such file or directory\n"

    def test_report_in_a_browser(self):
        self.program()
        self.library("libfour.so", "four.c")
        r = self.run("--preload", "./libfour.so", "--report", "out.html", "./prog", "a <b> </script> & c")
        assert r.returncode == 4 + 3 and r.stderr == "", r
        browser = shutil.which("chromium")
        if not browser:
            raise Skip("no chromium: the page was written, and is not opened")
        r = subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
                            f"--user-data-dir={self.folder}/browser", "--dump-dom",
                            f"file://{self.folder}/out.html"], capture_output=True, text=True, timeout=120)
        assert "CONSOLE" not in r.stderr, r.stderr
        dom = r.stdout
        assert "<h1 id=\"title\">Start of " in dom and "&lt;b&gt; &lt;/script&gt; &amp; c" in dom, dom[:3000]
        for part, behind in (("timeline", "graph"), ("graph", "modules")):
            piece = dom.split(f'id="{part}"', 1)[1].split(f'id="{behind}"', 1)[0]
            assert piece.count("<rect") >= 4, (part, piece[:500])
        assert "libone.so.2" in dom.split('id="modules"', 1)[1].split('id="space"', 1)[0]
        assert "libone.so.2" in dom.split('id="space"', 1)[1].split('id="failed"', 1)[0]
        interposed = dom.split('id="interposed"', 1)[1]
        assert "<td>one</td>" in interposed.split("</table>", 1)[0], interposed[:500]

    # ---- what stands around the loader ----
    def test_manual_has_every_option(self):
        options = [w for line in self.run("--help").stdout.splitlines() for w in line.split()[:1] if w[:2] == "--"]
        assert len(options) > 15
        for kind in ("man", "bash", "zsh", "fish"):
            out = self.folder / kind
            subprocess.run([sys.executable, ROOT / "tools/install/make_manual.py",
                            ROOT / "rtld/start/command_line.cpp", "1", kind, out], check=True)
            text = out.read_text().replace("\\-", "-")
            assert not [o for o in options if (f"-l {o[2:]}" if kind == "fish" else o) not in text], kind

    def test_ldd(self):
        self.program()
        ldd = self.folder / "ldd"
        ldd.write_text((ROOT / "tools/install/myld-ldd.in").read_text().replace("@MYLD@", self.loader))
        run = lambda *a: subprocess.run(["sh", ldd, *a], cwd=self.folder, capture_output=True, text=True)
        r = run("prog")
        assert r.returncode == 0 and "libone.so.2 => " in r.stdout and r.stderr == "", r
        r = run("prog", "nosuch")
        assert r.returncode == 1 and r.stdout.startswith("./prog:\n") and "nosuch" in r.stderr, r
        assert json.loads(run("--json", "prog").stdout)["modules"][1]["soname"] == "libone.so.2"
        assert run("--wrong").returncode == 1 and run().returncode == 1

    # ---- configuration ----
    def test_configuration(self):
        self.library("libone.so.2", "one.c")
        self.library("libthree.so.1", "three.c")
        self.library("libtwo.so", "two.c", "./libthree.so.1")
        self.cc("prog.c", "-o", "prog", "./libone.so.2", "-L.", "-ltwo", "-Wl,-rpath-link,.")
        parts = self.folder / "parts"
        parts.mkdir()
        for name in ("libtwo.so", "libthree.so.1"):
            (self.folder / name).rename(parts / name)
        (self.folder / "libone.so.2").unlink()
        self.library("libfour.so", "four.c")
        assert self.run("./prog").returncode == 127
        side = self.folder / "prog.myld.conf"
        side.write_text("# of a bundle\nsearch $ORIGIN/parts\nmap ./libone.so.2 x\nbind now\ntls-surplus 65536\n")
        (self.folder / "own.conf").write_text("search $ORIGIN/parts\nmap libone.so.2 $ORIGIN/libfour.so\n")
        subprocess.run(["patchelf", "--replace-needed", "./libone.so.2", "libone.so.2", "prog"],
                       cwd=self.folder, check=True)
        assert self.run("./prog").returncode == 127  # libone.so.2 is nowhere
        for config in ("own.conf", f"{self.folder}/own.conf", "./own.conf"):
            assert self.run("--config", config, "./prog").returncode == 4 + 3
        (self.folder / "own.conf").rename(side)
        assert self.run("./prog").returncode == 4 + 3
        interp = self.folder / "interp"
        shutil.copy(self.folder / "prog", interp)
        subprocess.run(["patchelf", "--set-interpreter", self.loader, interp], check=True)
        assert subprocess.run([interp], stderr=subprocess.DEVNULL).returncode == 127
        shutil.copy(side, f"{interp}.myld.conf")
        assert subprocess.run([interp], env={}).returncode == 4 + 3
        tree = self.run("--tree", "./prog").stdout
        assert "libfour.so (configured file)" in tree and "(configured directory)" in tree, tree

    def test_configured_preload(self):
        self.program()
        self.library("libfour.so", "four.c")
        (self.folder / "prog.myld.conf").write_text("preload $ORIGIN/libfour.so\n")
        assert self.run("./prog").returncode == 4 + 3

    def test_configured_binding(self):
        """A function that is nowhere, and never called, is missed only by who binds all at the start."""
        (self.folder / "lazy.c").write_text("int one(void); int main(int n, char** v) { return n > 9 ? one() : 5; }")
        self.library("libone.so.2", "one.c")
        self.cc("lazy.c", "-o", "lazy", "-Wl,-z,lazy", "-Wl,-rpath,$ORIGIN", "./libone.so.2")
        self.library("libone.so.2", "three.c")
        for text, status in (("", 5), ("bind lazy\n", 5), ("bind now\n", 127)):
            (self.folder / "lazy.myld.conf").write_text(text)
            assert self.run("./lazy").returncode == status, (text, status)

    def test_configured_surplus(self):
        """A library that was built for static TLS, with 128 KiB of it, and opened when there is a thread."""
        (self.folder / "ie.c").write_text("__thread __attribute__((tls_model(\"initial-exec\"))) char block[131072] = {1};"
                                          "int get(void) { return block[0]; }")
        (self.folder / "late.c").write_text("#include <dlfcn.h>\n#include <pthread.h>\n#include <stdio.h>\n#include <unistd.h>\n"
                                            "void* wait(void* p) { pause(); return p; } int main(void) {"
                                            "pthread_t t; if (pthread_create(&t, 0, wait, 0)) return 9;"
                                            "if (dlopen(\"./libie.so\", RTLD_NOW)) return 6; puts(dlerror()); return 4; }")
        self.library("libie.so", "ie.c")
        self.cc("late.c", "-o", "late")
        r = self.run("./late")
        assert r.returncode == 4 and "static TLS" in r.stdout, r
        (self.folder / "late.myld.conf").write_text("tls-surplus 200000\n")
        r = self.run("./late")
        assert r.returncode == 6, r

    def test_confined(self):
        self.program()
        inner = self.folder / "inner"
        inner.mkdir()
        for name in ("libone.so.2", "libtwo.so", "libthree.so.1"):
            shutil.copy(self.folder / name, inner)
        subprocess.run(["patchelf", "--set-rpath", str(inner), "prog"], cwd=self.folder, check=True)
        side = self.folder / "prog.myld.conf"
        libc = f"map libc.so.6 {self.json('--explain', 'libc.so.6', './prog')['searched'][-1]['path']}\n"
        assert self.run("./prog").returncode == 4
        side.write_text(f"confine yes\n{libc}")  # the run path is absolute, and not the configuration's
        r = self.run("./prog")
        assert r.returncode == 127 and "Library libone.so.2" in r.stderr and "cache" not in r.stderr, r
        r = self.run("--library-path", str(inner), "./prog")
        assert r.returncode == 127 and str(inner) not in r.stderr, r
        subprocess.run(["patchelf", "--set-rpath", "$ORIGIN/inner", "prog"], cwd=self.folder, check=True)
        assert self.run("./prog").returncode == 4
        side.write_text(f"confine yes\nsearch {inner}\n{libc}")
        subprocess.run(["patchelf", "--remove-rpath", "prog"], cwd=self.folder, check=True)
        assert self.run("./prog").returncode == 4
        side.write_text("confine yes\n")  # and the system's own libc is not found either
        assert "libc.so.6" in [l["name"] for l in self.json("./prog", status=127)["libraries"]]

    def test_bad_configuration(self):
        self.program()
        for text, told in (("\nlibrary x\n", "line 2: the words are"), ("search lib\n", "line 1: 'search' takes"),
                           ("bind maybe\n", "line 1: 'bind' takes"), ("binding maybe\n", "line 1: 'binding' takes"),
                           ("\nbinding auto:x\n", "line 2: 'binding' takes"), ("binding auto:", "line 1: 'binding' takes"), ("map a\n", "line 1: 'map' takes"),
                           ("tls-surplus 9999999999\n", "line 1: 'tls-surplus' takes"),
                           ("search /a\0b\n", "line 2: a word without a value"),
                           (f"map a /{'x' * 5000}\n", "line 1: a path that is too long"),
                           ("#\n" * 200000, "more than 256 KiB"),
                           ("# x\nconfine on", "line 2: 'confine' takes yes or no"), ("env A=B c", "line 1: 'env' takes"),
                           ("env A", "line 1: 'env' takes"), ("bind", "line 1: a word without a value"),
                           ("tls-surplus 1k", "line 1: 'tls-surplus' takes"), ("bind now now", "line 1: more than one value"),
                           ("".join(f"env A{i} b\n" for i in range(65)), "line 65: no room")):
            (self.folder / "bad.conf").write_text(text)
            r = self.run("--config", "bad.conf", "./prog")
            assert r.returncode == 127 and told in r.stderr, r
        assert self.run("--config", "nowhere.conf", "./prog").returncode == 127

    def test_nothing_runs(self):
        self.program()
        (self.folder / "loud.c").write_text(
            "#include <stdio.h>\n__attribute__((constructor)) void f(void) { puts(\"ran\"); }"
            "int one(void) { return 1; }")
        self.library("libone.so.2", "loud.c")
        for request in (["--tree"], ["--explain", "one"]):
            assert "ran" not in self.run(*request, "./prog").stdout

    def test_another_machine(self):
        if platform.machine() == "aarch64":
            raise Skip("this machine is the other one")
        compiler = "aarch64-linux-gnu-gcc"
        if not shutil.which(compiler):
            raise Skip(f"no {compiler}")
        self.cc("empty.c", "-o", "foreign", compiler=compiler)
        sysroot = "/usr/aarch64-linux-gnu"
        told = self.json("--tree", "--sysroot", sysroot, "./foreign")
        assert told["machine"] == "aarch64"
        assert [m["soname"] for m in told["modules"]] == [None, "libc.so.6", "ld-linux-aarch64.so.1"], told
        told = self.json("--sysroot", sysroot, "--explain", "__libc_start_main", "./foreign")
        assert told["asked_for_by"][0]["bound_to"] == f"{sysroot}/lib/libc.so.6"


def main():
    options = twins.common_arguments("What the loader tells of programs.").parse_args()
    sys.exit(twins.run_all(twins.methods(Tells),
                           lambda name, folder: getattr(Tells(str(options.loader), folder), name)(), options))


if __name__ == "__main__":
    main()
