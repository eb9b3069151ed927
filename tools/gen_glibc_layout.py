#!/usr/bin/python3
"""Generate rtld/glibc/layouts/<isa>/*.inc: where each known build of glibc keeps its private members.

The schema is rtld/glibc/layout.hpp itself: every member declared there is looked up by its name in the
debugging information of a glibc build, and its offset is written down. The files are both output and
input: a run reads the tables that are there, adds the new build (or finds that a known layout fits it
exactly, and only records the build-id), and writes them all again, in a fixed order.

  gen_glibc_layout.py --deb libc6-dbg_2.36-9+deb12u14_amd64.deb
  gen_glibc_layout.py --debuginfo ld.so.debug libc.so.6.debug --minor 36 --origin "Example 9 glibc-2.36-1"
  gen_glibc_layout.py --json 2.36-x86_64.json ...        (members already extracted, see import_json)
  gen_glibc_layout.py --check                            (the files are what this program would write)
  gen_glibc_layout.py --show --deb ...                   (print one build's offsets, change nothing)
  gen_glibc_layout.py --layout 2_36 --libc libc.so.6 --origin "Example 9 glibc-2.36-1"
                                                         (this libc is known, by other means, to have that layout)

--debuginfo takes the separate debug files (or unstripped binaries) of the dynamic loader and of libc.so.6,
in any order: what a distribution ships in its debug package, `debuginfod-find debuginfo BUILD-ID` fetches,
or a build of glibc leaves in its build directory (elf/ld.so, libc.so). DWARF is read with pyelftools
(Debian: python3-pyelftools).
"""

import argparse
import bisect
import glob
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile

from glibc_dwarf import ISAS, build_id_of, fail, read_debug_files

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LAYOUT_HPP = os.path.join(ROOT, 'rtld/glibc/layout.hpp')
LAYOUTS = os.path.join(ROOT, 'rtld/glibc/layouts')
SCHEMA = None  # {member of Layout: (C++ type, [(member type, member name)])}, set by main()
FIRST_MINOR, LAST_MINOR = 34, 43

# C++ member of Layout -> structure in glibc.
STRUCTS = {
    'rtld_global_ro': 'rtld_global_ro', 'rtld_global': 'rtld_global', 'link_namespaces': 'link_namespaces',
    'link_map': 'link_map', 'pthread': 'pthread', 'cpu_features': 'cpu_features',
}
LIBC_TYPES = ['pthread']
LOADER_TYPES = [s for s in STRUCTS.values() if s not in LIBC_TYPES] + ['dl_find_object', 'tunable_val_t', 'tunable_id_t']
# Members whose path in glibc is not the C++ name: nested ones, and one that was renamed.
PATHS = {
    'robust_head_futex_offset': ['robust_head.futex_offset'],
    'schedparam_sched_priority': ['schedparam.sched_priority'],
    '_ns_debug': ['_ns_debug', '_ns_debug_unused'],
}
# l_info[] ends in 16 version tags, 3 extra, 12 value and 11 address tags (<elf.h>: DT_VERSIONTAGNUM,
# DT_EXTRANUM, DT_VALNUM, DT_ADDRNUM; include/link.h). VERSYM is the last of the version tags,
# GNU_HASH the last of all.
L_INFO_TAIL = 16 + 3 + 12 + 11
L_INFO_VERSYM = 15


# ---------------------------------------------------------------------------------------------- schema

def read_schema():
    """The members of Layout's structures, in order, from layout.hpp."""
    schema, name, members = {}, None, []
    for line in open(LAYOUT_HPP):
        if m := re.match(r'  struct (\w+) \{', line):
            name, members = m[1], []
        elif m := re.match(r'    (Offset|Bits|std::uint16_t) (\w+)', line):
            members.append((m[1], m[2]))
        elif m := re.match(r'  \} (\w+);', line):
            schema[m[1]] = (name, members)
    if sorted(schema) != sorted(STRUCTS):
        fail(f'{LAYOUT_HPP} declares {sorted(schema)}')
    return schema


class Entry:
    """One layout: what is written to the tables, and the builds it was seen in."""

    def __init__(self):
        self.label = ''      # part of a C++ name: 2_36, 2_36_5, 2_36_br
        self.minor = 0
        self.facts = {}      # member of Layout -> C++ text
        self.structs = {}    # member of Layout -> {member: number | (byte, bit, width)}; absent ones are left out
        self.tunables = ()   # (name, type, default, min, max, env alias), in the order of their ids
        self.origins = []    # texts, the first is the one shown to people
        self.build_ids = []  # (hex, text)

    def key(self):
        return (self.minor, tuple(sorted(self.facts.items())), self.tunables,
                tuple((s, tuple(sorted(m.items()))) for s, m in sorted(self.structs.items())))


def make_entry(minor, types, tunables):
    """types: {struct: {'size', 'members': {path: {'off', 'bit', 'bits', 'count'}}}}, enums {'values'}."""
    e = Entry()
    e.minor = minor
    for struct, (_, members) in SCHEMA.items():
        source = types.get(STRUCTS[struct])
        out = e.structs[struct] = {}
        if source is None:
            if struct == 'cpu_features':  # riscv64 has none
                continue
            fail(f'no debugging information for struct {STRUCTS[struct]}')
        found = source['members']
        for kind, member in members:
            if member == 'size':
                out[member] = source['size']
            elif kind == 'std::uint16_t':
                count = found['l_info']['count']
                out[member] = {'l_info_count': count, 'l_info_gnu_hash_index': count - 1,
                               'l_info_versym_index': count - L_INFO_TAIL + L_INFO_VERSYM}[member]
            else:
                paths = PATHS.get(member, [member])
                if member.startswith('header_'):
                    paths = ['header.' + member[len('header_'):]]
                f = next((found[p] for p in paths if p in found), None)
                if f is None:
                    continue
                if (kind == 'Bits') != ('bits' in f):
                    fail(f'{STRUCTS[struct]}.{member}: bit field or not?')
                out[member] = (f['off'], f['bit'], f['bits']) if kind == 'Bits' else f['off']
    pthread, ro, gl = e.structs['pthread'], e.structs['rtld_global_ro'], e.structs['rtld_global']
    names = {t[0] for t in tunables}
    e.tunables = tuple(tunables)

    def boolean(b):
        return 'true' if b else 'false'
    if 'rseq_area' in pthread:  # riscv64, which has no cpu_features, got its RSEQ_SIG in 2.41
        rseq = 'in_pthread' if e.structs['cpu_features'] else 'unregistered'
    else:
        rseq = 'static_tls' if minor >= 41 else 'none'
    if '_dl_x86_cpu_features' not in ro:
        preferred = 'none'
    elif 'glibc.cpu.prefer_map_32bit_exec' in names:
        preferred = 'with_map_32bit'
    else:
        preferred = 'up_to_fsrm' if minor == 34 else 'without_map_32bit'
    e.facts = {
        'libc_imports_dl_signal': boolean('rtld_catch' in pthread),
        'rseq': 'Rseq::' + rseq,
        'tid_address_is_joinstate': boolean('joinstate' in pthread),
        'stack_flags_are_prot': boolean('_dl_stack_prot_flags' in gl),
        'dl_find_object_has_sframe': boolean('dlfo_sframe' in types.get('dl_find_object', {}).get('members', {})),
        'tunable_val_is_16_bytes': boolean(types['tunable_val_t']['size'] == 16),
        'preferred_bits': 'PreferredBits::' + preferred,
    }
    return e


# ------------------------------------------------------------------------------------------- tunables

def tunable_order(enum):
    """The C names of the tunables (dots are underscores there) in the order of their ids."""
    order = sorted(enum['values'], key=enum['values'].get)
    if [enum['values'][n] for n in order] != list(range(len(order))):
        fail('tunable_id_t is not 0, 1, 2 ...')
    return order


def resolve_tunables(order, minor, pool):
    """pool: {C name: [(minor, tunable)]}. Types and defaults are not in DWARF: they come from a known release,
    the nearest one."""
    out = []
    for name in order:
        known = pool.get(name)
        if not known:
            fail(f'tunable {name} is in no table yet; give --tunables FILE with its type and default')
        out.append(min(known, key=lambda k: abs(k[0] - minor))[1])
    return out


def read_tunable_list(path):
    """Lines: id name type min max default env-alias security-level."""
    out = []
    for line in open(path):
        f = line.split()
        if len(f) == 8 and f[0].isdigit():
            out.append((f[1], f[2], int(f[5], 0), int(f[3], 0), int(f[4], 0), '' if f[6] == '-' else f[6]))
    return out


# ------------------------------------------------------------------------------- debugging information

def record_libc(path, label, origin):
    """Records the build-id of a libc.so.6 with a layout that is already in the tables."""
    from elftools.elf.elffile import ELFFile
    with open(path, 'rb') as stream:
        elf = ELFFile(stream)
        isa, build_id = ISAS[elf['e_machine']], build_id_of(elf)
    entries = read_isa(isa)
    entry = next((e for e in entries if e.label == label), None) or fail(f'{isa} has no layout {label}')
    if not build_id:
        fail(f'{path} has no build-id')
    if any(b == build_id for e in entries for b, _ in e.build_ids):
        fail(f'build-id {build_id} is already in the tables')
    entry.build_ids.append((build_id, origin))
    entry.origins.append(origin)
    save(isa, entries)
    print(f'{isa}: {origin}: layout {label}, build-id {build_id}')


def debug_files_of_deb(package, directory):
    subprocess.run(['dpkg-deb', '-x', package, directory], check=True)

    def field(name):
        return subprocess.run(['dpkg-deb', '-f', package, name], check=True, capture_output=True, text=True).stdout.strip()
    files = []
    for top, _, names in os.walk(directory + '/usr/lib/debug'):
        files += [os.path.join(top, n) for n in names if not os.path.islink(os.path.join(top, n))]
    vendor = 'Ubuntu' if 'ubuntu' in (field('Version') + field('Maintainer')).lower() else 'Debian'
    return sorted(files), f"{vendor} {field('Source').split()[0]} {field('Version')} {field('Architecture')}"


# ----------------------------------------------------------------------------------------- JSON import

def import_json(path, dates):
    """A file in which the members are already extracted, in the form of make_entry's `types`; the file's name is
    RELEASE-ISA.json, RELEASE-br-ISA.json (tip of the maintenance branch) or RELEASE+N-COMMIT-ISA.json."""
    base = os.path.basename(path)[:-len('.json')]
    m = re.fullmatch(r'2\.(\d+)(?:\+(\d+)-([0-9a-f]+)|-(br|head))?-(x86_64|aarch64|riscv64)', base)
    if not m:
        fail(f'{path}: unexpected file name')
    data = json.load(open(path))
    minor, isa = int(m[1]), m[5]
    source = data.get('origin', {}).get('source')
    if m[2]:
        text = f'release/2.{minor}/master at {m[3]}' + (f' {dates[m[3]]}' if m[3] in dates else '')
        label = f'2_{minor}_{m[2]}'
    elif source:
        name, commit, date = source.split()
        text = f'{name} at {commit[:10]} {date}' if name != 'HEAD' else f'development tree at {commit[:10]} {date}'
        if name.startswith('glibc-'):
            text = f'release 2.{minor}, {commit[:10]} {date}'
        label = f'2_{minor}' + (f'_{m[4]}' if m[4] else '')
    else:
        text, label = None, f'2_{minor}_debian'
    return isa, minor, label, text, data['types']


# -------------------------------------------------------------------------------------- the .inc files

HEADER = '''// {what}
// Generated from DWARF by tools/gen_glibc_layout.py, which also reads it back; do not edit.
// clang-format off
'''


def wrap(items, indent='    ', width=100):
    lines, line = [], indent
    for item in items:
        if len(line) + len(item) + 1 > width and line.strip():
            lines.append(line.rstrip())
            line = indent
        line += item + ' '
    lines.append(line.rstrip())
    return '\n'.join(l for l in lines if l.strip())


def member_text(name, value):
    if isinstance(value, tuple):
        return '.%s = {%d, %d, %d},' % (name, *value)
    return f'.{name} = {value},'


def write_isa(isa, entries):
    """The contents of every file of an ISA: {name: text}."""
    files = {}
    names = {s: {} for s in SCHEMA}  # struct -> {values: C++ name}
    tables = {}                      # tunables -> index
    pool = {}                        # tunable -> index
    for e in entries:
        for t in e.tunables:
            pool.setdefault(t, None)
    for i, t in enumerate(sorted(pool)):
        pool[t] = i
    for minor in sorted({e.minor for e in entries}):
        out = [HEADER.format(what=f'glibc 2.{minor}, {isa}: its layouts, oldest first.')]
        for e in (e for e in entries if e.minor == minor):
            out.append('')
            parts = []
            for struct, (kind, members) in SCHEMA.items():
                values = tuple(sorted(e.structs[struct].items()))
                if not values:
                    parts.append(f'.{struct} = {{}},')
                    continue
                name = names[struct].get(values)
                if name is None:
                    name = names[struct][values] = f'{struct}_{e.label}'
                    out.append(f'inline constexpr Layout::{kind} {name} = {{')
                    out.append(wrap(member_text(m, e.structs[struct][m]) for _, m in members if m in e.structs[struct]))
                    out.append('};')
                parts.append(f'.{struct} = {name},')
            for text in e.origins:
                out.append(f'// From: {text}')
            table = tables.setdefault(e.tunables, len(tables))
            out.append(f'inline constexpr Layout layout_{e.label} = {{')
            out.append(wrap([f'.minor = {e.minor},'] + [
                f'.{f} = {e.facts[f] if f != "tunables" else table},' for f in FACT_ORDER]))
            out.append(wrap(parts))
            out.append('};')
        files[f'glibc-2.{minor}.inc'] = '\n'.join(out) + '\n'

    out = [HEADER.format(what=f'The tunables of glibc on {isa}: all that are known, then which id names which, by build.')]
    out += ['', 'inline constexpr Tunable tunables[] = {']
    for t in sorted(pool, key=pool.get):
        out.append('    {"%s", TunableType::%s, %#x, %#x, %#x, "%s"},' % (t[0], t[1].lower(), *t[2:5], t[5]))
    out += ['};', '', 'inline constexpr TunableTable tunable_tables[] = {']
    for table in sorted(tables, key=tables.get):
        out.append(f'    {{{len(table)}, {{')
        out.append(wrap([f'{pool[t]},' for t in table], indent='        '))
        out.append('    }},')
    out.append('};')
    files['tunables.inc'] = '\n'.join(out) + '\n'

    out = [HEADER.format(what=f'All layouts of glibc on {isa}, and the builds that are known by their build-id.')]
    out.append('')
    out += [f'#include "rtld/glibc/layouts/{isa}/glibc-2.{m}.inc"' for m in sorted({e.minor for e in entries})]
    out += [f'#include "rtld/glibc/layouts/{isa}/tunables.inc"', '', 'inline constexpr Layout layouts[] = {']
    out.append(wrap(f'layout_{e.label},' for e in entries))
    out += ['};', '', '// What each was taken from, in the same order.', 'inline constexpr const char* names[] = {']
    out += [f'    "{e.origins[0]}",' for e in entries]
    builds = [(b, text, i) for i, e in enumerate(entries) for b, text in e.build_ids]
    out += ['};', '', f'inline constexpr std::array<BuildId, {len(builds)}> build_ids = {{']
    for b, text, i in builds:
        octets = ', '.join('0x' + b[k:k + 2] for k in range(0, len(b), 2))
        # One pair of braces more than reads well: std::array is a struct around an array.
        out.append(f'    BuildId{{{len(b) // 2}, {{{octets}}},')
        out.append(f'            {i}, "{text}"}},')
    out.append('};')
    files['known.inc'] = '\n'.join(out) + '\n'
    return files


FACT_ORDER = ['libc_imports_dl_signal', 'rseq', 'tid_address_is_joinstate', 'stack_flags_are_prot',
              'dl_find_object_has_sframe', 'tunable_val_is_16_bytes', 'tunables', 'preferred_bits']


def read_isa(isa):
    """The entries that the files of an ISA hold."""
    directory = os.path.join(LAYOUTS, isa)
    if not os.path.exists(directory + '/known.inc'):
        return []
    tunables_text = open(directory + '/tunables.inc').read()
    pool = [(m[1], m[2].upper(), int(m[3], 0), int(m[4], 0), int(m[5], 0), m[6]) for m in re.finditer(
        r'\{"(.*?)", TunableType::(\w+), (\w+), (\w+), (\w+), "(.*?)"\},', tunables_text)]
    tables = [tuple(pool[int(n)] for n in re.findall(r'\d+', m[2]))
              for m in re.finditer(r'\{(\d+), \{([\d,\s]*)\}\},', tunables_text)]
    known = open(directory + '/known.inc').read()
    order = re.findall(r'layout_(\w+),', known)
    structs, by_label = {}, {}
    for path in glob.glob(directory + '/glibc-2.*.inc'):
        text = open(path).read()
        for m in re.finditer(r'inline constexpr Layout::\w+ (\w+) = \{\n(.*?)\n\};', text, re.S):
            values = {}
            for f in re.finditer(r'\.(\w+) = (?:\{(\d+), (\d+), (\d+)\}|(\d+)),', m[2]):
                values[f[1]] = int(f[5]) if f[5] else (int(f[2]), int(f[3]), int(f[4]))
            structs[m[1]] = values
    for path in glob.glob(directory + '/glibc-2.*.inc'):
        text = open(path).read()
        for m in re.finditer(r'((?:// From: [^\n]*\n)+)inline constexpr Layout layout_(\w+) = \{\n(.*?)\n\};', text, re.S):
            e = Entry()
            e.origins = re.findall(r'// From: (.*)', m[1])
            e.label = m[2]
            for name, value in re.findall(r'\.(\w+) = ([\w:{}]+),', m[3]):
                if name in SCHEMA:
                    e.structs[name] = {} if value == '{}' else structs[value]
                elif name == 'minor':
                    e.minor = int(value)
                elif name == 'tunables':
                    e.tunables = tables[int(value)]
                else:
                    e.facts[name] = value
            by_label[e.label] = e
    entries = [by_label[label] for label in order]
    for m in re.finditer(r'BuildId\{\d+, \{(.*?)\},\s+(\d+), "(.*?)"\}', known, re.S):
        entries[int(m[2])].build_ids.append((''.join(re.findall(r'0x(\w\w)', m[1])), m[3]))
    return entries


def add(entries, new):
    """Adds a layout, or what is new about a known one. Returns the entry that now stands for it."""
    for e in entries:
        if e.key() == new.key():
            e.origins += [o for o in new.origins if o not in e.origins]
            e.build_ids += [b for b in new.build_ids if b not in e.build_ids]
            return e
    labels = {e.label for e in entries}
    label, n = new.label, 1
    while new.label in labels:
        n += 1
        new.label = f'{label}_v{n}'
    entries.insert(bisect.bisect_right([e.minor for e in entries], new.minor), new)
    return new


def save(isa, entries):
    directory = os.path.join(LAYOUTS, isa)
    os.makedirs(directory, exist_ok=True)
    files = write_isa(isa, entries)
    for name, text in files.items():
        with open(os.path.join(directory, name), 'w') as f:
            f.write(text)


def check():
    bad = 0
    for isa in sorted(os.listdir(LAYOUTS)):
        if not os.path.isdir(os.path.join(LAYOUTS, isa)):
            continue
        for name, text in write_isa(isa, read_isa(isa)).items():
            path = os.path.join(LAYOUTS, isa, name)
            if not os.path.exists(path) or open(path).read() != text:
                print(f'{path}: not what gen_glibc_layout.py writes')
                bad = 1
    return bad


def pool_of(isas):
    pool = {}
    for isa in isas:
        for e in read_isa(isa):
            for t in e.tunables:
                pool.setdefault(t[0].replace('.', '_'), []).append((e.minor, t))
    return pool


def show(e):
    for struct, (_, members) in SCHEMA.items():
        print(struct)
        for _, m in members:
            print(f'  {m:32} {e.structs[struct].get(m, "-")}')
    for f, v in e.facts.items():
        print(f, v)
    for i, t in enumerate(e.tunables):
        print(f'  tunable {i:2} {t[0]}')


def import_all(paths, dates_from, tunable_files, origin_texts):
    dates = {}
    for path in dates_from:
        for line in open(path):
            if m := re.match(r'\| \S+ \| ([0-9a-f]{10}) \| (\d{4}-\d\d-\d\d) \|', line):
                dates[m[1]] = m[2]
    lists = {}
    for path in tunable_files:
        m = re.match(r'tunables-2\.(\d+)(?:-(br|head))?-(\w+?)\.txt$', os.path.basename(path))
        if m:
            for t in read_tunable_list(path):
                lists.setdefault(m[3], {}).setdefault(t[0].replace('.', '_'), []).append((int(m[1]), t))
    by_isa = {}
    for path in paths:
        isa, minor, label, text, types = import_json(path, dates)
        if text is None:
            text = next((o.split('=', 1)[1] for o in origin_texts if o.split('=', 1)[0] == path), None)
            if text is None:
                fail(f'{path} does not say what it was taken from; give --origin {path}=TEXT')
        tunables = resolve_tunables(tunable_order(types['tunable_id_t']), minor, lists.get(isa, {}))
        e = make_entry(minor, types, tunables)
        e.label, e.origins = label, [text]
        add(by_isa.setdefault(isa, read_isa(isa)), e)
    for isa, entries in by_isa.items():
        save(isa, entries)
        print(f'{isa}: {len(entries)} layouts')


def main():
    global SCHEMA
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--deb', help='a Debian package with the debug files of libc6 (libc6-dbg)')
    p.add_argument('--debuginfo', nargs='+', metavar='FILE', help='debug files of ld.so and libc.so.6')
    p.add_argument('--json', nargs='+', metavar='FILE', help='members already extracted')
    p.add_argument('--dates', nargs='*', default=[], metavar='FILE', help='with --json: tables with the dates of commits')
    p.add_argument('--tunables', nargs='*', default=[], metavar='FILE', help='lists of tunables with types and defaults')
    p.add_argument('--minor', type=int, help='with --debuginfo: 36 for glibc 2.36')
    p.add_argument('--origin', action='append', default=[], help='with --debuginfo: what build it is; with --json: FILE=TEXT')
    p.add_argument('--label', help='with --debuginfo: how to name a new layout, 2_36_x')
    p.add_argument('--layout', help='with --libc: the name of the layout it has')
    p.add_argument('--libc', metavar='FILE', help='with --layout: a libc.so.6')
    p.add_argument('--show', action='store_true', help='print the offsets and change nothing')
    p.add_argument('--check', action='store_true', help='check that the files are what this program writes')
    args = p.parse_args()
    SCHEMA = read_schema()
    if args.check:
        return check()
    if importlib.util.find_spec('elftools') is None and not args.json:
        fail('needs pyelftools (Debian: python3-pyelftools)')
    if args.json:
        return import_all(args.json, args.dates, args.tunables, args.origin)
    if args.layout or args.libc:
        if not args.layout or not args.libc or len(args.origin) != 1:
            fail('--layout and --libc go together, with --origin')
        return record_libc(args.libc, args.layout, args.origin[0])
    with tempfile.TemporaryDirectory() as directory:
        if args.deb:
            files, origin = debug_files_of_deb(args.deb, directory)
            origin = args.origin[0] if args.origin else origin
            m = re.search(r' (?:\d+:)?2\.(\d+)', origin)
            minor = int(m[1]) if m else fail(f'no glibc version in "{origin}"')
        elif args.debuginfo:
            files, minor = args.debuginfo, args.minor
            if minor is None or len(args.origin) != 1:
                fail('--debuginfo needs --minor and --origin')
            origin = args.origin[0]
        else:
            p.error('nothing to do')
        isa, types, build_id = read_debug_files(files, LOADER_TYPES, LIBC_TYPES)
    if not FIRST_MINOR <= minor <= LAST_MINOR:
        fail(f'glibc 2.{minor}: the adapter knows 2.{FIRST_MINOR} to 2.{LAST_MINOR}; a new release needs its changes'
             ' to the interface read first (facts in layout.hpp that are not offsets)')
    pool = {}
    for path in args.tunables:
        for t in read_tunable_list(path):
            pool.setdefault(t[0].replace('.', '_'), []).append((minor, t))
    for name, known in pool_of([isa]).items():
        pool.setdefault(name, []).extend(known)
    e = make_entry(minor, types, resolve_tunables(tunable_order(types['tunable_id_t']), minor, pool))
    e.label = args.label or f'2_{minor}_' + re.sub(r'\W+', '_', origin).strip('_').lower()
    e.origins = [origin]
    if build_id:
        e.build_ids = [(build_id, origin)]
    if args.show:
        show(e)
        return 0
    entries = read_isa(isa)
    known = len(entries)
    e = add(entries, e)
    save(isa, entries)
    print(f'{isa}: {origin}: ' + (f'new layout {e.label}' if len(entries) > known else f'same as layout {e.label}')
          + (f', build-id {build_id}' if build_id else ', no build-id'))
    return 0


if __name__ == '__main__':
    sys.exit(main())
