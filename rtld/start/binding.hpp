// The binding file in the start of a program (docs/binding.md): used where it is valid, written
// where that was asked for.
#pragma once
#include "rtld/binding/recall.hpp"
#include "rtld/binding/writer.hpp"
#include "rtld/start/report.hpp"

namespace myld::start {

class Binding {
public:
  explicit Binding(Runtime& runtime) : runtime_(runtime) {}
  ~Binding();
  Binding(const Binding&) = delete;
  Binding& operator=(const Binding&) = delete;

  /// Looks for the program's file, or watches for one. Needs: the configuration is read, nothing of
  /// the closure is loaded.
  void begin();
  /// The closure is loaded. True: it is as it was, and need not be looked at.
  bool loaded(StartErrors& errors);
  /// What is known of a module's relocations. Needs: loaded() was true.
  relocate::BoundSlots slots_of(const load::Module& module) const {
    return recall_.slots_of(module);
  }
  /// Everything is relocated: writes the file where MYLD_BINDING says auto. A failure stops
  /// nothing. Errors: of an image, as Recall::end.
  void relocated(std::span<load::Module* const> order, StartErrors& errors);

  /// --bind, --verify-binding: ends the process. Needs: scopes made.
  [[noreturn]] void finish(StartErrors& errors, std::span<load::Module* const> order);

private:
  void recall_or_record();
  void write_recorded(std::span<load::Module* const> order);
  bool watching() const { return recorder_ != nullptr; }
  void forget_stale();
  void choose_paths(StartErrors& errors, char (&path)[4096], char (&image)[4096]);
  void write(StartErrors& errors, const char* path, std::span<const std::uint8_t> file);
  [[noreturn]] void
  verify(StartErrors& errors, binding::Contents& contents, std::span<load::Module* const> order);

  Runtime& runtime_;
  binding::Policy policy_;
  char* program_ = nullptr;
  char* key_ = nullptr;
  const char* refused_ = nullptr;  ///< why nothing can be kept, once the closure is loaded
  binding::Recorder* recorder_ = nullptr;
  binding::Recall recall_;
};

/// LD_DEBUG=files and --verify-binding: where two files differ. Writes lines to standard output and
/// returns how many differences there are.
std::uint64_t compare_bindings(const binding::View& stored, const binding::View& fresh);

}  // namespace myld::start
