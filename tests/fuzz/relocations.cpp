// The relocation of a module that lies on the heap, by the rules of the ISA that its header names.
// Whatever the tables say, only its writable segments change, and not the tables themselves.
#include "arch/aarch64/traits.hpp"
#include "arch/exemplar/traits.hpp"
#include "arch/riscv64/traits.hpp"
#include "arch/x86_64/traits.hpp"
#include "loader/elf/versions.hpp"
#include "rtld/relocate/relocator.hpp"
#include "tests/fuzz/heap.hpp"
#include "tests/fuzz/heap_image.hpp"

#include <new>
#include <optional>

// The relocator stores their addresses; nothing jumps there.
extern "C" {
void myld_plt_trampoline() {}
void myld_plt_audit_trampoline() {}
void myld_tlsdesc_static() {}
void myld_tlsdesc_dynamic() {}
void myld_tlsdesc_undefined() {}
}

using namespace myld;

namespace {

Runtime& runtime() {
  static Runtime r;
  r.loader.page_size = fuzz::kPage;
  return r;
}

/// The module that the input is bound to: a word of data, a function's place and a TLS block.
struct Provider {
  alignas(4096) static inline std::uint8_t memory[2 * fuzz::kPage];
  static constexpr char kStrings[] = "\0data\0function\0tls\0unique";
  elf::Phdr phdrs[2] = {{.p_type = PT_LOAD,
                         .p_flags = PF_R | PF_W,
                         .p_offset = 0,
                         .p_vaddr = 0,
                         .p_paddr = 0,
                         .p_filesz = sizeof memory,
                         .p_memsz = sizeof memory,
                         .p_align = fuzz::kPage},
                        {.p_type = PT_TLS,
                         .p_flags = PF_R,
                         .p_offset = 0,
                         .p_vaddr = 0,
                         .p_paddr = 0,
                         .p_filesz = 64,
                         .p_memsz = 256,
                         .p_align = 16}};
  elf::Sym symbols[5] = {{},
                         {1, STB_GLOBAL << 4 | STT_OBJECT, 0, 1, 0x100, 64},
                         {6, STB_GLOBAL << 4 | STT_FUNC, 0, 1, 0x200, 16},
                         {15, STB_GLOBAL << 4 | STT_TLS, 0, 1, 8, 8},
                         {19, STB_GNU_UNIQUE << 4 | STT_OBJECT, 0, 1, 0x300, 8}};
  std::uint32_t hash[1 + 5] = {1, 0, 2, 3, 4, 0};
  load::Module module;

  explicit Provider(load::Namespace& ns) {
    module.display = "provider";
    module.ns = &ns;
    elf::Image& i = module.image;
    i.bias.value = reinterpret_cast<std::uintptr_t>(memory);
    i.segments.phdrs = phdrs;
    i.segments.loads = phdrs;
    i.segments.end = {sizeof memory};
    i.segments.tls = &phdrs[1];
    i.strings = {kStrings, sizeof kStrings};
    i.symbols = symbols;
    i.symbol_limit = 5;
    i.sysv_hash = {.bucket_count = 1, .chain_count = 5, .buckets = hash};
    module.tls = {.module_id = 7, .is_static = true, .tp_offset = 0x5000};
  }
};

/// Resolvers are functions of the file, and are not called here.
void take_resolvers_out(elf::Image& image) {
  for (std::uint32_t i = 0; i < image.symbol_limit; ++i) {
    auto& s = const_cast<elf::Sym&>(image.symbols[i]);
    if (elf::sym_type(s) == STT_GNU_IFUNC)
      s.st_info = static_cast<unsigned char>((s.st_info & 0xf0) | STT_FUNC);
  }
}

template <class P>
void relocate(load::Module& m) {
  load::ErrorSink sink{[](void*, const Error&) { return true; }, nullptr};
  relocate::Relocator<P> relocator(runtime(), m, sink);
  if (!relocator.run().ok()) return;
  (void)relocate::Relocator<P>(runtime(), m, sink).bind_slots();
}

void relocate_as(std::uint16_t machine, load::Module& m) {
  switch (machine) {
  case EM_X86_64: return relocate<arch::X86_64>(m);
  case EM_AARCH64: return relocate<arch::Aarch64>(m);
  case EM_RISCV: return relocate<arch::Riscv64>(m);
  default: return relocate<arch::Exemplar>(m);
  }
}

void run(fuzz::HeapImage& heap, const elf::Image& image, std::uint8_t choice) {
  load::Namespace ns;
  Provider provider(ns);
  load::Module m;
  m.display = "fuzz";
  m.ns = &ns;
  m.image = image;
  if (!elf::read_versions(m.image, m.display, m.versions).ok()) return;
  // As for dlopen; text relocations are a policy of their own, and change text.
  m.image.text_relocations = false;
  m.lazy = (choice & 1) != 0;
  m.is_program = (choice & 2) != 0;
  if (m.image.segments.tls != nullptr) m.tls = {.module_id = 3, .is_static = (choice & 4) != 0};
  if ((choice & 8) != 0) fuzz::fail_after(choice >> 4);
  load::Module* modules[] = {&m, &provider.module};
  load::Scope scope;
  scope.list = load::make_list(modules);
  auto* chain = static_cast<load::ScopeChain*>(
      heap::allocate(sizeof(load::ScopeChain) + sizeof(load::Scope*)));
  if (chain == nullptr) return;
  chain->count = 1;
  chain->scopes[0] = &scope;
  m.scopes = chain;
  elf::Image::Range tables[elf::Image::kMetadataRanges];
  std::size_t count = m.image.metadata(tables);
  std::vector<std::vector<std::uint8_t>> copies;
  auto bytes = [&](const elf::Image::Range& r) {
    auto* from = m.image.at<const std::uint8_t>({r.start});
    return std::vector<std::uint8_t>(from, from + (r.end - r.start));
  };
  for (std::size_t i = 0; i < count; ++i) copies.push_back(bytes(tables[i]));
  heap.remember();
  relocate_as(heap.header().e_machine, m);
  FUZZ_EXPECT(heap.read_only_parts_are_unchanged());
  for (std::size_t i = 0; i < count; ++i) FUZZ_EXPECT(bytes(tables[i]) == copies[i]);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto heap = fuzz::HeapImage::make({data, size});
  if (heap == nullptr) return 0;
  if (auto read = elf::read_image(heap->bias(), heap->segments(), "fuzz"); read) {
    take_resolvers_out(read.value());
    run(*heap, read.value(), data[size - 1]);
  }
  fuzz::release_everything();
  return 0;
}
