#!/usr/bin/python3
"""Unpacks the programs of other Debian releases into folders, without touching the system's own packages.

    sysroots.py RELEASE[-ARCHITECTURE] PACKAGE...

RELEASE is a name (trixie) or the glibc that it has (2.41), ARCHITECTURE is Debian's name (amd64). The
packages and everything that they depend on are fetched with an apt configuration of their own and
unpacked, without their maintainer scripts, below $MYLD_CACHE (.cache/sysroots in the sources). What is
there already is not fetched again; another list of packages is added to it. Prints the folder.
"""
import fcntl
import functools
import os
import pathlib
import platform
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = pathlib.Path(os.environ.get("MYLD_CACHE", ROOT / ".cache/sysroots"))
GLIBC = {"bullseye": "2.31", "bookworm": "2.36", "trixie": "2.41", "sid": "2.43"}
DEBIAN = {"x86_64": "amd64", "aarch64": "arm64", "riscv64": "riscv64"}
TRIPLET = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu", "riscv64": "riscv64-linux-gnu"}
# Folders that are links into /usr, which a package's script makes.
MERGED = ("bin", "sbin", "lib", "lib64")
# apt does not take these for granted in a system that has nothing.
BASE = ("base-files", "base-passwd", "libc6", "libc-bin", "dash", "coreutils")


class NotAvailable(Exception):
    """The release has no such architecture or cannot be reached; the text is apt's."""


def parse(name):
    """("trixie", "amd64") for "2.41", "trixie" or "trixie-amd64"."""
    release, _, architecture = name.partition("-")
    release = {version: known for known, version in GLIBC.items()}.get(release, release)
    if release not in GLIBC:
        raise SystemExit(f"{name}: not one of {', '.join(f'{r} ({v})' for r, v in GLIBC.items())}")
    return release, architecture or DEBIAN[platform.machine()]


def library_path(root, architecture):
    """The folders in which that release's own loader would look, for its --library-path."""
    return ":".join(f"{root}/{folder}/{TRIPLET[architecture]}" for folder in ("lib", "usr/lib"))


@functools.cache
def mirror():
    """The address of the archive that the system's own apt takes Debian's packages from."""
    asked = ["apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)", "Created-By: Packages"]
    said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    # Not the archives of updates and backports ("bookworm-security").
    found = [uri for suite, _, uri in (line.partition(" ") for line in said.splitlines()) if "-" not in suite]
    if not found:
        raise NotAvailable("apt has no source of Debian packages")
    return found[0]


class Release:
    """A folder for apt's state and, below it, `root` for the files."""
    base = BASE

    def __init__(self, release, architecture, name=None):
        self.release, self.architecture = release, architecture
        self.folder = CACHE / (name or f"{release}-{architecture}")
        self.root = self.folder / "root"
        self.lists_are_new = False

    def apt(self, *arguments):
        state = self.folder / "apt"
        for part in ("lists/partial", "cache/archives/partial", "etc/apt.conf.d", "etc/preferences.d"):
            (state / part).mkdir(parents=True, exist_ok=True)
        (state / "status").touch()
        keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
        (state / "sources.list").write_text(
            f"deb [signed-by={keyring} check-valid-until=no] {mirror()} {self.release} main\n")
        options = {
            "Dir::Etc": f"{state}/etc", "Dir::Etc::sourcelist": f"{state}/sources.list",
            "Dir::Etc::sourceparts": "-", "Dir::State": f"{state}", "Dir::State::status": f"{state}/status",
            "Dir::Cache": f"{state}/cache", "APT::Architecture": self.architecture,
            "APT::Architectures": self.architecture, "Acquire::Languages": "none", "Acquire::Retries": "3",
            "APT::Install-Recommends": "false", "Debug::NoLocking": "true",
            "APT::Sandbox::User": "", "pkgCacheGen::Essential": "none"}
        command = ["apt-get", "-q", *(f"-o{name}={value}" for name, value in options.items()), *arguments]
        done = subprocess.run(command, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        if done.returncode:
            raise NotAvailable(f"{self.release} ({self.architecture}): {done.stdout[-1500:]}")
        return done.stdout

    def update(self):
        if not self.lists_are_new:
            self.apt("update")
            self.lists_are_new = True

    def fetch(self, packages):
        """Brings `packages` with all that they need into `root`."""
        missing = self.missing(packages)
        if not missing:
            return
        self.update()
        available = self.available([*self.base, *packages])
        if not available:
            raise NotAvailable(f"{self.release} has no packages for {self.architecture}")
        self.apt("install", "-y", "--download-only", *available)
        self.unpack()
        (self.folder / "packages").write_text("\n".join(sorted(self.have() | set(packages))) + "\n")

    def have(self):
        listed = self.folder / "packages"
        return set(listed.read_text().split()) if listed.exists() else set()

    def missing(self, packages):
        return set(packages) - self.have()

    def available(self, packages):
        """Those of `packages` that the release has under that name."""
        known = set(subprocess.run(
            ["apt-cache", f"-oDir::State={self.folder}/apt", f"-oDir::Cache={self.folder}/apt/cache",
             f"-oDir::State::status={self.folder}/apt/status", f"-oDir::Etc={self.folder}/apt/etc",
             f"-oDir::Etc::sourcelist={self.folder}/apt/sources.list", "-oDir::Etc::sourceparts=-",
             f"-oAPT::Architecture={self.architecture}", f"-oAPT::Architectures={self.architecture}",
             "pkgnames"], text=True, capture_output=True, check=True).stdout.split())
        return [package for package in packages if package in known]

    def unpack(self):
        for name in MERGED:
            (self.root / "usr" / name).mkdir(parents=True, exist_ok=True)
            if not (self.root / name).exists():
                (self.root / name).symlink_to(f"usr/{name}")
        done = self.folder / "unpacked"
        done.mkdir(exist_ok=True)
        for package in sorted((self.folder / "apt/cache/archives").glob("*.deb")):
            if not (done / package.name).exists():
                self.unpack_one(package)
                (done / package.name).touch()
        self.configure()

    def unpack_one(self, package):
        """As dpkg-deb -x, which would put a folder in the place of a link into /usr."""
        content = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE)
        subprocess.run(["tar", "-xf", "-", "--keep-directory-symlink", "-C", self.root],
                       stdin=content.stdout, check=True)
        if content.wait():
            raise SystemExit(f"{package}: dpkg-deb failed")

    def configure(self):
        """What a program needs of the maintainer scripts' work."""
        share, etc = self.root / "usr/share", self.root / "etc"
        for source, target in (("base-passwd/passwd.master", "passwd"), ("base-passwd/group.master", "group"),
                               ("base-files/nsswitch.conf", "nsswitch.conf")):
            if (share / source).exists():
                (etc / target).write_bytes((share / source).read_bytes())
        (etc / "hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")
        (etc / "hostname").write_text("debian\n")
        if self.architecture == DEBIAN[platform.machine()]:
            subprocess.run(["/sbin/ldconfig", "-r", self.root], check=True)


class CrossLibraries(Release):
    """What a release's cross compilers link with: libraries of an ISA for which it has no packages of its own."""
    base = ()

    def __init__(self, release, isa):
        super().__init__(release, DEBIAN[platform.machine()], f"{release}-{isa}-cross")

    def configure(self):
        pass


def fill(release, packages):
    release.folder.mkdir(parents=True, exist_ok=True)
    with open(release.folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        release.fetch(packages)
    return release.root


def make(name, packages):
    """The root folder of release `name` with `packages`."""
    return fill(Release(*parse(name)), packages)


def cross_libraries(name, isa):
    """A folder with the C and C++ libraries of release `name` for `isa`, below lib."""
    libraries = [f"{library}-{isa}-cross" for library in ("libc6", "libgcc-s1", "libstdc++6")]
    return fill(CrossLibraries(parse(name)[0], isa), libraries) / f"usr/{isa}-linux-gnu"


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    print(make(sys.argv[1], sys.argv[2:]))
