// A module: one ELF file mapped in one namespace, and what this process decided about it.
#pragma once
#include "loader/elf/image.hpp"
#include "loader/elf/versions.hpp"
#include "loader/find/search.hpp"
#include "loader/heap/pointer_table.hpp"
#include "loader/heap/vec.hpp"
#include "loader/map/mapping.hpp"

namespace myld::load {

struct Module;
struct Namespace;

/// The part of a link_map that <link.h> documents. What a libc keeps behind it is storage that only
/// its adapter knows.
struct LinkMap {
  std::uintptr_t l_addr;
  const char* l_name;
  elf::Dyn* l_ld;
  LinkMap* l_next;
  LinkMap* l_prev;
};

/// How far a module has come. Only Module::advance() changes it, and only forward.
enum class Stage : std::uint8_t {
  mapped,
  scoped,  ///< its scopes are made; its symbols can be looked up
  relocated,
  initialising,  ///< its constructors run, in the thread Module::initialiser
  running,
  finalising,
  finalised,
};

/// Who a file is, however it is called.
struct FileId {
  std::uint64_t st_dev = 0, st_ino = 0;
  bool operator==(const FileId&) const = default;
  std::uint64_t hash() const { return hash_bytes(this, sizeof *this); }
};

/// What a file that nobody writes to keeps.
struct FileContent {
  std::int64_t bytes = 0, changed_s = 0, changed_ns = 0;
  bool operator==(const FileContent&) const = default;
};

/// An immutable list of modules that symbols are looked up in, replaced as a whole so that readers
/// need no lock.
struct ModuleList {
  std::uint32_t count = 0;
  bool owns_names = false;
  /// A table of the names that the modules export (rtld/scope/name_index.hpp), made when it pays: a
  /// heap block that begins with its size, a std::size_t. nullptr: there is none.
  void* names = nullptr;
  mutable std::uint64_t asked = 0;  ///< modules that were asked one by one: what a table would save
  std::uint64_t next_look = 0;      ///< `asked` from which a table may pay
  Module* modules[];
};

/// A list and its owner's right to replace it: the global scope of a namespace, or the group of one
/// dlopen.
struct Scope {
  ModuleList* list = nullptr;
  ModuleList* read() const { return __atomic_load_n(&list, __ATOMIC_ACQUIRE); }
};

/// The scopes that a module's references are looked up in, in order. Immutable; replaced as a
/// whole.
struct ScopeChain {
  std::uint32_t count;
  Scope* scopes[];
};

/// Where a module's thread-local storage is.
struct TlsPlacement {
  std::uint64_t module_id = 0;  ///< 0: it has none
  bool is_static = false;
  bool is_optional = false;    ///< static to make accesses cheaper only
  bool in_threads = false;     ///< threads have blocks of it, and may have their addresses
  std::int64_t tp_offset = 0;  ///< of the block from the thread pointer, if is_static
};

/// Size of the argument of a dynamic TLS descriptor: module ID and offset.
inline constexpr std::size_t kDescriptorBytes = 16;

struct Module {
  // What look-up reads, together.
  elf::Image image;
  elf::VersionTable versions;
  /// Of hash tables with long chains: what lies far behind in them (rtld/scope/chain_index.hpp), a
  /// heap block that begins with its size.
  mutable void* rests = nullptr;

  map::Mapping mapping;
  /// The program headers as the rest of the process sees them: in the module's own memory, or the
  /// loader's copy where no segment holds them.
  const elf::Phdr* headers = nullptr;
  LinkAddr entry;                   ///< e_entry of a file that the loader mapped
  const char* path = "";            ///< l_name: as found, "" for the program
  const char* display = "";         ///< for messages: path, or the program's name
  const char* requested = nullptr;  ///< the name it was first asked for by, of files: one of
                                    ///< `names` or `path`, or a heap string
  find::Requester requester;
  const find::Requester* found_of = nullptr;  ///< whose RPATH, RUNPATH or note it was
  Module* first_needed_by = nullptr;          ///< who asked for it first, or nullptr
  FileId file;
  FileContent content;
  Namespace* ns = nullptr;
  LinkMap* link_map = nullptr;
  void* audited = nullptr;  ///< what auditors keep of it (rtld/audit); nullptr: nobody audits it
  Vec<const char*> names;   ///< request names and the soname that mean this module (heap strings)
  Vec<Module*> needed;      ///< DT_NEEDED, in order, and filtees
  Vec<Module*> filtees;     ///< DT_FILTER and DT_AUXILIARY: looked up before its own symbols

  Scope group;  ///< itself and its closure, breadth-first; made when it is opened
  ScopeChain* scopes = nullptr;
  Scope own;  ///< itself alone, for DT_SYMBOLIC

  TlsPlacement tls;

  /// Thread pointer of the thread that runs its constructors, or will: who opened it first.
  std::uintptr_t initialiser = 0;
  std::uint32_t index = 0;    ///< position in the namespace's load order, for marks
  std::uint32_t mark = 0;     ///< scratch for graph walks, under the load lock
  std::uint32_t counter = 0;  ///< scratch as well
  std::uint32_t init_rank =
      0;  ///< order of its constructors in the process; destructors run in reverse

  std::uint32_t opens = 0;  ///< dlopen calls not yet closed
  std::uint32_t users = 0;  ///< modules that need it or are bound to it
  Vec<Module*> bound_to;    ///< modules outside `needed` that its relocations use
  /// The one of `bound_to` that was noted last, for readers: a binding to it needs no further note.
  const Module* last_noted = nullptr;
  Vec<void*> descriptors;  ///< heap blocks of kDescriptorBytes that its TLS descriptors point to
  mutable std::uint32_t walked = 0;  ///< entries far behind in chains that look-ups have read
  int kept_fd = -1;                  ///< what `path` is a name of, where that is /proc/PID/fd/N
  Stage stage = Stage::mapped;
  find::By found_by = find::By::name;  ///< the rule that found the file; of files
  bool bound_for_good = false;         ///< a module that is never unloaded is bound to it
  bool is_program = false;
  bool is_loader = false;       ///< the loader's own module
  bool from_start = false;      ///< loaded before the program ran: never unloaded
  bool permanent = false;       ///< RTLD_NODELETE, DF_1_NODELETE or a bound STB_GNU_UNIQUE symbol
  bool global = false;          ///< in its namespace's global scope
  bool lazy = false;            ///< its PLT slots are bound at the first call
  bool path_is_name = false;    ///< `path` is one of its names, whatever file is there now
  bool forgotten = false;       ///< its namespace does not know it by a name or its file any more
  bool in_image = false;        ///< it lay ready, relocated (map::Placed)
  bool owns_mapping = true;     ///< false: mapped by the kernel
  bool branch_targets = false;  ///< the kernel checks indirect branches into it
  /// Nobody uses it any more and its destructors run or have run: only those that go with it may
  /// still bind to it. Set under the load lock, read without.
  bool leaving = false;
  bool lingers = false;  ///< in Runtime::lingering
  const char* permanent_because = nullptr;

  void advance(Stage to) {
    if (to < stage) __builtin_trap();
    __atomic_store(&stage, &to, __ATOMIC_RELEASE);
  }
  /// For readers that do not hold the load lock.
  Stage stage_now() const {
    Stage now;
    __atomic_load(&stage, &now, __ATOMIC_ACQUIRE);
    return now;
  }
  bool contains(std::uintptr_t address) const {
    return address - mapping.start.value < mapping.bytes;
  }
};

// The heap's blocks have sizes: what goes beyond this one takes the next, of 1,024 bytes.
static_assert(sizeof(Module) <= 896);

/// The definition that every reference to an STB_GNU_UNIQUE name in a namespace is bound to.
struct UniqueEntry {
  const char* name;
  Module* module;
  const elf::Sym* symbol;
};

/// An isolated set of modules (dlmopen). The first is the one that the program starts in.
struct Namespace {
  long id = 0;               ///< Lmid_t
  std::uint64_t serial = 0;  ///< unlike the ID it is never used again
  Vec<Module*> modules;      ///< in load order
  Scope global;
  Module* program = nullptr;  ///< first module: the program, or what dlmopen opened
  Module* libc = nullptr;
  LinkMap* chain_last = nullptr;  ///< end of the debugger's list
  std::uint32_t chained = 0;      ///< how many are in it
  void* r_debug = nullptr;        ///< of namespaces other than the first
  bool is_auditors = false;       ///< of an auditor: its modules are not audited
  unsigned announced = 0;         ///< what auditors were told last (audit::Activity)
  PointerTable<Module> by_name;
  PointerTable<Module> by_path;  ///< those whose path is no name
  PointerTable<Module> by_file;
  PointerTable<UniqueEntry> unique;
};

}  // namespace myld::load
