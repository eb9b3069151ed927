#include "rtld/start/explain.hpp"

#include "loader/base/mem.hpp"
#include "loader/base/path.hpp"
#include "rtld/scope/match.hpp"
#include "rtld/start/json.hpp"
#include "rtld/start/references.hpp"
#include "rtld/start/search_story.hpp"
#include "rtld/start/tree.hpp"

namespace myld::start {
namespace {

using load::Module;
using sys::Decimal;
using sys::Hex;
using sys::Text;

const char* type_name(const elf::Sym& s) {
  switch (elf::sym_type(s)) {
  case STT_FUNC: return "function";
  case STT_OBJECT: return "object";
  case STT_COMMON: return "common";
  case STT_TLS: return "thread-local";
  case STT_GNU_IFUNC: return "indirect function";
  default: return "untyped";
  }
}

const char* binding_name(const elf::Sym& s) {
  switch (elf::sym_binding(s)) {
  case STB_WEAK: return "weak";
  case STB_GNU_UNIQUE: return "unique";
  default: return "global";
  }
}

/// A reference or a definition: an entry of a module's symbol table.
struct Entry {
  Module* module;
  std::uint32_t index;
  const elf::Sym* symbol;
  const elf::Version* version;
  bool hidden;           ///< definition: not the default version
  bool copied;           ///< definition: the program's copy of a library's object
  std::uint32_t bound;   ///< definition: how many references are bound to it
  scope::Definition to;  ///< reference: what it is bound to
};

struct Symbol {
  Runtime& r;
  const char* name;     ///< heap string
  const char* version;  ///< asked for on the command line, or nullptr
  Vec<Entry> references, definitions;

  bool find(std::span<Module* const> closure);
  bool add(Module& m, std::uint32_t index, const elf::Sym& s);
  const char* rule(const Entry& definition) const;
};

/// Has the program a COPY relocation for the entry?
bool is_copied(const Runtime& r, const Module& m, std::uint32_t index) {
  for (const elf::Rela& rela : m.image.rela)
    if (elf::reloc_symbol(rela) == index && r.loader.searcher.config.machine->reloc_kind(
                                                elf::reloc_type(rela)) == arch::RelocKind::copy)
      return true;
  return false;
}

bool Symbol::add(Module& m, std::uint32_t index, const elf::Sym& s) {
  const elf::Version* v = scope::version_of(m, index);
  if (version != nullptr && (v == nullptr || !equal(v->name, version))) return true;
  Entry e{&m, index, &s, v, false, false, 0, {}};
  if (is_reference(s)) {
    e.to = scope::find(m.scopes, scope::Request::of(name, v, scope::Purpose::call));
    return references.push(e);
  }
  e.hidden = m.image.versym != nullptr && (m.image.versym[index] & elf::kVersionHidden) != 0;
  e.copied = m.is_program && is_copied(r, m, index);
  return definitions.push(e);
}

bool Symbol::find(std::span<Module* const> closure) {
  bool ok = true;
  for (Module* m : closure)
    each_symbol(*m, [&](std::uint32_t index, const elf::Sym& s, const char* each) {
      if (equal(each, name)) ok = add(*m, index, s) && ok;
    });
  for (const Entry& reference : references)
    for (Entry& d : definitions)
      if (reference.to.symbol == d.symbol) ++d.bound;
  return ok;
}

/// Why the references are, or are not, bound to it.
const char* Symbol::rule(const Entry& d) const {
  unsigned visibility = elf::sym_visibility(*d.symbol);
  if (visibility == STV_HIDDEN || visibility == STV_INTERNAL) return "hidden: only its own file";
  if (d.bound != 0) {
    if (d.copied) return "bound: the program's copy stands for the library's object";
    return d.version == nullptr ? "bound: the first in the search order"
                                : "bound: the first of this version in the search order";
  }
  if (references.empty()) {
    if (&d == &definitions[0]) return "the first in the search order: what dlsym would give";
    return "shadowed by one that comes before";
  }
  for (const Entry& reference : references) {
    scope::Request request = scope::Request::of(name, reference.version, scope::Purpose::call);
    if (scope::match(*d.module, d.index, request) == scope::Match::no) continue;
    if (scope::find_in_module(*d.module, request) != d.symbol)
      return "passed over: its module has a better version";
    return "shadowed by one that comes before in the search order";
  }
  return "passed over: nobody asks for this version";
}

void write_version(Text& out, const Entry& e) {
  if (e.version != nullptr) out << (e.hidden ? "@" : "@@") << e.version->name;
}

/// "@VERSION", as a reference has it.
void write_asked(Text& out, const Entry& e) {
  if (e.version != nullptr) out << '@' << e.version->name;
}

void write_symbol(Text& out, const Symbol& s) {
  out << s.name << "\n  asked for by\n";
  if (s.references.empty()) out << "    nobody in the closure (dlsym may)\n";
  for (const Entry& e : s.references) {
    out << "    " << e.module->display << ": " << s.name;
    write_asked(out, e);
    if (elf::sym_binding(*e.symbol) == STB_WEAK) out << " (weak)";
    if (e.to)
      out << " -> " << e.to.module->display << '\n';
    else
      out << (elf::sym_binding(*e.symbol) == STB_WEAK ? " -> nobody: 0\n"
                                                      : " -> nobody: missing\n");
  }
  out << "  provided by, in the search order\n";
  if (s.definitions.empty()) out << "    nobody\n";
  for (const Entry& e : s.definitions) {
    out << "    " << e.module->display << ": " << s.name;
    write_version(out, e);
    out << " (" << binding_name(*e.symbol) << ' ' << type_name(*e.symbol) << ", "
        << Decimal{e.symbol->st_size} << " bytes at " << Hex{e.symbol->st_value} << ")\n      "
        << s.rule(e);
    if (e.bound != 0) out << "; " << Decimal{e.bound} << (e.bound == 1 ? " user" : " users");
    out << '\n';
  }
}

void symbol_json(Text& out, const Symbol& s) {
  Json json(out);
  json.open_object();
  json.string("symbol", s.name);
  json.open_list("asked_for_by");
  for (const Entry& e : s.references) {
    json.open_object();
    json.string("module", e.module->display);
    json.string("version", e.version == nullptr ? nullptr : e.version->name);
    json.boolean("weak", elf::sym_binding(*e.symbol) == STB_WEAK);
    json.string("bound_to", e.to ? e.to.module->display : nullptr);
    json.close_object();
  }
  json.close_list();
  json.open_list("provided_by");
  for (const Entry& e : s.definitions) {
    json.open_object();
    json.string("module", e.module->display);
    json.string("version", e.version == nullptr ? nullptr : e.version->name);
    json.boolean("default_version", !e.hidden);
    json.string("binding", binding_name(*e.symbol));
    json.string("type", type_name(*e.symbol));
    json.address("value", e.symbol->st_value);
    json.number("size", e.symbol->st_size);
    json.boolean("copy", e.copied);
    json.number("users", e.bound);
    json.string("rule", s.rule(e));
    json.close_object();
  }
  json.close_list();
  json.close_object();
  out << '\n';
}

int explain_symbol(Runtime& r, const char* what, std::span<Module* const> closure) {
  const char* at = find_char(what, '@');
  const char* version = at == nullptr ? nullptr : at + (at[1] == '@' ? 2 : 1);
  std::size_t n = at == nullptr ? strlen(what) : static_cast<std::size_t>(at - what);
  const char* name = copy_string(what, n);
  if (name == nullptr || !make_scopes(r, closure)) return 127;
  Symbol s{r, name, version, {}, {}};
  if (!s.find(closure)) return 127;
  Text out(1);
  if (r.options.json)
    symbol_json(out, s);
  else
    write_symbol(out, s);
  return s.references.empty() && s.definitions.empty() ? 1 : 0;
}

// ---- Libraries -------------------------------------------------------------------------------

struct Library {
  Vec<Module*> users;
  Module* module = nullptr;
  SearchStory story;    ///< of the first user's search
  Vec<Place> shadowed;  ///< files of the name in places that come later
};

/// Files of that name where the search did not come to any more.
void find_shadowed(Runtime& r, const char* soname, Library& l) {
  Module* by = l.users.empty() ? nullptr : l.users[0];
  each_directory(r, by, [&](const find::Directory& d, find::By rule, const auto* of) {
    char path[kPathMax];
    if (!join(path, {{d.path, d.length}, soname})) return;
    for (const Place& p : l.story.places)
      if (equal(p.path, path)) return;
    find::Found found;
    if (!r.loader.searcher.open(path, found)) return;
    sys::close(found.fd);
    bool same =
        l.module != nullptr && l.module->file == load::FileId{found.stat.st_dev, found.stat.st_ino};
    // Out of memory: what was found up to here is told.
    static_cast<void>(l.shadowed.push(
        {found.path, rule, of == nullptr ? nullptr : of->path, same ? "the same file" : nullptr}));
  });
}

void write_library(Text& out, const char* soname, const Library& l) {
  out << soname << "\n  needed by\n";
  if (l.users.empty()) out << "    nobody in the closure\n";
  for (Module* m : l.users) {
    out << "    ";
    bool first = true;
    each_in_chain(m, [&](const Module& each) {
      out << (first ? "" : " <- ") << each.display;
      first = false;
    });
    out << '\n';
  }
  out << "  looked for\n";
  if (l.module != nullptr && l.module->is_loader)
    out << "    nowhere: the loader answers to this name\n";
  else
    for (const Place& p : l.story.places) {
      out << "    " << p.path << " (";
      write_rule(out, p.by, p.of);
      out << "): " << (p.reason == nullptr ? "taken" : p.reason) << '\n';
    }
  if (!l.shadowed.empty()) out << "  also there, in places that come later\n";
  for (const Place& p : l.shadowed) {
    out << "    " << p.path << " (";
    write_rule(out, p.by, p.of);
    out << ')' << (p.reason == nullptr ? "" : ": ") << (p.reason == nullptr ? "" : p.reason)
        << '\n';
  }
  if (l.module == nullptr) {
    out << "  similar\n";
    for (const char* path : l.story.similar) out << "    " << path << '\n';
    return;
  }
  out << "  loaded as  " << (l.module->path[0] != 0 ? l.module->path : l.module->display);
  if (l.module->image.soname != nullptr) out << ", whose soname is " << l.module->image.soname;
  out << '\n';
}

void library_json(Text& out, const char* soname, const Library& l) {
  Json json(out);
  json.open_object();
  json.string("library", soname);
  json.open_list("needed_by");
  for (Module* m : l.users) {
    json.open_list();
    each_in_chain(m, [&](const Module& each) { json.string(nullptr, each.display); });
    json.close_list();
  }
  json.close_list();
  write_places(json, "searched", l.story.places, "note");
  write_places(json, "shadowed", l.shadowed, "note");
  json.string("path", l.module == nullptr ? nullptr : l.module->path);
  json.boolean("is_loader", l.module != nullptr && l.module->is_loader);
  json.strings("similar", l.story.similar.span());
  json.close_object();
  out << '\n';
}

int explain_library(Runtime& r, const char* soname, std::span<Module* const> closure) {
  Library l;
  bool ok = true;
  for (Module* m : closure)
    each_needed(r, *m, [&](const char* name, Module* needed) {
      if (!equal(name, soname)) return;
      if (!l.users.contains(m)) ok = l.users.push(m) && ok;
      if (needed != nullptr) l.module = needed;
    });
  if (l.module == nullptr) l.module = r.loader.find_loaded(r.first, soname);
  ok = tell_search(r, soname, l.users.empty() ? r.program : l.users[0], l.story) && ok;
  if (find_char(soname, '/') == nullptr) find_shadowed(r, soname, l);
  if (!ok) return 127;
  Text out(1);
  if (r.options.json)
    library_json(out, soname, l);
  else
    write_library(out, soname, l);
  return l.module == nullptr ? 1 : 0;
}

bool is_library(Runtime& r, const char* what) {
  for (const char* p = what; *p != 0; ++p)
    if (p[0] == '/' || (p[0] == '.' && p[1] == 's' && p[2] == 'o' && (p[3] == 0 || p[3] == '.')))
      return true;
  return r.loader.find_loaded(r.first, what) != nullptr;
}

}  // namespace

int explain(Runtime& r, const char* what, std::span<Module* const> closure) {
  return is_library(r, what) ? explain_library(r, what, closure) : explain_symbol(r, what, closure);
}

}  // namespace myld::start
