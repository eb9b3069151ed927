#include "loader/base/error.hpp"
#include "loader/base/mem.hpp"

namespace myld {
namespace {

/// Copies `text` to `to`, without its middle if it is too long: the end of a path says more than
/// its beginning. Returns `to`, or nullptr for no text.
template <std::size_t N>
const char* keep_string(const char* text, char (&to)[N]) {
  if (text == nullptr || text == to) return text;
  std::size_t n = strlen(text);
  if (n < N) {
    memmove(to, text, n + 1);
    return to;
  }
  constexpr std::size_t kGap = 3, kHead = N / 4, kTail = N - 1 - kHead - kGap;
  memmove(to, text, kHead);
  memcpy(to + kHead, "...", kGap);
  memmove(to + kHead + kGap, text + n - kTail, kTail);
  to[N - 1] = 0;
  return to;
}

template <std::size_t N>
bool keep_whole_string(const char*& text, char (&to)[N]) {
  if (text == nullptr || text == to) return true;
  std::size_t n = strlen(text);
  if (n >= N) return false;
  memcpy(to, text, n + 1);
  text = to;
  return true;
}

}  // namespace

bool KeptError::keep_whole(const Error& error, Error& kept) {
  kept = error;
  return keep_whole_string(kept.object, object_) && keep_whole_string(kept.subject, subject_) &&
         keep_whole_string(kept.detail, detail_);
}

Error KeptError::keep(const Error& error) {
  Error e = error;
  e.object = keep_string(error.object, object_);
  e.subject = keep_string(error.subject, subject_);
  e.detail = keep_string(error.detail, detail_);
  return e;
}

}  // namespace myld
