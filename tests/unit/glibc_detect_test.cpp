// Which glibc is it? Every checked-in layout is found again from what a libc built with it would
// say; a libc that says anything else is refused; and libc.so.6 files that were really shipped are
// recognised from their bytes.

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <dlfcn.h>
#include <elf.h>
#include <gnu/libc-version.h>
#include <link.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "rtld/glibc/detect.hpp"
#include "tests/unit/catch.hpp"

using namespace myld::glibc;

namespace {

using Bytes = std::vector<std::uint8_t>;

void append(Bytes& out, std::uint32_t word, std::size_t bytes = 4) {
  for (std::size_t i = 0; i < bytes; ++i) {
    out.push_back(static_cast<std::uint8_t>(word >> 8 * i));
  }
}

/// Writes the code that compilers emit for the anchors' functions. `slot` is the distance of the
/// GOT slot from the start of the code, a multiple of 4096.
struct Assembler {
  virtual ~Assembler() = default;
  /// Loads the pointer of the slot, then the member at `offset` through it, then returns.
  virtual Bytes read(std::int32_t slot, Offset offset) const = 0;
  /// return address of `text` bytes after the start.
  virtual Bytes text(std::int32_t text) const = 0;
};

struct X86 final : Assembler {
  Bytes read(std::int32_t slot, Offset offset) const override {
    Bytes code = {0xf3, 0x0f, 0x1e, 0xfa, 0x53,
                  0x89, 0xfb, 0x48, 0x8b, 0x05};  // endbr64; push; mov; mov slot,%rax
    append(code, static_cast<std::uint32_t>(slot - 14));
    code.insert(code.end(), {0x48, 0x8b, 0x80});  // mov offset(%rax),%rax
    append(code, offset);
    code.push_back(0xc3);
    return code;
  }
  Bytes text(std::int32_t text) const override {
    Bytes code = {0x48, 0x8d, 0x05};
    append(code, static_cast<std::uint32_t>(text - 7));
    code.push_back(0xc3);
    return code;
  }
};

struct Aarch64 final : Assembler {
  static std::uint32_t adrp(unsigned rd, std::int32_t pages) {
    const auto imm = static_cast<std::uint32_t>(pages);
    return 0x90000000U | rd | (imm & 3) << 29 | (imm >> 2 & 0x7ffff) << 5;
  }
  Bytes read(std::int32_t slot, Offset offset) const override {
    Bytes code;
    append(code, adrp(2, slot / 4096));
    append(code, 0xf9400042 | 0 << 10);  // ldr x2, [x2]
    append(code, 0xf9400042U | static_cast<std::uint32_t>(offset / 8)
                                   << 10);  // ldr x2, [x2, #offset]
    append(code, 0xd65f03c0);
    return code;
  }
  Bytes text(std::int32_t text) const override {
    Bytes code;
    append(code, adrp(0, text / 4096));
    append(code, 0x91000000U | static_cast<std::uint32_t>(text % 4096) << 10);  // add x0, x0, #text
    append(code, 0xd65f03c0);
    return code;
  }
};

struct Riscv64 final : Assembler {
  Bytes read(std::int32_t slot, Offset offset) const override {
    Bytes code;
    append(code, 0x00000797U | static_cast<std::uint32_t>(slot));  // auipc a5, slot
    append(code, 0x0007b783U);                                     // ld a5, 0(a5)
    append(code, 0x0007b783U | static_cast<std::uint32_t>(offset) << 20);
    append(code, 0x8082, 2);
    return code;
  }
  Bytes text(std::int32_t text) const override {
    Bytes code;
    append(code, 0x00000517U | static_cast<std::uint32_t>((text + 0x800) & ~0xfff));
    append(code, 0x00050513U | static_cast<std::uint32_t>(text & 0xfff)
                                   << 20);  // addi a0, a0, text
    append(code, 0x8082, 2);
    return code;
  }
};

/// The symbols that a libc built with a layout would have.
class SyntheticLibc {
public:
  SyntheticLibc(const Layout& l, const Assembler& assembler)
      : assembler_(assembler), pages_(kPage * 64) {
    const auto start = reinterpret_cast<std::uintptr_t>(pages_.data());
    base_ = reinterpret_cast<std::uint8_t*>((start + kPage - 1) & ~(kPage - 1));
    version("2." + std::to_string(l.minor));
    descriptor("pthread_list", l.pthread.list);
    descriptor("pthread_tid", l.pthread.tid);
    descriptor("pthread_cancelhandling", l.pthread.cancelhandling);
    descriptor("pthread_specific", l.pthread.specific);
    descriptor("pthread_report_events", l.pthread.report_events);
    descriptor("pthread_schedparam_sched_priority", l.pthread.schedparam_sched_priority);
    descriptor("pthread_schedpolicy", l.pthread.schedpolicy);
    descriptor("pthread_start_routine", l.pthread.start_routine);
    descriptor("pthread_eventbuf", l.pthread.eventbuf);
    descriptor("pthread_nextevent", l.pthread.nextevent);
    descriptor("rtld_global__dl_tls_dtv_slotinfo_list", l.rtld_global._dl_tls_dtv_slotinfo_list);
    descriptor("rtld_global__dl_stack_used", l.rtld_global._dl_stack_used);
    descriptor("rtld_global__dl_stack_user", l.rtld_global._dl_stack_user);
    descriptor("link_map_l_tls_modid", l.link_map.l_tls_modid);
    descriptor("link_map_l_tls_offset", l.link_map.l_tls_offset);
    descriptor("dtv_slotinfo_list_len", 0);
    descriptor("dtv_slotinfo_list_next", 8);
    descriptor("dtv_slotinfo_list_slotinfo", 16);
    descriptor("dtv_slotinfo_gen", 0);
    descriptor("dtv_slotinfo_map", 8);
    descriptor("dtv_t_counter", 0);
    descriptor("dtv_t_pointer_val", 0);
    descriptor("list_t_next", 0);
    descriptor("list_t_prev", 8);
    Bytes size;
    append(size, l.pthread.size);
    put("_thread_db_sizeof_pthread", size);
    if (!l.libc_imports_dl_signal) {
      put("_dl_catch_exception", {0});
    }
    const auto& ro = l.rtld_global_ro;
    if (ro._dl_find_object != kAbsent) {
      function("_dl_find_object", ro._dl_find_object);
    }
    function("getpagesize", ro._dl_pagesize);
    function("dlclose", ro._dl_dlfcn_hook);
    function("clock_gettime", ro._dl_vdso_clock_gettime64);
    function("__pthread_get_minstack", ro._dl_tls_static_size);
  }

  void descriptor(const std::string& name, Offset offset) {
    Bytes b;
    append(b, 64);
    append(b, 1);
    append(b, offset);
    put("_thread_db_" + name, b);
  }

  /// Code is placed a page apart, and the slot of all functions in the last page.
  void function(const std::string& name, Offset offset) {
    std::uint8_t* at = base_ + kPage * next_page_++;
    const Bytes code =
        assembler_.read(static_cast<std::int32_t>(base_ + kPage * kSlotPage - at), offset);
    std::memcpy(at, code.data(), code.size());
    symbols_[name] = {at, code.size()};
  }

  void version(const std::string& text) {
    Bytes b(text.begin(), text.end());
    b.push_back(0);
    put("__nptl_version", b);
  }

  /// As a libc before 2.34: only the function says what release it is.
  void version_in_code_only(const std::string& text) {
    symbols_.erase("__nptl_version");
    std::uint8_t* at = base_ + kPage * next_page_++;
    const Bytes code = assembler_.text(1234);
    std::memcpy(at, code.data(), code.size());
    std::memcpy(at + 1234, text.c_str(), text.size() + 1);
    symbols_["gnu_get_libc_version"] = {at, code.size()};
  }

  void put(const std::string& name, const Bytes& bytes) {
    data_.push_back(bytes);
    symbols_[name] = {data_.back().data(), bytes.size()};
  }

  void remove(const std::string& name) { symbols_.erase(name); }

  LibcFacts facts(std::span<const std::uint8_t> build_id = {}) const {
    return {build_id, this, find};
  }

private:
  static constexpr std::uintptr_t kPage = 4096;
  static constexpr std::uintptr_t kSlotPage = 60;

  struct Symbol {
    const std::uint8_t* at;
    std::size_t size;
  };

  static const void* find(const void* context, const char* name, std::uint64_t* size) {
    const auto& symbols = static_cast<const SyntheticLibc*>(context)->symbols_;
    const auto found = symbols.find(name);
    if (found == symbols.end()) {
      return nullptr;
    }
    *size = found->second.size;
    return found->second.at;
  }

  const Assembler& assembler_;
  std::vector<std::uint8_t> pages_;
  std::uint8_t* base_;
  std::size_t next_page_ = 0;
  std::vector<Bytes> data_;
  std::map<std::string, Symbol> symbols_;
};

struct Isa {
  const Known& known;
  const Assembler& assembler;
};

std::vector<Isa> isas() {
  static const X86 x86;
  static const Aarch64 aarch64;
  static const Riscv64 riscv64;
  return {{x86_64_known(), x86}, {aarch64_known(), aarch64}, {riscv64_known(), riscv64}};
}

template <class Struct>
bool same(const Struct& a, const Struct& b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}

/// Every number of `b` is in `a` too, where `b` has one.
template <class Struct>
bool has_all_of(const Struct& a, const Struct& b) {
  Offset in_a[sizeof a / 2], in_b[sizeof b / 2];
  std::memcpy(in_a, &a, sizeof a);
  std::memcpy(in_b, &b, sizeof b);
  for (std::size_t i = 0; i < sizeof a / 2; ++i) {
    if (in_b[i] != kAbsent && in_b[i] != in_a[i]) {
      return false;
    }
  }
  return true;
}

std::string explained(const Detection& d) {
  std::array<char, 1024> out;
  return {out.data(), explain(d, out)};
}

}  // namespace

TEST_CASE("glibc detect: every known layout is found again", "[glibc]") {
  for (const Isa& isa : isas()) {
    for (std::size_t i = 0; i < isa.known.layouts.size(); ++i) {
      INFO(isa.known.isa << ": " << isa.known.origins[i]);
      const Layout& layout = isa.known.layouts[i];
      const SyntheticLibc libc(layout, isa.assembler);
      const Detection d = detect(libc.facts(), isa.known);
      INFO(explained(d));
      CHECK(d.verdict == Verdict::by_fingerprint);
      REQUIRE(d.layout != nullptr);
      CHECK(d.layout->minor == layout.minor);
      // Itself, or one that knows two members more, in what is padding to this one.
      CHECK(same(d.layout->rtld_global_ro, layout.rtld_global_ro));
      CHECK(same(d.layout->rtld_global, layout.rtld_global));
      CHECK(same(d.layout->link_namespaces, layout.link_namespaces));
      CHECK(same(d.layout->pthread, layout.pthread));
      CHECK(has_all_of(d.layout->link_map, layout.link_map));
      CHECK(has_all_of(d.layout->cpu_features, layout.cpu_features));
      if (d.tunables_certain) {
        CHECK(d.layout->tunables == layout.tunables);
      }
    }
  }
}

TEST_CASE("glibc detect: where only the tunables are in doubt it says so", "[glibc]") {
  // The 2.36 branch gained two tunables in April 2023 and nothing else, so libc cannot tell.
  for (const Layout& layout : x86_64_known().layouts) {
    const SyntheticLibc libc(layout, isas()[0].assembler);
    const Detection d = detect(libc.facts(), x86_64_known());
    REQUIRE(d.layout != nullptr);
    std::size_t tables = 0;
    for (const Layout& other : x86_64_known().layouts) {
      tables += other.minor == layout.minor && other.tunables != layout.tunables &&
                same(other.rtld_global, layout.rtld_global) &&
                same(other.rtld_global_ro, layout.rtld_global_ro);
    }
    CHECK(d.tunables_certain == (tables == 0));
  }
}

TEST_CASE("glibc detect: one changed anchor is a refusal that names it", "[glibc]") {
  for (const Isa& isa : isas()) {
    for (std::size_t i = 0; i < isa.known.layouts.size(); ++i) {
      INFO(isa.known.isa << ": " << isa.known.origins[i]);
      const Layout& layout = isa.known.layouts[i];
      const auto refused = [&](const SyntheticLibc& libc, const char* anchor, Offset found) {
        const Detection d = detect(libc.facts(), isa.known);
        INFO(anchor << ": " << explained(d));
        CHECK(d.layout == nullptr);
        CHECK(d.verdict == Verdict::different);
        REQUIRE(d.mismatch_count == 1);
        CHECK(std::string(d.mismatches[0].anchor) == anchor);
        CHECK(d.mismatches[0].found == found);
        CHECK(explained(d).find(anchor) != std::string::npos);
        CHECK(explained(d).find("gen_glibc_layout.py") != std::string::npos);
      };
      {  // an offset that no table of the release has
        SyntheticLibc libc(layout, isa.assembler);
        libc.descriptor("pthread_tid", 4000);
        refused(libc, "_thread_db_pthread_tid", 4000);
      }
      {  // a symbol that is missing
        SyntheticLibc libc(layout, isa.assembler);
        libc.remove("_thread_db_rtld_global__dl_stack_user");
        refused(libc, "_thread_db_rtld_global__dl_stack_user", kAbsent);
      }
      {  // code
        SyntheticLibc libc(layout, isa.assembler);
        libc.function("clock_gettime", 24);
        refused(libc, "clock_gettime", 24);
      }
      if (layout.rtld_global_ro._dl_find_object != kAbsent) {  // code that cannot be read
        SyntheticLibc libc(layout, isa.assembler);
        libc.put("_dl_find_object", Bytes(32, 0x00));
        refused(libc, "_dl_find_object", kAbsent);
      }
      {  // no sign of where the hook is
        SyntheticLibc libc(layout, isa.assembler);
        libc.remove("dlclose");
        refused(libc, "dladdr, dlclose", kAbsent);
      }
    }
  }
}

TEST_CASE("glibc detect: the error functions on the wrong side are a refusal", "[glibc]") {
  for (const Isa& isa : isas()) {
    for (const Layout& layout : isa.known.layouts) {
      SyntheticLibc libc(layout, isa.assembler);
      if (layout.libc_imports_dl_signal) {
        libc.put("_dl_catch_exception", {0});
      } else {
        libc.remove("_dl_catch_exception");
      }
      CHECK(detect(libc.facts(), isa.known).layout == nullptr);
    }
  }
}

TEST_CASE("glibc detect: releases without a table are refused by name", "[glibc]") {
  for (const Isa& isa : isas()) {
    SyntheticLibc libc(isa.known.layouts.back(), isa.assembler);
    for (const char* version :
         {"2.31", "2.33", "2.44", "2.43.9000", "2.4", "3.36", "2.43x", "2,36"}) {
      libc.version(version);
      const Detection d = detect(libc.facts(), isa.known);
      INFO(explained(d));
      CHECK(d.verdict == Verdict::unsupported);
      CHECK(d.layout == nullptr);
      CHECK(explained(d).find(std::string("found glibc ") + version + " ") == 0);
    }
    libc.version_in_code_only("2.31");
    const Detection d = detect(libc.facts(), isa.known);
    CHECK(d.verdict == Verdict::unsupported);
    CHECK(std::string(d.version.data()) == "2.31");
    libc.remove("gnu_get_libc_version");
    CHECK(detect(libc.facts(), isa.known).verdict == Verdict::not_glibc);
  }
}

TEST_CASE("glibc detect: the known releases are named in a refusal", "[glibc]") {
  SyntheticLibc libc(x86_64_known().layouts.back(), isas()[0].assembler);
  libc.version("2.31");
  const std::uint8_t build_id[] = {0x01, 0xab};
  CHECK(explained(detect(libc.facts(build_id), x86_64_known())) ==
        "found glibc 2.31 (build-id 01ab), a release that is not supported; known on x86_64: "
        "2.34-2.43; before 2.34 libpthread is a library of its own, which is not supported");
  for (const char* version : {"2.44", "2.100", "3.0"}) {
    libc.version(version);
    CHECK(explained(detect(libc.facts(), x86_64_known())) ==
          std::string("found glibc ") + version +
              " (no build-id), a release that is not supported; known on x86_64: 2.34-2.43; it is "
              "newer than this myld, whose successor may know it");
  }
  for (const char* version : {"2.33", "2.4", "2.34", "2.44", "3.1"}) {
    libc.version(version);
    const Known empty{x86_64_known().isa, {}, {}, {}, {}, {}, x86_64_known().code};
    const Detection d = detect(libc.facts(), empty);
    INFO(explained(d));
    const bool has_advice = explained(d).find("gen_glibc_layout.py --deb") != std::string::npos;
    CHECK(has_advice == (version != std::string("2.33") && version != std::string("2.4")));
  }
}

TEST_CASE("glibc detect: a build-id settles it, unless libc says otherwise", "[glibc]") {
  for (const Isa& isa : isas()) {
    for (const BuildId& build : isa.known.build_ids) {
      const Layout& layout = isa.known.layouts[build.layout];
      SyntheticLibc libc(layout, isa.assembler);
      libc.remove("dlclose");  // nothing to read there, which does not matter now
      const std::span<const std::uint8_t> id(build.bytes, build.size);
      const Detection d = detect(libc.facts(id), isa.known);
      CHECK(d.verdict == Verdict::by_build_id);
      CHECK(d.layout == &layout);
      CHECK(d.tunables_certain);
      libc.descriptor("pthread_tid", 4000);
      const Detection contradicted = detect(libc.facts(id), isa.known);
      CHECK(contradicted.layout == nullptr);
      CHECK(contradicted.verdict == Verdict::different);
    }
  }
}

TEST_CASE("glibc detect: two tables that fit and differ are not chosen between", "[glibc]") {
  std::vector<Layout> layouts;
  for (const Layout& l : x86_64_known().layouts) {
    if (l.minor == 36) {
      layouts.assign(2, l);
      break;
    }
  }
  REQUIRE(layouts.size() == 2);
  layouts[1].link_map.l_scope = 0x123;  // no anchor states it
  const char* origins[] = {"one", "two"};
  Known known = x86_64_known();
  known.layouts = layouts;
  known.origins = origins;
  known.build_ids = {};
  const SyntheticLibc libc(layouts[0], isas()[0].assembler);
  const Detection d = detect(libc.facts(), known);
  CHECK(d.verdict == Verdict::ambiguous);
  CHECK(d.layout == nullptr);
  CHECK(explained(d).find("fits two builds that differ: one and two") != std::string::npos);

  layouts[1] = layouts[0];
  layouts[1].link_map.l_ld_readonly = {};  // only one has it: the one that has it will do for both
  CHECK(detect(libc.facts(), known).layout == &layouts[0]);
  std::swap(layouts[0], layouts[1]);
  CHECK(detect(libc.facts(), known).layout == &layouts[1]);
}

TEST_CASE("glibc detect: the tables are consistent", "[glibc]") {
  for (const Isa& isa : isas()) {
    const Known& known = isa.known;
    REQUIRE(known.layouts.size() == known.origins.size());
    for (std::size_t i = 0; i < known.layouts.size(); ++i) {
      INFO(known.isa << ": " << known.origins[i]);
      const Layout& l = known.layouts[i];
      CHECK((i == 0 || known.layouts[i - 1].minor <= l.minor));
      CHECK(l.rtld_global_ro._dl_pagesize != kAbsent);
      CHECK(l.rtld_global_ro._dl_dlfcn_hook < l.rtld_global_ro.size);
      CHECK(l.link_map.l_info + 8 * l.link_map.l_info_count == l.link_map.l_phdr);
      CHECK(l.link_map.l_serial < l.link_map.size);
      // Namespaces fill the space up to their count.
      CHECK(16 * l.link_namespaces.size == l.rtld_global._dl_nns);
      CHECK((l.pthread.joinid == kAbsent) != (l.pthread.joinstate == kAbsent));
      CHECK((l.pthread.user_stack == kAbsent) != (l.pthread.stack_mode == kAbsent));
      CHECK((l.rtld_global._dl_stack_flags == kAbsent) !=
            (l.rtld_global._dl_stack_prot_flags == kAbsent));
      CHECK((l.rseq == Rseq::in_pthread || l.rseq == Rseq::unregistered) ==
            (l.pthread.rseq_area != kAbsent));
      REQUIRE(l.tunables < known.tunable_tables.size());
      const TunableTable& table = known.tunable_tables[l.tunables];
      REQUIRE(table.count <= std::size(table.entry));
      for (std::size_t t = 0; t < table.count; ++t) {
        REQUIRE(table.entry[t] < known.tunables.size());
      }
    }
    for (const BuildId& b : known.build_ids) {
      CHECK(b.layout < known.layouts.size());
    }
  }
}

TEST_CASE("glibc detect: the same tables as in Debian 12", "[glibc]") {
  // Spot checks against offsets that were read off the disassembly of libc.so.6 2.36-9+deb12u14.
  const Layout* found = nullptr;
  for (const BuildId& b : x86_64_known().build_ids) {
    if (std::string(b.origin) == "Debian glibc 2.36-9+deb12u14 amd64") {
      found = &x86_64_known().layouts[b.layout];
    }
  }
  REQUIRE(found != nullptr);
  CHECK(found->rtld_global_ro._dl_find_object == 0x360);
  CHECK(found->rtld_global_ro._dl_dlfcn_hook == 0x368);
  CHECK(found->rtld_global_ro._dl_tls_static_size == 0x2a0);
  CHECK(found->rtld_global._dl_nns == 0xa00);
  CHECK(found->rtld_global._dl_load_write_lock == 0xa30);
  CHECK(found->link_map.l_phnum == 0x2d0);
  CHECK(found->link_map.l_contiguous.byte == 0x336);
  CHECK(found->link_map.l_contiguous.bit == 3);
  CHECK(found->link_namespaces.size == 0xa0);
}

namespace {

/// A libc.so.6 as detection sees it: segments in memory, nothing relocated but what the system's
/// loader relocated. Symbols are looked up here one by one: dlsym() would call IFUNC resolvers.
class MappedLibc {
public:
  /// Segments at `bias`, as the program headers say.
  MappedLibc(const std::uint8_t* bias, std::span<const ElfW(Phdr)> headers) : bias_(bias) {
    for (const ElfW(Phdr) & p : headers) {
      if (p.p_type == PT_DYNAMIC) {
        read_dynamic(reinterpret_cast<const ElfW(Dyn)*>(bias + p.p_vaddr));
      } else if (p.p_type == PT_NOTE) {
        read_notes({bias + p.p_vaddr, p.p_memsz}, p.p_align);
      }
    }
    // The linker puts the string table right behind the symbols.
    count_ = static_cast<std::size_t>(strings_ - reinterpret_cast<const char*>(symbols_)) /
             sizeof(ElfW(Sym));
  }

  LibcFacts facts() const { return {build_id_, this, find}; }
  LibcFacts facts_without_build_id() const { return {{}, this, find}; }

  std::string build_id() const {
    std::string out;
    for (const std::uint8_t b : build_id_) {
      out += "0123456789abcdef"[b >> 4];
      out += "0123456789abcdef"[b & 15];
    }
    return out;
  }

private:
  void read_dynamic(const ElfW(Dyn) * d) {
    for (; d->d_tag != DT_NULL; ++d) {
      // The system's loader has made addresses of these; in a file that is only mapped they are not
      // yet.
      const std::uint8_t* at = reinterpret_cast<const std::uint8_t*>(d->d_un.d_ptr);
      if (d->d_un.d_ptr < reinterpret_cast<std::uintptr_t>(bias_)) {
        at = bias_ + d->d_un.d_ptr;
      }
      if (d->d_tag == DT_SYMTAB) {
        symbols_ = reinterpret_cast<const ElfW(Sym)*>(at);
      } else if (d->d_tag == DT_STRTAB) {
        strings_ = reinterpret_cast<const char*>(at);
      }
    }
  }

  void read_notes(std::span<const std::uint8_t> notes, std::size_t align) {
    while (notes.size() > sizeof(ElfW(Nhdr))) {
      ElfW(Nhdr) n;
      std::memcpy(&n, notes.data(), sizeof n);
      const auto padded = [&](std::size_t x) { return (x + align - 1) & ~(align - 1); };
      const std::size_t desc = padded(sizeof n + n.n_namesz);
      if (n.n_type == NT_GNU_BUILD_ID && std::memcmp(&notes[sizeof n], "GNU", 4) == 0) {
        build_id_ = notes.subspan(desc, n.n_descsz);
      }
      notes = notes.subspan(std::min(notes.size(), padded(desc + n.n_descsz)));
    }
  }

  static const void* find(const void* context, const char* name, std::uint64_t* size) {
    const auto& self = *static_cast<const MappedLibc*>(context);
    for (std::size_t i = 1; i < self.count_; ++i) {
      const ElfW(Sym)& s = self.symbols_[i];
      if (s.st_shndx != SHN_UNDEF && std::strcmp(self.strings_ + s.st_name, name) == 0) {
        *size = s.st_size;
        return self.bias_ + s.st_value;
      }
    }
    return nullptr;
  }

  const std::uint8_t* bias_;
  const ElfW(Sym) * symbols_ = nullptr;
  const char* strings_ = nullptr;
  std::size_t count_ = 0;
  std::span<const std::uint8_t> build_id_;
};

MappedLibc own_libc() {
  const std::uint8_t* bias = nullptr;
  std::span<const ElfW(Phdr)> headers;
  std::pair<decltype(bias)*, decltype(headers)*> out{&bias, &headers};
  const auto visit = [](dl_phdr_info* info, std::size_t, void* result) {
    const std::string name = info->dlpi_name;
    if (name.size() < 9 || name.substr(name.size() - 9) != "libc.so.6") {
      return 0;
    }
    auto& [b, h] = *static_cast<decltype(out)*>(result);
    *b = reinterpret_cast<const std::uint8_t*>(info->dlpi_addr);
    *h = {info->dlpi_phdr, info->dlpi_phnum};
    return 1;
  };
  REQUIRE(dl_iterate_phdr(visit, &out) == 1);
  return {bias, headers};
}

template <class T>
T at(const void* start, Offset offset) {
  T value;
  std::memcpy(&value, static_cast<const char*>(start) + offset, sizeof value);
  return value;
}

}  // namespace

TEST_CASE("glibc detect: this process's libc, and what the process says about it", "[glibc]") {
  const MappedLibc libc = own_libc();
  const Detection d = detect(libc.facts());
  const Detection fingerprint = detect(libc.facts_without_build_id());
  INFO(explained(d));
  INFO(explained(fingerprint));
  REQUIRE(std::string(d.version.data()) == gnu_get_libc_version());
  CHECK(fingerprint.verdict != Verdict::by_build_id);
  if (d.layout == nullptr) {  // a glibc that is not known: then it is known neither way
    CHECK(fingerprint.layout == nullptr);
    WARN(explained(d));
    return;
  }
  REQUIRE(fingerprint.layout != nullptr);
  CHECK(same(d.layout->link_map, fingerprint.layout->link_map));
  CHECK(same(d.layout->rtld_global, fingerprint.layout->rtld_global));
  CHECK(same(d.layout->rtld_global_ro, fingerprint.layout->rtld_global_ro));
  CHECK(same(d.layout->pthread, fingerprint.layout->pthread));

  // The system's loader keeps its structures where the layout says.
  const Layout& l = *d.layout;
  void* ro = dlsym(RTLD_DEFAULT, "_rtld_global_ro");
  void* global = dlsym(RTLD_DEFAULT, "_rtld_global");
  if (ro == nullptr || global == nullptr) {
    return;  // run under another loader than glibc's
  }
  for (const auto& [object, size] :
       {std::pair{ro, l.rtld_global_ro.size}, {global, l.rtld_global.size}}) {
    Dl_info info;
    ElfW(Sym)* symbol = nullptr;
    REQUIRE(dladdr1(object, &info, reinterpret_cast<void**>(&symbol), RTLD_DL_SYMENT) != 0);
    REQUIRE(symbol != nullptr);
    CHECK(symbol->st_size == size);
  }
  CHECK(at<std::size_t>(ro, l.rtld_global_ro._dl_pagesize) ==
        static_cast<std::size_t>(sysconf(_SC_PAGESIZE)));
  CHECK(at<int>(ro, l.rtld_global_ro._dl_clktck) == sysconf(_SC_CLK_TCK));
  CHECK(at<const ElfW(auxv_t)*>(ro, l.rtld_global_ro._dl_auxv)->a_type != 0);
  CHECK(at<std::uint64_t>(ro, l.rtld_global_ro._dl_hwcap) == getauxval(AT_HWCAP));
  CHECK(at<std::uint64_t>(ro, l.rtld_global_ro._dl_hwcap2) == getauxval(AT_HWCAP2));
  CHECK(at<void*>(ro, l.rtld_global_ro._dl_sysinfo_dso) ==
        reinterpret_cast<void*>(getauxval(AT_SYSINFO_EHDR)));
  CHECK(at<void*>(ro, l.rtld_global_ro._dl_dlfcn_hook) == nullptr);

  const void* main_map = at<const void*>(global, l.link_namespaces._ns_loaded);
  CHECK(main_map == _r_debug.r_map);
  CHECK(at<std::size_t>(global, l.rtld_global._dl_nns) == 1);
  unsigned maps = 0;
  const void* libc_map = nullptr;
  for (const void* map = main_map; map != nullptr; map = at<const void*>(map, l.link_map.l_next)) {
    ++maps;
    CHECK(at<const void*>(map, l.link_map.l_real) == map);
    CHECK(at<const void*>(map, l.link_map.l_info) == nullptr);  // no entry for DT_NULL
    if (std::string(at<const char*>(map, l.link_map.l_name)).find("/libc.so.6") !=
        std::string::npos) {
      libc_map = map;
    }
  }
  CHECK(maps == at<unsigned>(global, l.link_namespaces._ns_nloaded));
  REQUIRE(libc_map != nullptr);
  CHECK(at<const void*>(global, l.link_namespaces.libc_map) == libc_map);
  void* handle = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
  REQUIRE(handle == libc_map);
  std::size_t modid = 0;
  CHECK(dlinfo(handle, RTLD_DI_TLS_MODID, &modid) == 0);
  CHECK(at<std::size_t>(libc_map, l.link_map.l_tls_modid) == modid);
  CHECK(at<const ElfW(Dyn)*>(libc_map, l.link_map.l_info + 8 * DT_SYMTAB)->d_tag == DT_SYMTAB);
  const Offset hash = static_cast<Offset>(l.link_map.l_info + 8 * l.link_map.l_info_gnu_hash_index);
  CHECK(at<const ElfW(Dyn)*>(libc_map, hash)->d_tag == DT_GNU_HASH);
  const Offset versym = static_cast<Offset>(l.link_map.l_info + 8 * l.link_map.l_info_versym_index);
  CHECK(at<const ElfW(Dyn)*>(libc_map, versym)->d_tag == DT_VERSYM);
  CHECK(at<std::uintptr_t>(libc_map, l.link_map.l_map_start) <=
        reinterpret_cast<std::uintptr_t>(&::gnu_get_libc_version));
  CHECK(at<std::uintptr_t>(libc_map, l.link_map.l_map_end) >
        at<std::uintptr_t>(libc_map, l.link_map.l_map_start));
  const auto type = [&](const void* map) {
    return at<std::uint8_t>(map, l.link_map.l_type.byte) >> l.link_map.l_type.bit &
           ((1 << l.link_map.l_type.width) - 1);
  };
  CHECK(type(main_map) == 0);  // the program
  CHECK(type(libc_map) == 1);  // loaded at start
  dlclose(handle);

  const void* self = reinterpret_cast<const void*>(pthread_self());
  CHECK(at<int>(self, l.pthread.tid) == gettid());
  CHECK(at<const void*>(self, l.pthread.robust_prev) ==
        static_cast<const void*>(static_cast<const char*>(self) + l.pthread.robust_head));
  CHECK(at<const void*>(self, l.pthread.specific) ==
        static_cast<const void*>(static_cast<const char*>(self) + l.pthread.specific_1stblock));
  CHECK(at<std::int64_t>(self, l.pthread.robust_head_futex_offset) == -32);
  CHECK(at<const void*>(global, l.rtld_global._dl_stack_user) != nullptr);
}

TEST_CASE("glibc detect: libc.so.6 of other machines, where this one has it", "[glibc]") {
  const struct {
    const char* path;
    const Known& known;
  } cases[] = {
      {"/usr/aarch64-linux-gnu/lib/libc.so.6", aarch64_known()},
      {"/usr/riscv64-linux-gnu/lib/libc.so.6", riscv64_known()},
      {"/usr/x86_64-linux-gnu/lib/libc.so.6", x86_64_known()},
  };
  for (const auto& c : cases) {
    std::ifstream file(c.path, std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    ElfW(Ehdr) header{};
    if (bytes.size() < sizeof header) {
      continue;
    }
    std::memcpy(&header, bytes.data(), sizeof header);
    std::vector<ElfW(Phdr)> headers(header.e_phnum);
    std::memcpy(headers.data(), &bytes.at(header.e_phoff), headers.size() * sizeof headers[0]);
    std::size_t end = 0;
    for (const ElfW(Phdr) & p : headers) {
      end = p.p_type == PT_LOAD ? std::max<std::size_t>(end, p.p_vaddr + p.p_memsz) : end;
    }
    // A page's place in the address space matters to ADRP.
    std::vector<std::uint8_t> memory(end + 4096);
    auto* bias = reinterpret_cast<std::uint8_t*>(
        (reinterpret_cast<std::uintptr_t>(memory.data()) + 4095) & ~4095UL);
    for (const ElfW(Phdr) & p : headers) {
      if (p.p_type == PT_LOAD) {
        std::memcpy(bias + p.p_vaddr, &bytes.at(p.p_offset), p.p_filesz);
      }
    }
    const MappedLibc libc(bias, headers);
    const Detection d = detect(libc.facts(), c.known);
    const Detection fingerprint = detect(libc.facts_without_build_id(), c.known);
    INFO(c.path << ": " << explained(d) << "; " << explained(fingerprint));
    CHECK(d.version[0] == '2');
    if (d.verdict == Verdict::by_build_id) {
      REQUIRE(fingerprint.verdict == Verdict::by_fingerprint);
      CHECK(same(d.layout->link_map, fingerprint.layout->link_map));
      CHECK(same(d.layout->rtld_global, fingerprint.layout->rtld_global));
      CHECK(same(d.layout->rtld_global_ro, fingerprint.layout->rtld_global_ro));
      CHECK(same(d.layout->pthread, fingerprint.layout->pthread));
    } else if (d.layout == nullptr) {
      WARN(explained(d));
    }
  }
}
