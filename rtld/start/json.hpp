// JSON for machines: written as it goes, nothing is kept. Source: RFC 8259.
#pragma once
#include "loader/sys/text.hpp"

#include <span>

namespace myld::start {

/// Strings that are not UTF-8 (paths may be anything) have their odd bytes written as U+00XX.
class Json {
public:
  explicit Json(sys::Text& out) : out_(out) {}

  void open_object(const char* key = nullptr) { open(key, '{'); }
  void open_list(const char* key = nullptr) { open(key, '['); }
  void close_object() { close('}'); }
  void close_list() { close(']'); }

  /// Members of an object, or with key nullptr elements of a list. A null string is `null`.
  void string(const char* key, const char* value) {
    begin(key);
    if (value == nullptr)
      out_ << "null";
    else
      quote(value);
  }
  void strings(const char* key, std::span<const char* const> list) {
    open_list(key);
    for (const char* each : list) string(nullptr, each);
    close_list();
  }
  void number(const char* key, std::uint64_t value) {
    begin(key);
    out_ << sys::Decimal{value};
  }
  /// Addresses are strings: JSON's numbers lose the low bits of large ones.
  void address(const char* key, std::uint64_t value) {
    begin(key);
    out_ << '"' << sys::Hex{value} << '"';
  }
  void boolean(const char* key, bool value) {
    begin(key);
    out_ << (value ? "true" : "false");
  }

private:
  void begin(const char* key) {
    if (!first_) out_ << ',';
    first_ = false;
    if (key == nullptr) return;
    quote(key);
    out_ << ':';
  }
  void open(const char* key, char bracket) {
    begin(key);
    out_ << bracket;
    first_ = true;
  }
  void close(char bracket) {
    out_ << bracket;
    first_ = false;
  }
  void quote(const char* text);

  sys::Text& out_;
  bool first_ = true;
};

}  // namespace myld::start
