"""add_relro.py FILE: its PT_NULL becomes a PT_GNU_RELRO from the first writable segment to 0x30000 (link addresses)."""
import struct
import sys

PT_NULL, PT_LOAD, PT_GNU_RELRO, PF_W, PF_R, PHDR = 0, 1, 0x6474E552, 2, 4, struct.Struct("<IIQQQQQQ")

with open(sys.argv[1], "r+b") as file:
    data = file.read()
    places = [64 + i * PHDR.size for i in range(data[56])]
    headers = {at: PHDR.unpack_from(data, at) for at in places}
    start = min(h[3] for h in headers.values() if h[0] == PT_LOAD and h[1] & PF_W)
    empty = next(at for at, h in headers.items() if h[0] == PT_NULL)
    file.seek(empty)
    file.write(PHDR.pack(PT_GNU_RELRO, PF_R, 0, start, start, 0, 0x30000 - start, 1))
