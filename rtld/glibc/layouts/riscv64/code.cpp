// Reading RV64GC code: the few instructions that compilers put at the start of short functions.
//
// Encodings: RISC-V Unprivileged ISA, "RV32I", "RV64I" and "C". A GOT slot is addressed with AUIPC
// and the rest in the LD.

#include "rtld/glibc/layouts/known.hpp"

namespace myld::glibc::riscv64 {

namespace {

/// One instruction, 2 or 4 bytes.
struct Instruction {
  std::uint32_t bits = 0;
  std::size_t size = 0;  ///< 0 = the code ends here.
};

Instruction instruction(std::span<const std::uint8_t> code, std::size_t at) {
  if (at + 2 > code.size()) {
    return {};
  }
  const std::uint32_t low = code[at] | code[at + 1] << 8;
  if ((low & 3) != 3) {
    return {low, 2};
  }
  if (at + 4 > code.size()) {
    return {};
  }
  return {low | code[at + 2] << 16 | static_cast<std::uint32_t>(code[at + 3]) << 24, 4};
}

constexpr std::uint32_t rd(std::uint32_t i) { return i >> 7 & 31; }
constexpr std::uint32_t rs1(std::uint32_t i) { return i >> 15 & 31; }
constexpr std::int32_t imm_i(std::uint32_t i) { return static_cast<std::int32_t>(i) >> 20; }

constexpr bool is_auipc(Instruction i) { return i.size == 4 && (i.bits & 0x7f) == 0x17; }
constexpr bool is_ret(Instruction i) { return i.bits == 0x8082 || i.bits == 0x00008067; }

/// LD, LW and the other loads, or C.LD, C.LW: {base, destination, offset}.
struct Load {
  bool is = false;
  std::uint32_t base = 0, destination = 0;
  std::int32_t offset = 0;
  bool doubleword = false;
};

constexpr Load load(Instruction i) {
  if (i.size == 4 && (i.bits & 0x7f) == 0x03) {
    return {true, rs1(i.bits), rd(i.bits), imm_i(i.bits), (i.bits >> 12 & 7) == 3};
  }
  if (i.size == 2 && (i.bits & 0xe003) == 0x6000) {  // C.LD
    const auto offset = static_cast<std::int32_t>((i.bits >> 10 & 7) << 3 | (i.bits >> 5 & 3) << 6);
    return {true, 8 + (i.bits >> 7 & 7), 8 + (i.bits >> 2 & 7), offset, true};
  }
  if (i.size == 2 && (i.bits & 0xe003) == 0x4000) {  // C.LW
    const auto offset = static_cast<std::int32_t>((i.bits >> 10 & 7) << 3 | (i.bits >> 6 & 1) << 2 |
                                                  (i.bits >> 5 & 1) << 6);
    return {true, 8 + (i.bits >> 7 & 7), 8 + (i.bits >> 2 & 7), offset, false};
  }
  return {};
}

constexpr bool is_branch(Instruction i) {
  if (i.size == 4) {
    const std::uint32_t op = i.bits & 0x7f;
    return op == 0x63 || op == 0x67 || op == 0x6f;
  }
  const std::uint32_t form = i.bits & 0xe003;
  return form == 0xa001 || form == 0xc001 || form == 0xe001  // C.J, C.BEQZ, C.BNEZ
         || ((i.bits & 0xe07f) == 0x8002);                   // C.JR, C.JALR
}

std::uintptr_t address(std::span<const std::uint8_t> code, std::size_t at, std::int64_t offset) {
  return reinterpret_cast<std::uintptr_t>(code.data()) + at + static_cast<std::uintptr_t>(offset);
}

constexpr std::int64_t imm_u(std::uint32_t i) { return static_cast<std::int32_t>(i & 0xfffff000); }

SlotRead first_slot_read(std::span<const std::uint8_t> code, std::uintptr_t wanted) {
  std::uintptr_t page[32] = {}, slot[32] = {};
  const auto forget = [&](std::uint32_t r) { page[r] = slot[r] = 0; };
  for (std::size_t at = 0; at < 160;) {
    const Instruction i = instruction(code, at);
    if (i.size == 0 || is_branch(i)) {
      break;
    }
    if (is_auipc(i)) {
      forget(rd(i.bits));
      page[rd(i.bits)] = address(code, at, imm_u(i.bits));
    } else if (const Load l = load(i); l.is) {
      if (slot[l.base] != 0) {
        if (l.offset < 0) {
          break;
        }
        return {true, slot[l.base], static_cast<Offset>(l.offset)};
      }
      std::uintptr_t from = 0;
      if (l.doubleword && page[l.base] != 0) {
        from = page[l.base] + static_cast<std::uintptr_t>(static_cast<std::intptr_t>(l.offset));
        from = wanted == 0 || from == wanted ? from : 0;
      }
      forget(l.destination);
      slot[l.destination] = from;
    } else if (i.size == 4) {
      forget(rd(i.bits));  // a store has bits of its offset there: forgetting costs an answer, not
                           // a wrong one
    } else {
      forget(i.bits >> 7 & 31);  // the destination is in one of these places, or there is none
      forget(8 + (i.bits >> 7 & 7));
      forget(8 + (i.bits >> 2 & 7));
    }
    at += i.size;
  }
  return {};
}

/// AUIPC a0, text; ADDI a0, a0, text; RET
const char* returned_text(std::span<const std::uint8_t> code) {
  const Instruction high = instruction(code, 0);
  if (!is_auipc(high) || rd(high.bits) != 10) {
    return nullptr;
  }
  const Instruction low = instruction(code, 4);
  std::int32_t offset = 0;
  if (low.size == 4 && (low.bits & 0x707f) == 0x13 && rd(low.bits) == 10 && rs1(low.bits) == 10) {
    offset = imm_i(low.bits);
  } else if (low.size == 2 && (low.bits & 0xef83) == (0x0001 | 10 << 7)) {  // C.ADDI
    offset = static_cast<std::int32_t>((low.bits >> 2 & 31) | (low.bits >> 12 & 1 ? ~31U : 0U));
  } else {
    return nullptr;
  }
  if (!is_ret(instruction(code, 4 + low.size))) {
    return nullptr;
  }
  return reinterpret_cast<const char*>(address(code, 0, imm_u(high.bits) + offset));
}

/// Only in loads; offsets from 2048 on do not fit one instruction.
Mention mentions(std::span<const std::uint8_t> code, Offset offset) {
  if (offset >= 2048) {
    return Mention::cannot_tell;
  }
  std::size_t at = 0;
  for (Instruction i = instruction(code, at); i.size != 0; i = instruction(code, at)) {
    if (const Load l = load(i); l.is && l.offset == offset) {
      return Mention::yes;
    }
    at += i.size;
  }
  return Mention::no;
}

}  // namespace

constinit const Code code = {returned_text, first_slot_read, mentions};

}  // namespace myld::glibc::riscv64
