#include "tests/fuzz/heap_image.hpp"

#include <sanitizer/asan_interface.h>

namespace myld::fuzz {
namespace {

constexpr std::uint64_t kMostBytes = 64 * kPage;

}  // namespace

std::unique_ptr<HeapImage> HeapImage::make(std::span<const std::uint8_t> file) {
  auto header = elf::check_header(file, file.size(), "fuzz", elf::kAnyMachine);
  if (!header) return nullptr;
  std::unique_ptr<HeapImage> image(new HeapImage);
  image->header_ = header.value();
  std::size_t count = image->header_.e_phnum;
  image->phdrs_.reset(new elf::Phdr[count]);
  std::memcpy(image->phdrs_.get(), file.data() + image->header_.e_phoff, count * sizeof(elf::Phdr));
  auto segments = elf::check_segments({image->phdrs_.get(), count}, file.size(), kPage, {}, "fuzz");
  if (!segments) return nullptr;
  image->segments_ = segments.value();
  const elf::Segments& s = image->segments_;
  image->bytes_ = s.end.value - s.start.value;
  if (image->bytes_ == 0 || image->bytes_ > kMostBytes) return nullptr;
  image->memory_ = static_cast<std::uint8_t*>(std::aligned_alloc(kPage, image->bytes_));
  std::memset(image->memory_, 0xa5, image->bytes_);
  image->bias_ = {reinterpret_cast<std::uintptr_t>(image->memory_) - s.start.value};
  for (const elf::Phdr& p : s.phdrs) {
    if (p.p_type != PT_LOAD) continue;
    map::Step steps[3];
    std::size_t n = map::plan_segment(p, kPage, steps);
    for (std::size_t i = 0; i < n; ++i) image->put(steps[i], file);
  }
  image->poison_gaps();
  return image;
}

HeapImage::~HeapImage() {
  if (memory_ == nullptr) return;
  ASAN_UNPOISON_MEMORY_REGION(memory_, bytes_);
  std::free(memory_);
}

void HeapImage::put(const map::Step& step, std::span<const std::uint8_t> file) {
  std::uint64_t at = step.at.value - segments_.start.value;
  FUZZ_EXPECT(at <= bytes_ && step.bytes <= bytes_ - at);
  if (step.kind == map::Step::Kind::none) return;
  std::memset(memory_ + at, 0, step.bytes);
  if (step.kind != map::Step::Kind::file || step.offset.value >= file.size()) return;
  std::uint64_t rest = file.size() - step.offset.value;
  std::memcpy(memory_ + at, file.data() + step.offset.value, std::min(step.bytes, rest));
}

/// Nothing but the memory of readable segments may be looked at.
void HeapImage::poison_gaps() {
  ASAN_POISON_MEMORY_REGION(memory_, bytes_);
  for (const elf::Phdr& p : segments_.phdrs)
    if (p.p_type == PT_LOAD && (p.p_flags & PF_R) != 0)
      ASAN_UNPOISON_MEMORY_REGION((bias_ + LinkAddr{p.p_vaddr}).as<void>(), p.p_memsz);
}

void HeapImage::remember() {
  ASAN_UNPOISON_MEMORY_REGION(memory_, bytes_);
  before_.assign(memory_, memory_ + bytes_);
  poison_gaps();
}

bool HeapImage::read_only_parts_are_unchanged() const {
  ASAN_UNPOISON_MEMORY_REGION(memory_, bytes_);
  for (std::size_t i = 0; i < bytes_; ++i) {
    if (memory_[i] == before_[i]) continue;
    const elf::Phdr* p = segments_.find(segments_.start + i, 1);
    if (p == nullptr || (p->p_flags & PF_W) == 0) return false;
  }
  return true;
}

}  // namespace myld::fuzz
