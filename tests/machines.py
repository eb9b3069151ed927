"""Where a program and its libraries are: on this machine, or in another Debian release's root folder."""
import glob
import os
import pathlib
import shutil

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

    def command(self, argv, argv0=None):
        """What to start, in the folder of the test, and under which name, to have `argv` run there."""
        return argv, argv0


# In a namespace of its own, with the working folder and $2 where they are, and the loader $3 as /tmp/myld, runs
# the rest in root folder $1.
ENTER = """
set -e
root=$1 here=$PWD sources=$2
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
mount -t tmpfs tmpfs "$root/tmp"
mkdir -p "$root$here" "$root/tmp/sources"
touch "$root/tmp/myld"
mount --bind "$here" "$root$here"
mount --bind "$sources" "$root/tmp/sources"
mount --bind "$3" "$root/tmp/myld"
shift 3
exec chroot "$root" /bin/bash -c 'cd "$0" && argv0=$1 && shift && exec -a "$argv0" "$@"' "$here" "$@"
"""


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

    def command(self, argv, argv0=None):
        user = [] if os.getuid() == 0 else ["--map-root-user"]
        return [shutil.which("unshare"), "--mount", "--propagation", "private", *user, "/bin/sh", "-c", ENTER,
                "sh", str(self.root), str(self.sources), str(self.bound), argv0 or argv[0], *argv], None
