// myld_dlopen_ex (include/myld.h): from whatever the caller has to an open file with a name that a
// debugger can open too; from there on it is dlopen.
#include "loader/base/mem.hpp"
#include "loader/heap/heap.hpp"
#include "rtld/dlopen/dlfcn.hpp"
#include "rtld/entry.hpp"

namespace myld::dlopen {
namespace {

/// struct myld_open of include/myld.h, whose layout is the public one.
struct OpenRequest {
  std::size_t size;
  int source;
  int flags;
  long ns;
  const char* path;
  int fd;
  int unused;
  std::uint64_t offset;
  std::size_t length;
  const void* bytes;
  void* address;
  std::size_t address_size;
};
static_assert(sizeof(OpenRequest) == 80);
enum Source : int { kPath = 0, kDescriptor = 1, kMemory = 2 };

constexpr std::size_t kPathMax = 4096;

/// "/proc/PID/fd/N": another process, a debugger, opens the same file by it.
void name_by_descriptor(char* to, int fd) {
  auto add = [&](const char* s) {
    while (*s != 0) *to++ = *s++;
  };
  auto number = [&](std::uint64_t value) {
    char digits[20];
    std::size_t n = 0;
    do digits[n++] = static_cast<char>('0' + value % 10);
    while ((value /= 10) != 0);
    while (n != 0) *to++ = digits[--n];
  };
  add("/proc/");
  number(static_cast<std::uint64_t>(sys::getpid()));
  add("/fd/");
  number(static_cast<std::uint64_t>(fd));
  *to = 0;
}

/// The path of the file that `fd` is open on, if it is still the same file's.
bool find_path(int fd, char (&path)[kPathMax]) {
  char link[64];
  name_by_descriptor(link, fd);
  long n = sys::readlink(link, path, sizeof path - 1);
  if (n <= 0 || path[0] != '/') return false;
  path[n] = 0;
  sys::Stat wanted, found;
  long other = sys::open_for_reading(path);
  if (other < 0) return false;
  bool same = sys::fstat(fd, &wanted) == 0 && sys::fstat(static_cast<int>(other), &found) == 0 &&
              wanted.st_dev == found.st_dev && wanted.st_ino == found.st_ino;
  sys::close(static_cast<int>(other));
  return same;
}

Error failed(Code code, long result) {
  return {.code = code, .sys_errno = static_cast<int>(-result), .object = "myld_dlopen_ex"};
}

Result<int> new_memory_file(const OpenRequest& r) {
  const char* name = r.path == nullptr ? "module" : r.path;
  long fd = sys::memory_file(name);
  if (fd < 0) return failed(Code::cannot_open, fd);
  return static_cast<int>(fd);
}

Result<int> from_memory(const OpenRequest& r) {
  int fd = MYLD_TRY(new_memory_file(r));
  long e = sys::write_full(fd, r.bytes, r.length);
  if (e == 0) return fd;
  sys::close(fd);
  return failed(Code::cannot_map, e);
}

/// A part of a file, copied: its place in the file need not be one that could be mapped.
Result<int> from_part(const OpenRequest& r) {
  constexpr std::size_t kChunk = 65536;
  int fd = MYLD_TRY(new_memory_file(r));
  void* chunk = heap::allocate(kChunk);
  Error e = chunk == nullptr ? failed(Code::out_of_memory, 0) : Error{};
  std::uint64_t at = r.offset, left = r.length == 0 ? ~std::uint64_t{0} : r.length;
  while (!e && left != 0) {
    long n = sys::pread_full(r.fd, chunk, left < kChunk ? left : kChunk, at);
    if (n < 0) e = failed(Code::cannot_read, n);
    if (n <= 0) break;  // a file that ends early is found too short by who reads its headers
    if (long w = sys::write_full(fd, chunk, static_cast<std::size_t>(n)); w < 0)
      e = failed(Code::cannot_map, w);
    at += static_cast<std::uint64_t>(n);
    left -= static_cast<std::uint64_t>(n);
  }
  heap::release(chunk, kChunk);
  if (!e) return fd;
  sys::close(fd);
  return e;
}

/// Fills `source` with a descriptor of its own and the name for it, which may be in `path`.
Status find_source(const OpenRequest& r, load::FileSource& source, char (&path)[kPathMax]) {
  bool is_whole_file = r.source == kDescriptor && r.offset == 0 && r.length == 0;
  if (is_whole_file) {
    long fd = sys::duplicate(r.fd);
    if (fd < 0) return failed(Code::cannot_open, fd);
    source.fd = static_cast<int>(fd);
  } else {
    source.fd = MYLD_TRY(r.source == kMemory ? from_memory(r) : from_part(r));
  }
  source.path = path;
  if (is_whole_file && find_path(source.fd, path)) return {};
  name_by_descriptor(path, source.fd);
  source.keep = true;
  return {};
}

bool is_valid(const OpenRequest& r) {
  if (r.size != sizeof(OpenRequest) || r.unused != 0) return false;
  if (r.source == kPath) return r.path != nullptr && *r.path != 0 && r.offset == 0 && r.length == 0;
  if (r.source == kMemory) return r.bytes != nullptr && r.length != 0 && r.offset == 0;
  return r.source == kDescriptor;
}

void* open_ex(const OpenRequest& r, std::uintptr_t caller) {
  clear_error();
  if (!is_valid(r)) {
    set_error({.code = Code::bad_argument, .object = "myld_dlopen_ex"});
    return nullptr;
  }
  char path[kPathMax];
  load::FileSource source;
  source.path = r.path;
  source.room = {RunAddr::of(r.address), r.address == nullptr ? 0 : r.address_size};
  if (r.source != kPath)
    if (Status s = find_source(r, source, path); !s) {
      set_error(s.error());
      return nullptr;
    }
  void* handle = open(source.path, r.flags, caller, r.ns, &source);
  if (source.fd >= 0) sys::close(source.fd);  // it failed before the file was looked at
  return handle;
}

}  // namespace
}  // namespace myld::dlopen

extern "C" [[gnu::visibility("default"), gnu::used]] void*
myld_dlopen_ex(const myld::dlopen::OpenRequest* what) {
  return myld::dlopen::open_ex(*what,
                               reinterpret_cast<std::uintptr_t>(__builtin_return_address(0)));
}
