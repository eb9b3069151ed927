#include "rtld/start/packages.hpp"

#include "loader/base/mem.hpp"
#include "loader/base/path.hpp"
#include "loader/sys/directory.hpp"
#include "loader/sys/mapped_file.hpp"
#include "rtld/start/lz4.hpp"

#include <string_view>

namespace myld::start {
namespace {

constexpr const char* kDpkgInfo = "/var/lib/dpkg/info/";
constexpr const char* kAptLists = "/var/lib/apt/lists/";

bool ends_with(std::string_view name, std::string_view end) { return name.ends_with(end); }

void add(Vec<Package>& out, std::string_view name, Package::How how) {
  for (const Package& p : out)
    if (name == p.name && p.how == how) return;
  // Without memory for it the package is not told.
  if (const char* copy = copy_string(name.data(), name.size()))
    static_cast<void>(out.push({copy, how}));
}

/// However many libraries are missing, and however busy the machine is: a failing start must end.
/// The lists that are left then are not looked at.
bool time_is_up() {
  constexpr std::uint64_t kMostNs = 2'000'000'000;
  static constinit std::uint64_t began = 0;
  std::uint64_t now = sys::monotonic_ns();
  if (began == 0) began = now;
  return now - began > kMostNs;
}

/// dpkg's lists of files: one for each installed package, a path on each line.
void find_listed(const char* root, const char* soname, Vec<Package>& out) {
  char wanted[kPathMax];
  char line[kPathMax];
  char folder[kPathMax];
  if (!join(wanted, {"/", soname}) || !join(line, {wanted, "\n"}) ||
      !join(folder, {root, kDpkgInfo}))
    return;
  sys::each_entry(folder, [&](const char* file) {
    std::string_view name = file;
    char path[kPathMax];
    if (!ends_with(name, ".list") || !join(path, {folder, name}) || time_is_up()) return;
    sys::MappedFile list(path);
    if (list.text().find(line) == std::string_view::npos) return;
    name.remove_suffix(5);
    if (std::size_t colon = name.find(':'); colon != std::string_view::npos)
      name = {name.data(), colon};
    add(out, name, Package::How::lists_file);
  });
}

/// Is there a stanza "Package: NAME" in the file?
bool has_stanza(std::string_view text, const char* stanza) {
  std::size_t n = strlen(stanza);
  if (text.starts_with(std::string_view(stanza + 1, n - 1))) return true;
  return text.find(stanza) != std::string_view::npos;
}

/// Memory for decoding, there for as long as it is looked for names.
struct Room {
  long at = sys::map_anonymous(kLz4Room);
  ~Room() {
    if (at >= 0) sys::unmap(reinterpret_cast<void*>(at), kLz4Room);
  }
};

bool has_compressed_stanza(std::string_view file, const char* stanza) {
  Room room;
  if (room.at < 0) return false;
  return find_in_lz4({reinterpret_cast<const unsigned char*>(file.data()), file.size()}, stanza,
                     {reinterpret_cast<char*>(room.at), kLz4Room}) == Lz4Result::found;
}

void find_known(const char* root, std::string_view name, Vec<Package>& out) {
  char stanza[kPathMax];
  char line[kPathMax];
  char folder[kPathMax];
  char path[kPathMax];
  if (!join(line, {"\nPackage: ", name}) || !join(stanza, {line, "\n"}) ||
      !join(folder, {root, kAptLists}))
    return;
  bool known = false;
  if (join(path, {root, "/var/lib/dpkg/available"}))
    known = has_stanza(sys::MappedFile(path).text(), stanza);
  sys::each_entry(folder, [&](const char* file) {
    bool compressed = ends_with(file, "_Packages.lz4");
    if (known || (!compressed && !ends_with(file, "_Packages")) || !join(path, {folder, file}) ||
        time_is_up())
      return;
    sys::MappedFile list(path);
    known =
        compressed ? has_compressed_stanza(list.text(), stanza) : has_stanza(list.text(), stanza);
  });
  if (known) add(out, name, Package::How::is_known);
}

bool is_directory(const char* root, const char* name) {
  char path[kPathMax];
  long fd = join(path, {root, name}) ? sys::open_for_reading(path) : -1;
  if (fd < 0) return false;
  sys::Stat st;
  bool is = sys::fstat(static_cast<int>(fd), &st) == 0 && sys::is_directory(st);
  sys::close(static_cast<int>(fd));
  return is;
}

}  // namespace

std::size_t debian_name(const char* soname, char* to, std::size_t capacity) {
  std::string_view s = soname;
  std::size_t so = s.find(".so");
  if (so == std::string_view::npos || so == 0) return 0;
  std::string_view stem(soname, so), version(soname + so + 3);
  if (!version.empty() && version[0] != '.') return 0;
  if (!version.empty()) version.remove_prefix(1);
  std::size_t n = 0;
  auto put = [&](char c) {
    if (n < capacity) to[n] = c;
    ++n;
  };
  // Package names are in lower case and have no underscore.
  for (char c : stem)
    put(c == '_' ? '-' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  bool digit = stem.back() >= '0' && stem.back() <= '9';
  if (digit && !version.empty()) put('-');
  for (char c : version) put(c);
  put(0);
  return n > capacity ? 0 : n - 1;
}

void find_packages(const char* root, const char* soname, Vec<Package>& out) {
  if (find_char(soname, '/') != nullptr) return;
  find_listed(root, soname, out);
  char name[256];
  if (std::size_t n = debian_name(soname, name, sizeof name - 3)) {
    find_known(root, {name, n}, out);
    // The packages that were rebuilt for a 64-bit time_t.
    memcpy(name + n, "t64", 4);
    find_known(root, {name, n + 3}, out);
  }
  if (is_directory(root, "/var/lib/rpm") || is_directory(root, "/usr/lib/sysimage/rpm")) {
    char capability[kPathMax];
    if (join(capability, {soname, "()(64bit)"})) add(out, capability, Package::How::rpm_provides);
  }
}

const char* text_of(Package::How how) {
  switch (how) {
  case Package::How::lists_file: return "installed, lists a file of this name";
  case Package::How::is_known: return "known to the package manager by this name";
  case Package::How::rpm_provides: return "what an rpm package that has it provides";
  }
  return "";
}

}  // namespace myld::start
