// All that keeps a program from starting, told at once when the start gives up: missing libraries,
// versions and symbols, who needs them, where they were looked for, what is nearly right, and which
// package would bring them.
#pragma once
#include "rtld/runtime.hpp"

namespace myld::start {

class Failures {
public:
  /// Keeps a copy of the error. What there is no memory for is not told.
  void add(const Error& error);
  bool empty() const { return all_.empty(); }

  /// After libraries were missing: versions and symbols that are missing in what was found, which a
  /// start that stops here would not have come to. Symbols whose version is expected from a library
  /// that is missing are counted with that library.
  void find_the_rest(Runtime& runtime, std::span<load::Module* const> closure);

  /// Writes the report to standard error, or as JSON to standard output.
  void tell(Runtime& runtime, int status, bool json);

private:
  struct Failure {
    Error error;
    std::uint64_t users = 0;  ///< of a library: symbols that are expected from it
  };
  static std::uint64_t hash_of(const Error& error);
  Failure* find(const Error& error) const;
  Failure* find_library(const char* name) const;
  Failure* find_version(const char* name, const char* user) const;
  void find_symbols(load::Module& module);

  Vec<Failure*> all_;  ///< blocks on the heap, in the order of their coming
  /// To be found again, since tens of thousands of symbols may be missing: all, the first of each
  /// library by its name, and of each version by its name and who needs it.
  PointerTable<Failure> known_, libraries_, versions_;
};

}  // namespace myld::start
