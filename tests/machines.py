"""Where a program and its libraries are: on this machine, or in another Debian release's root folder."""
import ctypes
import glob
import json
import os
import pathlib
import shutil
import sys

SEARCH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"


class Machine:
    """This machine's own files."""

    def __init__(self, loader):
        self.loader = loader

    def file(self, path):
        """The file that a program knows as `path`."""
        return pathlib.Path(path)

    def find(self, name):
        """The program file of a tool, as a program would say it; None: there is none. It may be a pattern."""
        for folder in [""] if "/" in name else [f"{folder}/" for folder in SEARCH.split(":")]:
            for found in sorted(glob.glob(str(self.file(folder + name)))):
                if os.access(found, os.X_OK):
                    return os.path.realpath(found)
        return None

    def command(self, argv, env, argv0=None):
        """What twins.run is to start, in the folder of the test, to have `argv` run there with `env`."""
        return argv, env, argv0


MS_BIND, MS_REC = 0x1000, 0x4000  # <sys/mount.h>


class Release(Machine):
    """Another Debian release's, unpacked below `root`; files outside it are found in /tmp only."""

    def __init__(self, root, loader, sources):
        super().__init__(pathlib.Path("/tmp/myld"))
        self.root, self.bound, self.sources = root, loader, sources

    def file(self, path):
        return self.root / str(path).lstrip("/")

    def find(self, name):
        found = super().find(name)
        while found is not None:
            path = pathlib.Path(found)
            if not path.is_relative_to(self.root):  # an absolute link is one within the root folder
                path = self.file(found)
            if not path.is_symlink():
                return "/" + str(path.relative_to(self.root))
            found = os.path.realpath(path)
        return None

    def command(self, argv, env, argv0=None):
        user = [] if os.getuid() == 0 else ["--map-root-user"]
        order = {"root": self.root, "sources": self.sources, "loader": self.bound}
        order = {name: str(path) for name, path in order.items()} | {
            "argv": argv, "argv0": argv0 or argv[0], "env": env}
        return [shutil.which("unshare"), "--mount", "--propagation", "private", *user,
                sys.executable, "-I", __file__, json.dumps(order)], {"PATH": SEARCH}, None


def enter(root, sources, loader, argv, argv0, env):
    """In a mount namespace of our own: becomes `argv` in root folder `root`, with the working folder where it is,
    the tests' sources as /tmp/sources and the loader as /tmp/myld."""
    libc, here = ctypes.CDLL(None, use_errno=True), os.getcwd()

    def mount(source, target, kind, flags):
        if libc.mount(source.encode(), target.encode(), kind, flags, None) != 0:
            raise OSError(ctypes.get_errno(), f"mount {source} on {target}")

    for folder in ("/proc", "/dev", "/sys"):
        mount(folder, root + folder, None, MS_BIND | MS_REC)
    mount("tmpfs", f"{root}/tmp", b"tmpfs", 0)
    os.makedirs(root + here)
    os.mkdir(f"{root}/tmp/sources")
    pathlib.Path(f"{root}/tmp/myld").touch()
    for source, target in ((here, here), (sources, "/tmp/sources"), (loader, "/tmp/myld")):
        mount(source, root + target, None, MS_BIND)
    os.chroot(root)
    os.chdir(here)
    os.execve(argv[0], [argv0, *argv[1:]], env)


if __name__ == "__main__":
    enter(**json.loads(sys.argv[1]))
