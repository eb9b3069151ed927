// What searching and the lists of directories share: paths put together, lists taken apart.
#pragma once
#include "loader/base/mem.hpp"
#include "loader/base/path.hpp"
#include "loader/base/result.hpp"
#include "loader/heap/heap.hpp"
#include "loader/sys/calls.hpp"

#include <string_view>

namespace myld::find {

/// Calls visit(element) for each non-empty element of a list separated by ':'. `list` may be null.
template <class Visit>
void each_element(const char* list, Visit visit) {
  for (const char* p = list; p != nullptr && *p != 0;) {
    const char* end = p;
    while (*end != 0 && *end != ':') ++end;
    if (end != p) visit(std::string_view(p, static_cast<std::size_t>(end - p)));
    p = *end == 0 ? end : end + 1;
  }
}

inline Error not_found(const char* name) {
  return {.code = Code::cannot_open, .sys_errno = sys::kEnoent, .object = name};
}

/// A path of up to three parts. Long ones are on the heap: a thread that calls dlopen may have 16
/// KiB of stack for everything (PTHREAD_STACK_MIN).
class Path {
public:
  Path(std::string_view a, std::string_view b, std::string_view c) {
    bytes_ = a.size() + b.size() + c.size() + 1;
    if (bytes_ > kPathMax) return;
    text_ = bytes_ <= sizeof short_ ? short_ : static_cast<char*>(heap::allocate(bytes_));
    if (text_ == nullptr) return;
    char* to = text_;
    for (std::string_view part : {a, b, c}) {
      memcpy(to, part.data(), part.size());
      to += part.size();
    }
    *to = 0;
  }
  ~Path() {
    if (text_ != nullptr && text_ != short_) heap::release(text_, bytes_);
  }
  Path(const Path&) = delete;
  Path& operator=(const Path&) = delete;

  /// nullptr: longer than any path may be, or no memory.
  const char* text() const { return text_; }
  /// Why there is no text, of a search for `name`: the system has no file with such a path.
  Error error(const char* name) const {
    return bytes_ > kPathMax ? not_found(name) : Error{.code = Code::out_of_memory, .object = name};
  }

private:
  char short_[240];
  char* text_ = nullptr;
  std::size_t bytes_;
};

}  // namespace myld::find
