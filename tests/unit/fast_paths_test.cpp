// Every slot of generated processes, three times: what a walk in words of its own says, what each
// relocation finds by itself, and what the fast paths store - batches, tables of names, slots of a
// binding file. A process is a program with preloaded libraries, interposers, filters and COPY
// relocations, one library that was opened for all, and one that is opened by whatever mode.
#include "rtld/binding/slots.hpp"
#include "rtld/dlopen/scopes.hpp"
#include "rtld/relocate/relocator.hpp"
#include "rtld/scope/name_index.hpp"
#include "tests/unit/generated.hpp"

#include <compare>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <set>

using namespace myld;
using arch::RelocKind;
using generated::Fake;
using generated::Random;
using load::Module;
using scope::Definition;
using scope::Purpose;
using Port = arch::Port;

namespace {

/// Of every module: what symbols name, the program's copies, and the words that are relocated.
constexpr std::uint64_t kNamed = 0x1000, kCopies = 0x5000, kSlots = 0x6000, kEnd = 0x8000;
constexpr std::uint64_t kCopyBytes = 64, kSlotBytes = 16;

std::uint32_t number_of(RelocKind kind) {
  for (std::uint32_t n = 1; n < 2048; ++n)
    if (Port::reloc_kind(n) == kind) return n;
  return 0;
}

/// A generated module with memory, segments, and relocations that name its symbols.
struct Part {
  std::unique_ptr<Fake> fake;
  std::vector<std::byte> room = std::vector<std::byte>(kEnd + 4096);
  std::byte* memory = nullptr;
  std::vector<elf::Phdr> phdrs;
  std::vector<elf::Rela> rela, jmprel;
  std::vector<std::byte> untouched;

  Module& module() { return fake->module; }

  Part(Random& r, load::Namespace& ns, bool is_program) {
    std::uint32_t copies = is_program ? r.below(6) : 0;
    fake = generated::make_module(r, ns, [&](Fake& f, auto add) {
      for (std::uint32_t i = 0; i < copies; ++i) {
        elf::Sym s{};
        s.st_name = f.text(generated::some_name(r));
        s.st_info = STB_GLOBAL << 4 | STT_OBJECT;
        s.st_shndx = 6;
        s.st_value = kCopies + i * kCopyBytes;
        s.st_size = 1 + r.below(kCopyBytes);
        add(s);
      }
    });
    std::size_t space = room.size();
    void* at = room.data();
    memory = static_cast<std::byte*>(std::align(4096, kEnd, at, space));
    for (std::uint64_t i = kNamed; i < kEnd; ++i) memory[i] = static_cast<std::byte>(r.below(256));
    Module& m = module();
    m.display = "generated";
    m.is_program = is_program;
    m.image.bias.value = reinterpret_cast<std::uintptr_t>(memory);
    // No code: resolvers, which would be run, are refused on every path.
    phdrs.push_back({.p_type = PT_LOAD,
                     .p_flags = PF_R | PF_W,
                     .p_offset = 0,
                     .p_vaddr = kNamed,
                     .p_paddr = 0,
                     .p_filesz = kEnd - kNamed,
                     .p_memsz = kEnd - kNamed,
                     .p_align = 0x1000});
    phdrs.push_back({.p_type = PT_TLS,
                     .p_flags = PF_R,
                     .p_offset = 0,
                     .p_vaddr = kNamed,
                     .p_paddr = 0,
                     .p_filesz = 0,
                     .p_memsz = 0x4000,
                     .p_align = 16});
    m.image.segments.phdrs = phdrs;
    m.image.segments.start = {0};
    m.image.symbolic = r.one_in(6);
    if (r.one_in(2)) {
      m.image.segments.tls = &phdrs[1];
      m.tls = {.module_id = 1 + r.below(9), .is_static = true, .tp_offset = -0x5000};
    }
    for (elf::Sym& s : fake->symbols) {
      if (s.st_size == 0) s.st_size = r.below(80);
      // What is nowhere is an error on every path, and that alone; there is enough of it left.
      if (s.st_shndx == SHN_UNDEF && !r.one_in(5))
        s.st_info = static_cast<unsigned char>(STB_WEAK << 4 | elf::sym_type(s));
    }
    relocate(r);
    untouched.assign(memory, memory + kEnd);
  }

  void relocate(Random& r) {
    static constexpr std::array kKinds = {
        RelocKind::symbolic,  RelocKind::symbolic, RelocKind::glob_dat, RelocKind::glob_dat,
        RelocKind::jump_slot, RelocKind::abs32,    RelocKind::size64,   RelocKind::dtpmod,
        RelocKind::dtpoff,    RelocKind::tpoff,    RelocKind::tlsdesc,  RelocKind::pc64};
    Module& m = module();
    auto symbols = static_cast<std::uint32_t>(fake->symbols.size());
    std::uint64_t at = kSlots;
    for (std::uint32_t n = r.below(80); n > 0 && symbols > 1; --n, at += kSlotBytes) {
      RelocKind kind = kKinds[r.below(kKinds.size())];
      std::uint32_t type = number_of(kind);
      if (type == 0) continue;
      std::int64_t addend = r.one_in(2) ? 0 : static_cast<std::int64_t>(r.below(64)) * 8;
      std::uint64_t info = std::uint64_t{r.below(symbols)} << 32 | type;
      (kind == RelocKind::jump_slot ? jmprel : rela).push_back({at, info, addend});
    }
    for (std::uint32_t i = 1; i < symbols; ++i)
      if (const elf::Sym& s = fake->symbols[i]; m.is_program && s.st_shndx == 6)
        rela.push_back({s.st_value, std::uint64_t{i} << 32 | number_of(RelocKind::copy), 0});
    m.image.rela = rela;
    m.image.jmprel = jmprel;
  }
};

struct Told {
  std::uint64_t at;
  Code code;
  std::string subject;
  std::uint64_t value;
  auto operator<=>(const Told&) const = default;
};

std::string text(const std::vector<Told>& errors) {
  std::string all;
  for (const Told& t : errors)
    all += std::to_string(t.at) + ':' + std::to_string(static_cast<int>(t.code)) + ':' + t.subject +
           ':' + std::to_string(t.value) + ' ';
  return all;
}

/// What a relocation of all modules leaves.
struct Outcome {
  std::vector<std::vector<std::byte>> memory;
  std::vector<std::vector<Told>> errors;
  std::vector<std::set<const Module*>> bound_to;
};

struct Process {
  Random r;
  Runtime runtime;
  load::Namespace ns;
  std::vector<std::unique_ptr<Part>> parts;  ///< the program first, in load order
  std::vector<Module*> started, opened_before, opened;
  Module* root = nullptr;
  bool deep = false;
  Module self;                 ///< the loader's number in binding files, and no more
  binding::Numbers numbers;    ///< of binding files
  load::ModuleList* lists[2];  ///< the global scope at the start, and when `root` is opened

  explicit Process(std::uint32_t seed) : r{std::mt19937{seed}} {
    runtime.loader.page_size = 4096;
    // Who is preloaded comes first among what the program needs (add_preloads).
    grow(started, 2 + r.below(5), true);
    grow(opened_before, r.below(3), false);
    grow(opened, 1 + r.below(3), false);
    Module& program = *started[0];
    for (std::size_t i = 1; i < started.size(); ++i) link(*started[i], started, i);
    for (std::size_t i = 1; i < started.size(); ++i) {
      bool direct = r.one_in(2) || !reachable(program, *started[i]);
      if (direct) need(program, *started[i]);
      started[i]->from_start = true;
    }
    program.from_start = true;
    make_global();
    for (std::vector<Module*>* each : {&opened_before, &opened}) {
      for (std::size_t i = 0; i < each->size(); ++i) {
        link(*(*each)[i], *each, i);
        if (r.one_in(2)) need(*(*each)[i], *started[r.below(size(started))]);
      }
      if (each == &opened_before) open_for_all();
    }
    root = opened[0];
    for (std::size_t i = 1; i < opened.size(); ++i)
      if (!reachable(*root, *opened[i])) need(*root, *opened[i]);
    deep = r.one_in(3);
    REQUIRE(dlopen::make_group(*root));
    for (Module* m : opened) REQUIRE(dlopen::make_scopes(*m, &root->group, deep));
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    forget();
    for (auto& p : parts) {
      Module& m = p->module();
      dlopen::release_chain(m.scopes);
      load::release_list(m.group.list);
      load::release_list(m.own.list);
    }
    for (load::ModuleList* list : lists) load::release_list(list);
  }

  static std::uint32_t size(const std::vector<Module*>& list) {
    return static_cast<std::uint32_t>(list.size());
  }
  Part& part(const Module& m) { return *parts[m.index]; }

  void grow(std::vector<Module*>& list, std::uint32_t count, bool with_program) {
    for (std::uint32_t i = 0; i < count; ++i) {
      parts.push_back(std::make_unique<Part>(r, ns, with_program && i == 0));
      Module& m = parts.back()->module();
      m.index = static_cast<std::uint32_t>(ns.modules.size());
      if (parts.size() == 1) numbers = {ns, &m, &self};
      if (!m.is_program && r.one_in(6)) m.image.flags_1 |= DF_1_INTERPOSE;
      REQUIRE(ns.modules.push(&m));
      list.push_back(&m);
    }
  }
  void need(Module& m, Module& what) {
    if (&m != &what && !m.needed.contains(&what)) REQUIRE(m.needed.push(&what));
  }
  /// Later modules, and now and then earlier ones: there are cycles. Some are filters.
  void link(Module& m, const std::vector<Module*>& list, std::size_t i) {
    for (std::size_t k = 0; k < list.size(); ++k)
      if (!list[k]->is_program && (k > i ? r.one_in(2) : r.one_in(8))) {
        need(m, *list[k]);
        if (list[k] != &m && r.one_in(5)) REQUIRE(m.filtees.push(list[k]));
      }
  }
  static bool reachable(Module& from, const Module& to) {
    Vec<Module*> all;
    REQUIRE(load::breadth_first(from, all));
    return all.contains(const_cast<Module*>(&to));
  }

  void make_global() {
    Vec<Module*> closure;
    REQUIRE(load::breadth_first(*started[0], closure));
    load::interposers_first({closure.begin(), closure.size()});
    ns.global.list = lists[0] = load::make_list(closure.span());
    for (Module* m : started) {
      m->global = true;
      REQUIRE(dlopen::make_scopes(*m, nullptr, false));
    }
  }
  /// RTLD_GLOBAL, and some of it is being closed.
  void open_for_all() {
    Vec<Module*> all;
    for (std::uint32_t i = 0; i < ns.global.list->count; ++i)
      REQUIRE(all.push(ns.global.list->modules[i]));
    for (Module* m : opened_before) {
      REQUIRE(all.push(m));
      m->global = true;
      m->leaving = r.one_in(4);
    }
    ns.global.list = lists[1] = load::make_list(all.span());
  }

  void forget() {
    for (auto& p : parts) {
      Module& m = p->module();
      scope::forget_unique(m);
      m.permanent = m.bound_for_good = false;
      m.last_noted = nullptr;
      m.bound_to.clear();
      m.users = 0;
    }
  }
  void restore() {
    forget();
    for (auto& p : parts) std::memcpy(p->memory, p->untouched.data(), kEnd);
  }

  /// Relocates both sets of modules; `found_of(position, module)` gives what is known of each.
  template <class FoundOf>
  Outcome relocate(FoundOf found_of) {
    Outcome out;
    std::vector<Module*> order = users();
    for (std::size_t i = 0; i < order.size(); ++i) {
      ns.global.list = lists[i < started.size() ? 0 : 1];
      std::vector<Told> told;
      load::ErrorSink sink{[](void* context, const Error& e) {
                             static_cast<std::vector<Told>*>(context)->push_back(
                                 {e.at, e.code, e.subject == nullptr ? "" : e.subject, e.value});
                             return true;
                           },
                           &told};
      std::optional<relocate::FoundReferences> found = found_of(i, *order[i]);
      relocate::Relocator<Port> relocator(runtime, *order[i], sink, found ? &*found : nullptr);
      REQUIRE(relocator.run().ok());
      REQUIRE(relocator.finish().ok());
      // Slots of a binding file have another order.
      std::sort(told.begin(), told.end());
      out.errors.push_back(std::move(told));
    }
    for (Module* m : order) {
      const Part& p = part(*m);
      out.memory.emplace_back(p.memory, p.memory + kEnd);
      out.bound_to.emplace_back(m->bound_to.begin(), m->bound_to.end());
    }
    restore();
    return out;
  }
  /// The program last, since it copies what others hold; then what is opened.
  std::vector<Module*> users() const {
    std::vector<Module*> all(started.rbegin(), started.rend());
    all.insert(all.end(), opened.begin(), opened.end());
    return all;
  }
};

// ---- the walk, in other words
// --------------------------------------------------------------------

/// A list in the order in which it is searched: a module comes behind those that it is a filter
/// for; the next are what each of the list needs; then interposers move to the front.
struct SearchOrder {
  std::vector<Module*> list;

  void visit(Module* m, std::set<Module*>& seen) {
    if (!seen.insert(m).second) return;
    for (Module* filtee : m->filtees) visit(filtee, seen);
    list.push_back(m);
  }
  explicit SearchOrder(Module* root) {
    std::set<Module*> seen;
    visit(root, seen);
    for (std::size_t i = 0; i < list.size(); ++i)
      for (Module* needed : list[i]->needed) visit(needed, seen);
    std::stable_partition(list.begin() + 1, list.end(),
                          [](const Module* m) { return m->image.has_flag_1(DF_1_INTERPOSE); });
  }
};

const elf::Sym* find_here(Part& p, const scope::Request& r) {
  const elf::Image& image = p.module().image;
  bool gnu = image.gnu_hash.bucket_count != 0, sysv = image.sysv_hash.bucket_count != 0;
  if (!gnu && !sysv) return nullptr;
  if (gnu && image.gnu_hash.buckets[0] == 0 && image.gnu_hash.bucket_count == 1) return nullptr;
  const elf::Sym* fallback = nullptr;
  for (std::uint32_t i = gnu ? image.gnu_hash.first : 1; i < image.symbol_limit; ++i) {
    if (std::strcmp(p.fake->name(i), r.name) != 0) continue;
    scope::Match how = scope::match(p.module(), i, r);
    if (how == scope::Match::yes) return &image.symbols[i];
    if (how == scope::Match::default_version && fallback == nullptr) fallback = &image.symbols[i];
  }
  return fallback;
}

class Walk {
public:
  explicit Walk(Process& p)
      : p_(p), global_(SearchOrder(p.started[0]).list), group_(SearchOrder(p.root).list) {}

  /// What the reference is bound to, and for STB_GNU_UNIQUE what the first such one was.
  Definition find(Module& m, std::uint32_t index, Purpose purpose) {
    const elf::Sym& symbol = m.image.symbols[index];
    if (scope::refers_to_itself(symbol)) return {&m, &symbol};
    const char* name = p_.part(m).fake->name(index);
    Definition d = first(m, scope::Request::of(name, scope::version_of(m, index), purpose));
    bool own = elf::sym_visibility(symbol) == STV_PROTECTED && symbol.st_shndx != SHN_UNDEF;
    if (own && (!d || d.symbol->st_shndx != SHN_UNDEF)) d = {&m, &symbol};
    if (d && elf::sym_binding(*d.symbol) == STB_GNU_UNIQUE && purpose != Purpose::copy)
      d = unique_.try_emplace(name, d).first->second;
    return d;
  }

private:
  Definition first(Module& m, const scope::Request& request) {
    std::vector<Module*> all;
    if (m.image.symbolic) all.push_back(&m);
    bool is_new = !m.from_start;
    if (is_new && p_.deep) all.insert(all.end(), group_.begin(), group_.end());
    all.insert(all.end(), global_.begin(), global_.end());
    if (is_new) all.insert(all.end(), p_.opened_before.begin(), p_.opened_before.end());
    if (is_new && !p_.deep) all.insert(all.end(), group_.begin(), group_.end());
    for (Module* each : all) {
      if (each->leaving || (request.purpose == Purpose::copy && each->is_program)) continue;
      if (const elf::Sym* s = find_here(p_.part(*each), request)) return {each, s};
    }
    return {};
  }

  Process& p_;
  std::vector<Module*> global_, group_;
  std::map<std::string, Definition> unique_;
};

struct Counts {
  std::size_t slots = 0, deep = 0, filtered = 0, interposed = 0, copied = 0, batches = 0,
              tables = 0, bound = 0, noted = 0, unique = 0;
};

/// Compares each address that was stored with what the walk says.
void compare_with_walk(Process& p, const Outcome& found, Counts& counts) {
  Walk walk(p);
  std::vector<Module*> users = p.users();
  for (std::size_t u = 0; u < users.size(); ++u) {
    Module& m = *users[u];
    for (std::span<const elf::Rela> table : {m.image.rela, m.image.jmprel})
      for (const elf::Rela& r : table) {
        RelocKind kind = Port::reloc_kind(elf::reloc_type(r));
        std::uint32_t index = elf::reloc_symbol(r);
        if (index == 0) continue;
        if (m.image.versym != nullptr && !scope::version_is_known(m, index, m.image.symbols[index]))
          continue;  // an error that tells of the symbol, not of the place
        Definition d = walk.find(m, index, relocate::purpose_of(kind));
        bool failed = std::any_of(found.errors[u].begin(), found.errors[u].end(),
                                  [&](const Told& t) { return t.at == r.r_offset; });
        INFO("user " << u << ", " << p.part(m).fake->name(index) << " at " << r.r_offset);
        if (!d) {
          CHECK(failed == (elf::sym_binding(m.image.symbols[index]) != STB_WEAK));
          continue;
        }
        const std::byte* slot = found.memory[u].data() + r.r_offset;
        if (kind == RelocKind::copy && !failed) {
          std::uint64_t bytes = std::min(m.image.symbols[index].st_size, d.symbol->st_size);
          REQUIRE_FALSE(d.module->is_program);
          CHECK(std::memcmp(slot, p.part(*d.module).untouched.data() + d.symbol->st_value, bytes) ==
                0);
          ++counts.copied;
        }
        std::uint64_t end = d.module->image.segments.end.value;
        bool is_address =
            relocate::stores_address(kind) && d.symbol->st_shndx != SHN_ABS &&
            d.symbol->st_value <= end &&
            (elf::sym_type(*d.symbol) != STT_GNU_IFUNC || d.symbol->st_shndx == SHN_UNDEF);
        if (!is_address) continue;
        std::uint64_t word;
        std::memcpy(&word, slot, sizeof word);
        REQUIRE(word == d.module->image.bias.value + d.symbol->st_value +
                            relocate::address_addend<Port>(r, kind));
        ++counts.slots;
        counts.deep += p.deep && !m.from_start && !m.image.symbolic && &m != d.module;
        counts.filtered += !d.module->filtees.empty();
        counts.interposed += d.module->image.has_flag_1(DF_1_INTERPOSE);
        counts.unique += elf::sym_binding(*d.symbol) == STB_GNU_UNIQUE;
      }
  }
}

void compare(const char* how, const Outcome& plain, const Outcome& fast, Counts& counts) {
  for (std::size_t u = 0; u < plain.memory.size(); ++u) {
    CAPTURE(how, u);
    REQUIRE(text(plain.errors[u]) == text(fast.errors[u]));
    REQUIRE(plain.bound_to[u] == fast.bound_to[u]);
    counts.noted += plain.bound_to[u].size();
    if (std::memcmp(plain.memory[u].data(), fast.memory[u].data(), kEnd) == 0) continue;
    for (std::uint64_t at = 0; at < kEnd; at += 8)
      if (std::memcmp(plain.memory[u].data() + at, fast.memory[u].data() + at, 8) != 0)
        FAIL("another value at " << std::hex << at);
  }
}

/// References of both sets, each in a batch of its own, as start and dlopen do; but of so few that
/// it would not pay.
struct Batches {
  static constexpr std::uint64_t kCost = 2000;
  scope::Batch batch[2];
  std::vector<Module*> users, first, second;

  explicit Batches(Process& p) : users(p.users()), second(p.opened) {
    first.assign(p.started.rbegin(), p.started.rend());
    p.ns.global.list = p.lists[0];
    relocate::look_up_references(first, batch[0], false, kCost);
    p.ns.global.list = p.lists[1];
    relocate::look_up_references(second, batch[1], false, kCost);
  }
  std::optional<relocate::FoundReferences> found_of(std::size_t i) const {
    bool opened = i >= first.size();
    if (batch[opened].empty()) return {};
    auto number = static_cast<std::uint32_t>(opened ? i - first.size() : i);
    return relocate::FoundReferences{&batch[opened], number};
  }
};

/// The list of the start gets one, and what is opened for all continues it.
void make_tables(Process& p) {
  auto consider = [](load::ModuleList& list) {
    list.asked = ~std::uint64_t{0};
    scope::consider_index(list);
  };
  consider(*p.lists[0]);
  scope::continue_index(p.lists[0], *p.lists[1]);
  consider(*p.lists[1]);
  consider(*p.root->group.list);
}

struct Slots {
  Vec<binding::Slot> slots;
  binding::SlotCounts counts;
  bool made = false;
};

/// What a binding file would say of each module, found by the batch or one by one.
std::vector<Slots> make_slots(Process& p, const Batches* batches) {
  struct Context {
    const Batches* batches;
    std::size_t user;
  };
  auto find = [](const void* context, Module& m, std::uint32_t i, Purpose purpose) {
    const auto& c = *static_cast<const Context*>(context);
    const elf::Sym& s = m.image.symbols[i];
    if (c.batches != nullptr)
      if (auto found = c.batches->found_of(c.user))
        if (const auto* e = found->batch->find(found->user, i, purpose))
          return scope::choose(m, s, e->result());
    return scope::look_up(m, s, i, purpose);
  };
  std::vector<Slots> all(p.started.size());
  p.ns.global.list = p.lists[0];
  for (std::size_t u = 0; u < all.size(); ++u) {
    Context context{batches, u};
    Slots& each = all[u];
    Module& m = *p.users()[u];
    each.made =
        binding::append_slots(m, p.numbers, {find, &context}, false, each.slots, each.counts).ok();
  }
  return all;
}

/// Relocates what is started by such slots.
Outcome relocate_bound(Process& p, const std::vector<Slots>& slots, Counts& counts) {
  std::vector<Module*> modules;
  std::vector<std::uint64_t> biases;
  for (std::uint32_t i = 0; i < p.numbers.count(); ++i) {
    modules.push_back(p.numbers.module(i));
    biases.push_back(modules.back()->image.bias.value);
  }
  biases.push_back(0);
  std::vector<relocate::BoundSlots> bound(slots.size());
  return p.relocate([&](std::size_t u, Module&) -> std::optional<relocate::FoundReferences> {
    if (u >= slots.size() || !slots[u].made) return {};
    auto all = slots[u].slots.span();
    std::uint32_t addresses = slots[u].counts.addresses;
    bound[u] = {all.first(addresses), all.subspan(addresses), modules, biases};
    counts.bound += all.size();
    return relocate::FoundReferences{nullptr, 0, &bound[u]};
  });
}

bool same_slots(const Slots& a, const Slots& b) {
  if (a.made != b.made) return false;
  if (!a.made) return true;
  if (a.slots.size() != b.slots.size() || a.counts.addresses != b.counts.addresses) return false;
  return a.slots.empty() ||
         std::memcmp(a.slots.begin(), b.slots.begin(), a.slots.size() * sizeof(binding::Slot)) == 0;
}

}  // namespace

TEST_CASE("every slot comes to the same by the walk and by the fast paths") {
  Counts counts;
  for (std::uint32_t seed = 1; seed <= 400; ++seed) {
    CAPTURE(seed);
    Process p(seed);
    Outcome plain = p.relocate([](auto, Module&) { return std::nullopt; });
    compare_with_walk(p, plain, counts);
    {
      Batches batches(p);
      counts.batches += !batches.batch[0].empty() + !batches.batch[1].empty();
      compare("a batch", plain, p.relocate([&](auto i, Module&) { return batches.found_of(i); }),
              counts);
    }
    make_tables(p);
    counts.tables += p.ns.global.list->names != nullptr;
    compare("tables", plain, p.relocate([](auto, Module&) { return std::nullopt; }), counts);
    Batches batches(p);
    compare("a batch and tables", plain,
            p.relocate([&](auto i, Module&) { return batches.found_of(i); }), counts);
    std::vector<Slots> walked = make_slots(p, nullptr), joined = make_slots(p, &batches);
    for (std::size_t u = 0; u < walked.size(); ++u) REQUIRE(same_slots(walked[u], joined[u]));
    p.restore();
    compare("bound slots", plain, relocate_bound(p, walked, counts), counts);
  }
  INFO(counts.slots << " slots, " << counts.deep << " deep, " << counts.filtered << " of filters, "
                    << counts.interposed << " of interposers, " << counts.copied << " copied, "
                    << counts.unique << " unique, " << counts.noted << " noted, " << counts.batches
                    << " batches, " << counts.tables << " tables, " << counts.bound << " bound");
  // There is much of each kind.
  CHECK(counts.slots > 12000);
  CHECK(counts.deep > 400);
  CHECK(counts.filtered > 1000);
  CHECK(counts.interposed > 1000);
  CHECK(counts.copied > 150);
  CHECK(counts.unique > 1000);
  CHECK(counts.noted > 500);
  CHECK(counts.batches > 300);
  CHECK(counts.tables > 250);
  CHECK(counts.bound > 20000);
}
