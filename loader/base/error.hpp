// Errors as small values. The text is made once, in error_text.cpp, by whoever ends the story:
// the start (collects and prints), dlerror (keeps it for the thread) or a tool.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace myld {

/// What went wrong. Each code has its text in error_text.cpp, which also says what the fields of an
/// Error with that code hold.
enum class Code : std::uint16_t {
  none,
  // finding and opening
  cannot_open,
  cannot_read,
  cannot_stat,
  not_a_regular_file,
  file_too_short,
  file_changed,
  name_too_long,
  empty_expansion,
  no_dlopen,
  cannot_dlopen_pie,
  cannot_dlopen_executable,
  // headers
  not_elf,
  wrong_class,
  wrong_byte_order,
  wrong_version,
  wrong_osabi,
  wrong_machine,
  wrong_type,
  bad_phentsize,
  bad_phnum,
  phdr_outside_file,
  bad_mapped_program,
  no_load_segment,
  segment_outside_file,
  segment_filesz_above_memsz,
  segment_misaligned,
  segment_bad_align,
  segment_order,
  segment_shares_page,
  segment_address,
  segment_writable_executable,
  span_too_large,
  duplicate_header,
  header_outside_segment,
  bad_tls_segment,
  bad_interp,
  // dynamic section
  no_dynamic,
  no_strtab,
  no_symtab,
  dynamic_bad_entry_size,
  dynamic_bad_size,
  dynamic_outside_segment,
  dynamic_not_terminated,
  string_outside_table,
  strtab_not_terminated,
  bad_hash_table,
  bad_version_table,
  // mapping
  cannot_map,
  cannot_protect,
  cannot_reserve,
  out_of_memory,
  text_relocation,
  text_relocation_resolver,
  // relocation
  undefined_symbol,
  undefined_version,
  version_not_found,
  version_file_missing,
  bad_relocation_type,
  bad_relocation_offset,
  bad_relocation_symbol,
  bad_relr,
  relocation_overflow,
  copy_size,
  no_static_tls,
  tls_is_in_use,
  no_tls_memory,
  bad_code_address,
  bad_symbol_value,
  bad_tls_offset,
  bad_tls_module,
  // run time
  invalid_mode,
  invalid_handle,
  not_open,
  invalid_namespace,
  global_in_namespace,
  no_namespace,
  next_without_caller,
  invalid_request,
  bad_argument,
  // libc
  unknown_libc,
  kernel_too_old,
  mixed_libc,
  // auditors
  auditor_without_version,
  auditor_version,
  too_many_auditors,
  auditor_ignored,
  // start
  cannot_execute,
  is_the_loader,
  missing_program,
  unknown_option,
  missing_argument,
  bad_config,
  cannot_bind,
  cannot_write,
  preload_ignored,
  unknown_permission,
  no_standard_descriptor,
};

/// Trivially copyable; the strings belong to modules, to the arena or to the caller, and outlive
/// the making of the text.
struct Error {
  Code code = Code::none;
  int sys_errno = 0;              ///< 0 unless a system call failed
  const char* object = nullptr;   ///< the file that is at fault
  const char* subject = nullptr;  ///< symbol, field or tag name
  const char* detail = nullptr;   ///< version, or who asked
  std::uint64_t at = 0;           ///< where: file offset, link address or index, as the code says
  std::uint64_t value = 0;        ///< what was found there

  explicit operator bool() const { return code != Code::none; }
};

/// Room for the strings of one error on its way out of the place where they live: a module that is
/// given up, a path on a stack frame.
class KeptError {
public:
  static constexpr std::size_t kBytes = 512;  ///< for each string
  /// The error with its strings copied here. Strings that are here already stay; long ones lose
  /// their middle. The copy is good until the next keep().
  Error keep(const Error& error);
  /// The same in `kept`, but false where a string is too long to be kept whole.
  bool keep_whole(const Error& error, Error& kept);

private:
  char object_[kBytes] = {};
  char subject_[kBytes] = {};
  char detail_[kBytes] = {};
};

/// What whoever got no memory for `object` says.
inline Error no_memory(const char* object) {
  return {.code = Code::out_of_memory, .object = object};
}

/// Writes the text of `error` into `buffer` (NUL-terminated, truncated with "..." if need be) and
/// returns its length.
std::size_t render(const Error& error, char* buffer, std::size_t capacity);

/// The reason alone, without the object's name, the system's word and who asked.
std::size_t render_reason(const Error& error, char* buffer, std::size_t capacity);

/// The description of an errno value, as strerror(3) gives it in the C locale.
const char* errno_text(int sys_errno);

}  // namespace myld
