#!/usr/bin/env python3
"""embed_page.py PAGE OUT: the page as two C++ strings, what stands before @DATA@ and what stands behind."""
import pathlib
import sys

begin, end = pathlib.Path(sys.argv[1]).read_text().split("@DATA@")
lines = ["namespace myld::start {"]
for name, text in (("kPageBegin", begin), ("kPageEnd", end)):
    assert ')page"' not in text
    lines += [f"extern const char {name}[];", f'const char {name}[] = R"page({text})page";']
pathlib.Path(sys.argv[2]).write_text("\n".join(lines) + "\n}\n")
