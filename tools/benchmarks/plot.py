"""SVG plots of saved results, for the documentation. Needs matplotlib (Debian: python3-matplotlib)."""
import re
import sys
from pathlib import Path

try:
    import matplotlib
except ImportError:
    sys.exit("bench: plots are drawn by matplotlib (Debian: python3-matplotlib)")
matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "myld"  # the same data gives the same file
matplotlib.rcParams["svg.fonttype"] = "none"  # text stays text
matplotlib.rcParams["font.size"] = 9
from matplotlib import pyplot  # noqa: E402


def draw(results: list[dict], folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    tables = [table for result in results for table in result["tables"]]
    for table in tables:
        if table["group"] == "start, net":
            ratios(table, folder / "start.svg", "Processor time of a start, net, against the first loader's")
            growth(table, folder / "closures.svg")
        elif table["group"].startswith("calls: "):
            ratios(table, folder / f"calls-{table['group'][7:]}.svg", f"One call against the first loader's: {table['group'][7:]}")
            by_count(table, folder / f"loaded-{table['group'][7:]}.svg")
    return 0


def save(figure, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
    print(path)


def ratios(table: dict, path: Path, title: str) -> None:
    """Bars of the ratio to the first loader, with its interval."""
    others = [each["name"] for each in table["loaders"][1:]]
    rows = [row for row in table["rows"] if any(row["ratios"].get(name) for name in others)]
    if not rows:
        return
    figure, axes = pyplot.subplots(figsize=(7, 0.9 + 0.22 * len(rows) * len(others)))
    height = 0.8 / len(others)
    for k, name in enumerate(others):
        for i, row in enumerate(rows):
            if (found := row["ratios"].get(name)) is None:
                continue
            middle, low, high = found
            axes.barh(i + k * height, middle, height, color=f"C{k}", label=name if i == 0 else None,
                      xerr=[[max(0, middle - low)], [max(0, high - middle)]], ecolor="0.3")
    axes.axvline(1, color="0.2", linewidth=0.8)
    axes.set_yticks([i + 0.4 - height / 2 for i in range(len(rows))], [row["name"] for row in rows])
    axes.invert_yaxis()
    axes.set_title(title)
    axes.set_xlabel(f"ratio to {table['loaders'][0]['name']} (less is better)")
    if len(others) > 1:
        axes.legend()
    save(figure, path)


def lines(series: dict[str, list[tuple[int, float, str]]], path: Path, title: str, xlabel: str, ylabel: str) -> None:
    figure, axes = pyplot.subplots(figsize=(7, 4.5))
    for number, (name, points) in enumerate(series.items()):
        for style in dict.fromkeys(loader for _, _, loader in points):
            own = [(x, y) for x, y, loader in points if loader == style]
            marker = "os^v"[list(dict.fromkeys(each for _, _, each in points)).index(style) % 4]
            axes.plot(*zip(*own), marker=marker, color=f"C{number}", linestyle="-" if marker == "s" else "--",
                      label=f"{name}, {style}" if name else style)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel)
    axes.grid(True, which="major", linewidth=0.3)
    axes.legend(fontsize=7)
    save(figure, path)


def growth(table: dict, path: Path) -> None:
    points = [(int(m[1]), value / 1e6, loader) for row in table["rows"] if (m := re.fullmatch(r"closure-(\d+)", row["name"]))
              for loader, value in row["values"].items()]
    if points:
        lines({"": points}, path, "Start of generated closures", "libraries", "processor time, net, ms")


def by_count(table: dict, path: Path) -> None:
    """How the cost of a call grows with the libraries that are loaded."""
    series: dict[str, list[tuple[int, float, str]]] = {}
    for row in table["rows"]:
        if (m := re.fullmatch(r"(.+), (\d+) loaded", row["name"])) and int(m[2]) > 0:
            series.setdefault(m[1], []).extend((int(m[2]), value, loader) for loader, value in row["values"].items())
    if series:
        lines(series, path, "One call, with more and more libraries loaded", "libraries", "ns")
