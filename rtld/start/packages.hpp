// Which package of the distribution brings a library, by what the package manager left on the disk.
#pragma once
#include "loader/heap/vec.hpp"

#include <cstdint>

namespace myld::start {

struct Package {
  /// How it is known.
  enum class How : std::uint8_t {
    lists_file,   ///< dpkg: an installed package lists a file of that name
    is_known,     ///< apt's lists or dpkg's know a package with the name that the soname stands for
    rpm_provides  ///< rpm: the capability by which its packages provide the library
  };
  const char* name;  ///< heap string
  How how;
};

/// What the system below `root` ("" or a sysroot) knows of the library `soname`. Reads dpkg's and
/// apt's lists, those in LZ4 too: milliseconds, up to some hundred, after a failure, and for all
/// libraries of a start together not much more than two seconds. Source: Debian Policy 8.1 (a
/// library's package has its soname's name); dpkg's info/*.list; rpm's generated "Provides:
/// libfoo.so.1()(64bit)".
void find_packages(const char* root, const char* soname, Vec<Package>& out);

/// "libfoo1 (known to apt, not installed)" and the like: the words behind the name.
const char* text_of(Package::How how);

/// The Debian name of the package of `soname` in `to`: "libfoo.so.1" -> "libfoo1",
/// "libfoo-2.so.0" -> "libfoo-2-0" behind a digit. Returns its length; 0: no such form, or no room.
std::size_t debian_name(const char* soname, char* to, std::size_t capacity);

}  // namespace myld::start
