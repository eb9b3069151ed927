#!/usr/bin/env python3
"""tool_manual.py TOOL NAME VERSION OUT: the manual page (section 1) of a tool, made from what its --help says.

That is: a synopsis (a paragraph that begins with `usage:`, or the words before the first colon of the first line), paragraphs,
and lines of options as argparse writes them.
"""
import os
import re
import subprocess
import sys


def roff(text):
    return re.sub(r"^([.'])", r"\\&\1", text.replace("\\", r"\e").replace("-", r"\-"), flags=re.MULTILINE)


def page(text, name, version):
    paragraphs = [p for p in re.split(r"\n\s*\n", text.strip()) if p.strip()]
    if paragraphs[0].startswith("usage:"):
        synopsis, rest = paragraphs[0][6:], paragraphs[1:]
    else:
        synopsis, _, first = paragraphs[0].partition(": ")
        rest = [first, *paragraphs[1:]]
    synopsis = " ".join(synopsis.split()).split(" ", 1)
    first = " ".join(rest[0].split())
    short = first.split(". ")[0].rstrip(".")
    out = [rf'.\" Made by tools/install/tool_manual.py from what {name} \-\-help says.', f'.TH {name.upper()} 1 "" "myld {version}" ""',
           ".SH NAME", f"{roff(name)} \\- {roff(short[0].lower() + short[1:])}", ".SH SYNOPSIS", f".B {roff(name)}",
           roff(synopsis[1] if len(synopsis) > 1 else ""), ".SH DESCRIPTION"]
    for paragraph in rest:
        heading = re.match(r"(options|positional arguments):\n", paragraph)
        if heading:
            out.append(f".SH {'ARGUMENTS' if heading[1].startswith('pos') else 'OPTIONS'}")
            for item in re.split(r"\n  (?=\S)", paragraph[heading.end() - 1:])[1:]:
                what, _, meaning = re.sub(r"\s*\n\s+", "  ", item).partition("  ")
                out += [".TP", f".B {roff(what)}", roff(" ".join(meaning.split()))]
        else:
            out += [roff(" ".join(paragraph.split())), ".PP"]
    while out[-1] == ".PP":
        out.pop()
    return "\n".join(out + [".SH SEE ALSO", ".BR myld (8)"]).replace(".PP\n.SH", ".SH") + "\n"


tool, name, version, to = sys.argv[1:]
command = [sys.executable, tool] if open(tool, encoding="utf-8").readline().endswith("python3\n") else ["sh", tool]
said = subprocess.run([*command, "--help"], check=True, text=True, capture_output=True,
                      env={**os.environ, "COLUMNS": "100", "LC_ALL": "C.UTF-8"}).stdout
with open(to, "w", encoding="utf-8") as file:
    file.write(page(said, name, version))
