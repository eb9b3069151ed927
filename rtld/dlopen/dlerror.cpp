// dlerror(3): one text per thread, kept in the loader's record of the thread, so that it survives
// the module it speaks of.
#include "loader/base/mem.hpp"
#include "loader/sys/log.hpp"
#include "rtld/dlopen/dlfcn.hpp"
#include "rtld/dlopen/object_index.hpp"
#include "rtld/entry.hpp"

#include <new>

namespace myld::dlopen {
namespace {

/// Programs look for many names that are not there and read no text: it is made when it is read.
/// False: it must be made now, since strings are too long to be kept whole or there is no memory.
bool keep_unread(tls::Thread& t, const Error& error) {
  if (t.kept == nullptr) t.kept = static_cast<KeptError*>(heap::allocate(sizeof(KeptError)));
  if (t.kept != nullptr && t.kept->keep_whole(error, t.unread)) return true;
  t.unread.code = Code::none;
  return false;
}

void make_text(tls::Thread& t, const Error& error) {
  char text[1024];
  std::size_t n = render(error, text, sizeof text);
  t.error.text = copy_string(text, n);
  if (t.error.text == nullptr) t.error.text = tls::g_out_of_memory;
}

}  // namespace

void make_unread_text() {
  tls::Thread* t = tls::current_thread();
  if (t == nullptr || !t->unread) return;
  make_text(*t, t->unread);
  t->unread = {};
}

void choose_errors_of(std::uintptr_t caller) {
  tls::Thread* t = tls::current_thread();
  if (t == nullptr) return;
  std::uint64_t serial = 0;
  if (the_runtime().namespaces.size() > 1) {
    ReadSection section;
    const Module* m = module_at(caller);
    if (m != nullptr) serial = m->ns->serial;
  }
  tls::ErrorText& now = t->error;
  if (now.serial == serial) return;
  make_unread_text();
  tls::ErrorText** place = &now.others;
  while (*place != nullptr && (*place)->serial != serial) place = &(*place)->others;
  if (*place == nullptr) {
    void* memory = heap::allocate(sizeof(tls::ErrorText));
    if (memory == nullptr) return;  // better somebody else's error than none
    *place = new (memory) tls::ErrorText{.serial = serial};
  }
  // The first stays the first: only what is in it changes places.
  tls::ErrorText& wanted = **place;
  tls::ErrorText kept = now;
  now = {wanted.serial, wanted.text, wanted.pending, wanted.reported, now.others};
  wanted = {kept.serial, kept.text, kept.pending, kept.reported, wanted.others};
}

void forget_pending_error(tls::Thread& t) {
  t.error.pending = false;
  t.unread.code = Code::none;
  if (t.error.text != nullptr) tls::release_error_text(t.error.text);
}

void set_error(const Error& error) {
  tls::Thread* t = tls::current_thread();
  if (t == nullptr) return;
  clear_error();
  if (!error) return;
  log::failure_if_wanted(error);
  if (!keep_unread(*t, error)) make_text(*t, error);
  t->error.pending = true;
}

char* error() {
  tls::Thread* t = tls::current_thread();
  if (t == nullptr) return nullptr;
  if (!t->error.pending && t->error.reported == nullptr) return nullptr;
  tls::release_error_text(t->error.reported);
  if (!t->error.pending) return nullptr;
  make_unread_text();
  t->error.pending = false;
  t->error.reported = t->error.text;
  t->error.text = nullptr;
  return t->error.reported;
}

}  // namespace myld::dlopen
