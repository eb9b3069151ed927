#include "rtld/relocate/prefault.hpp"

#include "loader/sys/calls.hpp"

namespace myld::relocate {

void prefault(const elf::Image& image, std::uint64_t page_size) {
  each_dense_extent(image, page_size, [&](const Extent& e) {
    sys::advise(image.at<void>({e.start}), e.end - e.start, sys::kMadvPopulateWrite);
  });
}

}  // namespace myld::relocate
