// The line that says which glibc was found and why it is, or is not, one that is known.

#include <string_view>

#include "rtld/glibc/detect.hpp"

namespace myld::glibc {

namespace {

/// Appends to a fixed buffer; what does not fit is left out.
class Text {
public:
  explicit Text(std::span<char> out) : out_(out) {}

  [[gnu::noinline]] Text& operator<<(std::string_view s) {
    for (const char c : s) {
      if (size_ + 1 < out_.size()) {
        out_[size_++] = c;
      }
    }
    return *this;
  }

  Text& operator<<(unsigned n) {
    char digits[10];
    std::size_t i = sizeof digits;
    do {
      digits[--i] = static_cast<char>('0' + n % 10);
      n /= 10;
    } while (n != 0);
    return *this << std::string_view(digits + i, sizeof digits - i);
  }

  Text& hex(std::span<const std::uint8_t> bytes) {
    constexpr char digits[] = "0123456789abcdef";
    for (const std::uint8_t b : bytes) {
      const char pair[] = {digits[b >> 4], digits[b & 15]};
      *this << std::string_view(pair, 2);
    }
    return *this;
  }

  std::size_t finish() {
    if (!out_.empty()) {
      out_[size_] = '\0';
    }
    return size_;
  }

private:
  std::span<char> out_;
  std::size_t size_ = 0;
};

void add_found(Text& text, const Detection& d) {
  if (d.version[0] == '\0') {
    text << "the libc.so.6 that was found is not glibc, or does not say so";
  } else {
    text << "found glibc " << d.version.data();
  }
  if (d.build_id.empty()) {
    text << " (no build-id)";
  } else {
    text << " (build-id ";
    text.hex(d.build_id) << ")";
  }
}

/// "2.34-2.43": the releases for which there are tables, which are in order.
void add_known(Text& text, const Known& known) {
  text << "; known on " << known.isa << ": ";
  const std::span<const Layout> all = known.layouts;
  bool first = true;
  for (std::size_t i = 0; i < all.size();) {
    const unsigned from = all[i].minor;
    unsigned to = from;
    for (; i < all.size() && all[i].minor <= to + 1; ++i) {
      to = all[i].minor;
    }
    text << (first ? "2." : ", 2.") << from;
    if (to != from) {
      text << "-2." << to;
    }
    first = false;
  }
}

void add_number(Text& text, Offset n) {
  if (n == kAbsent) {
    text << "nothing";
  } else {
    text << unsigned{n};
  }
}

void add_mismatches(Text& text, const Detection& d) {
  text << ", whose private structures are not as in any known build: nearest is "
       << d.nearest_origin << ", but ";
  const std::size_t shown = d.mismatch_count < 3 ? d.mismatch_count : 3;
  if (shown == 0) {
    text << "the release number differs";
  }
  for (std::size_t i = 0; i < shown; ++i) {
    text << (i == 0 ? "" : ", ") << d.mismatches[i].anchor << " is ";
    add_number(text, d.mismatches[i].found);
    text << " instead of ";
    add_number(text, d.mismatches[i].expected);
  }
  if (d.mismatch_count > shown) {
    text << " and " << static_cast<unsigned>(d.mismatch_count - shown) << " more differ";
  }
}

/// 36 of "2.36"; 0 of what is no release of glibc 2.
unsigned minor_of(const Detection& d) {
  const auto& v = d.version;
  unsigned minor = 0;
  if (v[0] != '2' || v[1] != '.') return 0;
  for (std::size_t i = 2; i < v.size() && v[i] >= '0' && v[i] <= '9' && minor < 1000; ++i) {
    minor = minor * 10 + static_cast<unsigned>(v[i] - '0');
  }
  return minor;
}

/// Is it a release before 2.34? Of those no table can be made: libpthread and libdl are libraries
/// of their own there, and have a share in what libc and its loader share.
bool is_before_tables(const Detection& d) {
  const unsigned minor = minor_of(d);
  return minor != 0 && minor < 34;
}

/// Is it a release after the newest known one? A table alone does not make it run: what else
/// changed has to be looked into first, and gen_glibc_layout.py says so.
bool is_after_tables(const Detection& d) {
  if (d.verdict != Verdict::unsupported || d.known->layouts.empty()) return false;
  return minor_of(d) > d.known->layouts.back().minor || (d.version[0] > '2' && d.version[0] <= '9');
}

void add_advice(Text& text, const Detection& d) {
  if (d.verdict == Verdict::not_glibc) return;
  if (is_before_tables(d)) {
    text << "; before 2.34 libpthread is a library of its own, which is not supported";
  } else if (is_after_tables(d)) {
    text << "; it is newer than this myld, whose successor may know it";
  } else {
    text << "; make a table of this one with: tools/gen_glibc_layout.py --deb libc6-dbg.deb, or "
            "--debuginfo FILE...";
  }
}

}  // namespace

std::size_t explain(const Detection& d, std::span<char> out) {
  Text text(out);
  add_found(text, d);
  switch (d.verdict) {
  case Verdict::by_build_id: text << ", known by its build-id: " << d.origin; return text.finish();
  case Verdict::by_fingerprint: text << ", laid out as " << d.origin; return text.finish();
  case Verdict::not_glibc: break;
  case Verdict::unsupported: text << ", a release that is not supported"; break;
  case Verdict::different: add_mismatches(text, d); break;
  case Verdict::ambiguous:
    text << ", which fits two builds that differ: " << d.origin << " and " << d.nearest_origin;
    break;
  }
  add_known(text, *d.known);
  add_advice(text, d);
  return text.finish();
}

}  // namespace myld::glibc
