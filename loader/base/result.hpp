// A value or an Error. C++20 has no std::expected.
#pragma once
#include "loader/base/error.hpp"

#include <new>
#include <utility>

namespace myld {

/// The error's fields are not written where there is none: success is by far the usual case. Making
/// one of an Error is a call, and cold, so that compilers move failures out of the way.
template <class T>
class [[nodiscard]] Result {
public:
  Result(T value) : value_(std::move(value)) {}
  [[gnu::cold, gnu::noinline]] Result(const Error& error) : code_(error.code), error_(error) {}

  bool ok() const { return code_ == Code::none; }
  explicit operator bool() const { return ok(); }
  T& value() { return value_; }
  const T& value() const { return value_; }
  /// Needs: !ok().
  const Error& error() const { return error_; }
  /// Code::none for a value.
  Error error_if_any() const { return ok() ? Error{} : error_; }

private:
  T value_{};
  Code code_ = Code::none;
  union {
    Error error_;
  };
};

template <>
class [[nodiscard]] Result<void> {
public:
  Result() {}
  [[gnu::cold, gnu::noinline]] Result(const Error& error) : code_(error.code), error_(error) {}
  bool ok() const { return code_ == Code::none; }
  explicit operator bool() const { return ok(); }
  /// Needs: !ok().
  const Error& error() const { return error_; }
  /// Code::none where there is none.
  Error error_if_any() const { return ok() ? Error{} : error_; }

private:
  Code code_ = Code::none;
  union {
    Error error_;
  };
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
