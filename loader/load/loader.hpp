// From a name to a module, and from a module to its closure.
#pragma once
#include "loader/base/result.hpp"
#include "loader/load/module.hpp"
#include "loader/load/module_list.hpp"

namespace myld::load {

/// Where errors go. At the start all are collected, at run time the first ends the call.
struct ErrorSink {
  /// Returns true to go on without what failed.
  bool (*report)(void* context, const Error&) = nullptr;
  void* context = nullptr;
};

/// What is let through of what files ask for (docs/policy.md).
/// Told of each new module when it is mapped, before what it needs is looked at.
struct MapListener {
  bool (*mapped)(void* context, Module&) = nullptr;  ///< false: no memory
  void* context = nullptr;
};

struct Policy {
  elf::SegmentPolicy segments;
  bool allow_text_relocations = true;
  bool executable_stacks = false;  ///< every stack of the process is, whoever asks
  bool branch_targets = false;     ///< the CPU checks indirect branches where a file asks for it
  bool seal = true;        ///< what is never unloaded is sealed against changes of its protection
  bool huge_text = false;  ///< large code is put on huge pages where the kernel has them
};

/// A file that is there already, or a place that is: for a module that is not just named.
struct FileSource {
  int fd = -1;  ///< taken over by Loader::open_source, which sets it to -1; -1: only `room` counts
  const char* path = nullptr;  ///< of fd
  bool keep = false;  ///< the descriptor stays open as long as the module, since `path` names it
  map::Room room;
};

class Loader {
public:
  constexpr Loader() = default;

  find::Searcher searcher;
  Policy policy;
  MapListener listener;
  std::uint64_t page_size = 4096;
  std::uint64_t adds = 0;  ///< modules ever added to any namespace (dlpi_adds)
  /// Called before the first byte of a new module's memory is read: the module is in no list yet.
  void (*before_reading)(Module&) = nullptr;
  /// The loader's own module: what DT_NEEDED of Port::kLoaderSoname means in every namespace.
  Module* self = nullptr;

  /// Files are mapped to be looked at: nothing is executable, a fixed address is not kept, and they
  /// may be of another machine (Config::machine).
  bool as_data = false;

  /// The program runs: what is loaded now was asked for by dlopen.
  bool at_run_time = false;

  /// The module that `name` means in `ns`, loaded if need be (without its dependencies). A new
  /// module is appended to `ns` and to `created`. Errors: as Searcher::find, elf::check_*,
  /// map::map_segments; the new module leaves no trace then.
  Result<Module*> open(Namespace& ns,
                       const char* name,
                       Module* requester,
                       bool only_if_loaded,
                       Vec<Module*>& created,
                       const map::Room& room = {});

  /// The same for the file that `source.fd` is open on.
  Result<Module*> open_source(Namespace& ns,
                              FileSource& source,
                              Module* requester,
                              bool only_if_loaded,
                              Vec<Module*>& created);

  /// Makes a module of an open file that was asked for as `name`, which the caller notes
  /// (Module::requested). `found.path` becomes the module's.
  Result<Module*> add_file(Namespace& ns,
                           find::Found& found,
                           const char* name,
                           Module* requester,
                           Vec<Module*>& created,
                           const map::Room& room = {});

  /// Makes a module of an image that the kernel has mapped (the program, the vDSO) or that is the
  /// loader itself. The program headers must stay mapped.
  Result<Module*> add_mapped(Namespace& ns,
                             const elf::Segments& segments,
                             LoadBias bias,
                             const char* path,
                             const char* display,
                             Vec<Module*>& created);

  /// Loads the DT_NEEDED closure of `roots`, breadth-first. Appends new modules to `created`.
  Status load_closure(std::span<Module* const> roots, Vec<Module*>& created, const ErrorSink& sink);

  /// Checks every needed version of `modules` against what was loaded.
  Status check_versions(std::span<Module* const> modules, const ErrorSink& sink);

  /// Asks the kernel for huge pages for the code of a mapped module, and tells what it said
  /// (LD_DEBUG=files).
  void ask_for_huge_text(const Module& module, const map::Placed* placed = nullptr) const;

  /// The file of the module is what it was when it was opened. Errors: file_changed.
  static Status check_unchanged(const Module& module);

  /// Gives a module that is not relocated yet the memory of its own file in the place of what lay
  /// ready. Errors: cannot_open, file_changed; as map::map_segments.
  Status leave_image(Module& module);

  /// Makes a module unknown under its names and its file, so that the next open() loads it anew.
  void forget(Module& module);

  /// Takes a module out of its namespace and gives back its memory. Needs: nobody can reach it.
  void remove(Module& module);

  /// The module of `ns` that was loaded under `name` or has it as its soname, or nullptr. A path
  /// that was asked for is such a name while the module is there, as with ld.so, unless it depends
  /// on who asks or from where: then it means the file that it leads to now (find_path).
  Module* find_loaded(Namespace& ns, const char* name);
  /// Makes `name` one of the module's, and gives it as the module keeps it; nullptr: no memory.
  const char* add_name(Module& module, const char* name);

private:
  Module* find_file(Namespace& ns, const find::Found& found);
  Module* find_path(Namespace& ns, const char* path);
  Result<elf::Ehdr> read_headers(find::Found& found, Module& module);
  Status finish(Module& module, Vec<Module*>& created);
  Status load_needed(Module& module, Vec<Module*>& created, const ErrorSink& sink);
  Result<Module*> new_module(Namespace& ns, const char* display);
};

/// Sets the fields that depend on the file's path: $ORIGIN and the requester view. A path without
/// a slash is the name of what is no file.
void set_path(Module& module, const char* path, const char* display);

/// Does the path mean the same file as long as nobody changes what is on disk? Not one that depends
/// on the working directory, nor what stands for the descriptors and places of whoever asks (/proc,
/// and /dev/fd and its like, which lead there).
bool is_lasting(const char* path);

}  // namespace myld::load
