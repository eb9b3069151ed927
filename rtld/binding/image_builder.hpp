// Makes an image (docs/binding.md).
#pragma once
#include "rtld/binding/bytes.hpp"
#include "rtld/binding/identity.hpp"
#include "rtld/binding/image_areas.hpp"
#include "rtld/runtime.hpp"

namespace myld::binding {

/// The memory of a closure, relocated, as it is going to lie.
class ImageBuilder {
public:
  explicit ImageBuilder(const Runtime& runtime) : runtime_(runtime) {}

  /// Chooses places for all modules but the program, the loader and those that cannot lie ready.
  /// `at`: where the image is to be; 0: at random. Needs: mapped as data.
  Status place(const Numbers& numbers, std::uint64_t at);
  /// Puts the memory of module `number` down, relocated: of its `slots`, those of kind address
  /// come first, `addresses` of them; those whose provider has no place are appended to `moving`.
  Status add(std::uint32_t number,
             const load::Module& module,
             std::span<const Slot> slots,
             std::uint32_t addresses,
             Vec<Slot>& moving);

  std::uint64_t at() const { return at_; }
  std::span<const PlacementRecord> placements() const { return placements_.span(); }
  /// Needs: all modules are added. False: no memory.
  bool gather_areas(Vec<AreaRecord>& out) const;
  std::span<const std::uint8_t> memory() const { return memory_.span(); }

private:
  struct Place {
    std::uint64_t bias = 0, offset = 0, bytes = 0;
    bool is_fixed = false;
    std::uint32_t first_area = 0, areas = 0;
  };

  Status choose(std::uint64_t bytes, std::uint64_t align);
  bool copy(const load::Module& module, const Place& place);
  bool add_areas(const load::Module& module, Place& place, std::span<const StoredRange> stored);
  bool find_stored(const load::Module& module,
                   std::span<const Slot> moving,
                   std::span<const Slot> others,
                   Vec<StoredRange>& out) const;
  std::uint8_t* word(const load::Module& module, const Place& p, std::uint64_t at);
  bool relocate(const load::Module& module,
                const Place& p,
                std::span<const Slot> slots,
                Vec<Slot>& moving);
  bool relr(const load::Module& module, const Place& p);
  void relocate_dynamic(const load::Module& module, const Place& p);

  const Runtime& runtime_;
  std::uint64_t at_ = 0;
  Vec<Place> places_;  ///< by module number
  Vec<PlacementRecord> placements_;
  Vec<AreaRecord> areas_;  ///< in the order in which modules were added
  Bytes memory_;
};

}  // namespace myld::binding
