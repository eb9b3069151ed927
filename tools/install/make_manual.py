#!/usr/bin/env python3
"""make_manual.py COMMAND_LINE_CPP VERSION man|bash|zsh OUT: the manual page and the shell completions.

The options, their arguments and their help are those of --help: the table kOptions of rtld/start/command_line.cpp
is the one source of all of them.
"""
import pathlib
import re
import sys

HEAD = r'''.\" Made by tools/install/make_manual.py from the table that --help prints.
.TH MYLD 8 "" "myld {version}" "Dynamic loader"
.SH NAME
myld \- dynamic loader of ELF programs
.SH SYNOPSIS
.B myld
.RI [ OPTION ]...
.I PROGRAM
.RI [ ARGUMENT ]...
.SH DESCRIPTION
.B myld
takes the place of
.BR ld.so (8):
it maps a program and the libraries that it needs, binds them, initialises them and starts the program. It is started as
above, or by the kernel for a program that names it as its interpreter.
.SH OPTIONS
'''
TAIL = r'''.SH FILES
.TP
.I PROGRAM.myld.conf
Configuration of one program that its children do not inherit: lines of
.BR search ,
.BR map ,
.BR preload ,
.B bind
and
.BR tls\-surplus .
.TP
.I /etc/ld.so.cache
Where libraries are, written by
.BR ldconfig (8).
.SH EXIT STATUS
That of the program. 127 if it cannot be started, 1 if only versions are missing or the command line is wrong.
.SH SEE ALSO
.BR ld.so (8),
.BR ldd (1)
'''


def options(source):
    """(name, placeholder or None, help) of each line of the table."""
    table = source.split("constexpr Option kOptions[] = {", 1)[1].split("\n};", 1)[0]
    literal = r'"((?:[^"\\]|\\.)*)"'
    entry = re.compile(r"\{\s*" + literal + r",\s*(?:nullptr|" + literal + r"),\s*((?:" + literal + r"\s*)+),")
    found = []
    for m in entry.finditer(table):
        text = "".join(re.findall(literal, m[3]))
        found.append((m[1], m[2], text))
    if len(found) != table.count("[](Runtime&"):
        sys.exit("make_manual.py: the table of options has lines that are not understood")
    return found


def roff(text):
    return text.replace("\\", r"\e").replace("-", r"\-")


def manual(found, version):
    out = HEAD.replace("{version}", version)
    for name, placeholder, text in found:
        out += f".TP\n.BR {roff(name)}" + (f" \" \" \\fI{placeholder}\\fR" if placeholder else "") + "\n"
        out += roff(text[0].upper() + text[1:]) + ".\n"
    return out + TAIL


def bash(found, version):
    plain = " ".join(name for name, _, _ in found)
    files = "|".join(name for name, p, _ in found if p in ("FILE", "PATH", "DIR"))
    other = "|".join(name for name, p, _ in found if p and p not in ("FILE", "PATH", "DIR"))
    return f'''# Completion of myld(8) {version} for bash.
_myld() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}}
  case $before in
    {files}) COMPREPLY=($(compgen -f -- "$word")); return ;;
    {other}) COMPREPLY=(); return ;;
  esac
  if [[ $word == --* ]]; then
    COMPREPLY=($(compgen -W "{plain}" -- "$word"))
  else
    COMPREPLY=($(compgen -f -- "$word"))
  fi
}}
complete -o filenames -F _myld myld
'''


def zsh(found, version):
    lines = [f"#compdef myld", f"# Completion of myld(8) {version} for zsh.", "_arguments \\"]
    for name, placeholder, text in found:
        text = re.sub(r"[\[\]:'\\]", " ", text)
        value = f":{placeholder}:_files" if placeholder else ""
        lines.append(f"  '{name}[{text}]{value}' \\")
    return "\n".join(lines + ["  '1:program:_files -g \"*(*)\"' '*:argument:_files'"]) + "\n"


source, version, kind, out = sys.argv[1:]
make = {"man": manual, "bash": bash, "zsh": zsh}[kind]
pathlib.Path(out).write_text(make(options(pathlib.Path(source).read_text()), version))
