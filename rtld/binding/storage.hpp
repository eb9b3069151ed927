// Where binding files lie, who is believed, and how they are written.
#pragma once
#include "loader/base/path.hpp"
#include "loader/base/result.hpp"
#include "rtld/binding/identity.hpp"
#include "rtld/runtime.hpp"

#include <span>

namespace myld::binding {

/// MYLD_BINDING: what is done with binding files.
struct Policy {
  bool use = true;
  bool automatic = false;           ///< a start without one writes one
  const char* directory = nullptr;  ///< the only one; nullptr: the usual ones
  bool own_directory = false;       ///< the user's is looked at too
};
/// "off", "use", "auto", DIRECTORY, "auto:DIRECTORY"; nullptr: nothing was said. Anything else is
/// "off".
Policy parse_policy(const char* text);

inline constexpr const char* kSystemDirectory = "/var/cache/myld";

/// The path of a request's file in `directory`. False: it does not fit.
bool file_path(const char* directory, const char* program, const char* key, char (&to)[kPathMax]);

/// A file that is mapped for reading.
class StoredFile {
public:
  StoredFile() = default;
  ~StoredFile();
  StoredFile(const StoredFile&) = delete;
  StoredFile& operator=(const StoredFile&) = delete;

  /// Opens the request's file in `directory`, if both belong to the user or to root and nobody else
  /// can write to them. False: it is not there, or `refused` says why not.
  bool open(const Runtime& runtime, const char* directory, const char* program, const char* key);
  void close();
  std::span<const std::uint8_t> bytes() const { return bytes_; }
  const char* path() const { return path_ == nullptr ? "" : path_; }
  const char* refused = nullptr;

private:
  std::span<const std::uint8_t> bytes_;
  char* path_ = nullptr;
};

/// Has all pages of a part of a mapped file mapped in one go, where that is less than a fault for
/// each sixteen of them.
void bring_in(std::span<const std::uint8_t> part, std::uint64_t page_size);

/// The directories that are looked in, in order: calls visit(directory) until it says true.
template <class Visit>
bool each_directory(const Runtime& runtime, const Policy& policy, Visit visit);

/// Is any of them there? Where there is none, a start need not find out what it would ask for.
bool have_directory(const Runtime& runtime, const Policy& policy);

/// Opens a file that is the user's or root's, alone to write to, and still has this identity.
/// Returns the descriptor, or -errno.
long open_trusted(const Runtime& runtime, const char* path, const Identity& identity);

/// Opens the request's file in the first directory that has one. False: as StoredFile::open().
bool open_file(const Runtime& runtime,
               const Policy& policy,
               const char* program,
               const char* key,
               StoredFile& file);

/// Where new files go: MYLD_BINDING's directory, else the system's for root and the user's own for
/// others. Makes it, with its parent, if need be. False: there is none.
bool writing_directory(const Runtime& runtime, const Policy& policy, char (&to)[kPathMax]);

/// Puts a file in place as a whole: whoever opens it sees the old one or all of the new one. On
/// failure nothing is left. `durable`: it survives a crash of the system. Pages of zeros take no
/// room on the disk. Errors: cannot_write.
Status write_file(const char* path, std::span<const std::uint8_t> bytes, bool durable);

// ---- Implementation ------------------------------------------------------------------------

/// ~/.cache/myld, or what XDG_CACHE_HOME says. False: there is none.
bool own_directory(const Runtime& runtime, char (&to)[kPathMax]);

/// Not inlined, so that only who is asked for it pays for the buffer with a page of stack.
template <class Visit>
[[gnu::noinline]] bool visit_own_directory(const Runtime& runtime, Visit& visit) {
  char own[kPathMax];
  return own_directory(runtime, own) && visit(own);
}

template <class Visit>
bool each_directory(const Runtime& runtime, const Policy& policy, Visit visit) {
  if (policy.directory != nullptr) return visit(policy.directory);
  if (policy.own_directory && visit_own_directory(runtime, visit)) return true;
  return visit(kSystemDirectory);
}

}  // namespace myld::binding
