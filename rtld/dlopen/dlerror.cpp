// dlerror(3): one text per thread, kept in the loader's record of the thread, so that it survives
// the module it speaks of.
#include "loader/base/mem.hpp"
#include "rtld/dlopen/dlfcn.hpp"

namespace myld::dlopen {
namespace {

/// What dlerror says when there was no memory for the text.
constinit char g_no_memory[] = "out of memory";

void release_text(char*& text) {
  if (text != g_no_memory) release_string(text);
  text = nullptr;
}

}  // namespace

void clear_error() {
  tls::Thread* t = tls::current_thread();
  if (t == nullptr || !t->error.pending) return;
  t->error.pending = false;
  release_text(t->error.text);
}

void set_error(const Error& error) {
  tls::Thread* t = tls::current_thread();
  if (t == nullptr) return;
  clear_error();
  if (!error) return;
  char text[1024];
  std::size_t n = render(error, text, sizeof text);
  t->error.text = copy_string(text, n);
  if (t->error.text == nullptr) t->error.text = g_no_memory;
  t->error.pending = true;
}

char* error() {
  tls::Thread* t = tls::current_thread();
  if (t == nullptr) return nullptr;
  release_text(t->error.reported);
  if (!t->error.pending) return nullptr;
  t->error.pending = false;
  t->error.reported = t->error.text;
  t->error.text = nullptr;
  return t->error.reported;
}

}  // namespace myld::dlopen
