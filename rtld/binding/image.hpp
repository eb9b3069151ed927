// The image in a start: the memory of the libraries of a closure as it is after relocation, in one
// file, at a place that was chosen when the file was made (docs/binding.md).
#pragma once
#include "rtld/binding/identity.hpp"
#include "rtld/binding/storage.hpp"

namespace myld::binding {

class ImageInUse {
public:
  constexpr ImageInUse() = default;

  /// Maps the image that `view` speaks of, with the protection that everything in it begins with,
  /// if the files of all its modules are what they were. False: there is none, or it is not used;
  /// `why` says so then, and nothing is mapped.
  bool begin(const Runtime& runtime, const View& view, const char*& why);
  /// Where module `number` is, or nullptr.
  const map::Placed* placed(std::uint32_t number) const;
  /// The placement of module `number`, or nullptr.
  const PlacementRecord* placement(std::uint32_t number) const;
  /// Is every module where the image takes it to be?
  bool is_complete(const Numbers& numbers) const;
  bool in_use() const { return view_ != nullptr; }
  /// Its pages are of no use. Needs: no module is in it any more that `numbers` knows.
  void leave(const Numbers& numbers);
  /// What was writable while words were stored becomes read-only. Needs: all modules are relocated.
  /// Errors: cannot_protect.
  Status end();

private:
  const char* open(const Runtime& runtime, const View& view);
  bool protect(std::uint64_t page_size) const;

  const View* view_ = nullptr;
  Vec<std::uint32_t> by_module_;  ///< number of its placement + 1
  Vec<map::Placed> placed_;
};

}  // namespace myld::binding
