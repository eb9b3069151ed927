// The story of one search, told after it failed: each place that was looked at and why it was
// rejected, and files that are nearly what was asked for.
#pragma once
#include "loader/sys/text.hpp"
#include "rtld/runtime.hpp"
#include "rtld/start/json.hpp"

namespace myld::start {

/// A place that was looked at. Strings are on the heap for the life of the process: it ends soon.
struct Place {
  const char* path;
  find::By by;
  const char* of;      ///< the file whose RPATH or RUNPATH it is, or nullptr
  const char* reason;  ///< nullptr: found
};

struct SearchStory {
  Vec<Place> places;
  Vec<const char*> similar;     ///< paths with the same name but for the version behind ".so"
  bool cache_has_none = false;  ///< ld.so.cache was asked and does not know the name
};

/// Searches for `name` as `requester` would (nullptr: nobody in particular), and tells all of it.
/// False when memory ran out.
bool tell_search(Runtime& runtime, const char* name, load::Module* requester, SearchStory& out);

/// Every directory that a search for `requester` comes to, in order: visit(directory, by, of).
template <class Visit>
void each_directory(Runtime& runtime, load::Module* requester, Visit visit) {
  find::Searcher& s = runtime.loader.searcher;
  auto all = [&](const find::DirectoryList& list, find::By by, const find::Requester* of) {
    for (const find::Directory* d : list) visit(*d, by, of);
  };
  all(s.configured_directories(), find::By::config, nullptr);
  find::Requester* r = requester == nullptr ? nullptr : &requester->requester;
  if (r != nullptr && r->runpath == nullptr) {
    bool with_program = s.config.program != nullptr;
    for (find::Requester* each = r; each != nullptr; each = each->loader) {
      if (each == s.config.program) with_program = false;
      all(s.rpath(*each), find::By::rpath, each);
    }
    if (with_program) all(s.rpath(*s.config.program), find::By::rpath, s.config.program);
  }
  if (!s.config.confined) all(s.library_path(), find::By::library_path, nullptr);
  if (r != nullptr && r->runpath != nullptr) all(s.runpath(*r), find::By::runpath, r);
  if (!s.config.confined && (r == nullptr || !r->no_default_directories))
    all(s.default_directories(), find::By::standard, nullptr);
}

/// "RUNPATH of /usr/bin/prog", "cache", ...
void write_rule(sys::Text& out, find::By by, const char* of);

/// A list of objects: path, rule, of, and the reason as `reason_key`.
void write_places(Json& json, const char* key, const Vec<Place>& places, const char* reason_key);

}  // namespace myld::start
