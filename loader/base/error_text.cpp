// The text of every Error, made in one place. The only file that includes fmt, which works
// freestanding with these switches: no floating point (so no tables and no vector code), no 128-bit
// division, no exceptions. Where programs parse the GNU system's wording, it is kept.
#define FMT_HEADER_ONLY 1
#define FMT_EXCEPTIONS 0
#define FMT_USE_EXCEPTIONS 0
#define FMT_USE_RTTI 0
#define FMT_USE_LOCALE 0
#define FMT_BUILTIN_TYPES 0
#define FMT_OPTIMIZE_SIZE 2
#define FMT_USE_FLOAT 0
#define FMT_USE_DOUBLE 0
#define FMT_USE_LONG_DOUBLE 0
#define FMT_USE_INT128 0
#define FMT_STATIC_THOUSANDS_SEPARATOR ','
#define FMT_THROW(x) __builtin_trap()
#define FMT_ASSERT(condition, message) ((condition) ? (void)0 : __builtin_trap())

#include <fmt/format.h>

#include "loader/base/error.hpp"

namespace myld {
namespace {

/// How the texts name the fields of an Error.
///   {o} object  {s} subject  {d} detail  {a} at  {v} value
struct Text {
  Code code;
  const char* text;
};

constexpr Text kTexts[] = {
    {Code::none, "no error"},
    {Code::cannot_open, "{o}: cannot open shared object file"},
    {Code::cannot_read, "{o}: cannot read file data"},
    {Code::cannot_stat, "{o}: cannot stat shared object"},
    {Code::not_a_regular_file, "{o}: cannot read file data: not a regular file (st_mode {v:#o})"},
    {Code::file_too_short, "{o}: file too short ({s}: {v} bytes at file offset {a})"},
    {Code::file_changed, "{o}: file was truncated or overwritten while it was being loaded"},
    {Code::name_too_long, "{o}: file name too long"},
    {Code::empty_expansion, "{o}: cannot expand dynamic string token in '{s}'"},
    {Code::no_dlopen, "{o}: shared object cannot be dlopen()ed"},
    {Code::cannot_dlopen_executable, "{o}: cannot dynamically load executable"},
    {Code::cannot_dlopen_pie, "{o}: cannot dynamically load position-independent executable"},
    {Code::not_elf, "{o}: invalid ELF header"},
    {Code::wrong_class, "{o}: wrong ELF class: {s}"},
    {Code::wrong_byte_order, "{o}: ELF file data encoding not little-endian: EI_DATA is {v}"},
    {Code::wrong_version, "{o}: ELF file version does not match current one: {v}"},
    {Code::wrong_osabi, "{o}: ELF file OS ABI invalid: EI_OSABI is {v}"},
    {Code::wrong_machine, "{o}: ELF file machine is not this one: e_machine is {v}"},
    {Code::wrong_type, "{o}: only ET_DYN and ET_EXEC can be loaded: e_type is {v}"},
    {Code::bad_phentsize, "{o}: ELF file's phentsize not the expected size: {v}"},
    {Code::bad_phnum, "{o}: bad number of program headers: e_phnum is {v}"},
    {Code::phdr_outside_file, "{o}: program headers outside the file: e_phoff is {v:#x}"},
    {Code::bad_mapped_program,
     "{o}: program headers and memory do not fit each other: {s} is {v:#x}"},
    {Code::no_load_segment, "{o}: object file has no loadable segments"},
    {Code::segment_outside_file,
     "{o}: file too short: program header {a}: PT_LOAD ends at file offset {v:#x}"},
    {Code::segment_filesz_above_memsz,
     "{o}: program header {a}: p_filesz {v:#x} is larger than p_memsz"},
    {Code::segment_misaligned, "{o}: ELF load command address/offset not properly aligned: program "
                               "header {a}: p_offset {v:#x}"},
    {Code::segment_bad_align,
     "{o}: ELF load command alignment not a power of two: program header {a}: p_align {v:#x}"},
    {Code::segment_order,
     "{o}: program header {a}: PT_LOAD at {v:#x} overlaps or precedes the one before"},
    {Code::segment_shares_page,
     "{o}: program header {a}: PT_LOAD at {v:#x} takes access or bytes away from the one before, "
     "whose last page it shares"},
    {Code::segment_address,
     "{o}: program header {a}: p_vaddr {v:#x} is outside the user address range"},
    {Code::segment_writable_executable,
     "{o}: program header {a}: a segment that is writable and executable is refused (p_flags "
     "{v:#x}; MYLD_ALLOW=wx lets it in)"},
    {Code::span_too_large, "{o}: segments span {v:#x} bytes"},
    {Code::duplicate_header, "{o}: program header {a}: a second {s}"},
    {Code::header_outside_segment,
     "{o}: program header {a}: {s} at {v:#x} is not inside a PT_LOAD"},
    {Code::bad_tls_segment, "{o}: program header {a}: PT_TLS has {s} {v:#x}"},
    {Code::bad_interp, "{o}: bad PT_INTERP"},
    {Code::no_dynamic, "{o}: object file has no dynamic section"},
    {Code::no_strtab, "{o}: dynamic section has no DT_STRTAB"},
    {Code::no_symtab, "{o}: dynamic section has no DT_SYMTAB"},
    {Code::dynamic_bad_entry_size, "{o}: dynamic section: {s} is {v}"},
    {Code::dynamic_bad_size, "{o}: dynamic section: {s} is {v:#x}, not a whole number of entries"},
    {Code::dynamic_outside_segment,
     "{o}: dynamic section: {s} points to {v:#x}, outside the file's segments"},
    {Code::dynamic_not_terminated, "{o}: dynamic section has no DT_NULL in its {v} entries"},
    {Code::string_outside_table,
     "{o}: dynamic section: {s}: string offset {v:#x} is outside DT_STRTAB"},
    {Code::strtab_not_terminated, "{o}: DT_STRTAB of {v:#x} bytes does not end with a NUL"},
    {Code::bad_hash_table, "{o}: malformed {s}: {v:#x}"},
    {Code::bad_version_table, "{o}: malformed version table: {s} is {v:#x}"},
    {Code::cannot_map, "{o}: failed to map segment from shared object: {v:#x} bytes at {a:#x}"},
    {Code::cannot_protect,
     "{o}: cannot apply additional memory protection after relocation: {s} at {a:#x}"},
    {Code::cannot_reserve, "{o}: cannot map {v:#x} bytes of address space"},
    {Code::out_of_memory, "{o}: cannot allocate memory"},
    {Code::text_relocation, "{o}: text relocations (DT_TEXTREL) are refused in secure execution"},
    {Code::text_relocation_resolver,
     "{o}: relocation {s} at {a:#x}: the resolver is in text that is being relocated"},
    {Code::undefined_symbol, "{o}: undefined symbol: {s}"},
    {Code::undefined_version, "{o}: no version information available (required by {d})"},
    {Code::version_not_found, "{o}: version `{s}' not found (required by {d})"},
    {Code::version_file_missing, "{o}: version `{s}' needed by {d}, whose file is not loaded"},
    {Code::bad_relocation_type, "{o}: unexpected reloc type {v} ({s}) at {a:#x}"},
    {Code::bad_relocation_offset, "{o}: relocation {s} at {a:#x}: not in a writable segment, or in "
                                  "a table that the loader reads"},
    {Code::bad_relocation_symbol, "{o}: relocation {s} at {a:#x}: bad symbol"},
    {Code::bad_relr, "{o}: malformed {s}: {a:#x}"},
    {Code::relocation_overflow, "{o}: relocation {s} at {a:#x} overflows its field"},
    {Code::copy_size,
     "{o}: relocation {s} at {a:#x}: the definition is not mapped in its whole size"},
    {Code::no_static_tls, "{o}: cannot allocate memory in static TLS block: {v} bytes needed for a "
                          "reference from {d}, {a} left (more before the program makes threads; "
                          "GLIBC_TUNABLES=glibc.rtld.optional_static_tls=N reserves more)"},
    {Code::tls_is_in_use, "{o}: cannot allocate memory in static TLS block for a reference from "
                          "{d}: threads use its thread-local storage where it is already"},
    {Code::no_tls_memory, "{o}: cannot allocate memory for {v:#x} bytes of thread-local storage"},
    {Code::bad_code_address, "{o}: {s}: {v:#x} is not in an executable segment"},
    {Code::bad_symbol_value, "{o}: symbol {s}: st_value {v:#x} is outside the file's segments"},
    {Code::bad_tls_offset,
     "{o}: relocation {s} at {a:#x}: offset {v:#x} is outside the thread-local storage of {d}"},
    {Code::bad_tls_module, "{o}: there is no thread-local storage of a module {v:#x}"},
    {Code::invalid_mode, "{o}: invalid mode for dlopen()"},
    {Code::invalid_handle, "{o}: invalid handle {v:#x}"},
    {Code::not_open, "{o}: shared object not open"},
    {Code::invalid_namespace, "{o}: invalid target namespace in dlmopen()"},
    {Code::global_in_namespace, "{o}: invalid mode"},
    {Code::no_namespace, "{o}: no more namespaces available for dlmopen()"},
    {Code::next_without_caller, "{o}: RTLD_NEXT used in code not dynamically loaded"},
    {Code::invalid_request, "{o}: unsupported dlinfo request"},
    {Code::bad_argument, "{o}: invalid argument"},
    {Code::kernel_too_old, "{o}: kernel too old: it needs Linux {s}"},
    {Code::unknown_libc, "{o}: this C library is not known to myld: {s}"},
    {Code::mixed_libc, "{o}: two different C libraries in one process"},
    {Code::auditor_without_version, "{o}: undefined symbol: la_version"},
    {Code::auditor_version,
     "{o}: it wants version {v} of the audit interface, and the loader has version 2"},
    {Code::too_many_auditors, "{o}: too many auditors"},
    {Code::auditor_ignored, "object '{s}' cannot be loaded as audit interface: {o}; ignored."},
    {Code::cannot_execute, "cannot execute {o}"},
    {Code::is_the_loader, "{o}: the loader cannot load itself"},
    {Code::missing_program, "missing program name"},
    {Code::unknown_option, "unrecognized option '{s}'"},
    {Code::missing_argument, "option '{s}' requires an argument"},
    {Code::unknown_permission,
     "MYLD_ALLOW and --allow know wx, textrel, execstack and unsealed, not '{s}'"},
    {Code::no_standard_descriptor, "{o}: cannot open it in place of closed descriptor {v}"},
    {Code::cannot_bind, "{o}: cannot be bound: {s}"},
    {Code::cannot_write, "{o}: cannot write file"},
    {Code::bad_config, "{o}: line {v}: {s}"},
    {Code::preload_ignored, "object '{s}' from {d} cannot be preloaded ({o}): ignored."},
};

constexpr std::size_t kCount = sizeof kTexts / sizeof kTexts[0];

consteval std::size_t bytes_of_texts() {
  std::size_t bytes = 0;
  for (const Text& t : kTexts) bytes += std::string_view(t.text).size() + 1;
  return bytes;
}

/// The table as the loader has it: without addresses, which would have to be relocated at every
/// start, for the few that fail.
struct Packed {
  Code code[kCount];
  std::uint16_t at[kCount];
  char text[bytes_of_texts()];
};

consteval Packed packed() {
  Packed p{};
  std::size_t used = 0;
  for (std::size_t i = 0; i < kCount; ++i) {
    p.code[i] = kTexts[i].code;
    p.at[i] = static_cast<std::uint16_t>(used);
    for (char c : std::string_view(kTexts[i].text)) p.text[used++] = c;
    p.text[used++] = 0;
  }
  return p;
}
static_assert(bytes_of_texts() <= UINT16_MAX);
constexpr Packed kPacked = packed();

const char* text_of(Code code) {
  for (std::size_t i = 0; i < kCount; ++i)
    if (kPacked.code[i] == code) return kPacked.text + kPacked.at[i];
  return "{o}: error";
}

const char* or_empty(const char* s) { return s == nullptr ? "" : s; }

/// Text that grows in a fixed buffer; what does not fit is counted and marked.
struct Writer {
  char* buffer;
  std::size_t capacity;
  std::size_t size = 0;

  template <class... Arguments>
  void add(std::string_view format, const Arguments&... arguments) {
    std::size_t used = size < capacity ? size : capacity;
    size =
        used +
        fmt::format_to_n(buffer + used, capacity - used, fmt::runtime(format), arguments...).size;
  }
};

/// What follows the main text: versions, the system's word, who needs it.
void add_rest(Writer& w, const Error& e) {
  if (e.code == Code::undefined_symbol && e.detail != nullptr) w.add(", version {}", e.detail);
  if (e.sys_errno != 0) w.add(": {}", errno_text(e.sys_errno));
  bool tells_requirer = e.code == Code::undefined_symbol || e.code == Code::version_not_found ||
                        e.code == Code::undefined_version || e.code == Code::version_file_missing ||
                        e.code == Code::no_static_tls || e.code == Code::tls_is_in_use ||
                        e.code == Code::preload_ignored || e.code == Code::bad_tls_offset;
  if (e.detail != nullptr && !tells_requirer) w.add(" (needed by {})", e.detail);
}

}  // namespace

namespace {

/// The text of the code itself, from its template.
void add_text(Writer& w, const Error& e, std::string_view format) {
  w.add(format, fmt::arg("o", or_empty(e.object)), fmt::arg("s", or_empty(e.subject)),
        fmt::arg("d", or_empty(e.detail)), fmt::arg("a", e.at), fmt::arg("v", e.value));
}

std::size_t end(const Writer& w, char* buffer) {
  std::size_t n = w.size < w.capacity ? w.size : w.capacity;
  if (n < w.size && n > 3) buffer[n - 1] = buffer[n - 2] = buffer[n - 3] = '.';
  buffer[n] = 0;
  return n;
}

/// The template without the object's name, if it begins with that.
std::string_view without_object(std::string_view text) {
  constexpr std::string_view kObject = "{o}: ";
  if (text.starts_with(kObject)) text.remove_prefix(kObject.size());
  return text;
}

/// A search that found nothing but files of another class says so.
Error as_told(Error e) {
  if (e.code == Code::cannot_open && e.subject != nullptr) {
    e.code = Code::wrong_class;
    e.sys_errno = 0;
  }
  return e;
}

}  // namespace

std::size_t render(const Error& given, char* buffer, std::size_t capacity) {
  Error e = as_told(given);
  Writer w{buffer, capacity - 1};
  bool nameless = e.object != nullptr && *e.object == 0;
  add_text(w, e, nameless ? without_object(text_of(e.code)) : text_of(e.code));
  add_rest(w, e);
  return end(w, buffer);
}

std::size_t render_reason(const Error& given, char* buffer, std::size_t capacity) {
  Error e = as_told(given);
  Writer w{buffer, capacity - 1};
  add_text(w, e, without_object(text_of(e.code)));
  return end(w, buffer);
}

}  // namespace myld
