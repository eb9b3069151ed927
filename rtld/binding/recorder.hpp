// Watches the searches of a start, for the binding file.
#pragma once
#include "loader/heap/pointer_table.hpp"
#include "rtld/binding/identity.hpp"
#include "rtld/runtime.hpp"

namespace myld::binding {

/// One search and its result.
struct Search {
  const char* name;  ///< heap string
  const char* path;  ///< heap string; nullptr: nothing was found
  const load::Module* requester;
  const find::Requester* of;
  find::By by;
  Identity file;  ///< of `path`
};

/// Something that the results depend on.
struct Stamp {
  const char* path;  ///< heap string
  int error;
  Identity file;
};

class Recorder {
public:
  constexpr Recorder() = default;

  /// Watches from now on. Needs: nothing of the closure is loaded.
  void begin(Runtime& runtime);
  /// Looks at everything that the searches depended on, and watches no more. Returns nullptr, or
  /// why nothing should be kept: a heap string or a literal.
  const char* end();

  Vec<Search> searches;
  Vec<Stamp> stamps;
  Numbers numbers;
  bool relative = false;  ///< a path counts from the working directory
  std::uint64_t began = 0;

  /// Is what `file` says so old that a later change shows in it? File systems stamp changes by a
  /// clock that ticks, so that what happens after the look, in the same tick, would not.
  bool is_settled(const Identity& file) const;

private:
  /// A directory that candidates were looked for in.
  struct Directory {
    const char* path;      ///< heap string, with the slash
    std::uint32_t absent;  ///< candidates that were not there
    const char* first[2];  ///< the first of them: heap strings
    bool searched;         ///< it may have a glibc-hwcaps subdirectory
  };

  static void attempted(void* self, const find::Attempt& attempt) {
    static_cast<Recorder*>(self)->attempt(attempt);
  }
  static void found(void* self,
                    const char* name,
                    find::Requester* requester,
                    const Status& result,
                    const find::Found& out) {
    static_cast<Recorder*>(self)->search(name, requester, result, out);
  }
  void attempt(const find::Attempt& attempt);
  void search(const char* name,
              find::Requester* requester,
              const Status& result,
              const find::Found& out);
  Directory* directory_of(const char* path);
  void look_at(const char* path);
  void look_at(const Directory& directory);
  void fail(const char* why) { refused_ = refused_ == nullptr ? why : refused_; }

  Runtime* runtime_ = nullptr;
  Vec<Directory*> directories_;
  PointerTable<Directory> by_path_;
  const char* refused_ = nullptr;
};

}  // namespace myld::binding
