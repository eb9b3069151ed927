// Where each start-up module's TLS block lies, at the same distance from the thread pointer in
// every thread. Pure.
//
// Variant I (aarch64, riscv64):      variant II (x86-64):
//
//   TP                                   ... block 2 | block 1 | TP: TCB ...
//   | TCB | block 1 | block 2 | ...
//
// Source: Drepper, "ELF Handling For Thread-Local Storage", section 3.
#pragma once
#include "arch/kinds.hpp"
#include "loader/base/addr.hpp"

namespace myld::tls {

/// A block to be placed; p_align and p_vaddr of its PT_TLS, bytes.
struct BlockShape {
  std::uint64_t bytes, align, vaddr;
};

/// Grows away from the thread pointer.
class StaticLayout {
public:
  constexpr StaticLayout() = default;
  constexpr StaticLayout(arch::TlsVariant variant, std::uint64_t tcb_reserve)
      : variant_(variant), used_(variant == arch::TlsVariant::i ? tcb_reserve : 0) {}

  /// Reserves room for `b` and returns the offset of its first byte from the thread pointer, which
  /// is congruent to p_vaddr modulo p_align when the thread pointer is aligned.
  constexpr std::int64_t place(const BlockShape& b) {
    std::uint64_t align = b.align == 0 ? 1 : b.align;
    if (align > align_) align_ = align;
    if (variant_ == arch::TlsVariant::ii) {
      // -offset must be congruent to vaddr: offset = bytes rounded so that (offset + vaddr) % align
      // == 0
      std::uint64_t least = used_ + b.bytes;
      std::uint64_t offset = least + ((0 - b.vaddr - least) & (align - 1));
      used_ = offset;
      return -static_cast<std::int64_t>(offset);
    }
    std::uint64_t offset = used_ + ((b.vaddr - used_) & (align - 1));
    used_ = offset + b.bytes;
    return static_cast<std::int64_t>(offset);
  }

  /// What place() would make of used(), without doing it.
  constexpr std::uint64_t used_after(const BlockShape& b) const {
    StaticLayout copy = *this;
    copy.place(b);
    return copy.used_;
  }

  constexpr std::uint64_t used() const { return used_; }    ///< bytes on the blocks' side of TP
  constexpr std::uint64_t align() const { return align_; }  ///< largest alignment placed
  constexpr void set_used(std::uint64_t used) { used_ = used; }

private:
  arch::TlsVariant variant_ = arch::TlsVariant::ii;
  std::uint64_t used_ = 0;
  std::uint64_t align_ = 1;
};

}  // namespace myld::tls
