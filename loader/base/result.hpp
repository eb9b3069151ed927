// A value or an Error. C++20 has no std::expected.
#pragma once
#include "loader/base/error.hpp"

#include <new>
#include <utility>

namespace myld {

template <class T>
class [[nodiscard]] Result {
public:
  Result(T value) : value_(std::move(value)) {}
  [[gnu::cold, gnu::noinline]] Result(const Error& error) : error_(error) {}

  bool ok() const { return error_.code == Code::none; }
  explicit operator bool() const { return ok(); }
  T& value() { return value_; }
  const T& value() const { return value_; }
  const Error& error() const { return error_; }

private:
  T value_{};
  Error error_{};
};

template <>
class [[nodiscard]] Result<void> {
public:
  Result() = default;
  [[gnu::cold, gnu::noinline]] Result(const Error& error) : error_(error) {}
  bool ok() const { return error_.code == Code::none; }
  explicit operator bool() const { return ok(); }
  const Error& error() const { return error_; }

private:
  Error error_{};
};

using Status = Result<void>;

}  // namespace myld

/// Evaluates a Result; returns its error from the enclosing function, or gives its value.
#define MYLD_TRY(expression)                                                                       \
  ({                                                                                               \
    auto try_result_ = (expression);                                                               \
    if (!try_result_.ok()) return try_result_.error();                                             \
    std::move(try_result_.value());                                                                \
  })
/// The same for a Status.
#define MYLD_CHECK(expression)                                                                     \
  do {                                                                                             \
    auto check_result_ = (expression);                                                             \
    if (!check_result_.ok()) return check_result_.error();                                         \
  } while (false)
