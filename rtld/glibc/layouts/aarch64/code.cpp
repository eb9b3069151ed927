// Reading A64 code: the few instructions that compilers put at the start of short functions.
//
// Encodings: Arm Architecture Reference Manual for A-profile, C4 and C6. A GOT slot is addressed
// with ADRP of its page and the offset in the LDR.

#include "rtld/glibc/layouts/known.hpp"

namespace myld::glibc::aarch64 {

namespace {

std::uint32_t instruction(std::span<const std::uint8_t> code, std::size_t at) {
  return code[at] | code[at + 1] << 8 | code[at + 2] << 16 |
         static_cast<std::uint32_t>(code[at + 3]) << 24;
}

std::uintptr_t address(std::span<const std::uint8_t> code, std::size_t at) {
  return reinterpret_cast<std::uintptr_t>(code.data()) + at;
}

constexpr std::uint32_t rd(std::uint32_t i) { return i & 31; }
constexpr std::uint32_t rn(std::uint32_t i) { return i >> 5 & 31; }

constexpr bool is_adrp(std::uint32_t i) { return (i & 0x9f000000) == 0x90000000; }
constexpr bool is_ldr_x(std::uint32_t i) {
  return (i & 0xffc00000) == 0xf9400000;
}  // LDR Xt, [Xn, #imm]
constexpr bool is_ldr_w(std::uint32_t i) {
  return (i & 0xffc00000) == 0xb9400000;
}  // LDR Wt, [Xn, #imm]
constexpr bool is_ldp_x(std::uint32_t i) {
  return (i & 0xffc00000) == 0xa9400000;
}  // LDP Xt, Xu, [Xn, #imm]
constexpr bool is_add_x(std::uint32_t i) {
  return (i & 0xffc00000) == 0x91000000;
}  // ADD Xd, Xn, #imm

constexpr bool is_branch(std::uint32_t i) {
  return (i & 0x7c000000) == 0x14000000      // B, BL
         || (i & 0xfe000000) == 0x54000000   // B.cond
         || (i & 0x7e000000) == 0x34000000   // CBZ, CBNZ
         || (i & 0x7e000000) == 0x36000000   // TBZ, TBNZ
         || (i & 0xfe000000) == 0xd6000000;  // BR, BLR, RET
}

std::uintptr_t page_of(std::uint32_t i, std::uintptr_t at) {
  const std::uint64_t imm = (i >> 29 & 3) | (i >> 5 & 0x7ffff) << 2;
  const auto offset = static_cast<std::int64_t>(imm << 43) >> 31;  // 21 bits, of pages
  return (at & ~std::uintptr_t{0xfff}) + static_cast<std::uintptr_t>(offset);
}

/// The unsigned offset of a load or store of `1 << scale` bytes.
constexpr std::uint32_t scaled(std::uint32_t i, unsigned scale) {
  return (i >> 10 & 0xfff) << scale;
}

SlotRead first_slot_read(std::span<const std::uint8_t> code, std::uintptr_t wanted) {
  std::uintptr_t page[32] = {}, slot[32] = {};
  for (std::size_t at = 0; at + 4 <= code.size() && at < 160; at += 4) {
    const std::uint32_t i = instruction(code, at);
    if (is_branch(i)) {
      break;
    }
    const bool load = is_ldr_x(i) || is_ldr_w(i) || is_ldp_x(i);
    if (load && slot[rn(i)] != 0 && rn(i) != 31) {
      const std::uint32_t offset =
          is_ldp_x(i) ? (i >> 15 & 0x7f) * 8 : scaled(i, is_ldr_x(i) ? 3 : 2);
      if (is_ldp_x(i) && (i >> 21 & 1)) {
        break;  // a negative offset
      }
      return {true, slot[rn(i)], static_cast<Offset>(offset)};
    }
    std::uintptr_t new_page = 0, new_slot = 0;
    if (is_adrp(i)) {
      new_page = page_of(i, address(code, at));
    } else if (is_ldr_x(i) && page[rn(i)] != 0) {
      new_slot = page[rn(i)] + scaled(i, 3);
      if (wanted != 0 && new_slot != wanted) {
        new_slot = 0;
      }
    }
    // Whatever else the instruction is: if it writes a register it is this one (a store names its
    // source here, and forgetting that costs an answer, not a wrong one), or for a pair also the
    // second.
    page[rd(i)] = new_page;
    slot[rd(i)] = new_slot;
    if ((i & 0x3a000000) == 0x28000000) {  // load or store of a pair
      page[i >> 10 & 31] = slot[i >> 10 & 31] = 0;
    }
  }
  return {};
}

/// [BTI c] ADRP X0, text; ADD X0, X0, #text; RET
const char* returned_text(std::span<const std::uint8_t> code) {
  if (code.size() >= 4 && instruction(code, 0) == 0xd503245f) {
    code = code.subspan(4);
  }
  if (code.size() < 12) {
    return nullptr;
  }
  const std::uint32_t adrp = instruction(code, 0), add = instruction(code, 4);
  if (!is_adrp(adrp) || rd(adrp) != 0 || !is_add_x(add) || rd(add) != 0 || rn(add) != 0 ||
      instruction(code, 8) != 0xd65f03c0) {
    return nullptr;
  }
  return reinterpret_cast<const char*>(page_of(adrp, address(code, 0)) + (add >> 10 & 0xfff));
}

/// Loads and stores with an unsigned offset, pairs, and ADD.
Mention mentions(std::span<const std::uint8_t> code, Offset offset) {
  for (std::size_t at = 0; at + 4 <= code.size(); at += 4) {
    const std::uint32_t i = instruction(code, at);
    if ((i & 0x3b000000) == 0x39000000 && scaled(i, i >> 30) == offset) {
      return Mention::yes;
    }
    if ((i & 0xff800000) == 0xa9000000 && (i >> 15 & 0x3f) * 8 == offset && !(i >> 21 & 1)) {
      return Mention::yes;
    }
    if (is_add_x(i) && (i >> 10 & 0xfff) == offset) {
      return Mention::yes;
    }
  }
  return Mention::no;
}

}  // namespace

constinit const Code code = {returned_text, first_slot_read, mentions};

}  // namespace myld::glibc::aarch64
