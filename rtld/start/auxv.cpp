#include "rtld/start/auxv.hpp"

#include "loader/sys/text.hpp"

namespace myld::start {
namespace {

enum class Form : std::uint8_t { decimal, hex, bare_hex, text };

struct Name {
  std::uint8_t type;
  char name[20];
  Form form;
};

// Entries that ld.so does not print at all have no name: AT_NULL, AT_IGNORE, AT_NOTELF.
constexpr Name kNames[] = {
    {2, "AT_EXECFD", Form::decimal},
    {3, "AT_PHDR", Form::hex},
    {4, "AT_PHENT", Form::decimal},
    {5, "AT_PHNUM", Form::decimal},
    {6, "AT_PAGESZ", Form::decimal},
    {7, "AT_BASE", Form::hex},
    {8, "AT_FLAGS", Form::hex},
    {9, "AT_ENTRY", Form::hex},
    {10, "AT_NOTELF", Form::hex},
    {11, "AT_UID", Form::decimal},
    {12, "AT_EUID", Form::decimal},
    {13, "AT_GID", Form::decimal},
    {14, "AT_EGID", Form::decimal},
    {15, "AT_PLATFORM", Form::text},
    {16, "AT_HWCAP", Form::bare_hex},
    {17, "AT_CLKTCK", Form::decimal},
    {18, "AT_FPUCW", Form::hex},
    {23, "AT_SECURE", Form::decimal},
    {24, "AT_BASE_PLATFORM", Form::text},
    {25, "AT_RANDOM", Form::hex},
    {26, "AT_HWCAP2", Form::hex},
    {31, "AT_EXECFN", Form::text},
    {32, "AT_SYSINFO", Form::hex},
    {33, "AT_SYSINFO_EHDR", Form::hex},
    {51, "AT_MINSIGSTKSZ", Form::decimal},
};

constexpr std::size_t kColumn = 22;

void show(sys::Text& out, const Name& n, std::uint64_t value) {
  std::string_view name = n.name;
  out << name << ':';
  for (std::size_t i = name.size() + 1; i < kColumn; ++i) out << ' ';
  switch (n.form) {
  case Form::decimal: out << sys::Decimal{value}; break;
  case Form::hex: out << sys::Hex{value}; break;
  case Form::bare_hex: out << sys::BareHex{value}; break;
  case Form::text: out << (value == 0 ? "" : reinterpret_cast<const char*>(value)); break;
  }
  out << '\n';
}

}  // namespace

void show_auxv(const sys::InitialStack& stack) {
  sys::Text out(1);
  for (const sys::AuxEntry* a = stack.auxv; a->type != sys::kAtNull; ++a) {
    if (a->type == sys::kAtIgnore) continue;
    const Name* known = nullptr;
    for (const Name& n : kNames)
      if (n.type == a->type) known = &n;
    if (known != nullptr)
      show(out, *known, a->value);
    else
      out << "AT_??? (" << sys::Hex{a->type} << "): " << sys::Hex{a->value} << '\n';
  }
}

}  // namespace myld::start
