// How a file, or an image that is mapped already, becomes a module, and what becomes of the module
// when nobody needs it.
#include "arch/port.hpp"
#include "loader/base/mem.hpp"
#include "loader/find/timeline.hpp"
#include "loader/load/loader.hpp"
#include "loader/map/huge.hpp"
#include "loader/sys/calls.hpp"
#include "loader/sys/log.hpp"

#include <new>

namespace myld::load {
namespace {

FileContent content_of(const sys::Stat& s) {
  return {s.st_size, s.st_mtime_s, static_cast<std::int64_t>(s.st_mtime_ns)};
}

void destroy(Module* m) {
  release_list(m->group.list);
  release_list(m->own.list);
  if (m->scopes != nullptr)
    heap::release(m->scopes, sizeof(ScopeChain) + m->scopes->count * sizeof(Scope*));
  bool shared = m->requested == m->path || m->names.contains(m->requested);
  if (!shared) release_string(m->requested);
  for (const char* name : m->names) release_string(name);
  for (void* d : m->descriptors) heap::release(d, kDescriptorBytes);
  if (m->kept_fd >= 0) sys::close(m->kept_fd);
  if (m->owns_mapping) {
    if (m->mapping.bytes != 0) map::unmap(m->mapping);
    auto phdrs = m->image.segments.phdrs;
    heap::release(const_cast<elf::Phdr*>(phdrs.data()), phdrs.size_bytes());
  }
  if (m->path[0] != 0) release_string(m->path);
  release_string(m->requester.origin);
  if (m->rests != nullptr) heap::release(m->rests, *static_cast<std::size_t*>(m->rests));
  m->~Module();
  heap::release(m, sizeof(Module));
}

void log_mapped(const Module& m, const char* name) {
  constexpr unsigned kDigits = 2 * sizeof(void*), kPhnumWidth = 18;
  auto address = [](std::uintptr_t a) { return sys::Hex{a, kDigits}; };
  const elf::Segments& s = m.image.segments;
  log::line("file=", log::In{name, m.ns->id}, ";  generating link map");
  log::line("  dynamic: ", address(reinterpret_cast<std::uintptr_t>(m.image.dynamic)),
            "  base: ", address(m.mapping.bias.value), "   size: ", address(m.mapping.bytes));
  log::line("    entry: ", address((m.mapping.bias + m.entry).value),
            "  phdr: ", address(reinterpret_cast<std::uintptr_t>(s.phdrs.data())),
            "  phnum: ", sys::Decimal{s.phdrs.size(), kPhnumWidth});
  log::line("");
}

[[gnu::cold, gnu::noinline]] void log_huge_text(const Module& m, const map::HugeAnswer& answer) {
  auto said = [](long result) {
    return result < 0 ? errno_text(static_cast<int>(-result)) : "done";
  };
  log::Line line;
  line << "file=" << log::In{m.display, m.ns->id} << ";  code on huge pages: ";
  if (answer.bytes == 0) {
    line << (answer.elsewhere == 0 ? "it is too small" : "its place is not fit");
    return;
  }
  line << sys::Decimal{answer.bytes} << " bytes: MADV_HUGEPAGE: " << said(answer.wish)
       << ", MADV_COLLAPSE: " << said(answer.now);
  if (answer.now < 0) line << ", MADV_POPULATE_READ: " << said(answer.read);
}

/// What Requester::resolution_note is.
std::span<const char> resolution_note(const elf::Image& image) {
  constexpr std::uint32_t kType = 0x63a86cb6;
  std::span<const std::uint8_t> note = elf::find_note(image, "NixOS", kType);
  return {reinterpret_cast<const char*>(note.data()), note.size()};
}

/// The directory part of `path`, absolute: a heap string or nullptr. The buffer is on the heap,
/// since callers may have a stack of 16 KiB (PTHREAD_STACK_MIN), less their TLS.
char* directory_of(const char* path) {
  std::size_t n = strlen(path);
  while (n != 0 && path[n - 1] != '/') --n;
  if (n != 0 && path[0] == '/') {
    while (n > 1 && path[n - 1] == '/') --n;
    return copy_string(path, n);
  }
  constexpr std::size_t kMost = 4096;
  Vec<char> buffer;
  if (!buffer.reserve(kMost)) return nullptr;
  char* here = buffer.data();
  long got = sys::getcwd(here, kMost);
  if (got <= 1 || here[0] != '/') return nullptr;
  std::size_t length = static_cast<std::size_t>(got) - 1;
  while (n != 0 && path[n - 1] == '/') --n;
  if (length + 1 + n >= kMost) return nullptr;
  if (n != 0) {
    if (length > 1) here[length++] = '/';
    memcpy(here + length, path, n);
    length += n;
  }
  return copy_string(here, length);
}

/// Puts the PT_LOADs of a block on the heap in front of the other headers, all in their order.
/// False: no memory.
bool gather_loads(std::span<const elf::Phdr>& headers) {
  auto* gathered = static_cast<elf::Phdr*>(heap::allocate(headers.size_bytes()));
  if (gathered == nullptr) return false;
  std::size_t n = 0;
  for (bool loads : {true, false})
    for (const elf::Phdr& p : headers)
      if ((p.p_type == PT_LOAD) == loads) gathered[n++] = p;
  heap::release(const_cast<elf::Phdr*>(headers.data()), headers.size_bytes());
  headers = {gathered, n};
  return true;
}

/// The mapping of a module that is there already. Errors: cannot_map, where it is not what its
/// headers say.
Status take_placed(const map::Placed& placed,
                   const elf::Segments& segments,
                   const char* object,
                   map::Mapping& out) {
  bool same = placed.start == placed.bias + segments.start &&
              placed.bytes == segments.end.value - segments.start.value;
  if (!same)
    return Error{.code = Code::cannot_map,
                 .object = object,
                 .at = placed.start.value,
                 .value = placed.bytes};
  out = {placed.start, placed.bytes, placed.bias, false};
  return {};
}

const elf::Phdr* headers_in_memory(const Module& m, std::uint64_t e_phoff) {
  const elf::Segments& s = m.image.segments;
  const elf::Phdr* p = s.find_mapped(e_phoff, s.phdrs.size_bytes());
  if (p == nullptr) return s.phdrs.data();
  return (m.mapping.bias + LinkAddr{p->p_vaddr + (e_phoff - p->p_offset)}).as<const elf::Phdr>();
}

}  // namespace

void set_path(Module& m, const char* path, const char* display) {
  m.path = path;
  m.display = display;
  m.requester.path = display;
  if (*path == '/')
    m.requester.find_origin = [](const find::Requester& r) {
      return directory_of(static_cast<const Module*>(r.owner)->path);
    };
  else if (find_char(path, '/') != nullptr)  // the working directory may be another one later
    m.requester.origin = directory_of(path);
}

bool is_lasting(const char* path) {
  auto begins_with = [&](const char* directory) {
    std::size_t i = 0;
    while (directory[i] != 0 && path[i] == directory[i]) ++i;
    return directory[i] == 0;
  };
  return path[0] == '/' && !begins_with("/proc/") && !begins_with("/dev/");
}

Result<Module*> Loader::new_module(Namespace& ns, const char* display) {
  void* memory = heap::allocate_unfilled(sizeof(Module));
  if (memory == nullptr) return no_memory(display);
  auto* m = new (memory) Module;
  m->ns = &ns;
  m->requester.owner = m;
  return m;
}

Result<elf::Ehdr> Loader::read_headers(find::Found& found, Module& m) {
  auto size = static_cast<std::uint64_t>(found.stat.st_size);
  elf::Ehdr e = MYLD_TRY(elf::check_header({found.head, found.head_bytes}, size, found.path,
                                           searcher.config.machine->e_machine));
  std::size_t bytes = e.e_phnum * sizeof(elf::Phdr);
  const std::uint8_t* head = found.head;
  std::size_t head_bytes = found.head_bytes;
  if (found.placed != nullptr) {
    head = found.placed->start.as<const std::uint8_t>();
    head_bytes = found.placed->head;
  }
  auto* phdrs = static_cast<elf::Phdr*>(heap::allocate(bytes));
  if (phdrs == nullptr) return no_memory(found.path);
  m.image.segments.phdrs = {phdrs, e.e_phnum};
  if (e.e_phoff + bytes <= head_bytes) {
    memcpy(phdrs, head + e.e_phoff, bytes);
  } else {
    long got = sys::pread_full(found.fd, phdrs, bytes, e.e_phoff);
    if (got < 0)
      return Error{
          .code = Code::cannot_read, .sys_errno = static_cast<int>(-got), .object = found.path};
    if (static_cast<std::size_t>(got) != bytes)
      return Error{.code = Code::file_too_short,
                   .object = found.path,
                   .subject = "program headers",
                   .at = e.e_phoff,
                   .value = static_cast<std::uint64_t>(got)};
  }
  auto check = [&]() -> Status {
    m.image.segments = MYLD_TRY(
        elf::check_segments(m.image.segments.phdrs, size, page_size, policy.segments, found.path));
    return {};
  };
  MYLD_CHECK(check());
  if (m.image.segments.scattered()) {
    if (!gather_loads(m.image.segments.phdrs)) return no_memory(found.path);
    MYLD_CHECK(check());
  }
  return e;
}

/// The part that is the same for files and for images that were already mapped.
Status Loader::finish(Module& m, Vec<Module*>& created) {
  m.image = MYLD_TRY(elf::read_image(m.mapping.bias, m.image.segments, m.display, m.in_image));
  MYLD_CHECK(elf::read_versions(m.image, m.display, m.versions));
  m.requester.runpath = m.image.runpath;
  m.requester.rpath = m.image.runpath != nullptr ? nullptr : m.image.rpath;
  m.requester.resolution_note = resolution_note(m.image);
  m.requester.no_default_directories = m.image.has_flag_1(DF_1_NODEFLIB);
  m.permanent = m.image.has_flag_1(DF_1_NODELETE);
  if (m.permanent) m.permanent_because = "DF_1_NODELETE";
  constexpr arch::BranchTargets kBranches = arch::Port::kBranchTargets;
  m.branch_targets = policy.branch_targets &&
                     (elf::program_property(m.image, kBranches.property) & kBranches.bit) != 0;
  if (m.branch_targets && !as_data)
    map::check_branch_targets(m.mapping, m.image.segments, page_size);
  if (m.image.soname != nullptr && !add_name(m, m.image.soname)) return no_memory(m.display);
  m.index = static_cast<std::uint32_t>(m.ns->modules.size());
  if (!created.reserve(created.size() + 1) || !m.ns->modules.push(&m)) return no_memory(m.display);
  created.push_reserved(&m);
  ++adds;
  return {};
}

Result<Module*> Loader::add_file(Namespace& ns,
                                 find::Found& found,
                                 const char* name,
                                 Module* requester,
                                 Vec<Module*>& created,
                                 const map::Room& room) {
  auto fail = [&](Module* m, Error e) -> Result<Module*> {
    if (found.fd >= 0) sys::close(found.fd);
    // The error's strings may be the module's.
    Error kept = searcher.kept.keep(e);
    if (m != nullptr) {
      forget(*m);
      m->path = "";
      destroy(m);
    }
    release_string(found.path);
    return kept;
  };
  auto made = new_module(ns, found.path);
  if (!made) return fail(nullptr, made.error());
  Module* m = made.value();
  m->file = {found.stat.st_dev, found.stat.st_ino};
  m->content = content_of(found.stat);
  m->requester.ns = static_cast<std::int32_t>(ns.id);
  m->found_by = found.by;
  m->found_of = found.of;
  m->first_needed_by = requester;
  m->requester.loader = requester == nullptr ? nullptr : &requester->requester;
  auto header = read_headers(found, *m);
  if (!header) return fail(m, header.error());
  bool fixed_address = header.value().e_type == ET_EXEC && !as_data;
  m->entry = {header.value().e_entry};
  // Only the program lies where it was linked to lie; nothing needs it by name.
  if (fixed_address && requester != nullptr)
    return fail(m, {.code = Code::cannot_dlopen_executable, .object = found.path});
  if (m->image.segments.dynamic == nullptr)
    return fail(m, {.code = Code::no_dynamic, .object = found.path});
  if (before_reading != nullptr) before_reading(*m);
  timeline::Span span("map", found.path);
  m->in_image = found.placed != nullptr;
  if (Status s = m->in_image
                     ? take_placed(*found.placed, m->image.segments, found.path, m->mapping)
                     : map::map_segments(found.fd, m->image.segments, fixed_address, page_size,
                                         found.path, room, {as_data, policy.huge_text}, m->mapping);
      !s)
    return fail(m, s.error());
  set_path(*m, found.path, found.path);
  if (policy.huge_text && !as_data) ask_for_huge_text(*m, found.placed);
  if (!as_data && !m->in_image) map::prepare_dynamic(m->mapping, m->image.segments);
  m->headers = headers_in_memory(*m, header.value().e_phoff);
  m->path_is_name = found.stat.st_nlink != 0 && is_lasting(m->path);
  PointerTable<Module>& by_path = m->path_is_name ? ns.by_name : ns.by_path;
  if (!ns.by_file.insert(m->file.hash(), m) || !by_path.insert(hash_string(m->path), m))
    return fail(m, no_memory(found.path));
  if (Status s = finish(*m, created); !s) return fail(m, s.error());
  if (log::wants(log::kFiles)) log_mapped(*m, name);
  if (found.fd >= 0) sys::close(found.fd);
  return m;
}

Result<Module*> Loader::add_mapped(Namespace& ns,
                                   const elf::Segments& segments,
                                   LoadBias bias,
                                   const char* path,
                                   const char* display,
                                   Vec<Module*>& created) {
  Module* m = MYLD_TRY(new_module(ns, display));
  m->owns_mapping = false;
  m->image.segments = segments;
  m->headers = segments.phdrs.data();
  m->mapping = {bias + segments.start, segments.end.value - segments.start.value, bias};
  set_path(*m, path, display);
  if (before_reading != nullptr) before_reading(*m);
  MYLD_CHECK(finish(*m, created));
  return m;
}

void Loader::ask_for_huge_text(const Module& m, const map::Placed* placed) const {
  map::HugeAnswer answer = map::ask_for_huge_text(m.mapping, m.image.segments, page_size, placed);
  if (log::wants(log::kFiles)) log_huge_text(m, answer);
}

Status Loader::check_unchanged(const Module& m) {
  sys::Stat now;
  // A file that was replaced, and not written to, is still what is mapped.
  if (!m.owns_mapping || sys::stat(m.path, &now) < 0) return {};
  if (m.file != FileId{now.st_dev, now.st_ino} || m.content == content_of(now)) return {};
  return Error{.code = Code::file_changed, .object = m.display};
}

Status Loader::leave_image(Module& m) {
  long fd = sys::open_for_reading(m.path);
  if (fd < 0)
    return Error{
        .code = Code::cannot_open, .sys_errno = static_cast<int>(-fd), .object = m.display};
  sys::Stat now;
  bool same = sys::fstat(static_cast<int>(fd), &now) >= 0 &&
              m.file == FileId{now.st_dev, now.st_ino} && m.content == content_of(now);
  Status s =
      same ? map::map_again(static_cast<int>(fd), m.image.segments, m.mapping, page_size, m.display)
           : Status(Error{.code = Code::file_changed, .object = m.display});
  sys::close(static_cast<int>(fd));
  if (s) m.in_image = false;
  return s;
}

void Loader::forget(Module& m) {
  if (m.forgotten) return;
  m.forgotten = true;
  for (const char* name : m.names) m.ns->by_name.erase(hash_string(name), &m);
  (m.path_is_name ? m.ns->by_name : m.ns->by_path).erase(hash_string(m.path), &m);
  m.ns->by_file.erase(m.file.hash(), &m);
}

void Loader::remove(Module& m) {
  Module* self_pointer = &m;
  forget(m);
  if (m.index < m.ns->modules.size() && m.ns->modules[m.index] == &m)
    take_out(*m.ns, {&self_pointer, 1});
  destroy(&m);
}

}  // namespace myld::load
