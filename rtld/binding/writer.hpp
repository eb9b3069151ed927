// Makes the bytes of a binding file.
#pragma once
#include "rtld/binding/recorder.hpp"
#include "rtld/binding/slots.hpp"
#include "rtld/runtime.hpp"

namespace myld::binding {

/// What a file is made of.
struct Contents {
  Runtime& runtime;
  const Recorder& recorder;
  const char* program;  ///< the program's path
  const char* key;
  const char* image = nullptr;  ///< path of the image that is written as well; nullptr: none is
};

/// A file in memory, given back with the object.
class Bytes {
public:
  constexpr Bytes() = default;
  ~Bytes();
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  bool allocate(std::size_t bytes);
  std::uint8_t* data() { return data_; }
  std::span<const std::uint8_t> span() const { return {data_, size_}; }

private:
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

/// The file for the closure that is loaded, its scopes made. `order`: dependencies first, as
/// relocation goes. `one_by_one`: every reference by the plain walk through its scope, in place of
/// all in one go. Nothing of the modules is changed. Errors: as append_slots.
Status make_file(const Contents& contents,
                 std::span<load::Module* const> order,
                 bool one_by_one,
                 Bytes& out);

}  // namespace myld::binding
