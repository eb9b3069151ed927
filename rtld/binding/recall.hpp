// A start with a binding file: searches are answered from it, and relocations get their values from
// it, as long as everything is as it was when the file was written.
#pragma once
#include "rtld/binding/identity.hpp"
#include "rtld/binding/image.hpp"
#include "rtld/binding/storage.hpp"
#include "rtld/relocate/relocate.hpp"
#include "rtld/runtime.hpp"

namespace myld::binding {

class Recall {
public:
  constexpr Recall() = default;

  /// Opens the file for this request and compares what can be compared before anything is loaded.
  /// True: searches are answered from now on. Needs: the program, the loader and the
  /// configuration are there, nothing of the closure is.
  bool begin(Runtime& runtime, const Policy& policy, const char* program, const char* key);

  /// The closure is loaded. True: every module is the one that the file speaks of, so that its
  /// slots may be used. Searches are no longer answered. False, and all modules have the pages of
  /// their own files; should that fail, `error` is set.
  bool loaded(Status& error);

  /// Of a module of the closure. Needs: loaded() was true.
  relocate::BoundSlots slots_of(const load::Module& module) const;

  /// Takes the file away, if there is one.
  void remove();
  /// Everything is relocated. Errors: cannot_protect.
  Status end();

private:
  bool refuse(const char* why, const char* what = nullptr);
  const char* distrust_content();
  bool has_all_slots();
  const char* compare_request(const char* program, const char* key);
  bool compare_stamps();
  bool compare_modules();
  Status leave_image();
  bool answer_from_image(const SearchRecord& search, find::Found& out);
  bool answer(const char* name, find::Requester* requester, find::Found& out, Status& result);
  static bool recall(
      void* self, const char* name, find::Requester* requester, find::Found& out, Status& result) {
    return static_cast<Recall*>(self)->answer(name, requester, out, result);
  }

  Runtime* runtime_ = nullptr;
  StoredFile file_;
  View view_;
  Numbers numbers_;
  ImageInUse image_;
  std::size_t next_ = 0;  ///< search that is to be made next
  bool valid_ = false;    ///< nothing was seen that is not as it was
  Vec<load::Module*> modules_;
  Vec<std::uint64_t> biases_;
};

}  // namespace myld::binding
