// The first code of a bundled program. A PT_INTERP is an absolute path, or one from the working
// directory, so a program that may be moved has none: the kernel maps the program alone and enters
// it here, in a segment that tools/bundle has put behind the others. The stub maps the loader,
// whose place it knows from the program's, as the kernel would, and enters it with the process's
// initial stack. So /proc/self/exe, argv and the process's name are the program's.
//
// What it may use: the stack and its own code and constants, addressed relative to the program
// counter. It is linked by itself, has no relocations (tools/bundle refuses one that has),
// and nothing writable.
#include "loader/stub/note.hpp"

#include "loader/base/mem.hpp"
#include "loader/base/path.hpp"
#include "loader/elf/headers.hpp"
#include "loader/elf/image.hpp"
#include "loader/map/mapping.hpp"
#include "loader/sys/calls.hpp"
#include "loader/sys/stack.hpp"
#include "loader/sys/text.hpp"

namespace myld::stub {
namespace {

/// A note as it is in a file: a description follows its owner's name at a multiple of four bytes.
struct [[gnu::packed]] StartNote {
  elf::Nhdr header{sizeof kOwner, sizeof(Start), kStartNote};
  char owner[8] = {'m', 'y', 'l', 'd'};
  Start start{};
};

[[gnu::section(".note.myld.start"), gnu::used, gnu::aligned(4)]] constexpr StartNote kNote;

/// It is filled in after the link, so the compiler may not know the values.
const StartNote& note() {
  const StartNote* n = &kNote;
  asm("" : "+r"(n));
  return *n;
}

/// What the stub has to say is an end.
[[noreturn]] void fail(const char* program, const char* what, const char* object, long error) {
  {
    sys::Text out(2);
    out << program << ": " << what;
    if (object != nullptr) out << ' ' << object;
    if (error == -sys::kEnoent) {
      out << ": No such file or directory";
    } else if (error == -sys::kEacces) {
      out << ": Permission denied";
    } else if (error < 0) {
      out << ": error " << sys::Decimal{static_cast<std::uint64_t>(-error)};
    }
    out << '\n';
  }
  sys::exit(127);
}

/// Where the loader is: the directory of the program's file and the path in the note.
void find_loader(const sys::InitialStack& stack, const char* program, char (&to)[kPathMax]) {
  long n = sys::readlink("/proc/self/exe", to, sizeof to);
  if (n <= 0) {
    // No /proc: the path that execve(2) was given serves where no link leads to the program.
    const auto* path = reinterpret_cast<const char*>(stack.get(sys::kAtExecfn));
    n = path == nullptr ? 0 : static_cast<long>(strlen(path));
    if (static_cast<std::size_t>(n) >= sizeof to) n = 0;
    for (long i = 0; i < n; ++i) to[i] = path[i];
  }
  if (n == 0) fail(program, "where is this program? There is no /proc/self/exe", nullptr, 0);
  while (n > 0 && to[n - 1] != '/') --n;
  for (std::size_t i = 0;; ++i, ++n) {
    if (static_cast<std::size_t>(n) >= sizeof to)
      fail(program, "the path of the bundle is too long", nullptr, 0);
    to[n] = note().start.loader[i];
    if (to[n] == 0) return;
  }
}

/// Maps one PT_LOAD: 0 or -errno.
long map_segment(const elf::Phdr& load, LoadBias bias, int fd, std::uint64_t page_size) {
  map::Step steps[3];
  std::size_t count = map::plan_segment(load, page_size, steps);
  for (std::size_t i = 0; i < count; ++i) {
    const map::Step& step = steps[i];
    void* at = (bias + step.at).as<void>();
    int flags = sys::kMapPrivate | sys::kMapFixed;
    long got = 0;
    if (step.kind == map::Step::Kind::file)
      got = sys::map(at, step.bytes, step.prot, flags, fd, step.offset.value);
    else if (step.kind == map::Step::Kind::anonymous)
      got = sys::map(at, step.bytes, step.prot, flags | sys::kMapAnonymous, -1, 0);
    else if (step.kind == map::Step::Kind::zero)
      memset(at, 0, step.bytes);
    if (got < 0) return got;
  }
  return 0;
}

struct Entered {
  std::uintptr_t base, entry;
};

/// Has the loader's indirect branches checked, as the kernel does for a loader that it maps.
void check_branches(const sys::InitialStack& stack,
                    const elf::Segments& segments,
                    LoadBias bias,
                    std::uint64_t page_size) {
  constexpr arch::BranchTargets kBranches = arch::Port::kBranchTargets;
  if ((stack.get(sys::kAtHwcap2) & kBranches.hwcap2) == 0) return;
  elf::Image image;
  image.bias = bias;
  image.segments = segments;
  if ((elf::program_property(image, kBranches.property) & kBranches.bit) != 0)
    map::check_branch_targets({{}, 0, bias}, segments, page_size);
}

Entered map_loader(const sys::InitialStack& stack, const char* program, const char* path) {
  std::uint64_t page_size = stack.get(sys::kAtPagesz, 4096);
  long fd = sys::open_for_reading(path);
  if (fd < 0) fail(program, "cannot open its loader", path, fd);
  sys::Stat st;
  if (long e = sys::fstat(static_cast<int>(fd), &st); e < 0)
    fail(program, "cannot read its loader", path, e);
  alignas(16) std::uint8_t head[1024];
  long n = sys::pread_full(static_cast<int>(fd), head, sizeof head, 0);
  if (n < 0) fail(program, "cannot read its loader", path, n);
  auto size = static_cast<std::uint64_t>(st.st_size);
  auto header = elf::check_header({head, static_cast<std::size_t>(n)}, size, path);
  if (!header || header.value().e_phoff > static_cast<std::size_t>(n) ||
      header.value().e_phnum * sizeof(elf::Phdr) >
          static_cast<std::size_t>(n) - header.value().e_phoff)
    fail(program, "this is no loader for this machine:", path, 0);
  const elf::Ehdr& e = header.value();
  auto segments = elf::check_segments(
      {reinterpret_cast<const elf::Phdr*>(head + e.e_phoff), e.e_phnum}, size, page_size, {}, path);
  if (!segments) fail(program, "this is no loader for this machine:", path, 0);
  long at = sys::map(nullptr, segments.value().end.value - segments.value().start.value,
                     sys::kProtNone, sys::kMapPrivate | sys::kMapAnonymous, -1, 0);
  if (at < 0) fail(program, "no room for its loader", path, at);
  LoadBias bias{static_cast<std::uintptr_t>(at) - segments.value().start.value};
  for (const elf::Phdr& p : segments.value().phdrs)
    if (p.p_type == PT_LOAD)
      if (long error = map_segment(p, bias, static_cast<int>(fd), page_size); error < 0)
        fail(program, "cannot map its loader", path, error);
  check_branches(stack, segments.value(), bias, page_size);
  sys::close(static_cast<int>(fd));
  return {static_cast<std::uintptr_t>(at), (bias + LinkAddr{e.e_entry}).value};
}

}  // namespace
}  // namespace myld::stub

extern "C" {

/// As start.S has it: where to jump, and with which stack.
struct HandOver {
  std::uintptr_t entry;
  std::uintptr_t stack;
};

[[gnu::visibility("hidden")]] HandOver myld_boot(std::uintptr_t* sp) {
  using namespace myld;
  using namespace myld::stub;
  sys::InitialStack stack = sys::InitialStack::at(sp);
  const char* program = stack.argc() > 0 ? stack.argv[0] : "<program>";
  if (stack.get(sys::kAtSecure) != 0)
    fail(program, "a bundled program does not run with more rights than its user's", nullptr, 0);
  char path[kPathMax];
  find_loader(stack, program, path);
  Entered loader = map_loader(stack, program, path);
  if (sys::AuxEntry* base = stack.find(sys::kAtBase)) base->value = loader.base;
  // What the kernel says of a program that it loads with an interpreter.
  if (sys::AuxEntry* entry = stack.find(sys::kAtEntry))
    entry->value += note().start.entry - note().start.stub;
  return {loader.entry, reinterpret_cast<std::uintptr_t>(sp)};
}

/// start.S gives it to what it jumps to; a loader does not look at it.
[[gnu::visibility("hidden")]] void myld_finalise() {}
}
