#include "rtld/start/search_story.hpp"

#include "loader/base/mem.hpp"
#include "loader/base/path.hpp"
#include "loader/sys/directory.hpp"

namespace myld::start {
namespace {

using load::Module;

/// Why the file of an attempt was not taken, on the heap.
const char* reason_of(const Error& e) {
  if (e.code == Code::none) return nullptr;
  if (e.code == Code::cannot_open) return errno_text(e.sys_errno);
  char text[256];
  render_reason(e, text, sizeof text);
  return copy_string(text);
}

struct Listening {
  SearchStory& story;
  bool ok = true;

  void add(const char* path, find::By by, const find::Requester* of, const char* reason) {
    const char* copy = copy_string(path);
    ok = ok && copy != nullptr &&
         story.places.push({copy, by, of == nullptr ? nullptr : of->path, reason});
  }
  static void attempt(void* self, const find::Attempt& a) {
    bool of_file = a.by == find::By::rpath || a.by == find::By::runpath || a.by == find::By::note;
    static_cast<Listening*>(self)->add(a.path, a.by, of_file ? a.of : nullptr, reason_of(a.result));
  }
};

/// Of "libfoo.so.1": 9, the length of "libfoo.so"; of other names the length of the whole.
std::size_t stem_length(const char* name) {
  std::size_t n = strlen(name);
  for (std::size_t i = 0; i + 3 <= n; ++i)
    if (memcmp(name + i, ".so", 3) == 0 && (name[i + 3] == 0 || name[i + 3] == '.')) return i + 3;
  return n;
}

bool is_similar(const char* file, const char* name, std::size_t stem) {
  return strlen(file) >= stem && memcmp(file, name, stem) == 0 &&
         (file[stem] == 0 || file[stem] == '.') && !equal(file, name);
}

constexpr std::size_t kSimilarMax = 8;

struct Similar {
  const char* name;
  std::size_t stem;
  SearchStory& story;
  bool ok = true;

  void add(const char* path) {
    for (const char* each : story.similar)
      if (equal(each, path)) return;
    if (story.similar.size() == kSimilarMax) return;
    const char* copy = copy_string(path);
    ok = ok && copy != nullptr && story.similar.push(copy);
  }
  void add_from(const find::Directory& d) {
    sys::each_entry(d.path, [&](const char* file) {
      char path[kPathMax];
      if (is_similar(file, name, stem) && join(path, {{d.path, d.length}, file})) add(path);
    });
  }
  static void from_cache(void* self, const char* soname, const char* path) {
    auto& me = *static_cast<Similar*>(self);
    if (is_similar(soname, me.name, me.stem)) me.add(path);
  }
};

const char* last_part(const char* path) {
  const char* last = path;
  for (; *path != 0; ++path)
    if (*path == '/') last = path + 1;
  return last;
}

}  // namespace

bool tell_search(Runtime& r, const char* name, Module* requester, SearchStory& story) {
  find::Searcher& s = r.loader.searcher;
  bool is_path = find_char(name, '/') != nullptr;
  Listening listening{story};
  s.listener = {&Listening::attempt, &listening};
  find::Found found;
  bool is_there = s.find(name, requester == nullptr ? nullptr : &requester->requester, found).ok();
  if (is_there) {
    sys::close(found.fd);
    release_string(found.path);
  }
  s.listener = {};
  Similar similar{last_part(name), stem_length(last_part(name)), story};
  if (is_path) {
    find::Directory d{};
    d.length = static_cast<std::uint32_t>(last_part(name) - name);
    const char* path = copy_string(name, d.length);
    if (path == nullptr) return false;
    d.path = path;
    similar.add_from(d);
    release_string(path);
    return listening.ok && similar.ok;
  }
  // A directory that is known not to be there is not tried again, but it was searched.
  each_directory(r, requester, [&](const find::Directory& d, find::By by, const auto* of) {
    if (!is_there && d.state == find::Directory::State::missing) {
      bool told = false;
      for (const Place& p : story.places)
        told = told || equal(p.path, d.path) ||
               (strlen(p.path) == d.length + strlen(name) && memcmp(p.path, d.path, d.length) == 0);
      if (!told) listening.add(d.path, by, of, "no such directory");
    }
    similar.add_from(d);
  });
  bool cached = false;
  for (const Place& p : story.places) cached = cached || p.by == find::By::cache;
  story.cache_has_none = !is_there && !cached && !s.config.inhibit_cache && !s.config.confined;
  if (!s.config.confined) s.each_cached(&Similar::from_cache, &similar);
  return listening.ok && similar.ok;
}

void write_rule(sys::Text& out, find::By by, const char* of) {
  out << find::text_of(by);
  if (of != nullptr) out << " of " << of;
}

void write_places(Json& json, const char* key, const Vec<Place>& places, const char* reason_key) {
  json.open_list(key);
  for (const Place& p : places) {
    json.open_object();
    json.string("path", p.path);
    json.string("rule", find::text_of(p.by));
    json.string("of", p.of);
    json.string(reason_key, p.reason);
    json.close_object();
  }
  json.close_list();
}

}  // namespace myld::start
