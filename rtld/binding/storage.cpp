#include "rtld/binding/storage.hpp"

#include "loader/base/mem.hpp"
#include "loader/heap/pointer_table.hpp"

namespace myld::binding {
namespace {

constexpr std::int64_t kMostBytes = std::int64_t{1} << 31;

bool starts_with(const char* text, const char* prefix) {
  for (; *prefix != 0; ++text, ++prefix)
    if (*text != *prefix) return false;
  return true;
}

const char* variable(const Runtime& r, const char* name) {
  std::size_t n = strlen(name);
  for (char** e = r.envp; *e != nullptr; ++e)
    if (starts_with(*e, name) && (*e)[n] == '=' && (*e)[n + 1] != 0) return *e + n + 1;
  return nullptr;
}

/// The user's, or root's, and nobody else's to write to.
const char* distrust(const Runtime& r, const sys::Stat& s) {
  constexpr std::uint32_t kOthersWrite = 022;
  if (s.st_uid != 0 && s.st_uid != r.stack.get(sys::kAtEuid, UINT64_MAX))
    return "it belongs to somebody else";
  return (s.st_mode & kOthersWrite) != 0 ? "others can write to it" : nullptr;
}

const char* distrust_directory(const Runtime& r, const char* path) {
  sys::Stat s;
  if (sys::stat(path, &s) < 0 || !sys::is_directory(s)) return "it is in no directory";
  return distrust(r, s) == nullptr ? nullptr : "its directory is not safe";
}

}  // namespace

Policy parse_policy(const char* text) {
  if (text == nullptr) return {};
  Policy p;
  if (starts_with(text, "auto:/")) return {.automatic = true, .directory = text + 5};
  if (*text == '/') return {.directory = text};
  p.automatic = equal(text, "auto");
  p.use = p.own_directory = p.automatic || equal(text, "use");
  return p;
}

bool file_path(const char* directory, const char* program, const char* key, char (&to)[kPathMax]) {
  const char* base = program;
  for (const char* p = program; *p != 0; ++p)
    if (*p == '/') base = p + 1;
  constexpr std::size_t kMostOfName = 100, kDigits = 16;
  std::size_t n = strlen(base);
  if (n > kMostOfName) n = kMostOfName;
  char name[kMostOfName + 1 + kDigits + 1];
  memcpy(name, base, n);
  name[n] = '.';
  std::uint64_t hash = hash_bytes(key, strlen(key), kFixedHashKey);
  for (std::size_t i = 0; i < kDigits; ++i)
    name[n + 1 + i] = "0123456789abcdef"[hash >> (60 - 4 * i) & 15];
  name[n + 1 + kDigits] = 0;
  return join(to, {directory, "/", name});
}

StoredFile::~StoredFile() {
  close();
  release_string(path_);
}

bool StoredFile::open(const Runtime& r,
                      const char* directory,
                      const char* program,
                      const char* key) {
  close();
  refused = nullptr;
  char path[kPathMax];
  if (!file_path(directory, program, key, path)) return false;
  long fd = sys::open_no_link(path);
  if (fd < 0) return false;
  release_string(path_);
  path_ = copy_string(path);
  if (path_ == nullptr) refused = "there is no memory for its path";
  sys::Stat s;
  if (refused == nullptr && (sys::fstat(static_cast<int>(fd), &s) < 0 || !sys::is_regular(s)))
    refused = "it is no regular file";
  if (refused == nullptr) refused = distrust(r, s);
  if (refused == nullptr) refused = distrust_directory(r, directory);
  if (refused == nullptr && (s.st_size <= 0 || s.st_size > kMostBytes))
    refused = "its size is impossible";
  if (refused == nullptr) {
    auto bytes = static_cast<std::size_t>(s.st_size);
    long at = sys::map(nullptr, bytes, sys::kProtRead, sys::kMapPrivate, static_cast<int>(fd), 0);
    if (at < 0)
      refused = "it cannot be mapped";
    else
      bytes_ = {reinterpret_cast<const std::uint8_t*>(at), bytes};
  }
  sys::close(static_cast<int>(fd));
  return refused == nullptr;
}

void bring_in(std::span<const std::uint8_t> part, std::uint64_t page_size) {
  constexpr std::size_t kFewFaults = 128 << 10;  // each brings in sixteen pages
  if (part.size() < kFewFaults) return;
  std::uint64_t at = RunAddr::of(part.data()).value, from = round_down(at, page_size);
  sys::advise(RunAddr{from}.as<void>(), at + part.size() - from, sys::kMadvPopulateRead);
}

void StoredFile::close() {
  if (!bytes_.empty()) sys::unmap(bytes_.data(), bytes_.size());
  bytes_ = {};
}

long open_trusted(const Runtime& r, const char* path, const Identity& identity) {
  long fd = sys::open_no_link(path);
  if (fd < 0) return fd;
  sys::Stat s;
  if (sys::fstat(static_cast<int>(fd), &s) >= 0 && sys::is_regular(s) &&
      distrust(r, s) == nullptr && identity_of(s) == identity)
    return fd;
  sys::close(static_cast<int>(fd));
  return -sys::kEacces;
}

bool open_file(const Runtime& r,
               const Policy& policy,
               const char* program,
               const char* key,
               StoredFile& file) {
  return each_directory(
      r, policy, [&](const char* directory) { return file.open(r, directory, program, key); });
}

bool have_directory(const Runtime& r, const Policy& policy) {
  return each_directory(r, policy, [](const char* directory) {
    sys::Stat s;
    return sys::stat(directory, &s) >= 0;
  });
}

bool own_directory(const Runtime& r, char (&to)[kPathMax]) {
  if (const char* cache = variable(r, "XDG_CACHE_HOME"); cache != nullptr && *cache == '/')
    return join(to, {cache, "/myld"});
  const char* home = variable(r, "HOME");
  return home != nullptr && *home == '/' && join(to, {home, "/.cache/myld"});
}

bool writing_directory(const Runtime& r, const Policy& policy, char (&to)[kPathMax]) {
  bool root = r.stack.get(sys::kAtEuid, UINT64_MAX) == 0;
  if (policy.directory != nullptr) {
    if (!join(to, {policy.directory})) return false;
  } else if (root && !policy.own_directory) {
    join(to, {kSystemDirectory});
  } else if (!own_directory(r, to)) {
    return false;
  }
  int mode = root ? 0755 : 0700;
  if (sys::make_directory(to, mode) == -sys::kEnoent) {
    std::size_t slash = strlen(to);
    while (slash > 1 && to[slash] != '/') --slash;
    to[slash] = 0;
    sys::make_directory(to, mode);
    to[slash] = '/';
    sys::make_directory(to, mode);  // whether it is there now is found out by who writes
  }
  return true;
}

namespace {

/// The new file beside the old one. One name for all writers, so that a writer that dies leaves at
/// most one behind; what is older than a minute is such a one.
long open_temporary(const char* path) {
  constexpr int kMode = 0644;
  constexpr std::int64_t kStale = 60;
  long fd = sys::create_new_file(path, kMode);
  sys::Stat s;
  if (fd != -sys::kEexist || sys::link_stat(path, &s) < 0) return fd;
  auto now = static_cast<std::int64_t>(sys::realtime_ns() / 1000000000u);
  if (now - s.st_mtime_s < kStale && s.st_mtime_s <= now) return fd;
  sys::unlink(path);
  return sys::create_new_file(path, kMode);
}

bool is_zero(std::span<const std::uint8_t> bytes) {
  for (std::uint8_t each : bytes)
    if (each != 0) return false;
  return true;
}

/// Returns 0 or -errno.
long write_pages(int fd, std::span<const std::uint8_t> bytes) {
  constexpr std::size_t kPage = 4096;
  auto page = [&](std::size_t at) {
    return bytes.subspan(at, bytes.size() - at < kPage ? bytes.size() - at : kPage);
  };
  if (long e = sys::resize_file(fd, bytes.size()); e < 0) return e;
  for (std::size_t at = 0; at < bytes.size();) {
    std::size_t from = at;
    while (at < bytes.size() && !is_zero(page(at))) at += page(at).size();
    if (at != from)
      if (long e = sys::pwrite_full(fd, bytes.data() + from, at - from, from); e < 0) return e;
    while (at < bytes.size() && is_zero(page(at))) at += page(at).size();
  }
  return 0;
}

}  // namespace

Status write_file(const char* path, std::span<const std::uint8_t> bytes, bool durable) {
  auto fail = [&](long e) {
    return Error{.code = Code::cannot_write, .sys_errno = static_cast<int>(-e), .object = path};
  };
  char temporary[kPathMax];
  if (!join(temporary, {path, ".new"})) return fail(-sys::kEnametoolong);
  long fd = open_temporary(temporary);
  if (fd < 0) return fail(fd);
  long result = write_pages(static_cast<int>(fd), bytes);
  if (result >= 0 && durable) result = sys::sync_file(static_cast<int>(fd));
  if (long e = sys::close(static_cast<int>(fd)); result >= 0) result = e;
  if (result >= 0) result = sys::rename(temporary, path);
  if (result >= 0) return {};
  sys::unlink(temporary);
  return fail(result);
}

}  // namespace myld::binding
