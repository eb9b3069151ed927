// Where a library is looked for.
//
// A name with a slash is a path. Any other name is tried in: DT_RPATH of the requester and of those
// who loaded it (unless the requester has DT_RUNPATH), LD_LIBRARY_PATH, the requester's DT_RUNPATH,
// ld.so.cache, the default directories. In every directory the glibc-hwcaps subdirectories for this
// CPU come first. Source: ld.so(8); gABI 5 "Shared Object Dependencies".
#pragma once
#include "loader/base/result.hpp"
#include "loader/find/ld_cache.hpp"
#include "loader/heap/pointer_table.hpp"
#include "loader/heap/vec.hpp"
#include "loader/sys/calls.hpp"

#include <span>

namespace myld::find {

/// A directory that is searched. One for each distinct path in the process, so that what is known
/// of it is learnt once.
struct Directory {
  const char* path;  ///< with a trailing slash, or "" for the current directory
  std::uint32_t length;
  enum class State : std::uint8_t { unknown, present, missing };
  State state = State::unknown;         ///< of the directory
  State hwcaps_state = State::unknown;  ///< of its glibc-hwcaps subdirectory
};
using DirectoryList = Vec<Directory*>;

/// The module that needs a library, as far as searching is concerned.
struct Requester {
  const char* path = "";         ///< for messages
  const char* origin = nullptr;  ///< value of $ORIGIN, or nullptr if unknown
  const char* rpath = nullptr;   ///< DT_RPATH, nullptr where there is DT_RUNPATH too
  const char* runpath = nullptr;
  bool no_default_directories = false;                   ///< DF_1_NODEFLIB
  Requester* loader = nullptr;                           ///< who needed this module first
  DirectoryList rpath_directories, runpath_directories;  ///< made when first used
  bool rpath_split = false, runpath_split = false;
};

/// An open file that has passed the first look: regular, ELF, for this machine.
struct Found {
  int fd = -1;
  sys::Stat stat{};
  char* path = nullptr;        ///< heap string; the caller owns it
  std::size_t head_bytes = 0;  ///< how much of `head` was read
  alignas(16) std::uint8_t head[832];
};

/// One attempt, for whoever wants to tell about the search.
struct Attempt {
  const char* path;
  const char* by;  ///< "RPATH", "LD_LIBRARY_PATH", "RUNPATH", "cache", "default", "path"
  const Requester* requester;
  Error result;  ///< Code::none: found
};
struct Listener {
  void (*attempt)(void* context, const Attempt&) = nullptr;
  void* context = nullptr;
};

struct Config {
  bool secure = false;  ///< AT_SECURE: only absolute, literal elements count
  bool inhibit_cache = false;
  const char* library_path = nullptr;  ///< LD_LIBRARY_PATH or --library-path
  const char* cache_path = "/etc/ld.so.cache";
  const char* platform = nullptr;  ///< value of $PLATFORM
  const char* inhibit_rpath =
      nullptr;               ///< --inhibit-rpath: modules whose RPATH and RUNPATH are ignored
  const char* sysroot = "";  ///< put in front of every absolute path that is searched
  std::span<const char* const> hwcaps;  ///< "x86-64-v3", ..., most wanted first
};

class Searcher {
public:
  constexpr Searcher() = default;
  Config config;
  Listener listener;

  /// Opens the file that `name` means when `requester` asks (nullptr: nobody in particular).
  /// Errors: cannot_open with ENOENT if it is nowhere; else that of the file that was chosen.
  Status find(const char* name, Requester* requester, Found& out);

  /// Opens exactly `path`. Errors: cannot_open, cannot_read, not_elf, wrong_class ...
  Status open(const char* path, Found& out);

  /// `text` with $ORIGIN, $LIB and $PLATFORM replaced: a heap string, or nullptr if an element of
  /// it cannot be expanded (no origin; any of them in secure execution) or memory ran out.
  char* expand(const char* text, std::size_t length, const Requester* requester) const;

  /// Errors point into what is about to be released: this keeps their words. Under the load lock.
  KeptError kept;

  /// The directories of LD_LIBRARY_PATH, and the default ones.
  DirectoryList& library_path();
  DirectoryList& default_directories();
  DirectoryList& rpath(Requester& requester);
  DirectoryList& runpath(Requester& requester);

private:
  Status search(const DirectoryList& directories,
                const char* by,
                const char* name,
                const Requester* requester,
                Found& out);
  Status try_in(Directory& directory,
                const char* subdirectory,
                const char* by,
                const char* name,
                const Requester* requester,
                Found& out);
  Status search_cache(const char* name, const Requester* requester, Found& out);
  void
  split(const char* text, const char* separators, const Requester* requester, DirectoryList& out);
  Directory* intern(const char* path, std::size_t length);
  bool has_hwcaps(Directory& directory);
  bool rpath_inhibited(const Requester& requester) const;
  void load_cache();

  DirectoryList library_path_, default_;
  bool library_path_split_ = false, default_split_ = false, cache_loaded_ = false;
  LdCache cache_;
  PointerTable<Directory> table_;
};

/// True for the errors after which a search goes on to the next directory: not there, or a file for
/// another machine.
bool search_goes_on(const Error& error);

}  // namespace myld::find
