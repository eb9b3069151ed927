// Where a library is looked for.
//
// A name with a slash is a path. Any other name is tried in: DT_RPATH of the requester, of those
// who loaded it and of the program (unless the requester has DT_RUNPATH), LD_LIBRARY_PATH, the
// requester's resolution note, its DT_RUNPATH, ld.so.cache, the default directories. In every
// directory the glibc-hwcaps subdirectories for this CPU come first.
// Source: ld.so(8); gABI 5 "Shared Object Dependencies".
#pragma once
#include "arch/machines.hpp"
#include "loader/base/result.hpp"
#include "loader/find/ld_cache.hpp"
#include "loader/heap/pointer_table.hpp"
#include "loader/heap/vec.hpp"
#include "loader/map/mapping.hpp"
#include "loader/sys/calls.hpp"

#include <span>
#include <string_view>

namespace myld::find {

/// A directory that is searched. One for each distinct path in the process, so that what is known
/// of it is learnt once.
struct Directory {
  const char* path;  ///< with a trailing slash
  std::uint32_t length;
  enum class State : std::uint8_t { unknown, present, missing };
  State state = State::unknown;         ///< of the directory
  State hwcaps_state = State::unknown;  ///< of its glibc-hwcaps subdirectory
  std::uint32_t mark = 0;               ///< of the list that it was put into last
};
using DirectoryList = Vec<Directory*>;

/// The module that needs a library, as far as searching is concerned.
struct Requester {
  const char* path = "";  ///< for messages
  /// Value of $ORIGIN: a heap string, or nullptr as long as nobody has asked, or if unknown.
  const char* origin = nullptr;
  /// Gives `origin` to who asks first. nullptr: there is nothing to find out.
  char* (*find_origin)(const Requester& requester) = nullptr;
  const char* rpath = nullptr;  ///< DT_RPATH, nullptr where there is DT_RUNPATH too
  const char* runpath = nullptr;
  /// Of the note "NixOS": soname NUL places NUL, again and again (Searcher::search_note).
  std::span<const char> resolution_note;
  void* owner = nullptr;        ///< the module itself, for whoever hooks into the search
  Requester* loader = nullptr;  ///< who needed this module first
  DirectoryList rpath_directories, runpath_directories;  ///< made when first used
  std::int32_t ns = 0;                                   ///< Lmid_t, for messages
  bool no_default_directories = false;                   ///< DF_1_NODEFLIB
  bool rpath_split = false, runpath_split = false;
};
/// $ORIGIN: few files mention it, so that it is found out when it is first asked for.
const char* origin_of(Requester& requester);

/// Which rule makes a place one that is looked at. The order is that of the search.
enum class By : std::uint8_t {
  name,    ///< the name as it was asked for, before anything is looked at
  path,    ///< it has a slash
  map,     ///< the configuration says which file the name means
  config,  ///< a directory of the configuration
  rpath,
  library_path,
  note,
  runpath,
  cache,
  standard,  ///< the default directories
};
/// "RPATH", "LD_LIBRARY_PATH", ...: for messages.
const char* text_of(By by);

/// An open file that has passed the first look: regular, ELF, for this machine.
struct Found {
  By by = By::name;
  const Requester* of = nullptr;  ///< whose RPATH, RUNPATH or note it was; else nullptr
  int fd = -1;
  sys::Stat stat{};
  char* path = nullptr;                 ///< heap string; the caller owns it
  const map::Placed* placed = nullptr;  ///< where it is mapped already; `fd` may be -1 then
  std::size_t head_bytes = 0;           ///< how much of `head` was read
  alignas(16) std::uint8_t head[1024];
};

/// One attempt, for whoever wants to tell about the search.
struct Attempt {
  const char* path;
  By by;
  const Requester* requester;
  Error result;                   ///< Code::none: found
  const Requester* of = nullptr;  ///< whose RPATH, RUNPATH or note it is; else not told
};
struct Listener {
  void (*attempt)(void* context, const Attempt&) = nullptr;
  void* context = nullptr;
};
/// May put another path in the place of each that is about to be opened, or nullptr to pass it over
/// (rtld-audit's la_objsearch). What it returns must last until the search is over.
struct Redirector {
  const char* (*path)(void* context, const char* path, const Requester*, By) = nullptr;
  void* context = nullptr;
};
/// What earlier searches found, and who is told of each (rtld/binding).
struct Memory {
  /// Gives the result of a search where it is known; false: it is not, and the search is made.
  bool (*recall)(void* context, const char* name, Requester*, Found& out, Status& result) = nullptr;
  void (*note)(void* context,
               const char* name,
               Requester*,
               const Status& result,
               const Found& out) = nullptr;
  void* context = nullptr;
};
/// What the CPU has to say, asked for when it is first needed: finding out costs microseconds.
struct CpuNames {
  std::span<const char* const> (*hwcaps)(void* context) = nullptr;
  const char* (*platform)(void* context) = nullptr;  ///< value of $PLATFORM, or nullptr
  void* context = nullptr;
};

/// One line of a configuration: the name means this file.
struct Mapped {
  const char* name;
  const char* path;
};

struct Config {
  /// Of the files that are looked for. Only a loader that maps them as data takes another one.
  const arch::Machine* machine = &arch::kHostMachine;
  const char* directories = nullptr;  ///< of the configuration, absolute: searched first
  std::span<const Mapped> map;        ///< of the configuration
  /// Libraries come from the places of the configuration and from run paths that begin with $ORIGIN
  /// alone.
  bool confined = false;
  bool secure = false;  ///< AT_SECURE: only absolute, literal elements count
  bool inhibit_cache = false;
  const char* library_path = nullptr;  ///< LD_LIBRARY_PATH or --library-path
  const char* cache_path = "/etc/ld.so.cache";
  const char* inhibit_rpath =
      nullptr;               ///< --inhibit-rpath: modules whose RPATH and RUNPATH are ignored
  const char* sysroot = "";  ///< put in front of every absolute path that is searched
  const char* hwcaps_prepend = nullptr;  ///< --glibc-hwcaps-prepend: these come first
  const char* hwcaps_mask = nullptr;     ///< --glibc-hwcaps-mask: of the CPU's only these
  CpuNames cpu;
  /// Whose RPATH counts for every requester that has no RUNPATH of its own.
  Requester* program = nullptr;
  /// Secure execution, while preloads are looked for: no cache, and only files with the
  /// set-user-ID bit.
  bool only_set_user_id = false;
};

class Searcher {
public:
  constexpr Searcher() = default;
  Config config;
  Listener listener;
  Redirector redirector;
  Memory memory;

  /// Opens the file that `name` means when `requester` asks (nullptr: nobody in particular).
  /// Errors: cannot_open with ENOENT if it is nowhere (its subject: the ELF class of files of that
  /// name that were passed over, or nullptr); else that of the file that was chosen.
  Status find(const char* name, Requester* requester, Found& out);

  /// Opens exactly `path`. Errors: cannot_open, cannot_read, not_elf, wrong_class ...
  Status open(const char* path, Found& out) { return open(path, out, config.machine->e_machine); }
  Status open(const char* path, Found& out, std::uint16_t machine);

  /// The same for a file that is open, and that `path` is the name of. Takes `fd` over.
  Status look_at(int fd, const char* path, Found& out, std::uint16_t machine);

  /// `text` with $ORIGIN, $LIB and $PLATFORM replaced: a heap string, or nullptr if an element of
  /// it cannot be expanded (no origin; any of them in secure execution) or memory ran out.
  char* expand(const char* text, std::size_t length, Requester* requester) const;

  /// Errors point into what is about to be released: this keeps their words. Under the load lock.
  KeptError kept;

  /// Value of $PLATFORM, or nullptr.
  const char* platform() const;

  /// Was the CPU asked for names that a search depends on?
  bool asked_cpu() const { return hwcaps_known_ || platform_known_; }
  /// Was ld.so.cache looked at?
  bool asked_cache() const { return cache_loaded_; }

  /// The directories of LD_LIBRARY_PATH, and the default ones.
  DirectoryList& library_path();
  DirectoryList& default_directories();
  DirectoryList& configured_directories();
  DirectoryList& rpath(Requester& requester);
  DirectoryList& runpath(Requester& requester);

  /// The glibc-hwcaps subdirectories that are searched, most wanted first.
  std::span<const char* const> hwcaps();
  /// Every entry of ld.so.cache for this ABI: visit(context, soname, path).
  void each_cached(void (*visit)(void* context, const char* soname, const char* path),
                   void* context);
  /// How many of them --glibc-hwcaps-prepend gave.
  std::size_t prepended_hwcaps() const { return hwcaps_prepended_; }

private:
  /// What is looked for, and for whom: the same through one search.
  struct Query {
    const char* name;
    Requester* requester;
    Found& out;
  };
  Status find_name(const char* name, Requester* requester, Found& out);
  Status find_redirected(const char* name, Requester* requester, Found& out);
  Status search(const DirectoryList& directories, By by, const Requester* of, const Query& query);
  Status search_map(const Query& query);
  Status try_in(Directory& directory,
                const char* subdirectory,
                By by,
                const Requester* of,
                const Query& query);
  Status try_path(const char* path, By by, const Requester* of, const Query& query);
  Status search_rpaths(Requester& requester, const Query& query);
  Status search_note(const Query& query);
  Status search_cache(const Query& query);
  void split(const char* text, const char* separators, Requester* requester, DirectoryList& out);
  Directory* intern(const char* path, std::size_t length);
  bool has_hwcaps(Directory& directory);
  void log_directories(const DirectoryList& directories, By by, const Requester* of);
  bool rpath_inhibited(const Requester& requester) const;
  void load_cache();

  DirectoryList library_path_, default_, configured_;
  bool configured_split_ = false;
  bool library_path_split_ = false, default_split_ = false, cache_loaded_ = false;
  bool hwcaps_known_ = false;
  mutable bool platform_known_ = false;
  Vec<const char*> hwcaps_;  ///< heap strings
  std::size_t hwcaps_prepended_ = 0;
  std::uint32_t lists_ = 0;            ///< made so far, for Directory::mark
  const char* other_class_ = nullptr;  ///< of a file that this search passed over
  LdCache cache_;
  PointerTable<Directory> table_;
};

/// True for the errors after which a search goes on to the next directory: not there, or a file for
/// another machine.
bool search_goes_on(const Error& error);

}  // namespace myld::find
