#include "rtld/start/failures.hpp"

#include "loader/base/mem.hpp"
#include "rtld/dlopen/dlfcn.hpp"
#include "rtld/start/json.hpp"
#include "rtld/start/packages.hpp"
#include "rtld/start/references.hpp"
#include "rtld/start/search_story.hpp"

#include <algorithm>

namespace myld::start {

using load::Module;
using sys::Decimal;
using sys::Text;

bool make_scopes(Runtime& r, std::span<Module* const> closure) {
  r.first.global.list = load::make_list(closure);
  bool ok = r.first.global.list != nullptr;
  for (Module* m : r.first.modules) ok = ok && dlopen::make_scopes(*m, nullptr, false);
  return ok;
}

namespace {

/// file: one that the search led to and that cannot be used.
enum class Kind : std::uint8_t { library, version, symbol, file, other };

Kind kind_of(const Error& e) {
  switch (e.code) {
  case Code::cannot_open: return Kind::library;
  case Code::version_not_found: return Kind::version;
  case Code::undefined_symbol: return Kind::symbol;
  default:
    // What is wrong with the program itself stands in the first line already: nobody needs it.
    return e.code >= Code::cannot_read && e.code <= Code::bad_version_table && e.detail != nullptr
               ? Kind::file
               : Kind::other;
  }
}

/// Has `s`, which may be nullptr, copied; false if there is no memory for it.
bool keep(const char*& s) {
  if (s == nullptr) return true;
  s = copy_string(s);
  return s != nullptr;
}

/// In the text; JSON has all. For each library all directories are read, for names like it.
constexpr std::size_t kSymbolsShown = 30, kLibrariesShown = 30;

// ---- What is nearly right --------------------------------------------------------------------

/// Compares the numbers of two versions "PREFIX_1.2.3" with the same prefix.
int compare_numbers(const char* a, const char* b) {
  for (;;) {
    std::uint64_t x = 0, y = 0;
    while (*a >= '0' && *a <= '9') x = x * 10 + static_cast<std::uint64_t>(*a++ - '0');
    while (*b >= '0' && *b <= '9') y = y * 10 + static_cast<std::uint64_t>(*b++ - '0');
    if (x != y) return x < y ? -1 : 1;
    if (*a == 0 || *b == 0) return *a == *b ? 0 : *a == 0 ? -1 : 1;
    ++a;
    ++b;
  }
}

/// Length of "GLIBC_" in "GLIBC_2.38": up to the first digit.
std::size_t prefix_length(const char* version) {
  std::size_t n = 0;
  while (version[n] != 0 && !(version[n] >= '0' && version[n] <= '9')) ++n;
  return n;
}

/// The newest version of the same series that `m` defines, or nullptr.
const char* newest_like(const Module& m, const char* version) {
  std::size_t n = prefix_length(version);
  const char* newest = nullptr;
  for (const elf::Version& v : m.versions) {
    if (v.name == nullptr || v.file != nullptr || strlen(v.name) <= n) continue;
    if (memcmp(v.name, version, n) != 0 || prefix_length(v.name) != n) continue;
    if (newest == nullptr || compare_numbers(v.name + n, newest + n) > 0) newest = v.name;
  }
  return newest;
}

/// The definitions of missing symbols in other versions, or in none: looked for together, in one
/// walk through all symbols. Without memory there are none.
class OtherVersions {
public:
  [[nodiscard]] bool want(const char* symbol) { return wanted_.push(hash_string(symbol)); }

  void find(const Runtime& r) {
    if (wanted_.empty()) return;
    std::sort(wanted_.begin(), wanted_.end());
    for (const Module* m : r.first.modules)
      each_symbol(*m, [&](std::uint32_t index, const elf::Sym& s, const char* name) {
        if (is_reference(s)) return;
        std::uint64_t hash = hash_string(name);
        if (!std::binary_search(wanted_.begin(), wanted_.end(), hash)) return;
        const elf::Version* v = scope::version_of(*m, index);
        static_cast<void>(
            all_.push({hash, all_.size(), m, name, v == nullptr ? nullptr : v->name}));
      });
    std::sort(all_.begin(), all_.end(), [](const Other& a, const Other& b) {
      return a.hash != b.hash ? a.hash < b.hash : a.order < b.order;
    });
  }

  /// Calls visit(module, version) for each of a symbol; nullptr: it has no version.
  template <class Visit>
  void each(const char* symbol, Visit visit) const {
    std::uint64_t hash = hash_string(symbol);
    const Other* o =
        std::lower_bound(all_.begin(), all_.end(), hash,
                         [](const Other& other, std::uint64_t h) { return other.hash < h; });
    for (; o != all_.end() && o->hash == hash; ++o)
      if (equal(o->name, symbol)) visit(*o->module, o->version);
  }

private:
  struct Other {
    std::uint64_t hash;
    std::size_t order;  ///< of its module, and in that
    const Module* module;
    const char* name;
    const char* version;
  };
  Vec<std::uint64_t> wanted_;
  Vec<Other> all_;
};

const char* soname_of(const Module& m) {
  return m.image.soname != nullptr ? m.image.soname : m.display;
}

// ---- Text ------------------------------------------------------------------------------------

void tell_chain(Text& out, Module* m) {
  bool first = true;
  each_in_chain(m, [&](const Module& each) {
    out << (first ? "  needed by  " : "             needed by ") << each.display << '\n';
    first = false;
  });
}

void tell_places(Text& out, const SearchStory& story) {
  const char* head = "  searched   ";
  for (const Place& p : story.places) {
    out << head << p.path << " (";
    write_rule(out, p.by, p.of);
    out << "): " << (p.reason == nullptr ? "found now" : p.reason) << '\n';
    head = "             ";
  }
}

void tell_library(Text& out, Runtime& r, const Error& e, std::uint64_t users) {
  out << "\nLibrary " << e.object << '\n';
  Module* by = module_named(r.first, e.detail);
  tell_chain(out, by);
  if (users != 0)
    out << "  used for   " << Decimal{users} << (users == 1 ? " symbol\n" : " symbols\n");
  SearchStory story;
  tell_search(r, e.object, by, story);  // out of memory: as much as was learnt
  tell_places(out, story);
  const char* head = story.places.empty() ? "  searched   " : "             ";
  if (story.cache_has_none) out << head << "/etc/ld.so.cache: no entry\n";
  head = "  similar    ";
  for (const char* path : story.similar) {
    out << head << path << '\n';
    head = "             ";
  }
  Vec<Package> packages;
  find_packages(r.loader.searcher.config.sysroot, e.object, packages);
  head = "  package    ";
  for (const Package& p : packages) {
    out << head << p.name << " (" << text_of(p.how) << ")\n";
    head = "             ";
  }
}

const char* name_in(const char* path) {
  const char* name = path;
  for (; *path != 0; ++path)
    if (*path == '/') name = path + 1;
  return name;
}

/// A file that ends the search, as it does with ld.so, and is of no use.
void tell_file(Text& out, Runtime& r, const Error& e) {
  char reason[1200];
  Error alone = e;
  alone.detail = nullptr;
  render_reason(alone, reason, sizeof reason);
  out << "\nFile " << e.object << '\n';
  Module* by = module_named(r.first, e.detail);
  tell_chain(out, by);
  out << "  rejected   " << reason << '\n';
  SearchStory story;
  tell_search(r, name_in(e.object), by, story);
  const char* head = "  similar    ";
  for (const char* path : story.similar) {
    out << head << path << '\n';
    head = "             ";
  }
}

/// Symbols are found through a hash table, so a file that lost its own has none.
template <class Visit>
void each_without_hash(const Runtime& r, Visit visit) {
  for (const Module* m : r.first.modules)
    if (!m->is_program && !m->is_loader && m != r.vdso && m->image.gnu_hash.bucket_count == 0 &&
        m->image.sysv_hash.bucket_count == 0)
      visit(*m);
}

void tell_version(Text& out, Runtime& r, const Error& e) {
  Module* in = module_named(r.first, e.object);
  out << "\nVersion " << e.subject << " of " << (in == nullptr ? e.object : soname_of(*in)) << '\n';
  tell_chain(out, module_named(r.first, e.detail));
  out << "  found      " << e.object;
  const char* newest = in == nullptr ? nullptr : newest_like(*in, e.subject);
  if (newest != nullptr) out << ", whose newest is " << newest;
  out << '\n';
}

void tell_symbol(Text& out, Runtime& r, const OtherVersions& others, const Error& e) {
  out << "\nSymbol " << e.subject;
  if (e.detail != nullptr) out << ", version " << e.detail;
  out << '\n';
  Module* by = module_named(r.first, e.object);
  if (by == nullptr) out << "  needed by  " << e.object << '\n';
  tell_chain(out, by);
  others.each(e.subject, [&](const Module& m, const char* version) {
    out << "  similar    " << m.display << " has it "
        << (version == nullptr ? "without a version" : "in version ")
        << (version == nullptr ? "" : version) << '\n';
  });
}

void count(Text& out, std::size_t n, const char* one, const char* many, const char*& between) {
  if (n == 0) return;
  out << between << Decimal{n} << (n == 1 ? one : many);
  between = ", ";
}

// ---- JSON ------------------------------------------------------------------------------------

void chain_json(Json& json, Module* m) {
  json.open_list("needed_by");
  each_in_chain(m, [&](const Module& each) { json.string(nullptr, each.display); });
  json.close_list();
}

void library_json(Json& json, Runtime& r, const Error& e, std::uint64_t users) {
  Module* by = module_named(r.first, e.detail);
  json.open_object();
  json.string("name", e.object);
  chain_json(json, by);
  json.number("symbols", users);
  SearchStory story;
  tell_search(r, e.object, by, story);
  write_places(json, "searched", story.places, "rejected");
  json.boolean("in_cache", !story.cache_has_none);
  json.strings("similar", story.similar.span());
  Vec<Package> packages;
  find_packages(r.loader.searcher.config.sysroot, e.object, packages);
  json.open_list("packages");
  for (const Package& p : packages) {
    json.open_object();
    json.string("name", p.name);
    json.string("because", text_of(p.how));
    json.close_object();
  }
  json.close_list();
  json.close_object();
}

void version_json(Json& json, Runtime& r, const Error& e) {
  Module* in = module_named(r.first, e.object);
  json.open_object();
  json.string("version", e.subject);
  json.string("library", e.object);
  json.string("newest", in == nullptr ? nullptr : newest_like(*in, e.subject));
  chain_json(json, module_named(r.first, e.detail));
  json.close_object();
}

void symbol_json(Json& json, Runtime& r, const OtherVersions& others, const Error& e) {
  json.open_object();
  json.string("name", e.subject);
  json.string("version", e.detail);
  chain_json(json, module_named(r.first, e.object));
  json.open_list("similar");
  others.each(e.subject, [&](const Module& m, const char* version) {
    json.open_object();
    json.string("library", m.display);
    json.string("version", version);
    json.close_object();
  });
  json.close_list();
  json.close_object();
}

void file_json(Json& json, Runtime& r, const Error& e) {
  char reason[1200];
  Error alone = e;
  alone.detail = nullptr;
  render_reason(alone, reason, sizeof reason);
  json.open_object();
  json.string("path", e.object);
  json.string("rejected", reason);
  chain_json(json, module_named(r.first, e.detail));
  json.close_object();
}

void other_json(Json& json, const Error& e) {
  char text[1200];
  render(e, text, sizeof text);
  json.open_object();
  json.string("message", text);
  json.close_object();
}

}  // namespace

namespace {

bool same(const char* a, const char* b) {
  return a == b || (a != nullptr && b != nullptr && equal(a, b));
}
std::uint64_t hash_or_none(const char* s) { return s == nullptr ? 0 : hash_string(s); }

/// Of a version, and who needs it.
std::uint64_t hash_of_need(const char* version, const char* user) {
  return hash_or_none(version) + hash_or_none(user) * 3;
}

}  // namespace

std::uint64_t Failures::hash_of(const Error& e) {
  std::uint64_t words[] = {static_cast<std::uint64_t>(e.code), e.at, hash_or_none(e.object),
                           hash_or_none(e.subject), hash_or_none(e.detail)};
  return hash_bytes(words, sizeof words);
}

Failures::Failure* Failures::find(const Error& e) const {
  return known_.find(hash_of(e), [&](const Failure& f) {
    const Error& k = f.error;
    return k.code == e.code && k.at == e.at && same(k.object, e.object) &&
           same(k.subject, e.subject) && same(k.detail, e.detail);
  });
}

Failures::Failure* Failures::find_library(const char* name) const {
  return libraries_.find(hash_string(name),
                         [&](const Failure& f) { return equal(f.error.object, name); });
}

Failures::Failure* Failures::find_version(const char* name, const char* user) const {
  return versions_.find(hash_of_need(name, user), [&](const Failure& f) {
    return same(f.error.subject, name) && same(f.error.detail, user);
  });
}

void Failures::add(const Error& e) {
  if (find(e) != nullptr) return;
  auto* f = static_cast<Failure*>(heap::allocate(sizeof(Failure)));
  if (f == nullptr) return;
  f->error = e;
  Error& k = f->error;
  if (!keep(k.object) || !keep(k.subject) || !keep(k.detail) || !all_.push(f)) return;
  // What there is no memory for may be told twice.
  bool noted = known_.insert(hash_of(k), f);
  if (kind_of(k) == Kind::library && k.object != nullptr && find_library(k.object) == nullptr)
    noted = libraries_.insert(hash_string(k.object), f) && noted;
  if (k.code == Code::version_not_found && find_version(k.subject, k.detail) == nullptr)
    noted = versions_.insert(hash_of_need(k.subject, k.detail), f) && noted;
  static_cast<void>(noted);
}

void Failures::find_symbols(Module& m) {
  each_symbol(m, [&](std::uint32_t index, const elf::Sym& s, const char* name) {
    if (!is_reference(s) || elf::sym_binding(s) == STB_WEAK) return;
    const elf::Version* v = scope::version_of(m, index);
    if (v != nullptr && v->file != nullptr)
      if (Failure* library = find_library(v->file); library != nullptr) {
        ++library->users;
        return;
      }
    // A version that is missing tells of all its symbols.
    if (v != nullptr && (v->weak || find_version(v->name, m.display) != nullptr)) return;
    scope::Request request = scope::Request::of(name, v, scope::Purpose::call);
    if (!scope::find(m.scopes, request))
      add({.code = Code::undefined_symbol,
           .object = m.display,
           .subject = name,
           .detail = v == nullptr ? nullptr : v->name});
  });
}

void Failures::find_the_rest(Runtime& r, std::span<Module* const> closure) {
  load::ErrorSink sink{[](void* self, const Error& e) {
                         if (e.code == Code::version_not_found)
                           static_cast<Failures*>(self)->add(e);
                         return true;
                       },
                       this};
  // The sink lets nothing end the check.
  static_cast<void>(r.loader.check_versions(closure, sink).ok());
  if (!make_scopes(r, closure)) return;
  for (Module* m : closure)
    if (!m->is_loader) find_symbols(*m);
}

void Failures::tell(Runtime& r, int status, bool as_json) {
  Text out(as_json ? 1 : 2);
  auto each = [&](Kind kind, auto visit) {
    for (const Failure* f : all_)
      if (kind_of(f->error) == kind) visit(*f);
  };
  OtherVersions others;
  std::size_t symbols = 0;
  each(Kind::symbol, [&](const Failure& f) {
    if (as_json || symbols++ < kSymbolsShown) static_cast<void>(others.want(f.error.subject));
  });
  others.find(r);
  if (as_json) {
    Json json(out);
    json.open_object();
    json.string("program", r.argc > 0 ? r.argv[0] : nullptr);
    json.number("status", static_cast<std::uint64_t>(status));
    json.open_list("libraries");
    each(Kind::library, [&](const Failure& f) { library_json(json, r, f.error, f.users); });
    json.close_list();
    json.open_list("versions");
    each(Kind::version, [&](const Failure& f) { version_json(json, r, f.error); });
    json.close_list();
    json.open_list("symbols");
    each(Kind::symbol, [&](const Failure& f) { symbol_json(json, r, others, f.error); });
    json.close_list();
    json.open_list("files");
    each(Kind::file, [&](const Failure& f) { file_json(json, r, f.error); });
    json.close_list();
    json.open_list("without_hash");
    each_without_hash(r, [&](const Module& m) { json.string(nullptr, m.display); });
    json.close_list();
    json.open_list("other");
    each(Kind::other, [&](const Failure& f) { other_json(json, f.error); });
    json.close_list();
    json.close_object();
    out << '\n';
    return;
  }
  if (r.loader.as_data)
    each(Kind::other, [&](const Failure& f) {
      char text[1200];
      render(f.error, text, sizeof text);
      out << '\n' << text << '\n';
    });
  std::size_t counts[5] = {};
  for (const Failure* f : all_) ++counts[static_cast<int>(kind_of(f->error))];
  if (counts[0] + counts[1] + counts[2] + counts[3] == 0) return;
  const char* between = "\nMissing: ";
  count(out, counts[0], " library", " libraries", between);
  count(out, counts[1], " version", " versions", between);
  count(out, counts[2], " symbol", " symbols", between);
  if (counts[3] != 0)
    between = counts[0] + counts[1] + counts[2] == 0 ? "\nOf no use: " : "; of no use: ";
  count(out, counts[3], " file", " files", between);
  out << ".\n";
  std::size_t libraries = 0;
  each(Kind::library, [&](const Failure& f) {
    if (libraries++ < kLibrariesShown) tell_library(out, r, f.error, f.users);
  });
  if (counts[0] > kLibrariesShown)
    out << "\n... and " << Decimal{counts[0] - kLibrariesShown}
        << " more libraries (myld --json tells all).\n";
  each(Kind::file, [&](const Failure& f) { tell_file(out, r, f.error); });
  each(Kind::version, [&](const Failure& f) { tell_version(out, r, f.error); });
  if (counts[0] + counts[3] != 0 && counts[2] != 0)
    out << "\nOf these symbols it is not known which library has them: a missing one may.\n";
  std::size_t shown = 0;
  each(Kind::symbol, [&](const Failure& f) {
    if (shown++ < kSymbolsShown) tell_symbol(out, r, others, f.error);
  });
  if (counts[2] > kSymbolsShown)
    out << "\n... and " << Decimal{counts[2] - kSymbolsShown}
        << " more symbols (myld --json tells all).\n";
  if (counts[2] != 0)
    each_without_hash(r, [&](const Module& m) {
      out << "\nNo symbol is found in " << m.display
          << ": it has no hash table (DT_GNU_HASH, DT_HASH).\n";
    });
}

}  // namespace myld::start
