"""What the groups of measurements share: loaders, the work folder, statistics, tables."""
import hashlib
import json
import os
import platform
import random
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = Path(__file__).resolve().parent
MACHINE = os.uname().machine
SYSTEM_LOADER = {"x86_64": "/lib64/ld-linux-x86-64.so.2", "aarch64": "/lib/ld-linux-aarch64.so.1",
                 "riscv64": "/lib/ld-linux-riscv64-lp64d.so.1"}[MACHINE]
# Compiled helpers, generated libraries and patched copies of programs; kept from run to run.
WORK = Path(os.environ.get("MYLD_BENCH", os.environ.get("TMPDIR", "/tmp") + "/myld-bench"))
CC = os.environ.get("CC", "gcc")
CXX = os.environ.get("CXX", "g++")


@dataclass(frozen=True)
class Loader:
    name: str
    path: str
    environment: tuple[tuple[str, str], ...] = ()
    bind: tuple[str, ...] = ()  # what makes a binding file for what it is going to start

    def variables(self) -> dict[str, str]:
        """The environment of what it starts: ours, without what would speak to a loader."""
        ours = {k: v for k, v in os.environ.items() if not k.startswith(("LD_", "MYLD_", "GLIBC_"))}
        return ours | dict(self.environment)


def parse_loader(text: str) -> Loader:
    """NAME=PATH, and what is set in its environment: NAME=PATH,VARIABLE=VALUE,..."""
    name, _, rest = text.partition("=")
    path, *pairs = rest.split(",")
    if not path or not os.access(path, os.X_OK):
        sys.exit(f"bench: {text}: no such loader; NAME=PATH is what is meant")
    return Loader(name, os.path.abspath(path), tuple(tuple(p.split("=", 1)) for p in pairs))


def default_loaders() -> list[Loader]:
    return [Loader("ld.so", SYSTEM_LOADER), Loader("myld", str(ROOT / "build/myld"))]


def default_loaders_with_bindings() -> list[Loader]:
    own = str(ROOT / "build/myld")
    return [Loader("ld.so", SYSTEM_LOADER), Loader("plain", own, (("MYLD_BINDING", "off"),)),
            Loader("bound", own, bind=("--bind",)), Loader("image", own, bind=("--bind", "--image"))]


def run_tool(command: list[str], folder: Path, text: str = "") -> None:
    done = subprocess.run(command, cwd=folder, input=text.encode(), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        sys.exit(f"bench: {' '.join(map(str, command))[:300]}\n{done.stdout.decode(errors='replace')[:2000]}")


def made(folder: Path, recipe: object, make) -> Path:
    """A folder whose contents make(folder) makes, anew only when `recipe` or the maker's source changed."""
    source = Path(sys.modules[make.__module__].__file__).read_bytes()
    stamp = hashlib.sha256(source + json.dumps(recipe, sort_keys=True, default=str).encode()).hexdigest()
    kept = folder / ".recipe"
    if not kept.exists() or kept.read_text() != stamp:
        print(f"# making {folder}", file=sys.stderr)
        folder.mkdir(parents=True, exist_ok=True)
        kept.unlink(missing_ok=True)
        make(folder)
        kept.write_text(stamp)
    return folder


# ---- statistics ---------------------------------------------------------------------------------

def interval(samples: list[float], base: list[float], less: list[float] | None = None,
             draws: int = 1000) -> tuple[float, float, float] | None:
    """The ratio of medians and its 95 % interval. Rounds are resampled whole, since what ran next to each other
    shares the noise; `less` (the cost of starting nothing) is taken from both. None: there is nothing to divide by."""
    n = min(len(samples), len(base))
    less = less or [0.0] * n

    def ratio(rounds) -> float:
        nothing = statistics.median(less[i] for i in rounds)
        under = statistics.median(base[i] for i in rounds) - nothing
        return (statistics.median(samples[i] for i in rounds) - nothing) / under if under > 0 else float("nan")

    generator = random.Random(1)
    drawn = sorted(r for r in (ratio([generator.randrange(n) for _ in range(n)]) for _ in range(draws)) if r == r)
    middle = ratio(range(n))
    if middle != middle or not drawn:
        return None
    return middle, drawn[int(0.025 * len(drawn))], drawn[min(len(drawn) - 1, int(0.975 * len(drawn)))]


def show_interval(ratio: tuple[float, float, float] | None) -> str:
    return "-" if ratio is None else f"{ratio[0]:.3g} [{ratio[1]:.3g}, {ratio[2]:.3g}]"


def show_time(ns: float) -> str:
    for limit, unit, scale in ((1e3, "ns", 1.0), (1e6, "us", 1e3), (1e9, "ms", 1e6), (float("inf"), "s", 1e9)):
        if abs(ns) < limit:
            return f"{ns / scale:.3g} {unit}"
    return "-"


# ---- results ------------------------------------------------------------------------------------

class Results:
    """Rows of one group: a name, and per loader a value, its ratio to the first, and the samples."""

    def __init__(self, group: str, unit: str, loaders: list[Loader]):
        self.group, self.unit, self.loaders = group, unit, loaders
        self.rows: list[dict] = []

    def add(self, name: str, samples: dict[str, list[float]], less: list[float] | None = None) -> None:
        base = samples.get(self.loaders[0].name, [])
        row = {"name": name, "values": {}, "ratios": {}, "samples": samples}
        for loader in self.loaders:
            own = samples.get(loader.name)
            if not own:
                continue
            row["values"][loader.name] = statistics.median(own) - (statistics.median(less) if less else 0.0)
            if base and loader is not self.loaders[0]:
                row["ratios"][loader.name] = interval(own, base, less)
        self.rows.append(row)

    def markdown(self) -> str:
        show = show_time if self.unit == "ns" else lambda v: f"{v:,.0f}"
        head = [self.group, *(each.name for each in self.loaders), *(f"{each.name} / {self.loaders[0].name} [95 %]"
                                                                     for each in self.loaders[1:])]
        lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
        for row in self.rows:
            cells = [row["name"]]
            cells += [show(row["values"][each.name]) if each.name in row["values"] else "-" for each in self.loaders]
            cells += [show_interval(row["ratios"].get(each.name)) for each in self.loaders[1:]]
            lines.append("| " + " | ".join(cells) + " |")
        return "\n".join(lines)

    def json(self) -> dict:
        return {"group": self.group, "unit": self.unit, "loaders": [vars(each) for each in self.loaders],
                "rows": self.rows}


def about_machine() -> dict:
    model = ""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
    return {"processor": model, "processors": os.cpu_count(), "kernel": platform.release(),
            "libc": " ".join(platform.libc_ver()), "load": os.getloadavg()}
