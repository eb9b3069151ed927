#!/usr/bin/python3
"""What `meson install` puts where, and that it works there: manual pages, completions of three shells, tools.

usage: install.py [--build DIRECTORY]. Installs below a folder of its own (DESTDIR). The last line is `N passed, N failed`.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import twins
from twins import ROOT, Skip

PREFIX = "usr/local"
FILES = {
    "bin/myld", "bin/myld-add-config", "bin/myld-bundle", "bin/myld-ldd", "include/myld.h", "libexec/myld", "libexec/myld-stub",
    "share/bash-completion/completions/myld.bash", "share/fish/vendor_completions.d/myld.fish",
    "share/zsh/site-functions/_myld", "share/man/man1/myld-add-config.1", "share/man/man1/myld-bundle.1",
    "share/man/man1/myld-ldd.1", "share/man/man8/myld.8", "share/myld/add_config", "share/myld/bundle",
    "share/myld/bundling/elf.py"}
ZSH = r"""
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "PS1=; fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -D; print READY"
zpty -r -m z lines '*READY*READY*'
zpty -w -n z $'myld --expl\t'
zpty -r -m z lines '*--explain*'
zpty -d z
print completed
"""


class Installation:
    def __init__(self, folder):
        self.destination, self.prefix = folder, folder / PREFIX
        self.loader = self.prefix / "libexec/myld"
        help_text = subprocess.run([self.loader, "--help"], text=True, capture_output=True, check=True).stdout
        self.options = [w for line in help_text.splitlines() for w in line.split()[:1] if w.startswith("--")]
        assert len(self.options) > 15, help_text

    def shell(self, *command, text=None):
        return subprocess.run([str(c) for c in command], text=True, capture_output=True, input=text, timeout=60,
                              env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "TERM": "dumb",
                                   "XDG_CONFIG_HOME": str(self.destination), "XDG_DATA_HOME": str(self.destination)})

    def test_files(self):
        found = {str(f.relative_to(self.prefix)) for f in self.prefix.rglob("*") if f.is_file() or f.is_symlink()}
        assert FILES <= found, FILES - found
        others = {f for f in found - FILES if not f.startswith("share/doc/myld/")}
        assert not others, others
        everything = {f for f in self.destination.rglob("*") if f.is_file() or f.is_symlink()}
        outside = [f for f in everything if not f.is_relative_to(self.prefix)]
        assert not outside, outside  # the system's own loader most of all

    def test_first_example(self):
        """README.md's, with the loader that was installed as the programs' interpreter."""
        folder = self.destination / "build-vector"
        done = self.shell("cmake", "-S", ROOT / "examples/vector", "-B", folder, f"-DLOADER={self.loader}")
        assert done.returncode == 0, done.stderr
        done = self.shell("cmake", "--build", folder)
        assert done.returncode == 0, done.stdout + done.stderr
        for program in (folder / "load_time", folder / "run_time"):
            done = self.shell("readelf", "-lW", program)
            assert f"interpreter: {self.loader}]" in done.stdout, done.stdout
            done = self.shell(program)
            assert (done.returncode, done.stdout, done.stderr) == (
                0, "addvec:  z = [4 6]\nmultvec: z = [3 8]\ncalls: 1 and 1\n", ""), done
        shutil.rmtree(folder)

    def test_links(self):
        for link in ("myld", "myld-bundle", "myld-add-config"):
            target = os.readlink(self.prefix / "bin" / link)
            assert (self.destination / target.lstrip("/")).is_file(), target

    def test_manual_pages(self):
        for page in (self.prefix / "share/man").rglob("*.[18]"):
            r = self.shell("man", "--warnings", "-E", "UTF-8", "-Tutf8", "-Z", "-l", page)
            assert r.returncode == 0 and r.stderr == "", (page, r.stderr)
        text = self.shell("man", "-l", self.prefix / "share/man/man8/myld.8").stdout
        for word in [*self.options, "LD_LIBRARY_PATH", "GLIBC_TUNABLES", "tls-surplus", "EXIT STATUS"]:
            assert word in text, word

    def test_bash(self):
        completion = self.prefix / "share/bash-completion/completions/myld.bash"

        def complete(*words):
            script = f'. {completion}; cd {ROOT}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _myld; ' \
                     'printf "%s\\n" "${COMPREPLY[@]}"'
            r = self.shell("bash", "-u", "-c", script, "-", *words)
            assert r.stderr == "", r.stderr
            return set(r.stdout.split())
        assert complete("myld", "--") == set(self.options)
        assert complete("myld", "--expl") == {"--explain"}
        assert complete("myld", "--explain", "RE") == set()
        assert complete("myld", "--config", "READ") == {"README.md"}
        assert complete("myld", "--config", "=", "READ") == {"README.md"}
        assert complete("myld", "--list", "READ") == {"README.md"}
        assert complete("myld", "--tree", "--config", "x", "/bin/ls", "READ") == {"README.md"}
        assert complete("myld", "/bin/ls", "--expl") == set()

    def test_fish(self):
        if not shutil.which("fish"):
            raise Skip("no fish: its completion is not tried")
        file = self.prefix / "share/fish/vendor_completions.d/myld.fish"
        r = self.shell("fish", "--no-config", "-c", f"source {file}; complete -C 'myld --'")
        assert {line.split("\t")[0] for line in r.stdout.splitlines()} >= set(self.options), r
        r = self.shell("fish", "--no-config", "-c", f"source {file}; cd {ROOT}; complete -C 'myld --config READ'")
        assert r.stdout.split() == ["README.md"], r

    def test_zsh(self):
        if not shutil.which("zsh"):
            raise Skip("no zsh: its completion is not tried")
        folder = self.prefix / "share/zsh/site-functions"
        assert all(f"'{option}" in (folder / "_myld").read_text() for option in self.options)
        r = self.shell("zsh", "-f", "-s", "--", folder, text=ZSH)
        assert r.returncode == 0 and r.stdout.endswith("completed\n"), r

    def test_tools(self):
        r = self.shell(self.loader, "/bin/true")
        assert r.returncode == 0 and r.stderr == "", r
        made = self.destination / "made"
        r = self.shell(self.prefix / "share/myld/bundle", "--myld", self.loader, "/bin/true", made)
        assert r.returncode == 0, r.stderr
        assert self.shell(made / "bin/true").returncode == 0
        (self.destination / "c").write_text("bind now\n")
        out = self.destination / "true"
        r = self.shell(self.prefix / "share/myld/add_config", "/bin/true", self.destination / "c", out)
        assert r.returncode == 0 and self.shell(self.loader, out).returncode == 0, r
        r = self.shell("env", f"MYLD={self.loader}", self.prefix / "bin/myld-ldd", "/bin/true")
        assert r.returncode == 0 and "libc.so.6 => " in r.stdout, r


def install(build, destination):
    """Brings what is installed up to date, and nothing else: the unit tests take minutes."""
    told = subprocess.run(["meson", "introspect", "--targets", build], text=True, capture_output=True, check=True).stdout
    names = [os.path.relpath(file, build.resolve()) for target in json.loads(told) if target["installed"]
             for file in target["filename"]]
    subprocess.run(["ninja", "-C", build, *names], check=True, stdout=subprocess.DEVNULL)
    return subprocess.run(["meson", "install", "-C", build, "--quiet", "--no-rebuild"], text=True, capture_output=True,
                          stdin=subprocess.DEVNULL, env={**os.environ, "DESTDIR": str(destination)})


def main():
    parser = twins.common_arguments("What meson installs.")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.set_defaults(jobs=1)  # they share what is installed, and work in it
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        done = install(options.build, pathlib.Path(folder))
        if done.returncode:
            print(done.stdout + done.stderr)
            return 1
        installation = Installation(pathlib.Path(folder))
        options.loader = installation.loader
        return twins.run_all(twins.methods(Installation), lambda name, _: getattr(installation, name)(), options)


if __name__ == "__main__":
    sys.exit(main())
