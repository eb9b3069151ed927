#include "rtld/glibc/detect.hpp"

#include <bit>

#include "rtld/glibc/anchors.hpp"

namespace myld::glibc {

namespace {

/// A structure of a Layout as the numbers it consists of: every member is an Offset, or Bits (two
/// numbers), or a 16-bit count, and an absent one is all ones.
template <class Struct>
constexpr auto numbers(const Struct& s) {
  static_assert(alignof(Struct) == alignof(Offset) && sizeof(Struct) % sizeof(Offset) == 0);
  return std::bit_cast<std::array<Offset, sizeof(Struct) / sizeof(Offset)>>(s);
}

/// `a` has every member of `b` at the same place; what it has beyond them is padding to `b`.
template <class Struct>
bool covers(const Struct& a, const Struct& b) {
  const auto in_a = numbers(a), in_b = numbers(b);
  for (std::size_t i = 0; i < in_a.size(); ++i) {
    if (in_a[i] != in_b[i] && in_b[i] != kAbsent) {
      return false;
    }
  }
  return a.size == b.size;
}

bool same_facts(const Layout& a, const Layout& b) {
  return a.minor == b.minor && a.libc_imports_dl_signal == b.libc_imports_dl_signal &&
         a.rseq == b.rseq && a.tid_address_is_joinstate == b.tid_address_is_joinstate &&
         a.stack_flags_are_prot == b.stack_flags_are_prot &&
         a.dl_find_object_has_sframe == b.dl_find_object_has_sframe &&
         a.tunable_val_is_16_bytes == b.tunable_val_is_16_bytes &&
         a.preferred_bits == b.preferred_bits;
}

/// Using `a` for a libc that was built as `b` is right, tunables apart.
bool covers(const Layout& a, const Layout& b) {
  return same_facts(a, b) && covers(a.rtld_global_ro, b.rtld_global_ro) &&
         covers(a.rtld_global, b.rtld_global) && covers(a.link_namespaces, b.link_namespaces) &&
         covers(a.link_map, b.link_map) && covers(a.pthread, b.pthread) &&
         covers(a.cpu_features, b.cpu_features);
}

/// The text of libc's release number, "2.36": `__nptl_version`, which 2.34 and later export for
/// libthread_db, or else what gnu_get_libc_version() would return.
void read_version(const LibcFacts& libc, const Known& known, std::array<char, 16>& out) {
  std::uint64_t size = 0;
  auto* text = static_cast<const char*>(libc.find(libc.context, "__nptl_version", &size));
  if (text == nullptr || size == 0) {
    const void* function = libc.find(libc.context, "gnu_get_libc_version", &size);
    if (function == nullptr) {
      return;
    }
    text = known.code->returned_text(
        {static_cast<const std::uint8_t*>(function), static_cast<std::size_t>(size)});
    size = out.size();  // it ends in a zero
    if (text == nullptr) {
      return;
    }
  }
  for (std::size_t i = 0; i + 1 < out.size() && i < size && text[i] != '\0'; ++i) {
    out[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
  }
}

/// 36 for "2.36"; 0 for anything else, such as a development snapshot's "2.36.9000".
unsigned release(const std::array<char, 16>& version) {
  if (version[0] != '2' || version[1] != '.' || version[2] < '1' || version[2] > '9' ||
      version[3] < '0' || version[3] > '9' || version[4] != '\0') {
    return 0;
  }
  return static_cast<unsigned>(version[2] - '0') * 10 + static_cast<unsigned>(version[3] - '0');
}

const BuildId* find_build_id(const Known& known, std::span<const std::uint8_t> build_id) {
  for (const BuildId& b : known.build_ids) {
    bool same = !build_id.empty() && b.size == build_id.size();
    for (std::size_t i = 0; same && i < b.size; ++i) {
      same = b.bytes[i] == build_id[i];
    }
    if (same) {
      return &b;
    }
  }
  return nullptr;
}

/// The layouts that fit every anchor, reduced to one that covers the others if there is such a one.
class Search {
public:
  Search(const LibcFacts& libc, const Known& known, Detection& result)
      : libc_(libc), known_(known), result_(result) {}

  /// Gives: false if there is no table for that release.
  bool run(unsigned minor) {
    for (std::size_t i = 0; i < known_.layouts.size(); ++i) {
      if (known_.layouts[i].minor == minor) {
        consider(i);
      }
    }
    return seen_;
  }

private:
  void consider(std::size_t i) {
    const Layout& layout = known_.layouts[i];
    std::array<Mismatch, 6> mismatches{};
    const std::size_t count = compare_anchors(libc_, known_, layout, true, mismatches);
    if (count != 0) {
      if (result_.layout == nullptr && !ambiguous() && (!seen_ || count < result_.mismatch_count)) {
        result_.verdict = Verdict::different;
        result_.nearest_origin = known_.origins[i];
        result_.mismatches = mismatches;
        result_.mismatch_count = count;
      }
      seen_ = true;
      return;
    }
    seen_ = true;
    if (ambiguous()) {
      return;
    }
    const Layout* before = result_.layout;
    if (before == nullptr) {
      accept(i, true);
    } else if (covers(*before, layout)) {
      result_.tunables_certain = result_.tunables_certain && layout.tunables == before->tunables;
    } else if (covers(layout, *before)) {
      accept(i, result_.tunables_certain && layout.tunables == before->tunables);
    } else {
      result_.verdict = Verdict::ambiguous;
      result_.layout = nullptr;
      result_.nearest_origin = known_.origins[i];
    }
  }

  void accept(std::size_t i, bool tunables_certain) {
    result_.verdict = Verdict::by_fingerprint;
    result_.layout = &known_.layouts[i];
    result_.origin = known_.origins[i];
    result_.tunables_certain = tunables_certain;
    result_.nearest_origin = nullptr;
    result_.mismatch_count = 0;
  }

  bool ambiguous() const { return result_.verdict == Verdict::ambiguous; }

  const LibcFacts& libc_;
  const Known& known_;
  Detection& result_;
  bool seen_ = false;
};

}  // namespace

Detection detect(const LibcFacts& libc, const Known& known) {
  Detection result;
  result.known = &known;
  result.build_id = libc.build_id;
  read_version(libc, known, result.version);
  if (result.version[0] == '\0') {
    return result;
  }
  const unsigned minor = release(result.version);
  if (const BuildId* build = find_build_id(known, libc.build_id)) {
    const Layout& layout = known.layouts[build->layout];
    result.mismatch_count = compare_anchors(libc, known, layout, false, result.mismatches);
    if (layout.minor == minor && result.mismatch_count == 0) {
      result.verdict = Verdict::by_build_id;
      result.layout = &layout;
      result.origin = build->origin;
      result.tunables_certain = true;
    } else {  // the table is wrong, or the file was changed after it was linked
      result.verdict = Verdict::different;
      result.nearest_origin = build->origin;
    }
    return result;
  }
  if (minor == 0 || !Search(libc, known, result).run(minor)) {
    result.verdict = Verdict::unsupported;
  }
  return result;
}

Detection detect(const LibcFacts& libc) { return detect(libc, host_known()); }

Detection recognise(const LibcFacts& libc) {
  const Known& known = host_known();
  const BuildId* build = find_build_id(known, libc.build_id);
  if (build == nullptr) return detect(libc, known);
  Detection result;
  result.known = &known;
  result.build_id = libc.build_id;
  result.verdict = Verdict::by_build_id;
  result.layout = &known.layouts[build->layout];
  result.origin = build->origin;
  result.tunables_certain = true;
  return result;
}

}  // namespace myld::glibc
