#include "rtld/start/modules.hpp"

#include "loader/base/mem.hpp"
#include "loader/map/spread.hpp"
#include "loader/stub/note.hpp"
#include "loader/sys/calls.hpp"
#include "loader/sys/text.hpp"

extern "C" {
[[gnu::visibility("hidden")]] extern const myld::elf::Ehdr __ehdr_start;
[[gnu::visibility("hidden")]] void _start();
}

namespace myld::start {
namespace {

using load::Module;

std::span<const elf::Phdr> own_phdrs() {
  const auto* base = reinterpret_cast<const unsigned char*>(&__ehdr_start);
  return {reinterpret_cast<const elf::Phdr*>(base + __ehdr_start.e_phoff), __ehdr_start.e_phnum};
}

/// The link of /proc/self/exe: a heap string, or nullptr.
char* own_executable() {
  char path[4096];
  long n = sys::readlink("/proc/self/exe", path, sizeof path);
  return n <= 0 || n == sizeof path ? nullptr : copy_string(path, static_cast<std::size_t>(n));
}

/// "DIRECTORY/NAME": a heap string, or nullptr.
char* join_path(const char* directory, const char* name) {
  std::size_t n = strlen(directory), m = strlen(name);
  auto* path = static_cast<char*>(heap::allocate(n + m + 2));
  if (path == nullptr) return nullptr;
  memcpy(path, directory, n);
  path[n] = '/';
  memcpy(path + n + 1, name, m + 1);
  return path;
}

char* directory_part(char* path) {
  if (path == nullptr) return nullptr;
  std::size_t n = strlen(path);
  while (n > 1 && path[n - 1] != '/') --n;
  while (n > 1 && path[n - 1] == '/') --n;
  char* result = copy_string(path, n);
  release_string(path);
  return result;
}

/// The load bias of the program that the kernel mapped.
LoadBias bias_of(std::span<const elf::Phdr> phdrs, const sys::InitialStack& stack) {
  auto at = reinterpret_cast<std::uintptr_t>(phdrs.data());
  for (const elf::Phdr& p : phdrs)
    if (p.p_type == PT_PHDR) return {at - p.p_vaddr};
  // Without PT_PHDR the table's own place tells: it lies e_phoff into the segment that maps the
  // header, in every linker's output right behind it.
  for (const elf::Phdr& p : phdrs)
    if (p.p_type == PT_LOAD && p.p_offset == 0 &&
        at % stack.get(sys::kAtPagesz, 4096) >= sizeof(elf::Ehdr)) {
      const auto* header = reinterpret_cast<const elf::Ehdr*>(at - sizeof(elf::Ehdr));
      if (header->e_ident[0] == 0x7f && header->e_phoff == sizeof(elf::Ehdr))
        return {reinterpret_cast<std::uintptr_t>(header) - p.p_vaddr};
    }
  return {0};
}

/// What tools/bundle has said of a program in the place of PT_INTERP, or nullptr. Where a program
/// begins is said with it, since its e_entry is the stub's.
const stub::Start* bundled_start(LoadBias bias, const elf::Segments& segments) {
  elf::Image image;
  image.bias = bias;
  image.segments = segments;
  auto note = elf::find_note(image, stub::kOwner, stub::kStartNote);
  const auto* start = reinterpret_cast<const stub::Start*>(note.data());
  if (note.size() != sizeof *start || start->loader[sizeof start->loader - 1] != 0) return nullptr;
  return start;
}

/// Where the program itself begins.
LinkAddr entry_of(const elf::Ehdr& header, const stub::Start* start) {
  return {start != nullptr && start->stub == header.e_entry ? start->entry : header.e_entry};
}

/// The kernel maps a program without looking at most of its headers. Is what it gave as AT_PHDR in
/// memory, and does the bias that follows from it fit the header of the file?
Status check_mapped_program(const elf::Segments& s,
                            LoadBias bias,
                            const Runtime& runtime,
                            const char* name) {
  auto bad = [&](const char* what, std::uint64_t value) {
    return Error{.code = Code::bad_mapped_program, .object = name, .subject = what, .value = value};
  };
  LinkAddr table = RunAddr::of(s.phdrs.data()) - bias;
  if (s.find_in_file(table, s.phdrs.size_bytes()) == nullptr) return bad("AT_PHDR", table.value);
  // A file that is shorter than its segments say lacks the part that is farthest in it.
  const elf::Phdr* last = nullptr;
  for (const elf::Phdr& p : s.phdrs)
    if (p.p_type == PT_LOAD && p.p_filesz != 0 && (p.p_flags & PF_R) != 0 &&
        (last == nullptr || p.p_offset + p.p_filesz > last->p_offset + last->p_filesz))
      last = &p;
  if (last != nullptr &&
      !sys::can_read((bias + LinkAddr{last->p_vaddr + last->p_filesz - 1}).as<void>(), 1,
                     runtime.loader.page_size))
    return Error{.code = Code::segment_outside_file,
                 .object = name,
                 .at = static_cast<std::uint64_t>(last - s.phdrs.data()),
                 .value = last->p_offset + last->p_filesz};
  for (const elf::Phdr& p : s.phdrs) {
    if (p.p_type != PT_LOAD || p.p_offset != 0 || p.p_filesz < sizeof(elf::Ehdr)) continue;
    const auto* header = (bias + LinkAddr{p.p_vaddr}).as<const elf::Ehdr>();
    // The table is known to be there, and most often they share a page.
    std::uint64_t page_size = runtime.loader.page_size;
    auto first = reinterpret_cast<std::uintptr_t>(header);
    std::uintptr_t page = round_down(reinterpret_cast<std::uintptr_t>(s.phdrs.data()), page_size);
    bool known = first >= page && first + sizeof *header <= page + page_size;
    if (!known && !sys::can_read(header, sizeof *header, page_size))
      return bad("the ELF header", p.p_vaddr);
    auto checked = elf::check_header(
        {reinterpret_cast<const std::uint8_t*>(header), sizeof *header}, UINT64_MAX, name);
    if (!checked) return checked.error();
    if (p.p_vaddr + header->e_phoff != table.value || header->e_phnum != s.phdrs.size())
      return bad("e_phoff", header->e_phoff);
    LinkAddr entry = entry_of(*header, bundled_start(bias, s));
    if ((bias + entry).value != runtime.stack.get(sys::kAtEntry))
      return bad("e_entry", header->e_entry);
  }
  return {};
}

const char* interpreter(const elf::Segments& s, LoadBias bias) {
  const elf::Phdr* interp = s.first_of(PT_INTERP);
  if (interp == nullptr || interp->p_filesz == 0 ||
      s.find_in_file({interp->p_vaddr}, interp->p_filesz) == nullptr)
    return nullptr;
  const char* path = (bias + LinkAddr{interp->p_vaddr}).as<const char>();
  return path[interp->p_filesz - 1] == 0 ? path : nullptr;
}

void become_program(Runtime& runtime, Module& m) {
  m.is_program = true;
  m.from_start = true;
  runtime.program = &m;
  runtime.first.program = &m;
  runtime.loader.searcher.config.program = &m.requester;
}

/// $ORIGIN of the program that the kernel mapped: what /proc says; where it is not mounted,
/// LD_ORIGIN_PATH, and then the path that execve(2) was given.
char* program_origin(const find::Requester&) {
  const Runtime& runtime = the_runtime();
  if (char* directory = directory_part(own_executable())) return directory;
  const char* given = runtime.options.origin_path;
  if (given == nullptr) return directory_part(executed_file(runtime));
  std::size_t n = strlen(given);
  while (n > 1 && given[n - 1] == '/') --n;
  return copy_string(given, n);
}

}  // namespace

char* executed_file(const Runtime& runtime) {
  if (runtime.secure) return nullptr;
  const auto* path = reinterpret_cast<const char*>(runtime.stack.get(sys::kAtExecfn));
  if (path == nullptr || *path == 0) return nullptr;
  if (*path == '/') return copy_string(path);
  char here[4096];
  long n = sys::getcwd(here, sizeof here);
  return n <= 1 || here[0] != '/' ? nullptr : join_path(here, path);
}

const char* command_file(const Runtime& runtime) {
  const auto* path = reinterpret_cast<const char*>(runtime.stack.get(sys::kAtExecfn));
  if (runtime.secure || path == nullptr || !load::is_lasting(path)) return nullptr;
  for (int i = 1; i < runtime.argc; ++i)
    if (equal(runtime.argv[i], path)) return nullptr;
  return path;
}

bool is_entry_point(std::uint64_t address) {
  return address == reinterpret_cast<std::uintptr_t>(&_start);
}

void spread_modules(const Runtime& runtime) {
  const auto* random = reinterpret_cast<const std::uint64_t*>(runtime.stack.get(sys::kAtRandom));
  const auto* name = reinterpret_cast<const char*>(runtime.stack.get(sys::kAtExecfn));
  if (random == nullptr || name == nullptr) return;
  // The name is what lies highest on the stack, a word below its end. The end of a stack that was
  // not moved is where the addresses end, or (x86-64) a page below.
  std::uint64_t page = runtime.loader.page_size;
  std::uintptr_t end = round_up(
      reinterpret_cast<std::uintptr_t>(name) + strlen(name) + 1 + sizeof(std::uintptr_t), page);
  if (is_power_of_two(end) || is_power_of_two(end + page)) return;
  // The vDSO, with its data in front of it, may be the loader's neighbour.
  constexpr std::uintptr_t kVdsoData = 8, kNear = std::uintptr_t{16} << 20;
  auto top = reinterpret_cast<std::uintptr_t>(&__ehdr_start);
  std::uintptr_t vdso = runtime.stack.get(sys::kAtSysinfoEhdr);
  if (vdso < top && top - vdso < kNear) top = vdso - kVdsoData * page;
  map::spread({top}, {random[0], random[1]});
}

Status add_self(Runtime& runtime) {
  Vec<Module*> created;
  LoadBias bias{reinterpret_cast<std::uintptr_t>(&__ehdr_start)};
  // Found by its own names only when libc asks for its loader; the search never looks for it.
  char* path = nullptr;
  if (runtime.direct && runtime.options.mode != Mode::run &&
      find_char(runtime.loader_name, '/') != nullptr) {
    path = copy_string(runtime.loader_name);  // lists say how it was called, as ld.so's
  } else if (runtime.direct) {
    path = runtime.loader_file != nullptr ? copy_string(runtime.loader_file) : own_executable();
  } else {
    const elf::Image& image = runtime.program->image;
    const stub::Start* start = bundled_start(image.bias, image.segments);
    if (const char* asked = interpreter(image.segments, image.bias))
      path = copy_string(asked);
    else if (const char* origin =
                 start == nullptr ? nullptr : origin_of(runtime.program->requester))
      path = join_path(origin, start->loader);
  }
  if (path == nullptr) path = copy_string("myld");
  if (path == nullptr) return Error{.code = Code::out_of_memory};
  const load::Loader& loader = runtime.loader;
  elf::Segments segments = MYLD_TRY(
      elf::check_segments(own_phdrs(), UINT64_MAX, loader.page_size, loader.policy.segments, path));
  Module* m =
      MYLD_TRY(runtime.loader.add_mapped(runtime.first, segments, bias, path, path, created));
  // Listed under the name that the program has for its loader, and where that is.
  const char* asked = interpreter(runtime.program->image.segments, runtime.program->image.bias);
  if (asked != nullptr) m->requested = asked;
  m->is_loader = true;
  m->from_start = true;
  runtime.loader.self = m;
  return {};
}

Status add_mapped_program(Runtime& runtime) {
  const sys::InitialStack& stack = runtime.stack;
  const auto* phdrs = reinterpret_cast<const elf::Phdr*>(stack.get(sys::kAtPhdr));
  std::span<const elf::Phdr> table{phdrs, static_cast<std::size_t>(stack.get(sys::kAtPhnum))};
  const char* name = runtime.argc > 0 && runtime.argv[0] != nullptr ? runtime.argv[0] : "<program>";
  if (table.empty() || stack.get(sys::kAtPhent) != sizeof(elf::Phdr) ||
      !sys::can_read(phdrs, table.size_bytes(), runtime.loader.page_size))
    return Error{.code = Code::bad_mapped_program,
                 .object = name,
                 .subject = "AT_PHDR",
                 .value = stack.get(sys::kAtPhdr)};
  LoadBias bias = bias_of(table, stack);
  elf::Segments segments = MYLD_TRY(elf::check_segments(table, UINT64_MAX, runtime.loader.page_size,
                                                        runtime.loader.policy.segments, name));
  MYLD_CHECK(check_mapped_program(segments, bias, runtime, name));
  Vec<Module*> created;
  Module* m = MYLD_TRY(runtime.loader.add_mapped(runtime.first, segments, bias, "", name, created));
  become_program(runtime, *m);
  m->requester.find_origin = program_origin;
  // What execve(2) was given may have to serve, and the working directory may be another one later.
  const auto* given = reinterpret_cast<const char*>(stack.get(sys::kAtExecfn));
  if (given == nullptr || *given != '/') origin_of(m->requester);
  return {};
}

Status check_entry(const Runtime& runtime) {
  const Module& m = *runtime.program;
  LinkAddr entry = RunAddr{runtime.stack.get(sys::kAtEntry)} - m.image.bias;
  if (m.image.segments.is_code(entry)) return {};
  return Error{.code = Code::bad_code_address,
               .object = m.display,
               .subject = "e_entry",
               .value = entry.value};
}

namespace {

/// True for what has no use for a dynamic loader.
bool is_static(const Module& m, const elf::Ehdr& header) {
  if (m.image.segments.first_of(PT_INTERP) != nullptr) return false;
  for (std::uint32_t i = 0; i < m.image.dynamic_count; ++i)
    if (m.image.dynamic[i].d_tag == DT_NEEDED) return false;
  return header.e_entry != 0;
}

/// The list of a file that needs nobody to load it.
[[noreturn]] void list_nothing() {
  sys::Text(1) << "\tstatically linked\n";
  sys::exit(0);
}

Status execute(const Runtime& runtime, const char* path, char** arguments) {
  if (runtime.options.argv0 != nullptr) arguments[0] = const_cast<char*>(runtime.options.argv0);
  long result = sys::execve(path, arguments, runtime.envp);
  return Error{
      .code = Code::cannot_execute, .sys_errno = static_cast<int>(-result), .object = path};
}

/// The path as the kernel will know it when it starts the file. Where /proc is not mounted it stays
/// as it is. Not inlined: who does not ask pays for no page of stack.
[[gnu::noinline]] void take_real_path(find::Found& found) {
  char link[32] = "/proc/self/fd/", path[4096];
  std::size_t n = strlen(link), digits = 0;
  char reversed[10];
  for (auto fd = static_cast<unsigned>(found.fd); fd != 0 || digits == 0; fd /= 10)
    reversed[digits++] = static_cast<char>('0' + fd % 10);
  while (digits != 0) link[n++] = reversed[--digits];
  link[n] = 0;
  long got = sys::readlink(link, path, sizeof path);
  if (got <= 0 || static_cast<std::size_t>(got) == sizeof path) return;
  char* copy = copy_string(path, static_cast<std::size_t>(got));
  if (copy == nullptr) return;
  release_string(found.path);
  found.path = copy;
}

}  // namespace

Status add_named_program(Runtime& runtime, const char* path, char** arguments) {
  find::Found found;
  find::Searcher& searcher = runtime.loader.searcher;
  std::uint16_t machine = runtime.loader.as_data ? elf::kAnyMachine : arch::Port::kMachine;
  MYLD_CHECK(find_char(path, '/') != nullptr ? searcher.open(path, found, machine)
                                             : searcher.find(path, nullptr, found));
  if (runtime.options.mode == Mode::bind || runtime.options.mode == Mode::verify_binding)
    take_real_path(found);
  elf::Ehdr header;
  memcpy(&header, found.head, sizeof header);
  if (header.e_machine != arch::Port::kMachine) {
    searcher.config.machine = arch::find_machine(header.e_machine);
    if (searcher.config.machine == nullptr)
      return Error{.code = Code::wrong_machine, .object = path, .value = header.e_machine};
    searcher.config.cpu = {};  // they are this machine's
  }
  char* file = copy_string(found.path);
  if (file == nullptr) return Error{.code = Code::out_of_memory};
  bool runs = runtime.options.mode == Mode::run;
  Vec<Module*> created;
  auto added = runtime.loader.add_file(runtime.first, found, path, nullptr, created);
  if (!added) {
    if (added.error().code != Code::no_dynamic || runtime.options.mode == Mode::verify ||
        runtime.options.mode == Mode::bind || runtime.options.mode == Mode::verify_binding)
      return added.error();
    if (runs) return execute(runtime, file, arguments);
    list_nothing();
  }
  Module* m = added.value();
  m->requested = copy_string(path);
  if (m->requested == nullptr) return Error{.code = Code::out_of_memory, .object = path};
  if (m->image.soname != nullptr && equal(m->image.soname, MYLD_SONAME)) {
    if (runs || runtime.options.mode == Mode::verify)
      return Error{.code = Code::is_the_loader, .object = path};
    list_nothing();
  }
  if (runs && is_static(*m, header)) return execute(runtime, file, arguments);
  release_string(file);
  become_program(runtime, *m);
  origin_of(m->requester);  // of the path that goes now
  runtime.program_file = m->path;
  m->path = "";
  m->display = path;
  m->requester.path = path;
  runtime.program_header = header;
  return {};
}

void describe_program(Runtime& runtime) {
  const Module& m = *runtime.program;
  const elf::Ehdr& header = runtime.program_header;
  auto set = [&](std::uint64_t type, std::uint64_t value) {
    if (sys::AuxEntry* a = runtime.stack.find(type)) a->value = value;
  };
  LoadBias bias = m.mapping.bias;
  // The headers as the program sees them are those in its own memory, where they are mapped.
  const elf::Segments& s = m.image.segments;
  LinkAddr phdr{header.e_phoff};
  if (const elf::Phdr* own = s.first_of(PT_PHDR))
    phdr = {own->p_vaddr};
  else if (const elf::Phdr* p = s.find_mapped(header.e_phoff, s.phdrs.size_bytes()))
    phdr = {p->p_vaddr + header.e_phoff - p->p_offset};
  set(sys::kAtPhdr, (bias + phdr).value);
  set(sys::kAtPhnum, header.e_phnum);
  set(sys::kAtPhent, header.e_phentsize);
  set(sys::kAtEntry, (bias + entry_of(header, bundled_start(bias, s))).value);
  set(sys::kAtBase, reinterpret_cast<std::uintptr_t>(&__ehdr_start));
  set(sys::kAtExecfn, reinterpret_cast<std::uintptr_t>(runtime.program_file));
}

Status add_vdso(Runtime& runtime) {
  std::uint64_t at = runtime.stack.get(sys::kAtSysinfoEhdr);
  if (at == 0) return {};
  const auto* header = reinterpret_cast<const elf::Ehdr*>(at);
  std::span<const elf::Phdr> phdrs{reinterpret_cast<const elf::Phdr*>(at + header->e_phoff),
                                   header->e_phnum};
  LoadBias bias{at};
  for (const elf::Phdr& p : phdrs)
    if (p.p_type == PT_LOAD) bias = {at + p.p_offset - p.p_vaddr};
  Vec<Module*> created;
  char* name = copy_string("linux-vdso.so.1");
  if (name == nullptr) return Error{.code = Code::out_of_memory};
  elf::Segments segments = MYLD_TRY(elf::check_segments(phdrs, UINT64_MAX, runtime.loader.page_size,
                                                        runtime.loader.policy.segments, name));
  Module* m =
      MYLD_TRY(runtime.loader.add_mapped(runtime.first, segments, bias, name, name, created));
  m->from_start = true;
  runtime.vdso = m;
  return {};
}

}  // namespace myld::start
