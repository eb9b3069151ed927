#include "rtld/debug/reports.hpp"

#include "loader/sys/log.hpp"

namespace myld::debug {
namespace {

using load::Module;

/// What a module's relocation tables hold. Counted from the tables, so that nothing is counted
/// while relocations are done.
struct Counts {
  std::uint64_t symbolic = 0;  ///< bound by name
  std::uint64_t repeated = 0;  ///< of these: the same symbol as the one before
  std::uint64_t relative = 0;
};

void count_symbolic(std::span<const elf::Rela> table, Counts& c) {
  std::uint32_t last = 0;
  for (const elf::Rela& r : table) {
    std::uint32_t index = elf::reloc_symbol(r);
    if (index == 0) continue;
    ++c.symbolic;
    if (index == last) ++c.repeated;
    last = index;
  }
}

void count(const Module& m, Counts& c) {
  const elf::Image& image = m.image;
  c.relative += image.relative_count;
  // An address is one relocation, a bitmap one for each bit behind its lowest.
  for (elf::Relr entry : image.relr)
    for (elf::Relr bits = (entry & 1) == 0 ? 1 : entry >> 1; bits != 0; bits &= bits - 1)
      ++c.relative;
  count_symbolic(image.rela.subspan(image.relative_count), c);
  if (!m.lazy) count_symbolic(image.jmprel, c);
}

void time_line(const char* what, std::uint64_t ns, std::uint64_t total) {
  log::Line line;
  line << what << sys::Decimal{ns} << " ns";
  if (total != 0)
    line << " (" << sys::Decimal{ns * 100 / total} << '.' << sys::Decimal{ns * 1000 / total % 10}
         << "%)";
}

}  // namespace

void log_scopes(const Module& m) {
  log::line("object=", log::In{m.display, m.ns->id});
  if (m.scopes == nullptr || m.is_loader) log::line(" no scope");
  for (std::uint32_t i = 0; m.scopes != nullptr && !m.is_loader && i < m.scopes->count; ++i) {
    log::Line line;
    line << " scope " << sys::Decimal{i} << ':';
    const load::ModuleList* list = m.scopes->scopes[i]->read();
    for (std::uint32_t k = 0; list != nullptr && k < list->count; ++k)
      line << ' ' << list->modules[k]->display;
  }
  log::line("");
}

void log_initial_scopes(const Runtime& runtime) {
  log::line("");
  log::line("Initial object scopes");
  for (const Module* m : runtime.first.modules)
    if (!m->is_loader) log_scopes(*m);
  log_scopes(*runtime.loader.self);
}

namespace {
Counts count_all(const Runtime& runtime) {
  Counts c;
  for (const Module* m : runtime.first.modules)
    if (!m->is_loader && m != runtime.vdso) count(*m, c);
  return c;
}
}  // namespace

void log_final_statistics(const Runtime& runtime) {
  Counts c = count_all(runtime);
  log::line("");
  log::line("runtime linker statistics:");
  log::line("           final number of relocations: ",
            sys::Decimal{c.symbolic + runtime.bound_lazily});
  log::line("final number of relocations from cache: ", sys::Decimal{c.repeated});
}

void log_statistics(const Runtime& runtime, const Times& t) {
  Counts c = count_all(runtime);
  std::uint64_t total = t.relocated - t.begin;
  log::line("");
  log::line("runtime linker statistics:");
  time_line("  total startup time in dynamic loader: ", total, 0);
  time_line("            time needed for relocation: ", t.relocated - t.relocating, total);
  log::line("                 number of relocations: ", sys::Decimal{c.symbolic});
  log::line("      number of relocations from cache: ", sys::Decimal{c.repeated});
  log::line("        number of relative relocations: ", sys::Decimal{c.relative});
  time_line("           time needed to load objects: ", t.loaded - t.loading, total);
}

}  // namespace myld::debug
