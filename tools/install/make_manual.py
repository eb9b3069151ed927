#!/usr/bin/env python3
"""make_manual.py COMMAND_LINE_CPP VERSION man|bash|zsh|fish OUT: the manual page and the shell completions.

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
TAIL = r'''.SH ENVIRONMENT
Those of
.BR ld.so (8)
mean the same. In secure execution only
.B LD_PRELOAD
and
.B LD_AUDIT
are looked at, for names without a slash of files that have the set\-user\-ID bit, and all are removed.
.TP
.BR LD_LIBRARY_PATH ", " LD_PRELOAD ", " LD_AUDIT
Directories to search, libraries to load first, auditors.
.TP
.BR LD_BIND_NOW ", " LD_BIND_NOT ", " LD_DYNAMIC_WEAK
How symbols are bound.
.TP
.BR LD_DEBUG ", " LD_DEBUG_OUTPUT ", " LD_SHOW_AUXV
What is told, and where to.
.B LD_DEBUG=help
lists the words.
.TP
.BR LD_TRACE_LOADED_OBJECTS ", " LD_VERBOSE ", " LD_WARN
As
.BR ldd (1)
uses them.
.TP
.B LD_ORIGIN_PATH
Directory of the program where /proc is not mounted.
.TP
.B GLIBC_TUNABLES
Tunables of the C library and of the loader;
.B \-\-list\-tunables
lists them.
.TP
.B MYLD_ALLOW
As
.BR \-\-allow .
.TP
.BR "MYLD_HUGE_TEXT=" yes | no
As
.B huge\-text
below, which it comes before.
.SH CONFIGURATION
What the file
.I PROGRAM.myld.conf
says, or a note in the program, holds for that program alone and is not read in secure execution. A line is a word and its
values, a
.B #
starts a comment, and
.B $ORIGIN
is the directory of the file, or of the program whose note it is.
.TP
.BI search " DIRECTORY"
Searched first of all; may be repeated.
.TP
.BI map " NAME FILE"
The name of a library means this file.
.TP
.BR "confine " yes | no
Libraries come from these two and from run paths that begin with $ORIGIN alone.
.TP
.BI preload " LIBRARY"
Loaded before the libraries of the program.
.TP
.BR "bind " now | lazy
As
.BR LD_BIND_NOW .
.TP
.BR "huge\-text " yes | no
Large code is put where huge pages may hold it, and the kernel is asked for them.
.TP
.BI tls\-surplus " BYTES"
At least so much static TLS for libraries that are opened later.
.TP
.BI env " NAME VALUE"
Set in the environment of the program, and so of its children.
.SH FILES
.TP
.I PROGRAM.myld.conf
See above.
.TP
.I /etc/ld.so.cache
Where libraries are, written by
.BR ldconfig (8).
.TP
.I /etc/ld.so.preload
Libraries that every program loads.
.SH EXIT STATUS
That of the program; without one, 0. 127 if a library or a symbol is missing or a file cannot be used, 1 if nothing but
versions is missing, if
.B \-\-explain
finds nothing, or if the command line is wrong.
.B \-\-verify
has its own.
.SH SEE ALSO
.BR ld.so (8),
.BR ldd (1),
.BR myld\-ldd (1),
.BR myld\-bundle (1)
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


def takes_file(placeholder):
    return placeholder in ("FILE", "PATH", "DIR")


def bash(found, version):
    plain = " ".join(name for name, _, _ in found)
    files = "|".join(name for name, p, _ in found if takes_file(p))
    other = "|".join(name for name, p, _ in found if p and not takes_file(p))
    return f'''# Completion of myld(8) {version} for bash.
_myld() {{
  local i word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}}
  COMPREPLY=()
  # Behind the program: what belongs to the program.
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${{COMP_WORDS[i]}} in
      {files}|{other}) [[ ${{COMP_WORDS[i+1]}} == '=' ]] && ((i++)); ((i++)) ;;
      --) ((i++)); break ;;
      --*) ;;
      *) break ;;
    esac
  done
  if ((i < COMP_CWORD)) && [[ ${{COMP_WORDS[i]}} != --* ]]; then
    if declare -F _command_offset >/dev/null; then _command_offset $i; else COMPREPLY=($(compgen -f -- "$word")); fi
    return
  fi
  [[ $before == '=' ]] && before=${{COMP_WORDS[COMP_CWORD-2]}}
  case $before in
    {files}) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    {other}) return ;;
  esac
  if [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "{plain}" -- "$word"))
  else
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen -f -- "$word"))
  fi
}}
complete -F _myld myld
'''


def zsh(found, version):
    lines = ["#compdef myld", f"# Completion of myld(8) {version} for zsh.", "_arguments -S \\"]
    for name, placeholder, text in found:
        text = re.sub(r"[\[\]:'\\]", " ", text)
        value = f":{placeholder}:{'_files' if takes_file(placeholder) else ' '}" if placeholder else ""
        lines.append(f"  '{name}{'=' if placeholder else ''}[{text}]{value}' \\")
    return "\n".join(lines + ["  '1:program:_files' '*::argument:_normal'"]) + "\n"


def fish(found, version):
    lines = [f"# Completion of myld(8) {version} for fish.",
             "complete -c myld -F"]
    for name, placeholder, text in found:
        text = text.replace("\\", r"\\").replace("'", r"\'")
        value = "" if not placeholder else " -r -F" if takes_file(placeholder) else " -x"
        lines.append(f"complete -c myld -l {name[2:]}{value} -d '{text}'")
    return "\n".join(lines) + "\n"


source, version, kind, out = sys.argv[1:]
make = {"man": manual, "bash": bash, "zsh": zsh, "fish": fish}[kind]
pathlib.Path(out).write_text(make(options(pathlib.Path(source).read_text()), version))
