// A hash table of pointers: open addressing, linear probing, growth at half load. The owner of the
// things says what equality is.
#pragma once
#include "loader/heap/hash.hpp"
#include "loader/heap/heap.hpp"

#include <cstddef>
#include <cstdint>

namespace myld {

template <class T>
class PointerTable {
public:
  constexpr PointerTable() = default;
  PointerTable(const PointerTable&) = delete;
  PointerTable& operator=(const PointerTable&) = delete;
  ~PointerTable() { heap::release(slots_, size_ * sizeof(Slot)); }

  /// The value with this hash for which `equal(value)`, or nullptr.
  template <class Equal>
  T* find(std::uint64_t hash, Equal equal) const {
    if (size_ == 0) return nullptr;
    for (std::size_t i = hash & (size_ - 1);; i = (i + 1) & (size_ - 1)) {
      const Slot& s = slots_[i];
      if (s.value == nullptr) return nullptr;
      if (s.value != tombstone() && s.hash == hash && equal(*s.value)) return s.value;
    }
  }

  /// False when memory ran out; then nothing changed.
  [[nodiscard]] bool insert(std::uint64_t hash, T* value) {
    // Doubles when the live entries need it; otherwise only sweeps the tombstones out.
    if ((used_ + 1) * 2 > size_ && !rebuild(size_ == 0                ? 16
                                            : (live_ + 1) * 4 > size_ ? size_ * 2
                                                                      : size_))
      return false;
    place(hash, value);
    ++used_;
    ++live_;
    return true;
  }

  void erase(std::uint64_t hash, const T* value) {
    if (size_ == 0) return;
    for (std::size_t i = hash & (size_ - 1); slots_[i].value != nullptr; i = (i + 1) & (size_ - 1))
      if (slots_[i].value == value && slots_[i].hash == hash) {
        bury(i);
        // Ten thousand that went leave no mapping behind. Without memory the table stays as it is.
        if (size_ > kKeptSize && live_ * 16 < size_) static_cast<void>(rebuild(size_ / 4));
        return;
      }
  }

  std::size_t size() const { return live_; }

private:
  struct Slot {
    std::uint64_t hash;
    T* value;
  };
  /// Slots that a table keeps although it is nearly empty: they are no mapping of their own.
  static constexpr std::size_t kKeptSize = 512;
  static T* tombstone() { return reinterpret_cast<T*>(std::uintptr_t{1}); }

  void place(std::uint64_t hash, T* value) {
    std::size_t i = hash & (size_ - 1);
    while (slots_[i].value != nullptr) i = (i + 1) & (size_ - 1);
    slots_[i] = {hash, value};
  }

  /// A slot is marked so that searches go on past it, unless none has to: what comes and goes again
  /// and again then leaves nothing behind.
  void bury(std::size_t i) {
    --live_;
    slots_[i].value = tombstone();
    if (slots_[(i + 1) & (size_ - 1)].value != nullptr) return;
    for (; slots_[i].value == tombstone(); i = (i - 1) & (size_ - 1)) {
      slots_[i].value = nullptr;
      --used_;
    }
  }

  /// Moves the live entries, which must be fewer, to a table of `size` slots.
  bool rebuild(std::size_t size) {
    auto* slots = static_cast<Slot*>(heap::allocate(size * sizeof(Slot)));
    if (slots == nullptr) return false;
    Slot* old = slots_;
    std::size_t old_size = size_;
    slots_ = slots;
    size_ = size;
    used_ = live_;
    for (std::size_t i = 0; i < old_size; ++i)
      if (old[i].value != nullptr && old[i].value != tombstone()) place(old[i].hash, old[i].value);
    heap::release(old, old_size * sizeof(Slot));
    return true;
  }

  Slot* slots_ = nullptr;
  std::size_t size_ = 0, used_ = 0, live_ = 0;
};

}  // namespace myld
