// What is known of an ISA's glibc builds: the generated tables, and how to read that ISA's code.
//
// Each layouts/<isa>/ fills one `Known`. The loader contains its own ISA's alone, which
// host_known() returns; the unit tests contain all of them.

#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "rtld/glibc/layout.hpp"

namespace myld::glibc {

/// How wide a tunable's value is: what `__tunable_get_val` stores through its second argument.
enum class TunableType : std::uint8_t {
  int_32,   ///< 4 bytes.
  uint_64,  ///< 8 bytes.
  size_t,   ///< 8 bytes.
  string,   ///< 8 bytes, or 16: see Layout::tunable_val_is_16_bytes.
};

/// The names stand in it, since pointers to them would have to be relocated at every start.
struct Tunable {
  char name[44];  ///< As in GLIBC_TUNABLES.
  TunableType type;
  std::uint64_t default_value;  ///< Of a number; a string's default is none.
  std::uint64_t min;            ///< As signed for int_32.
  std::uint64_t max;
  char env_alias[28];  ///< Environment variable of old, or "".
};

/// One build's ids: id N names Known::tunables[entry[N]].
struct TunableTable {
  std::uint8_t count;
  std::uint8_t entry[64];
};

/// A libc.so.6 known by its NT_GNU_BUILD_ID.
struct BuildId {
  std::uint8_t size;  ///< Bytes of `bytes` that count.
  std::uint8_t bytes[20];
  std::uint8_t layout;  ///< Index into Known::layouts.
  const char* origin;   ///< Which build it is, for people.
};

/// What a function does first with a pointer that it loads from the GOT.
struct SlotRead {
  bool found = false;
  std::uintptr_t slot = 0;  ///< Run address of the GOT slot.
  Offset offset = 0;        ///< Of the first load, jump or call through that pointer.
};

enum class Mention : std::uint8_t { no, yes, cannot_tell };

/// Readers of machine code. Each looks only at the bytes it is given and knows only the plainest
/// instructions: of anything else it says that it cannot tell, never what it might mean.
struct Code {
  /// The text that a function of the form `return "text";` returns, or nullptr.
  const char* (*returned_text)(std::span<const std::uint8_t> code);
  /// The first access through a pointer loaded from GOT slot `slot`; 0 = from whichever slot comes
  /// first.
  SlotRead (*first_slot_read)(std::span<const std::uint8_t> code, std::uintptr_t slot);
  /// Does an instruction of `code` have `offset` as its displacement?
  Mention (*mentions)(std::span<const std::uint8_t> code, Offset offset);
};

struct Known {
  const char* isa;
  std::span<const Layout> layouts;       ///< By release, oldest first.
  std::span<const char* const> origins;  ///< What each layout was taken from, for people.
  std::span<const BuildId> build_ids;
  std::span<const Tunable> tunables;
  std::span<const TunableTable> tunable_tables;
  const Code* code;
};

const Known& x86_64_known();
const Known& aarch64_known();
const Known& riscv64_known();

/// The one of the ISA this program is built for; layouts/<isa>/host.cpp, of which the build
/// compiles one.
const Known& host_known();

namespace x86_64 {
extern const Code code;
}
namespace aarch64 {
extern const Code code;
}
namespace riscv64 {
extern const Code code;
}

}  // namespace myld::glibc
