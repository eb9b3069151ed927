"""A document's table of numbered statements, filled in from what the programs of tests/programs/ print.

A program proves statement 7 by lines `S07 what was looked at: result` (or `R07 ...`, by the table's letter);
its case.toml names the numbers under the table's key. Each case is built, run under the system's loader and
under myld (as the program's interpreter), and both results go into the row.
"""
import argparse
import pathlib
import platform
import re
import sys
import tempfile

import machines
import twin
from twins import ROOT

LEGS = ("ldso", "interp")
ROW = re.compile(r"^\| (\d+) \| (.*?) \| .*\|$")


class Table:
    """`letter`: of the lines; `key`: of case.toml; `noun`: what the sentence below the table counts."""

    def __init__(self, document, letter, key, noun, others=None):
        self.document, self.key, self.noun = ROOT / document, key, noun
        self.line = re.compile(rf"^{letter}(\d\d) (.*): ([^:\n]+)$", re.MULTILINE)
        self.others = others or {}

    def lines_of(self, case, options, folder):
        """{leg: [(statement, what was looked at, result)]} of one case, from all its runs."""
        folders = twin.build_case(case, folder, options)
        found = {leg: [] for leg in LEGS}
        for step in case["run"]:
            for leg in LEGS:
                outcome = twin.run_leg(leg, step, case, options, folders[leg])
                found[leg] += [(int(n), what, result) for n, what, result in self.line.findall(outcome.stdout)]
                if outcome.status != 0:
                    print(f"{case['folder'].name}: status {outcome.status} ({leg})", file=sys.stderr)
        return found

    def results(self, options):
        """{statement: (folders, glibc's cell, myld's cell)}."""
        proofs = {}
        for name, case in twin.read_cases(ROOT / "tests/programs"):
            if self.key not in case:
                continue
            with tempfile.TemporaryDirectory(prefix="myld-table-") as folder:
                pathlib.Path(folder).chmod(0o755)
                found = self.lines_of(case, options, pathlib.Path(folder))
            for statement in case[self.key]:
                proof = proofs.setdefault(statement, {"folders": [], "expected": [], **{l: [] for l in LEGS}})
                proof["folders"].append(case["folder"].name)
                for leg in LEGS:
                    lines = [(what, result) for n, what, result in found[leg] if n == statement]
                    proof[leg] += lines
                    proof["expected"] += [what for what, _ in lines if what not in proof["expected"]]
            print(name, file=sys.stderr)
        return {n: (p["folders"], *(cell(p["expected"], p[leg]) for leg in LEGS)) for n, p in proofs.items()}

    def rewritten(self, proved):
        """The document with its table filled in, and the sentence that counts."""
        self.proved = proved
        rows = []
        place = None  # of the sentence that counts
        counts = [0, 0, 0]
        old = self.document.read_text()
        for line in old.splitlines():
            row = ROW.match(line)
            if row:
                number = int(row[1])
                if number in self.others:
                    test, glibc, ours = self.others[number]()
                else:
                    folders, glibc, ours = proved.get(number, ([], "**no test**", "**no test**"))
                    test = ", ".join(f"[{f}](../tests/programs/{f})" for f in folders)
                line = f"| {number} | {row[2]} | {test} | {glibc} | {ours} |"
                counts = [counts[0] + 1, counts[1] + (glibc == "yes"), counts[2] + (ours == "yes")]
            elif line.startswith("Of the "):
                place = len(rows)
            rows.append(line)
        total = f"Of the {counts[0]} {self.noun}, {counts[1]} hold under glibc and {counts[2]} under myld."
        if place is None:
            rows += ["", ""]
            place = len(rows) - 1
        rows[place] = total
        return old, "\n".join(rows).rstrip() + "\n", total


def cell(expected, lines):
    """The words of a result: `yes`, or each line that was not ok. `expected`: what must be there."""
    words = [f"{what}: *{result}*" for what, result in lines if result != "ok"]
    words += [f"{what}: *no result*" for what in expected if what not in [w for w, _ in lines]]
    if not expected:
        return "**no test**"
    return "yes" if not words else "; ".join(dict.fromkeys(words))


def main(table, description, command):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--loader", type=pathlib.Path, default=ROOT / "build/myld")
    options = parser.parse_args()
    if not options.loader.is_file():
        raise SystemExit(f"{options.loader}: no such loader (build it first)")
    options.loader = options.loader.resolve()
    options.cc, options.cxx, options.via = "cc", "c++", "interp"
    options.arch, options.emulator, options.reference_loader = platform.machine(), [], None
    options.bindings, options.release, options.other_release = False, None, False
    options.machine = machines.Machine(options.loader)
    table.options = options
    old, new, total = table.rewritten(table.results(options))
    print(total)
    if options.check:
        if new != old:
            raise SystemExit(f"{table.document.relative_to(ROOT)} is not what the programs say; run {command}")
    elif new != old:
        table.document.write_text(new)
