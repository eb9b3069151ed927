"""The structures of a glibc build from the DWARF of its debug files. Used by gen_glibc_layout.py.

Two readers with the same result: pyelftools, to which all machines are the same, and gdb for files whose DWARF
is partly in another file (dwz, as some distributions ship it). A structure is described as
{'size': bytes, 'members': {path: {'off': byte, 'bit': first bit, 'bits': width, 'count': elements}}}, an
enumeration as {'values': {name: number}}.
"""

import json
import os
import subprocess
import sys
import tempfile

ISAS = {'EM_X86_64': 'x86_64', 'EM_AARCH64': 'aarch64', 'EM_RISCV': 'riscv64'}


def fail(text):
    sys.exit('gen_glibc_layout.py: ' + text)


def read_debug_files(paths, loader_types, libc_types):
    """(isa, types, build-id of libc in hex or ''). `paths` may hold any files; needed among them are those of
    ld.so, from which the first types are taken, and of libc.so.6."""
    from elftools.elf.elffile import ELFFile
    isa, types, build_id, seen = None, {}, '', set()
    for path in paths:
        with open(path, 'rb') as stream:
            elf = ELFFile(stream)
            role = role_of(elf)
            if role is None:
                continue
            if role in seen:
                fail(f'more than one {role} among the files')
            seen.add(role)
            file_isa = ISAS.get(elf['e_machine'])
            if file_isa is None or elf.elfclass != 64:
                fail(f'{path}: not for one of {sorted(ISAS.values())}')
            if isa not in (None, file_isa):
                fail('the files are for different machines')
            isa = file_isa
            wanted = set(loader_types if role == 'ld.so' else libc_types)
            if elf.get_section_by_name('.gnu_debugaltlink'):
                types.update(types_by_gdb(path, wanted))
            else:
                types.update(types_by_pyelftools(elf.get_dwarf_info(), wanted))
            if role == 'libc':
                build_id = build_id_of(elf)
    if seen != {'ld.so', 'libc'}:
        fail(f'need the debug files of ld.so and of libc.so.6, found {sorted(seen) or "neither"}')
    return isa, types, build_id


def role_of(elf):
    """'ld.so', 'libc' or None, by the symbols that the file defines."""
    symtab = elf.get_section_by_name('.symtab')
    if symtab is None or not elf.has_dwarf_info():
        return None

    def defines(name):
        return any(s['st_shndx'] != 'SHN_UNDEF' for s in symtab.get_symbol_by_name(name) or [])
    if defines('_rtld_global') and defines('_dl_start'):
        return 'ld.so'
    if defines('gnu_get_libc_version') and defines('__libc_early_init') and not defines('_rtld_global'):
        return 'libc'
    return None


def build_id_of(elf):
    """NT_GNU_BUILD_ID in hex, or ''."""
    from elftools.elf.sections import NoteSection
    for section in elf.iter_sections():
        if isinstance(section, NoteSection) and section['sh_type'] == 'SHT_NOTE':
            for note in section.iter_notes():
                if note['n_type'] == 'NT_GNU_BUILD_ID':
                    return note['n_desc']
    return ''


# ----------------------------------------------------------------------------------------- pyelftools

def strip(die):
    while die.tag in ('DW_TAG_typedef', 'DW_TAG_const_type', 'DW_TAG_volatile_type', 'DW_TAG_atomic_type'):
        die = die.get_DIE_from_attribute('DW_AT_type')
    return die


def name_of(die):
    return die.attributes['DW_AT_name'].value.decode() if 'DW_AT_name' in die.attributes else ''


def array_count(die):
    for r in die.iter_children():
        if r.tag == 'DW_TAG_subrange_type':
            if 'DW_AT_upper_bound' in r.attributes:
                return r.attributes['DW_AT_upper_bound'].value + 1
            if 'DW_AT_count' in r.attributes:
                return r.attributes['DW_AT_count'].value
    return None


def flatten(die, base, prefix, out, depth=0):
    """Members of a structure, by path; anonymous ones are transparent, arrays are not entered."""
    for child in die.iter_children():
        if child.tag != 'DW_TAG_member':
            continue
        name, a = name_of(child), child.attributes
        if 'DW_AT_data_bit_offset' in a:
            bit = a['DW_AT_data_bit_offset'].value
            out[prefix + name] = {'off': base + bit // 8, 'bit': bit % 8, 'bits': a['DW_AT_bit_size'].value}
            continue
        if 'DW_AT_bit_size' in a:
            fail(f'{prefix}{name}: bit field in the form of DWARF 2, compile with -gdwarf-4 or later')
        off = base + (a['DW_AT_data_member_location'].value if 'DW_AT_data_member_location' in a else 0)
        t = strip(child.get_DIE_from_attribute('DW_AT_type'))
        if name:
            out[prefix + name] = {'off': off}
            if t.tag == 'DW_TAG_array_type' and (count := array_count(t)) is not None:
                out[prefix + name]['count'] = count
        if t.tag in ('DW_TAG_structure_type', 'DW_TAG_union_type') and depth < 4:
            flatten(t, off, prefix + name + '.' if name else prefix, out, depth + 1)


def describe(die):
    """A type's description, or None for a mere declaration."""
    if die.tag == 'DW_TAG_typedef':
        if 'DW_AT_type' not in die.attributes:
            return None
        die = strip(die)
    if die.tag == 'DW_TAG_enumeration_type':
        return {'values': {name_of(c): c.attributes['DW_AT_const_value'].value
                           for c in die.iter_children() if c.tag == 'DW_TAG_enumerator'}}
    if die.tag in ('DW_TAG_structure_type', 'DW_TAG_union_type') and 'DW_AT_byte_size' in die.attributes:
        members = {}
        flatten(die, 0, '', members)
        return {'size': die.attributes['DW_AT_byte_size'].value, 'members': members}
    return None


def types_by_pyelftools(dwarf, wanted):
    found = {}
    for cu in dwarf.iter_CUs():
        if not wanted - found.keys():
            break
        for die in cu.get_top_DIE().iter_children():
            name = name_of(die)
            if name in wanted and name not in found and (t := describe(die)) is not None:
                # <link.h> has a link_map too, without the private members.
                if name != 'link_map' or 'l_ns' in t['members']:
                    found[name] = t
            if name == 'rtld_global':
                # struct link_namespaces is declared inside it.
                for inner in die.iter_children():
                    if name_of(inner) in wanted and (t := describe(inner)) is not None:
                        found.setdefault(name_of(inner), t)
    return found


# ------------------------------------------------------------------------------------------------ gdb

def types_by_gdb(path, wanted):
    with tempfile.NamedTemporaryFile('r', suffix='.json') as result:
        env = dict(os.environ, GLIBC_DWARF_OUT=result.name, GLIBC_DWARF_TYPES=' '.join(sorted(wanted)), LC_ALL='C')
        p = subprocess.run(['gdb', '-nx', '-batch', path, '-x', os.path.abspath(__file__)], env=env,
                           capture_output=True, text=True)
        text = result.read()
        if not text:
            fail(f'gdb found no types in {path}: {p.stderr.strip()}')
        return json.loads(text)


def inside_gdb():
    import gdb

    def flatten_gdb(t, base, prefix, out, depth=0):
        for f in t.strip_typedefs().fields():
            if not hasattr(f, 'bitpos'):
                continue
            name, member, off = f.name or '', f.type.strip_typedefs(), base + f.bitpos // 8
            if f.bitsize:
                out[prefix + name] = {'off': off, 'bit': f.bitpos % 8, 'bits': f.bitsize}
                continue
            if name:
                out[prefix + name] = {'off': off}
                if member.code == gdb.TYPE_CODE_ARRAY:
                    low, high = member.range()
                    out[prefix + name]['count'] = high - low + 1
            if member.code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION) and depth < 4:
                flatten_gdb(member, off, prefix + name + '.' if name else prefix, out, depth + 1)

    def lookup(name):
        for spelling in ('struct ' + name, name, 'union ' + name):
            try:
                t = gdb.lookup_type(spelling).strip_typedefs()
            except gdb.error:
                continue
            if name == 'link_map' and 'l_ns' not in (f.name for f in t.fields()):
                t = gdb.lookup_type('struct rtld_global')['_dl_profile_map'].type.strip_typedefs().target()
            return t
        return None
    found = {}
    for name in os.environ['GLIBC_DWARF_TYPES'].split():
        t = lookup(name)
        if t is None:
            continue
        if t.code == gdb.TYPE_CODE_ENUM:
            found[name] = {'values': {f.name: f.enumval for f in t.fields()}}
        else:
            members = {}
            flatten_gdb(t, 0, '', members)
            found[name] = {'size': t.sizeof, 'members': members}
    with open(os.environ['GLIBC_DWARF_OUT'], 'w') as out:
        json.dump(found, out)


if 'GLIBC_DWARF_OUT' in os.environ:
    inside_gdb()
