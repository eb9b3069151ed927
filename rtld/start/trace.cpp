#include "rtld/start/trace.hpp"

#include "loader/base/mem.hpp"
#include "loader/sys/text.hpp"
#include "rtld/scope/lookup.hpp"
#include "rtld/start/references.hpp"

namespace myld::start {
namespace {

using load::Module;
using sys::Text;

constexpr unsigned kAddressDigits = 2 * sizeof(void*);

/// The program has no path of its own; its argv[0] is what people expect to see.
const char* shown_path(const Runtime& r, const Module& m) {
  if (m.path[0] != 0) return m.path;
  return r.argc > 0 && r.argv[0] != nullptr ? r.argv[0] : "<main program>";
}

void show(Text& out, const Runtime& r, const Module& m) {
  // What was asked for by the path it has is not shown twice (the vDSO, libraries by path).
  const char* asked = m.is_program ? "" : m.requested != nullptr ? m.requested : m.path;
  out << '\t' << asked;
  if (!equal(asked, m.path)) out << " => " << shown_path(r, m);
  out << " (" << sys::Hex{m.mapping.start.value, kAddressDigits} << ")\n";
}

/// The module after which the loader is listed: the one before it in breadth-first order; nullptr
/// if nobody needs it.
const Module* before_loader(std::span<Module* const> closure) {
  for (std::size_t i = 1; i < closure.size(); ++i)
    if (closure[i]->is_loader) return closure[i - 1];
  return nullptr;
}

void list(Runtime& r, const Traced& t) {
  Text out(1);
  if (r.program->needed.empty() && t.missing.empty()) {
    out << "\tstatically linked\n";
    return;
  }
  const Module* before = before_loader(t.closure);
  std::size_t next_missing = 0;
  // Load order is the order that ld.so lists in, the vDSO after the program.
  for (std::size_t i = 0; i < r.first.modules.size(); ++i) {
    for (; next_missing < t.missing.size() && t.missing[next_missing].after <= i; ++next_missing)
      out << '\t' << t.missing[next_missing].name << " => not found\n";
    const Module& m = *r.first.modules[i];
    if (!m.is_loader && (!m.is_program || r.options.trace_program)) show(out, r, m);
    if (&m == before) show(out, r, *r.loader.self);
  }
  for (; next_missing < t.missing.size(); ++next_missing)
    out << '\t' << t.missing[next_missing].name << " => not found\n";
}

// ---- ldd -d, ldd -r --------------------------------------------------------------------------

/// Looks up what a relocation table refers to; reports what is nowhere if it is to `tell`, and
/// tells `bound` of the rest.
template <class Bound>
void check_symbols(Module& m, std::span<const elf::Rela> table, bool tell, Bound bound) {
  std::uint32_t last = 0;
  for (const elf::Rela& rela : table) {
    std::uint32_t index = elf::reloc_symbol(rela);
    if (index == 0 || index == last || index >= m.image.symbol_limit) continue;
    last = index;
    const elf::Sym& symbol = m.image.symbols[index];
    const char* name = m.image.strings.at(symbol.st_name);
    if (name == nullptr) continue;
    bool copy = arch::Port::reloc_kind(elf::reloc_type(rela)) == arch::RelocKind::copy;
    bool call = arch::Port::reloc_kind(elf::reloc_type(rela)) == arch::RelocKind::jump_slot;
    scope::Definition d = scope::resolve(m, symbol, index,
                                         copy   ? scope::Purpose::copy
                                         : call ? scope::Purpose::call
                                                : scope::Purpose::address);
    if (d) {
      bound(*d.module);
      continue;
    }
    if (!tell || elf::sym_binding(symbol) == STB_WEAK) continue;
    Text out(2);
    out << "undefined symbol: " << name;
    if (m.image.versym != nullptr) {
      std::uint16_t v = m.image.versym[index] & elf::kVersionIndexMask;
      if (v < m.versions.size() && m.versions[v].name != nullptr)
        out << ", version " << m.versions[v].name;
    }
    out << "\t(" << (m.path[0] != 0 ? m.path : m.display) << ")\n";
  }
}

template <class Bound>
void check_module(const Runtime& r, Module& m, bool tell, Bound bound) {
  check_symbols(m, m.image.rela, tell, bound);
  if (r.options.bind_now || m.image.bind_now) check_symbols(m, m.image.jmprel, tell, bound);
}

// ---- ldd -u ----------------------------------------------------------------------------------

/// Prints the program's DT_NEEDED entries that none of its references is bound to. Returns the exit
/// status: 1 if there is one.
int list_unused(Runtime& r, const Traced& t) {
  for (Module* m : t.closure) m->counter = 0;
  check_module(r, *r.program, false, [](Module& m) { m.counter = 1; });
  Text out(1);
  int status = 0;
  auto unused = [&](const char* path) {
    out << (status == 0 ? "Unused direct dependencies:\n\t" : "\t") << path << '\n';
    status = 1;
  };
  const elf::Image& image = r.program->image;
  for (std::uint32_t i = 0; i < image.dynamic_count; ++i) {
    if (image.dynamic[i].d_tag != DT_NEEDED) continue;
    const char* name = image.strings.at(image.dynamic[i].d_un.d_val);
    Module* needed = equal(name, arch::Port::kLoaderSoname) ? r.loader.self
                                                            : r.loader.find_loaded(r.first, name);
    if (needed == nullptr)
      unused(name);
    else if (needed->counter == 0)
      unused(needed->path);
  }
  return status;
}

// ---- ldd -v ----------------------------------------------------------------------------------

const char*
provider_of(Runtime& r, const char* file, const elf::Vernaux& aux, const char* version) {
  Module* m = r.loader.find_loaded(r.first, file);
  if (m == nullptr && equal(file, arch::Port::kLoaderSoname)) m = r.loader.self;
  if (m == nullptr || !m->versions.defines(version, aux.vna_hash)) return "not found";
  return m->path;
}

void list_versions_of(Text& out, Runtime& r, const Module& m) {
  const elf::Image& image = m.image;
  out << '\t' << shown_path(r, m) << ":\n";
  // read_versions has checked every record and string on the way.
  const elf::Verneed* need = image.verneed;
  for (std::uint32_t i = 0; i < image.verneed_count; ++i) {
    const char* file = image.strings.at(need->vn_file);
    const char* at = reinterpret_cast<const char*>(need) + need->vn_aux;
    for (std::uint32_t j = 0; j < need->vn_cnt; ++j) {
      const auto& aux = *reinterpret_cast<const elf::Vernaux*>(at);
      const char* version = image.strings.at(aux.vna_name);
      out << "\t\t" << file << " (" << version << ") "
          << ((aux.vna_flags & VER_FLG_WEAK) != 0 ? "[WEAK] " : "") << "=> "
          << provider_of(r, file, aux, version) << '\n';
      if (aux.vna_next == 0) break;
      at += aux.vna_next;
    }
    if (need->vn_next == 0) break;
    need =
        reinterpret_cast<const elf::Verneed*>(reinterpret_cast<const char*>(need) + need->vn_next);
  }
}

void list_versions(Runtime& r) {
  Text out(1);
  bool first = true;
  for (const Module* m : r.first.modules) {
    if (m->image.verneed == nullptr || m->image.verneed_count == 0) continue;
    if (first) out << "\n\tVersion information:\n";
    first = false;
    list_versions_of(out, r, *m);
  }
}

}  // namespace

void trace(Runtime& r, const Traced& t) {
  if (r.options.trace_relocate || r.options.trace_unused) {
    if (!make_scopes(r, t.closure)) sys::exit(127);
  }
  if (r.options.trace_unused) sys::exit(list_unused(r, t));
  list(r, t);
  if (r.options.trace_relocate)
    for (Module* m : t.order)
      if (!m->is_loader) check_module(r, *m, true, [](Module&) {});
  if (r.options.trace_versions) list_versions(r);
  sys::exit(0);
}

}  // namespace myld::start
