#include "rtld/start/tree.hpp"

#include "loader/base/mem.hpp"
#include "rtld/start/json.hpp"
#include "rtld/start/search_story.hpp"

namespace myld::start {
namespace {

using load::Module;
using sys::Text;

const char* path_of(const Runtime& r, const Module& m) {
  if (m.is_program && r.program_file != nullptr) return r.program_file;
  return m.path[0] != 0 ? m.path : m.display;
}

void write_found(Text& out, const Module& m) {
  if (m.is_loader) {
    out << " (this loader)";
    return;
  }
  out << " (";
  write_rule(out, m.found_by, m.found_of == nullptr ? nullptr : m.found_of->path);
  out << ')';
}

/// Where in the tree a line is: whether each of those above it is the last of its siblings.
struct Branch {
  const Branch* above;
  bool last;
};

void write_branch(Text& out, const Branch* b, bool is_leaf) {
  if (b == nullptr) return;
  write_branch(out, b->above, false);
  out << (is_leaf ? (b->last ? "`-- " : "|-- ") : (b->last ? "    " : "|   "));
}

constexpr unsigned kDepthMax = 200;  ///< deeper than that a chain of libraries is not shown

struct Tree {
  Runtime& r;
  Text out{1};
  std::uint32_t mark = load::next_mark();

  void children(Module& m, const Branch* above, unsigned depth) {
    std::size_t left = 0;
    each_needed(r, m, [&](const char*, Module*) { ++left; });
    for (Module* each : m.needed) left += is_preload(m, *each);
    for (Module* each : m.needed)
      if (is_preload(m, *each)) line(each->display, each, {above, --left == 0}, depth, true);
    each_needed(r, m, [&](const char* name, Module* needed) {
      line(name, needed, {above, --left == 0}, depth, false);
    });
  }

  /// Something that stands before the program's own libraries and that no DT_NEEDED names.
  bool is_preload(Module& m, const Module& each) {
    if (!m.is_program) return false;
    bool named = false;
    each_needed(r, m, [&](const char*, Module* needed) { named = named || needed == &each; });
    return !named;
  }

  void line(const char* name, Module* m, const Branch& at, unsigned depth, bool preload) {
    write_branch(out, &at, true);
    out << name;
    if (m == nullptr) {
      out << " => not found\n";
      return;
    }
    if (!equal(name, path_of(r, *m))) out << " => " << path_of(r, *m);
    if (preload) out << " (preloaded)";
    if (m->mark == mark) {
      out << (m->needed.empty() ? "\n" : " (shown above)\n");
      return;
    }
    m->mark = mark;
    write_found(out, *m);
    out << '\n';
    if (depth < kDepthMax) children(*m, &at, depth + 1);
  }
};

void module_json(Json& json, Runtime& r, Module& m) {
  json.open_object();
  json.string("path", path_of(r, m));
  json.string("soname", m.image.soname);
  json.string("found_by", m.is_program  ? "program"
                          : m.is_loader ? "loader"
                                        : find::text_of(m.found_by));
  json.string("of", m.found_of == nullptr ? nullptr : m.found_of->path);
  json.open_list("needed");
  each_needed(r, m, [&](const char* name, Module* needed) {
    json.open_object();
    json.string("name", name);
    json.string("path", needed == nullptr ? nullptr : path_of(r, *needed));
    json.close_object();
  });
  json.close_list();
  json.close_object();
}

}  // namespace

Module* needed_module(Runtime& r, Module& m, const char* name) {
  char* expanded = nullptr;
  if (find_char(name, '$') != nullptr) {
    expanded = r.loader.searcher.expand(name, strlen(name), &m.requester);
    if (expanded == nullptr) return nullptr;
    name = expanded;
  }
  Module* found = r.loader.find_loaded(*m.ns, name);
  if (found == nullptr && r.loader.self != nullptr &&
      equal(name, r.loader.searcher.config.machine->loader_soname))
    found = r.loader.self;
  // Names with a slash are not names of the module: it is the one with that path.
  for (Module* each : m.ns->modules)
    if (found == nullptr &&
        (equal(each->path, name) || (each->requested != nullptr && equal(each->requested, name))))
      found = each;
  release_string(expanded);
  return found;
}

void write_tree(Runtime& r, std::span<Module* const> closure) {
  if (!r.options.json) {
    Tree tree{r};
    tree.out << path_of(r, *r.program) << '\n';
    r.program->mark = tree.mark;
    tree.children(*r.program, nullptr, 0);
    return;
  }
  Text out(1);
  Json json(out);
  json.open_object();
  json.string("program", path_of(r, *r.program));
  json.string("machine", r.loader.searcher.config.machine->name);
  json.open_list("modules");
  for (Module* m : closure) module_json(json, r, *m);
  json.close_list();
  json.close_object();
  out << '\n';
}

}  // namespace myld::start
