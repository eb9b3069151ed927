// Reading x86-64 code: the few instructions that compilers put at the start of short functions.
//
// Encodings: Intel SDM volume 2. A memory operand is only understood as [base + displacement] or
// [rip + displacement]; an index register ends the reading.

#include "rtld/glibc/layouts/known.hpp"

#include <initializer_list>

namespace myld::glibc::x86_64 {

namespace {

constexpr std::uint8_t kNoBase = 0xff;

std::int32_t word(const std::uint8_t* at) {
  return static_cast<std::int32_t>(at[0] | at[1] << 8 | at[2] << 16 |
                                   static_cast<std::uint32_t>(at[3]) << 24);
}

/// A ModRM byte with what follows it.
struct Operand {
  std::uint8_t size = 0;  ///< Bytes, ModRM included; 0 = not one that is understood.
  std::uint8_t reg = 0;   ///< Register (or opcode extension) of ModRM.reg.
  bool is_register = false;
  bool is_rip = false;
  std::uint8_t base = kNoBase;  ///< Register operand, or base of the memory operand.
  std::int32_t displacement = 0;
};

Operand operand(std::span<const std::uint8_t> code, std::uint8_t rex) {
  if (code.empty()) {
    return {};
  }
  const std::uint8_t mod = code[0] >> 6, rm = code[0] & 7;
  Operand o;
  o.reg = static_cast<std::uint8_t>((code[0] >> 3 & 7) | (rex & 4 ? 8 : 0));
  o.base = static_cast<std::uint8_t>(rm | (rex & 1 ? 8 : 0));
  o.size = 1;
  if (mod == 3) {
    o.is_register = true;
    return o;
  }
  if (rm == 4) {  // SIB: accepted without an index register
    if (code.size() < 2 || (code[1] >> 3 & 7) != 4 || (rex & 2)) {
      return {};
    }
    o.size = 2;
    o.base = static_cast<std::uint8_t>((code[1] & 7) | (rex & 1 ? 8 : 0));
    if (mod == 0 && (code[1] & 7) == 5) {
      o.base = kNoBase;  // absolute, as of %fs:0x28
    }
  }
  const bool rip = mod == 0 && rm == 5;
  const std::size_t wide = mod == 2 || rip || o.base == kNoBase ? 4 : mod == 1 ? 1 : 0;
  if (code.size() < o.size + wide) {
    return {};
  }
  if (wide == 4) {
    o.displacement = word(&code[o.size]);
  } else if (wide == 1) {
    o.displacement = static_cast<std::int8_t>(code[o.size]);
  }
  o.size = static_cast<std::uint8_t>(o.size + wide);
  if (rip) {
    o.is_rip = true;
    o.base = kNoBase;
  }
  return o;
}

/// Walks over the code an instruction at a time and remembers which registers hold the pointer of a
/// slot.
class Reader {
public:
  Reader(std::span<const std::uint8_t> code, std::uintptr_t slot) : code_(code), wanted_(slot) {}

  SlotRead run() {
    for (int i = 0; i < 40 && step(); ++i) {
    }
    return read_;
  }

private:
  /// False at the end: found, or an instruction that is not understood.
  bool step() {
    std::span<const std::uint8_t> rest = code_.subspan(at_);
    if (starts(rest, {0xf3, 0x0f, 0x1e, 0xfa})) {  // endbr64
      return advance(4);
    }
    if (starts(rest, {0x66, 0x90})) {
      return advance(2);
    }
    std::size_t prefix = 0;
    bool fs = false;
    if (!rest.empty() && rest[0] == 0x64) {
      fs = true;
      prefix = 1;
    }
    std::uint8_t rex = 0;
    if (rest.size() > prefix && (rest[prefix] & 0xf0) == 0x40) {
      rex = rest[prefix];
      ++prefix;
    }
    if (rest.size() <= prefix) {
      return false;
    }
    const std::uint8_t op = rest[prefix];
    const auto low = static_cast<std::uint8_t>((op & 7) | (rex & 1 ? 8 : 0));
    if (op >= 0x50 && op <= 0x57) {  // push
      return advance(prefix + 1);
    }
    if (op >= 0x58 && op <= 0x5f) {  // pop
      slots_[low] = 0;
      return advance(prefix + 1);
    }
    if (op == 0x90) {
      return advance(prefix + 1);
    }
    if (op >= 0xb8 && op <= 0xbf && !(rex & 8)) {  // mov $imm32, register
      slots_[low] = 0;
      return advance(prefix + 5);
    }
    return with_operand(rest, prefix, op, rex, fs);
  }

  bool with_operand(std::span<const std::uint8_t> rest,
                    std::size_t prefix,
                    std::uint8_t op,
                    std::uint8_t rex,
                    bool fs) {
    const Operand o = operand(rest.subspan(prefix + 1), rex);
    if (o.size == 0) {
      return false;
    }
    const std::size_t size = prefix + 1 + o.size;
    const bool through_slot = !fs && !o.is_register && o.base != kNoBase && slots_[o.base] != 0;
    switch (op) {
    case 0x8b:  // mov operand, register
      if (through_slot) {
        return found(o);
      }
      if (o.is_register) {
        slots_[o.reg] = rex & 8 ? slots_[o.base] : 0;
      } else {
        slots_[o.reg] = o.is_rip && (rex & 8) && !fs ? slot_at(size, o) : 0;
      }
      return advance(size);
    case 0x89:  // mov register, operand
      if (through_slot) {
        return false;  // a store through the pointer is not what is looked for
      }
      if (o.is_register) {
        slots_[o.base] = rex & 8 ? slots_[o.reg] : 0;
      }
      return advance(size);
    case 0x31:  // xor
    case 0x29:  // sub
      if (!o.is_register) {
        return false;
      }
      slots_[o.base] = 0;
      return advance(size);
    case 0x85:  // test
      return o.is_register && advance(size);
    case 0x8d:  // lea
      slots_[o.reg] = 0;
      return advance(size);
    case 0x83:  // add, or, ..., sub, xor, cmp with imm8
    case 0x81:  // with imm32
      if (!o.is_register) {
        return through_slot && op == 0x83 ? found(o) : false;
      }
      if ((o.reg & 7) != 7) {
        slots_[o.base] = 0;
      }
      return advance(size + (op == 0x83 ? 1 : 4));
    case 0xff:  // call, jump
      return (o.reg & 7) >= 2 && (o.reg & 7) <= 5 && through_slot ? found(o) : false;
    default: return false;
    }
  }

  static bool starts(std::span<const std::uint8_t> code,
                     std::initializer_list<std::uint8_t> bytes) {
    if (code.size() < bytes.size()) {
      return false;
    }
    const std::uint8_t* at = code.data();
    for (const std::uint8_t byte : bytes) {
      if (*at++ != byte) {
        return false;
      }
    }
    return true;
  }

  std::uintptr_t slot_at(std::size_t size, const Operand& o) const {
    const auto next = reinterpret_cast<std::uintptr_t>(code_.data()) + at_ + size;
    const std::uintptr_t slot =
        next + static_cast<std::uintptr_t>(static_cast<std::intptr_t>(o.displacement));
    return wanted_ == 0 || slot == wanted_ ? slot : 0;
  }

  bool found(const Operand& o) {
    if (o.displacement >= 0 && o.displacement < kAbsent) {
      read_ = {true, slots_[o.base], static_cast<Offset>(o.displacement)};
    }
    return false;
  }

  bool advance(std::size_t size) {
    at_ += size;
    return at_ < code_.size();
  }

  std::span<const std::uint8_t> code_;
  std::uintptr_t wanted_;
  std::size_t at_ = 0;
  std::uintptr_t slots_[16] = {};
  SlotRead read_;
};

SlotRead first_slot_read(std::span<const std::uint8_t> code, std::uintptr_t slot) {
  return Reader(code, slot).run();
}

/// [endbr64] [push %rbp; mov %rsp,%rbp] lea text(%rip),%rax [pop %rbp] ret
const char* returned_text(std::span<const std::uint8_t> code) {
  const auto skip = [&](std::initializer_list<std::uint8_t> bytes) {
    std::size_t i = 0;
    for (const std::uint8_t byte : bytes) {
      if (i >= code.size() || code[i++] != byte) {
        return false;
      }
    }
    code = code.subspan(i);
    return true;
  };
  skip({0xf3, 0x0f, 0x1e, 0xfa});
  const bool frame = skip({0x55}) && skip({0x48, 0x89, 0xe5});
  if (!skip({0x48, 0x8d, 0x05}) || code.size() < 5) {
    return nullptr;
  }
  const std::int32_t displacement = word(code.data());
  code = code.subspan(4);
  const auto next = reinterpret_cast<std::uintptr_t>(code.data());
  if ((frame && !skip({0x5d})) || code.empty() || code[0] != 0xc3) {
    return nullptr;
  }
  return reinterpret_cast<const char*>(
      next + static_cast<std::uintptr_t>(static_cast<std::intptr_t>(displacement)));
}

/// Displacements from 128 on are encoded in 32 bits, so looking for those bytes misses none.
Mention mentions(std::span<const std::uint8_t> code, Offset offset) {
  if (offset < 128) {
    return Mention::cannot_tell;
  }
  for (std::size_t i = 0; i + 4 <= code.size(); ++i) {
    if (word(&code[i]) == offset) {
      return Mention::yes;
    }
  }
  return Mention::no;
}

}  // namespace

constinit const Code code = {returned_text, first_slot_read, mentions};

}  // namespace myld::glibc::x86_64
