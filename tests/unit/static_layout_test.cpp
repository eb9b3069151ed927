#include "rtld/tls/static_layout.hpp"
#include "tests/unit/catch.hpp"

using myld::arch::TlsVariant;
using myld::tls::BlockShape;
using myld::tls::StaticLayout;

namespace {

/// What every block is promised: p_vaddr modulo p_align, whatever came before it.
bool congruent(std::int64_t offset, const BlockShape& b) {
  std::uint64_t align = b.align == 0 ? 1 : b.align;
  return ((static_cast<std::uint64_t>(offset) - b.vaddr) & (align - 1)) == 0;
}

const BlockShape kShapes[] = {{8, 8, 0x3df8},           {1, 1, 0x4001}, {100, 64, 0x5010},
                              {0x1000, 0x1000, 0x7000}, {4, 4, 0x2004}, {24, 0, 0x10},
                              {3, 16, 0x1008}};

}  // namespace

TEST_CASE("variant II: the first block ends at the thread pointer") {
  StaticLayout layout(TlsVariant::ii, 0);
  CHECK(layout.place({16, 8, 0x1000}) == -16);
  CHECK(layout.place({1, 1, 0x2001}) == -17);
  CHECK(layout.used() == 17);
  CHECK(layout.align() == 8);
}

TEST_CASE("variant I: the first block follows the TCB") {
  StaticLayout layout(TlsVariant::i, 16);
  CHECK(layout.place({8, 8, 0x1000}) == 16);
  CHECK(layout.place({64, 64, 0x2000}) == 64);
  CHECK(layout.used() == 128);
}

TEST_CASE("blocks are congruent to their link address and do not overlap") {
  for (TlsVariant variant : {TlsVariant::i, TlsVariant::ii}) {
    StaticLayout layout(variant, variant == TlsVariant::i ? 16 : 0);
    std::int64_t edge = variant == TlsVariant::i ? 16 : 0;
    for (const BlockShape& b : kShapes) {
      std::uint64_t foretold = layout.used_after(b);
      std::int64_t offset = layout.place(b);
      CHECK(congruent(offset, b));
      CHECK(layout.used() == foretold);
      if (variant == TlsVariant::i) {
        CHECK(offset >= edge);
        edge = offset + static_cast<std::int64_t>(b.bytes);
      } else {
        CHECK(offset + static_cast<std::int64_t>(b.bytes) <= edge);
        edge = offset;
      }
    }
  }
}
