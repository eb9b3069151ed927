// myld_why_loaded (include/myld.h): what dlclose would find if it asked now, in words.
#include "loader/base/mem.hpp"
#include "loader/sys/text.hpp"
#include "rtld/dlopen/dlfcn.hpp"
#include "rtld/dlopen/object_index.hpp"
#include "rtld/entry.hpp"

namespace myld::dlopen {
namespace {

/// Text cut to the caller's buffer, and counted beyond it.
class Reasons {
public:
  Reasons(char* to, std::size_t room) : to_(to), room_(room) {}
  ~Reasons() {
    if (room_ != 0) to_[used_ < room_ ? used_ : room_ - 1] = 0;
  }
  Reasons(const Reasons&) = delete;
  Reasons& operator=(const Reasons&) = delete;

  void line(std::string_view first, const char* second = "", std::string_view third = {}) {
    add(first);
    add({second, strlen(second)});
    add(third);
    add("\n");
  }
  void opens(std::uint32_t count) {
    char digits[10];
    std::size_t n = sizeof digits;
    for (std::uint32_t rest = count; n == sizeof digits || rest != 0; rest /= 10)
      digits[--n] = static_cast<char>('0' + rest % 10);
    add("open: ");
    add({digits + n, sizeof digits - n});
    add(" not closed yet\n");
  }
  long bytes() const { return static_cast<long>(used_); }

private:
  void add(std::string_view s) {
    for (char c : s) {
      if (used_ + 1 < room_) to_[used_] = c;
      ++used_;
    }
  }
  char* to_;
  std::size_t room_;
  std::size_t used_ = 0;
};

/// The name of a symbol is the module's own text; that of a flag is the loader's.
void permanent(const Module& m, Reasons& out) {
  const char* why = m.permanent_because;
  bool is_symbol = m.contains(reinterpret_cast<std::uintptr_t>(why));
  out.line(is_symbol ? "for good: unique symbol " : "for good: ", why == nullptr ? "" : why);
}

void reasons(const Runtime& runtime, Module& m, Reasons& out) {
  if (m.is_loader) out.line("the loader");
  if (m.is_program) out.line("the program");
  if (m.from_start && !m.is_loader && !m.is_program) out.line("for good: loaded with the program");
  if (m.opens != 0) out.opens(m.opens);
  if (m.permanent) permanent(m, out);
  if (m.stage == load::Stage::initialising) out.line("its constructors run");
  if (runtime.abi->has_pending_destructors != nullptr && runtime.abi->has_pending_destructors(m))
    out.line("objects of threads, whose destructors are to run");
  if (m.leaving) out.line("its destructors run");
  for (const Module* user : m.ns->modules) {
    if (user == &m) continue;
    if (user->needed.contains(&m)) out.line("needed by ", user->display);
    if (user->bound_to.contains(&m)) out.line("a symbol is used by ", user->display);
  }
}

}  // namespace
}  // namespace myld::dlopen

extern "C" [[gnu::visibility("default"), gnu::used]] long
myld_why_loaded(void* handle, char* buffer, std::size_t size) {
  using namespace myld;
  Runtime& runtime = the_runtime();
  dlopen::clear_error();
  LoadGuard guard(runtime);
  load::Module* m = dlopen::module_of_handle(handle);
  if (m == nullptr) {
    dlopen::set_error({.code = Code::invalid_handle,
                       .object = runtime.program->display,
                       .value = reinterpret_cast<std::uintptr_t>(handle)});
    return -1;
  }
  dlopen::Reasons out(buffer, size);
  dlopen::reasons(runtime, *m, out);
  return out.bytes();
}
