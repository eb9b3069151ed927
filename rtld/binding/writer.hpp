// Makes the bytes of a binding file.
#pragma once
#include "rtld/binding/bytes.hpp"
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
  /// A file whose image is made again, at its place, and compared: nothing is written. nullptr, or
  /// a view whose header has an image.
  const View* compared = nullptr;
  /// Of `compared`: how many pages are not what they should be.
  std::uint64_t* different_pages = nullptr;
};

/// The file for the closure that is loaded, its scopes made. `order`: dependencies first, as
/// relocation goes. `one_by_one`: every reference by the plain walk through its scope, in place of
/// all in one go. Nothing of the modules is changed. Errors: as append_slots.
Status make_file(const Contents& contents,
                 std::span<load::Module* const> order,
                 bool one_by_one,
                 Bytes& out);

}  // namespace myld::binding
