#!/usr/bin/python3
"""make_descriptors.py FILE: gives a riscv64 library TLS descriptors, which no linker of today's distributions makes.

The general dynamic model keeps two GOT words a variable, with the relocations R_RISCV_TLS_DTPMOD64 and
R_RISCV_TLS_DTPREL64. For the symbols `described` and `nowhere` these become R_RISCV_TLSDESC and
R_RISCV_NONE, so that the two words are a descriptor.
"""
import pathlib
import struct
import sys

DTPMOD64, DTPREL64, TLSDESC, NONE = 7, 9, 12, 0
file = pathlib.Path(sys.argv[1])
data = bytearray(file.read_bytes())
shoff, = struct.unpack_from("<Q", data, 40)
shentsize, shnum = struct.unpack_from("<HH", data, 58)
sections = [struct.unpack_from("<IIQQQQIIQQ", data, shoff + i * shentsize) for i in range(shnum)]
SHT_RELA, SHT_DYNSYM = 4, 11
dynsym = next(s for s in sections if s[1] == SHT_DYNSYM)
dynstr = sections[dynsym[6]]


def symbol_name(index):
    name, = struct.unpack_from("<I", data, dynsym[4] + 24 * index)
    start = dynstr[4] + name
    return data[start:data.index(0, start)].decode()


changed = 0
for section in sections:
    if section[1] != SHT_RELA:
        continue
    for at in range(section[4], section[4] + section[5], 24):
        kind, symbol = struct.unpack_from("<II", data, at + 8)
        if kind in (DTPMOD64, DTPREL64) and symbol_name(symbol) in ("described", "nowhere"):
            struct.pack_into("<I", data, at + 8, TLSDESC if kind == DTPMOD64 else NONE)
            changed += 1
if changed != 4:
    raise SystemExit(f"{file}: changed {changed} relocations, not 4")
file.write_bytes(data)
