// Is an entry of a symbol table what is asked for? Inline, since it is asked of every reference.
#pragma once
#include "loader/base/mem.hpp"
#include "rtld/scope/lookup.hpp"

namespace myld::scope {

/// Is entry `index` of `module`, whose name is the request's, what is asked for? default_version:
/// only if the module has no better one.
enum class Match : std::uint8_t { no, yes, default_version };

/// Symbol types that can be bound to (gABI 4 "Symbol Table"; STT_GNU_IFUNC is 10).
constexpr std::uint32_t kBindable = 1u << STT_NOTYPE | 1u << STT_OBJECT | 1u << STT_FUNC |
                                    1u << STT_COMMON | 1u << STT_TLS | 1u << STT_GNU_IFUNC;

inline bool is_definition(const Sym& s, Purpose purpose) {
  if ((kBindable >> elf::sym_type(s) & 1) == 0) return false;
  unsigned visibility = elf::sym_visibility(s);
  if (visibility == STV_HIDDEN || visibility == STV_INTERNAL) return false;
  if (elf::sym_binding(s) == STB_LOCAL) return false;
  if (s.st_shndx == SHN_UNDEF) return purpose == Purpose::address && s.st_value != 0;
  return s.st_value != 0 || s.st_shndx == SHN_ABS || elf::sym_type(s) == STT_TLS;
}

/// Source of the rule: ld.so, which compares both.
inline bool is_same_version(const elf::Version& a, const elf::Version& b) {
  return a.hash == b.hash && (a.name == b.name || same_name(a.name, b.name));
}

/// Does version index `versym` of `m` satisfy the request? The rules of the GNU system:
/// with a version, the same one, or any unversioned definition unless the request is exact;
/// without, the base definition (index at most 2), else the only default one.
inline Match match_version(const Module& m, std::uint16_t versym, const Request& r) {
  std::uint16_t index = versym & elf::kVersionIndexMask;
  bool hidden = (versym & elf::kVersionHidden) != 0;
  if (r.version != nullptr) {
    const elf::Version* v = index < m.versions.size() ? &m.versions[index] : nullptr;
    if (v != nullptr && v->name != nullptr)
      return is_same_version(*v, *r.version) ? Match::yes : Match::no;
    return hidden || r.hidden_version_ok ? Match::no : Match::yes;
  }
  std::uint16_t first_versioned = r.newest ? 2 : 3;
  if (index < first_versioned) return hidden ? Match::no : Match::yes;
  return hidden ? Match::no : Match::default_version;
}

[[gnu::always_inline]] inline Match match(const Module& m, std::uint32_t index, const Request& r) {
  if (!is_definition(m.image.symbols[index], r.purpose)) return Match::no;
  return m.image.versym != nullptr ? match_version(m, m.image.versym[index], r) : Match::yes;
}

/// Is a definition an ordinary one, that is where its value says: nobody's resolver, no absolute
/// number, no thread-local variable, and inside its module? One past the end is where `_end` and
/// its like point.
inline bool is_at_its_value(const Module& m, const Sym& s) {
  constexpr unsigned kOrdinary =
      1u << STT_NOTYPE | 1u << STT_OBJECT | 1u << STT_FUNC | 1u << STT_COMMON;
  const elf::Segments& segments = m.image.segments;
  return (kOrdinary >> elf::sym_type(s) & 1) != 0 && s.st_shndx != SHN_ABS &&
         s.st_value - segments.start.value <= segments.end.value - segments.start.value;
}

/// Does the DT_VERSYM entry of a symbol that is referred to stand for a version of the file, or for
/// none? Needs: module.image.versym.
inline bool version_is_known(const Module& m, std::uint32_t index, const Sym& symbol) {
  std::uint16_t versym = m.image.versym[index];
  std::uint16_t v = versym & elf::kVersionIndexMask;
  // 0 and 1 are no versions (VER_NDX_LOCAL, VER_NDX_GLOBAL), and nothing hidden either.
  if (v <= VER_NDX_GLOBAL)
    return (versym & elf::kVersionHidden) == 0 || (v != 0 && symbol.st_shndx != SHN_UNDEF);
  return v < m.versions.size() && m.versions[v].name != nullptr;
}

}  // namespace myld::scope
