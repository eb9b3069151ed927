"""ELF files as the bundler sees them: what a file is, what it may open later, and a program that starts by a stub."""
import dataclasses
import json
import struct

EHDR = struct.Struct("<16sHHIQQQIHHHHHH")
PHDR = struct.Struct("<IIQQQQQQ")
PT_LOAD, PT_INTERP, PT_NOTE, PT_PHDR = 1, 3, 4, 6
OWNER = b"myld\0"
CONFIG_NOTE, START_NOTE = 1, 2  # loader/stub/note.hpp
LOADER_BYTES = 240
# Source: UAPI group, "Package Metadata for dlopen".
DLOPEN_NOTE = (b"FDO\0", 0x407c0c0a)
KERNEL_NOTE = (b"GNU\0", 1)  # NT_GNU_ABI_TAG: the system, then the oldest version of its kernel


class Refused(Exception):
    """What the file asks for cannot be done; the text says why."""


@dataclasses.dataclass
class Facts:
    """What a file is. `kind`: program (asks for a loader), library (anything else dynamic), static, or other (no ELF
    file of 64 bits). `dlopens`: of its .note.dlopen, a list of (sonames, priority, feature)."""
    kind: str
    machine: str = ""
    dlopens: list = dataclasses.field(default_factory=list)
    kernel: tuple = ()
    interpreter_of: str = ""  # kind other: a script's
    has_config: bool = False


def elf_file(file):
    """pyelftools' view of an open file. Imported when there is work to do: --help needs none."""
    try:
        from elftools.elf.elffile import ELFFile
        return ELFFile(file)
    except ImportError:
        raise Refused("pyelftools is needed (Debian: python3-pyelftools)") from None


def notes(elf):
    """(owner, type, description) of each note."""
    for segment in elf.iter_segments("PT_NOTE"):
        data, at = segment.data(), 0
        to = 8 if segment["p_align"] == 8 else 4
        while at + 12 <= len(data):
            owner_bytes, size, kind = struct.unpack_from("<III", data, at)
            start = align(at + 12 + owner_bytes, to)
            yield data[at + 12:at + 12 + owner_bytes], kind, data[start:start + size]
            at = align(start + size, to)


def read_dlopens(raw, path):
    try:
        entries = json.loads(raw.rstrip(b"\0"))
        return [([str(name) for name in entry["soname"]], entry.get("priority", "recommended"),
                 entry.get("feature", "")) for entry in entries]
    except (ValueError, KeyError, TypeError) as error:
        raise Refused(f"{path}: .note.dlopen is not what the specification says: {error}") from error


def look_at(path):
    """The Facts of a regular file."""
    with open(path, "rb") as file:
        head = file.read(256)
        if head[:2] == b"#!":
            return Facts("other", interpreter_of=head[2:].split(b"\n")[0].decode(errors="replace").strip())
        if head[:4] != b"\x7fELF" or len(head) < 64 or head[4:6] != b"\x02\x01" or head[16:18] not in (b"\2\0", b"\3\0"):
            return Facts("other")
        try:
            elf = elf_file(file)
            kinds = {segment["p_type"] for segment in elf.iter_segments()}
            facts = Facts("program" if "PT_INTERP" in kinds else "library" if "PT_DYNAMIC" in kinds else "static",
                          elf.get_machine_arch())
            for owner, kind, text in notes(elf):
                if (owner, kind) == DLOPEN_NOTE:
                    facts.dlopens += read_dlopens(text, path)
                facts.has_config |= (owner, kind) == (OWNER, CONFIG_NOTE)
                if (owner, kind) == KERNEL_NOTE:
                    facts.kernel = struct.unpack_from("<III", text, 4)
        except Refused:
            raise
        except Exception as error:  # what pyelftools makes of a damaged file is of many kinds
            raise Refused(f"{path}: a damaged ELF file: {error}") from error
    # libc.so.6 has an interpreter of its own, so that it can be run; it is a library all the same.
    if facts.kind == "program" and has_soname(path):
        facts.kind = "library"
    return facts


def own_machine():
    """The machine of this very process, as `machine` above names it."""
    return look_at("/proc/self/exe").machine


def has_soname(path):
    with open(path, "rb") as file:
        dynamic = next(elf_file(file).iter_segments("PT_DYNAMIC"), None)
        return dynamic is not None and any(True for _ in dynamic.iter_tags("DT_SONAME"))


class Stub:
    """build/myld-stub: its one segment of code, which is put into programs."""

    def __init__(self, path):
        with open(path, "rb") as file:
            elf = elf_file(file)
            loads = list(elf.iter_segments("PT_LOAD"))
            # The linker's own tables stay behind: without relocations nothing refers to them.
            writable = [section.name for section in elf.iter_sections() if section["sh_flags"] & 1 and section["sh_flags"] & 2
                        and section.name not in (".dynamic", ".got", ".got.plt")]
            relocations = [section.name for section in elf.iter_sections() if section["sh_type"] in
                           ("SHT_RELA", "SHT_REL", "SHT_RELR") and section["sh_flags"] & 2 and section["sh_size"]]
            if writable or relocations or loads[0]["p_offset"] or loads[0]["p_flags"] & 2:
                raise Refused(f"{path}: not a stub: it has relocations, or something writable")
            self.machine = elf.get_machine_arch()
            self.code = loads[0].data()
            self.entry = elf["e_entry"]
            header = struct.pack("<III", len(OWNER), 16 + LOADER_BYTES, START_NOTE) + OWNER.ljust(8, b"\0")
            self.note = self.code.find(header)
            self.note_header = len(header)
            if self.note < 0 or self.code.find(header, self.note + 1) >= 0:
                raise Refused(f"{path}: not a stub: it must have one note of its own")


def align(number, to):
    return (number + to - 1) // to * to


def make_note(owner, kind, text):
    """A note whose description is `text`, as it is in a file."""
    name = owner.ljust(align(len(owner), 4), b"\0")
    return struct.pack("<III", len(owner), len(text), kind) + name + text.ljust(align(len(text), 4), b"\0")


class Appended:
    """A program with one segment more: code and notes, read-only, and the program headers, which move there since there
    is no room for more where they are.

    The segment's place in the file and in memory are as far apart as those of the first segment: kernels before 5.18
    compute AT_PHDR from e_phoff so.
    """

    def __init__(self, data, path):
        self.data, self.path = bytearray(data), path
        self.header = list(EHDR.unpack_from(data))
        phoff, count = self.header[5], self.header[10]
        self.phdrs = [list(PHDR.unpack_from(data, phoff + i * PHDR.size)) for i in range(count)]
        loads = [p for p in self.phdrs if p[0] == PT_LOAD]
        if not loads:
            raise Refused(f"{path}: nothing of it is loaded")
        self.distance = loads[0][3] - loads[0][2]
        self.page = max([0x1000] + [p[7] for p in loads])
        end = max(p[3] + p[6] for p in loads)
        self.offset = align(max(len(data), end - self.distance), self.page)
        self.address = self.offset + self.distance
        self.payload = bytearray()
        self.notes = []

    def add(self, data, alignment=8):
        """Puts `data` into the segment; its link address."""
        self.payload += bytes(-len(self.payload) % alignment)
        self.payload += data
        return self.address + len(self.payload) - len(data)

    def add_note(self, at, size):
        self.notes.append([PT_NOTE, 4, at - self.distance, at, at, size, size, 4])

    def finish(self, flags, entry=None, without=()):
        """The bytes of the whole file."""
        kept = [p for p in self.phdrs if p[0] not in (PT_PHDR, *without)]
        last = max(i for i, p in enumerate(kept) if p[0] == PT_LOAD) + 1
        count = len(kept) + 2 + len(self.notes)
        table = self.add(bytes(count * PHDR.size))
        load = [PT_LOAD, flags, self.offset, self.address, self.address, len(self.payload), len(self.payload), self.page]
        place = [PT_PHDR, 4, table - self.distance, table, table, count * PHDR.size, count * PHDR.size, 8]
        headers = [place, *kept[:last], load, *kept[last:], *self.notes]
        self.payload[-count * PHDR.size:] = b"".join(PHDR.pack(*p) for p in headers)
        self.header[5], self.header[10] = table - self.distance, count
        if entry is not None:
            self.header[4] = entry
        EHDR.pack_into(self.data, 0, *self.header)
        return bytes(self.data) + bytes(self.offset - len(self.data)) + bytes(self.payload)


def with_stub(path, stub, loader, config):
    """The bytes of the program `path` that starts by `stub`, which maps `loader`, a path from the program's directory.
    `config` is the text of its configuration."""
    with open(path, "rb") as file:
        program = Appended(file.read(), path)
    name = loader.encode()
    if len(name) >= LOADER_BYTES:
        raise Refused(f"{loader}: too long a path from a program to its loader")
    code = bytearray(stub.code)
    entry = program.address + stub.entry
    struct.pack_into(f"<QQ{LOADER_BYTES}s", code, stub.note + stub.note_header, program.header[4], entry, name)
    at = program.add(code)
    program.add_note(at + stub.note, stub.note_header + 16 + LOADER_BYTES)
    configuration = make_note(OWNER, CONFIG_NOTE, config.encode())
    program.add_note(program.add(configuration), len(configuration))
    forget_interpreter(program)
    return program.finish(5, entry, without=(PT_INTERP,))


def with_config(path, config):
    """The bytes of the program `path` with the text `config` as its configuration."""
    with open(path, "rb") as file:
        program = Appended(file.read(), path)
    configuration = make_note(OWNER, CONFIG_NOTE, config.encode())
    program.add_note(program.add(configuration), len(configuration))
    return program.finish(4)


def forget_interpreter(program):
    """Takes the section .interp away, by which gdb would look for the wrong loader's symbols."""
    shoff, size, count, names = program.header[6], program.header[11], program.header[12], program.header[13]
    if not shoff or not count:
        return
    sections = [struct.unpack_from("<IIQQQQ", program.data, shoff + i * size) for i in range(count)]
    for i, section in enumerate(sections):
        start = sections[names][4] + section[0]
        if program.data[start:start + 8] == b".interp\0":
            struct.pack_into("<I", program.data, shoff + i * size + 4, 0)  # SHT_NULL
