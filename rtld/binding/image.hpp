// The image: modules at places that were chosen when the file was made, and their writable pages as
// they are after relocation (docs/binding.md).
#pragma once
#include "rtld/binding/identity.hpp"
#include "rtld/binding/storage.hpp"

namespace myld::binding {

/// In a start: the range is reserved, and each module is told where it goes.
class ImageInUse {
public:
  constexpr ImageInUse() = default;

  /// Opens the image that `view` speaks of and reserves its range. False: there is none, or it is
  /// not used; `why` says so then.
  bool begin(const Runtime& runtime, const View& view, const char*& why);
  /// Where module `number` goes, or nullptr.
  const map::Placed* placed(std::uint32_t number) const;
  /// The placement of module `number`, or nullptr.
  const PlacementRecord* placement(std::uint32_t number) const;
  /// Is every module where the image takes it to be?
  bool is_complete(const Numbers& numbers) const;
  bool in_use() const { return fd_ >= 0; }
  /// Needs: no module is mapped any more, or all are relocated.
  void end();

private:
  const View* view_ = nullptr;
  int fd_ = -1;
  Vec<std::uint32_t> by_module_;  ///< number of its placement + 1
  Vec<map::Placed> placed_;
  Vec<map::ImagePart> parts_;
};

/// Pages of a closure, relocated, in the order of the image file.
class ImageBuilder {
public:
  explicit ImageBuilder(const Runtime& runtime) : runtime_(runtime) {}

  /// Chooses places for all modules but the program and the loader. Needs: mapped as data.
  Status place(const Numbers& numbers);
  /// Puts the pages of module `number` down, relocated: `slots` are those of kind address, and
  /// those whose provider has no place are appended to `moving`.
  Status add(std::uint32_t number,
             const load::Module& module,
             std::span<const Slot> slots,
             Vec<Slot>& moving);

  std::uint64_t at() const { return at_; }
  std::uint64_t bytes() const { return bytes_; }
  std::span<const PlacementRecord> placements() const { return placements_.span(); }
  std::span<const PartRecord> parts() const { return parts_.span(); }
  std::span<const std::uint8_t> pages() const { return pages_.span(); }

private:
  bool copy_pages(const load::Module& module, PlacementRecord& placement);
  std::uint8_t* word(const load::Module& module, const PlacementRecord& p, std::uint64_t at);
  bool relocate(const load::Module& module,
                const PlacementRecord& p,
                std::span<const Slot> slots,
                Vec<Slot>& moving);
  bool relr(const load::Module& module, const PlacementRecord& p);

  const Runtime& runtime_;
  std::uint64_t at_ = 0, bytes_ = 0;
  Vec<std::uint64_t> biases_;  ///< by module number; kNoPlace: it has none
  Vec<PlacementRecord> placements_;
  Vec<PartRecord> parts_;
  Vec<std::uint8_t> pages_;
};

}  // namespace myld::binding
