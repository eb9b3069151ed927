// Who a file is, as the binding file keeps it.
#pragma once
#include "loader/binding/format.hpp"
#include "loader/elf/image.hpp"
#include "loader/load/module.hpp"
#include "loader/sys/calls.hpp"

namespace myld::binding {

Identity identity_of(const sys::Stat& stat);
/// Needs: the image's notes are mapped.
BuildId build_id_of(const elf::Image& image);

/// Module numbers of the binding file: 0 is the program, 1 the loader, the others follow in the
/// order in which they were loaded.
class Numbers {
public:
  constexpr Numbers() = default;
  /// Needs: nothing of the program's closure is loaded yet.
  Numbers(const load::Namespace& ns, const load::Module* program, const load::Module* self)
      : ns_(&ns), program_(program), self_(self),
        first_(static_cast<std::uint32_t>(ns.modules.size())) {}

  /// kNone: it has no number (the vDSO).
  std::uint32_t of(const load::Module* m) const {
    if (m == program_) return 0;
    if (m == self_) return 1;
    return m->index < first_ ? kNone : m->index - first_ + 2;
  }
  std::uint32_t count() const {
    return static_cast<std::uint32_t>(ns_->modules.size()) - first_ + 2;
  }
  /// nullptr: there is none.
  load::Module* module(std::uint32_t number) const {
    if (number < 2) return const_cast<load::Module*>(number == 0 ? program_ : self_);
    return number < count() ? ns_->modules[first_ + number - 2] : nullptr;
  }

private:
  const load::Namespace* ns_ = nullptr;
  const load::Module* program_ = nullptr;
  const load::Module* self_ = nullptr;
  std::uint32_t first_ = 0;
};

}  // namespace myld::binding
