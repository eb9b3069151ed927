#include "rtld/start/stack.hpp"

#include "loader/base/mem.hpp"

namespace myld::start {

void set_environment(Runtime& runtime, std::span<char* const> entries) {
  sys::InitialStack& s = runtime.stack;
  auto slot = [&](const char* entry) -> char** {
    for (char** e = s.envp; *e != nullptr; ++e) {
      const char *a = *e, *b = entry;
      while (*a == *b && *a != '=' && *a != 0) ++a, ++b;
      if (*a == '=' && *b == '=') return e;
    }
    return nullptr;
  };
  constexpr std::size_t kMost = sys::kRoomBelow / sizeof(char*);
  char* news[kMost];
  std::size_t added = 0;
  for (char* entry : entries) {
    if (char** found = slot(entry))
      *found = entry;
    else
      news[added++] = entry;
  }
  if (added == 0) return;
  // The block grows into the room below it. It begins on a 16-byte boundary: with an odd number of
  // new words the auxv goes down by one, and leaves a word behind its end that nobody looks at.
  std::size_t words = added + added % 2;
  auto* end = reinterpret_cast<std::uintptr_t*>(s.envp);
  while (*end != 0) ++end;
  auto* to = static_cast<std::uintptr_t*>(
      memmove(s.base - words, s.base, static_cast<std::size_t>(end - s.base) * sizeof *end));
  to += end - s.base;
  for (std::size_t i = 0; i < added; ++i) *to++ = reinterpret_cast<std::uintptr_t>(news[i]);
  *to++ = 0;
  auto* last = s.auxv;
  while (last->type != sys::kAtNull) ++last;
  memmove(to, s.auxv, static_cast<std::size_t>(last + 1 - s.auxv) * sizeof *last);
  s = sys::InitialStack::at(s.base - words);
  runtime.argv = s.argv;
  runtime.envp = s.envp;
}

void shift_stack(Runtime& runtime, int first_argument) {
  sys::InitialStack& s = runtime.stack;
  std::uintptr_t* end = reinterpret_cast<std::uintptr_t*>(s.auxv);
  while (reinterpret_cast<sys::AuxEntry*>(end)->type != sys::kAtNull) end += 2;
  end += 2;
  auto dropped = static_cast<std::size_t>(first_argument);
  s.base[0] -= dropped;
  // The block starts on a 16-byte boundary and keeps its start: everything behind argc slides down.
  std::uintptr_t* to = s.base + 1;
  std::uintptr_t* from = s.base + 1 + dropped;
  memmove(to, from, static_cast<std::size_t>(end - from) * sizeof(std::uintptr_t));
  // In secure execution entries of the environment have been taken out, so the auxv does not begin
  // where the environment ends.
  auto* auxv = reinterpret_cast<std::uintptr_t*>(s.auxv) - dropped;
  s = sys::InitialStack::at(s.base);
  s.auxv = reinterpret_cast<sys::AuxEntry*>(auxv);
}

}  // namespace myld::start
