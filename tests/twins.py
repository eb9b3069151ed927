"""What the two differential harnesses share: run a program in several ways, and compare.

A *leg* is one way to run a program: `ldso` (the reference: the system's loader, as the program's
PT_INTERP says), `direct` (`myld PROGRAM ARGS`) and `interp` (a copy of the program whose PT_INTERP is
myld). The program must not be able to tell them apart: same stdout, same stderr, same exit status.
"""
import argparse
import concurrent.futures
import dataclasses
import difflib
import os
import pathlib
import platform
import re
import shlex
import shutil
import signal
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
LDSO = {"x86_64": "/lib64/ld-linux-x86-64.so.2", "aarch64": "/lib/ld-linux-aarch64.so.1",
        "riscv64": "/lib/ld-linux-riscv64-lp64d.so.1"}

class Skip(Exception):
    """The case cannot be tried here; the text says what is missing."""


class Failure(Exception):
    """The case failed; the text says how."""


@dataclasses.dataclass
class Outcome:
    """What a run showed to the outside. `status` is negative for a signal; None: it timed out."""
    stdout: str
    stderr: str
    status: int | None

    def normalised(self, rules, folder):
        """With the leg's own folder, and what `rules` name, replaced by a word."""
        def clean(text):
            text = text.replace(str(folder), "$WORK").replace("$WORK/./", "$WORK/")
            if "addresses" in rules:
                text = re.sub(r"0x[0-9a-f]{4,}", "0xADDRESS", text)
            if "numbers" in rules:
                text = re.sub(r"[0-9]+(\.[0-9]+)?", "N", text)
            return text
        return Outcome(clean(self.stdout), clean(self.stderr), self.status)

    def require(self, wanted, who):
        """Raises Failure where `wanted` (a dict of some of our fields) is not what we are."""
        for field, value in wanted.items():
            mine = getattr(self, field)
            if mine == value:
                continue
            if field == "status":
                shown = "timed out" if mine is None else f"status {mine}, not {value}"
                raise Failure(f"{who}: {shown}\n{self.stdout[-1000:]}{self.stderr[-2000:]}")
            diff = list(difflib.unified_diff(value.splitlines(), mine.splitlines(), "wanted",
                                             "found", lineterm="", n=1))
            detail = "" if field == "stderr" else self.stderr[-1000:]
            raise Failure(f"{who}: {field} differs\n" + "\n".join(diff[:30]) + "\n" + detail)


def run(argv, cwd, env, stdin="", timeout=30, argv0=None):
    """Runs `argv` in a session of its own, so that a timeout ends all that it started."""
    executable = argv[0]
    process = subprocess.Popen([argv0 or executable, *argv[1:]], executable=executable, cwd=cwd,
                               env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, start_new_session=True)
    try:
        out, err = process.communicate(stdin.encode(), timeout)
        status = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        status = None
    return Outcome(out.decode(errors="backslashreplace"), err.decode(errors="backslashreplace"),
                   status)


def tool(argv, cwd):
    """A step of preparation; a Failure with its messages when it does not succeed."""
    try:
        done = subprocess.run(argv, cwd=cwd, text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except FileNotFoundError:
        raise Skip(f"no {argv[0]}") from None
    if done.returncode:
        raise Failure(f"{shlex.join(map(str, argv))}: status {done.returncode}\n{done.stdout}")
    return done.stdout


def has_interpreter(path):
    return subprocess.run(["patchelf", "--print-interpreter", path],
                          capture_output=True).returncode == 0


def set_interpreter(path, loader):
    tool(["patchelf", "--set-interpreter", str(loader), str(path)], None)
    if tool(["patchelf", "--print-interpreter", str(path)], None).strip() != str(loader):
        raise Failure(f"patchelf did not set the interpreter of {path}")


def has_cpu(flag):
    return re.search(rf"\b{flag}\b", pathlib.Path("/proc/cpuinfo").read_text()) is not None


def common_arguments(description):
    """Those that `run_all` reads."""
    parser = argparse.ArgumentParser(description=description)
    add = parser.add_argument
    add("--only", metavar="PATTERN", help="regular expression that a case's name must contain")
    add("--keep", action="store_true", help="keep the folder that the cases worked in")
    add("--loader", type=pathlib.Path, default=ROOT / "build/myld")
    add("--jobs", type=int, default=2)
    return parser


def arguments(description):
    parser = common_arguments(description)
    add = parser.add_argument
    add("--via", choices=["direct", "interp", "both"], default="both")
    add("--arch", default=platform.machine(), help="the ISA of the programs")
    add("--emulator", type=shlex.split, default=[], help="command that runs them, if not the kernel")
    add("--sysroot", default="", help="where the emulated system's files are")
    add("--reference-loader", help="start the reference through this loader, not by PT_INTERP")
    return parser


def legs(options):
    """The names of the legs to compare with the reference."""
    return ["direct", "interp"] if options.via == "both" else [options.via]


def methods(kind):
    """As the cases of run_all: the methods of a class that are named `test_...`; a case is the method's name."""
    return [(name, name) for name in dir(kind) if name.startswith("test_")]


def run_all(cases, try_case, options):
    """Runs `try_case(case, folder)` for each (name, case), prints a line for each and the sum.

    `try_case` raises Skip, or Failure or what else there is, or else has passed. Returns the process's exit status.
    """
    if not options.loader.is_file():
        raise SystemExit(f"{options.loader}: no such loader (build it first)")
    options.loader = options.loader.resolve()
    if options.only:
        cases = [(name, case) for name, case in cases if re.search(options.only, name)]
    work = pathlib.Path(tempfile.mkdtemp(prefix="myld-twin-"))
    work.chmod(0o755)  # some cases start programs as another user

    def attempt(index, name, case):
        folder = work / f"{index:03}-{re.sub('[^A-Za-z0-9]+', '-', name).strip('-')}"
        folder.mkdir()
        try:
            try_case(case, folder)
            return "ok", name, ""
        except Skip as reason:
            return "skip", name, f" ({reason})"
        except Exception as reason:  # whatever it is, the case has failed and says so
            kind = "" if isinstance(reason, Failure) else f"{type(reason).__name__}: "
            text = str(reason).rstrip().replace("\n", "\n      ")
            return "FAIL", name, f": {kind}{text}"
        finally:
            if not options.keep:
                shutil.rmtree(folder, ignore_errors=True)

    count = {"ok": 0, "FAIL": 0, "skip": 0}
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        tries = [pool.submit(attempt, i, name, case) for i, (name, case) in enumerate(cases)]
        for done in tries:
            word, name, detail = done.result()
            count[word] += 1
            print(f"{word:4}  {name}{detail}", flush=True)
    if options.keep:
        print(f"kept: {work}")
    else:
        shutil.rmtree(work, ignore_errors=True)
    tail = f", {count['skip']} skipped" if count["skip"] else ""
    print(f"{count['ok']} passed, {count['FAIL']} failed{tail}")
    return 1 if count["FAIL"] or not count["ok"] else 0
