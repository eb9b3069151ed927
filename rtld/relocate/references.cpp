// What a set of modules will look up, read from their relocations ahead of time.
#include "arch/port.hpp"
#include "rtld/relocate/relocate.hpp"

namespace myld::relocate {
namespace {

using arch::RelocKind;
using elf::Rela;
using scope::Purpose;

std::span<const Rela> symbolic_part(const Module& m) {
  return m.image.rela.empty() ? m.image.rela : m.image.rela.subspan(m.image.relative_count);
}
std::span<const Rela> bound_plt(const Module& m, bool lazy_too) {
  return m.lazy && !lazy_too ? std::span<const Rela>{} : m.image.jmprel;
}

/// Is what `m` looks up looked up in `chain`? A module's own scope, which DT_SYMBOLIC puts in
/// front, is the batch's matter.
bool looks_up_in(const Module& m, const load::ScopeChain& chain) {
  const load::ScopeChain& own = *m.scopes;
  std::uint32_t from = scope::looks_at_itself_first(m) ? 1 : 0;
  if (own.count != from + chain.count) return false;
  for (std::uint32_t i = 0; i < chain.count; ++i)
    if (own.scopes[from + i] != chain.scopes[i]) return false;
  return true;
}

void collect(std::span<const Rela> relocations, scope::Batch::Collector& collector) {
  constexpr std::uint32_t kSymbolic = ordinary_type<arch::Port>(RelocKind::symbolic),
                          kGlobDat = ordinary_type<arch::Port>(RelocKind::glob_dat);
  constexpr std::size_t kAhead = 12;
  std::size_t n = relocations.size();
  for (std::size_t i = 0; i < n; ++i) {
    if (i + kAhead < n) collector.prefetch_name(elf::reloc_symbol(relocations[i + kAhead]));
    const Rela& r = relocations[i];
    std::uint32_t type = elf::reloc_type(r);
    if (type == kSymbolic || type == kGlobDat) [[likely]] {  // most are
      collector.want(elf::reloc_symbol(r), Purpose::address);
      continue;
    }
    RelocKind kind = arch::Port::reloc_kind(type);
    if (kind == RelocKind::relative || kind == RelocKind::irelative) continue;
    collector.want(elf::reloc_symbol(r), purpose_of(kind));
  }
}

}  // namespace

void look_up_references(std::span<Module* const> modules,
                        scope::Batch& batch,
                        bool lazy_slots_too,
                        std::uint64_t cost) {
  if (scope::looks_up_one_by_one()) return;
  const load::ScopeChain* chain = nullptr;
  std::uint64_t references = 0;
  for (const Module* m : modules) {
    if (m->scopes == nullptr) continue;
    // The chain that is shared is that of the first module which has no list of its own in front.
    if (chain == nullptr && !m->image.symbolic && m->scopes->count <= 2) chain = m->scopes;
    references += symbolic_part(*m).size() + bound_plt(*m, lazy_slots_too).size();
  }
  if (chain == nullptr || chain->count == 0) return;
  const load::ModuleList* first = chain->scopes[0]->read();
  const load::ModuleList* second = chain->count > 1 ? chain->scopes[1]->read() : nullptr;
  if (!scope::worth_a_batch(references, first, second, cost)) return;
  if (!batch.prepare(modules, references, first, second)) return;
  for (std::uint32_t user = 0; user < modules.size(); ++user) {
    const Module& m = *modules[user];
    if (m.scopes == nullptr || m.is_loader || !looks_up_in(m, *chain)) continue;
    scope::Batch::Collector collector(batch, user);
    collect(symbolic_part(m), collector);
    collect(bound_plt(m, lazy_slots_too), collector);
  }
  batch.run();
}

}  // namespace myld::relocate
