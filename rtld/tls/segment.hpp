// What a module's PT_TLS says.
#pragma once
#include "loader/load/module.hpp"
#include "rtld/tls/static_layout.hpp"

namespace myld::tls {

/// Needs: the module has one.
inline const elf::Phdr& segment(const load::Module& m) { return *m.image.segments.tls; }

inline std::uint64_t tls_bytes(const load::Module& m) {
  return m.tls.module_id == 0 ? 0 : segment(m).p_memsz;
}

inline BlockShape shape(const load::Module& m) {
  return {segment(m).p_memsz, segment(m).p_align, segment(m).p_vaddr};
}

}  // namespace myld::tls
