// From program headers to memory: first a plan, which is pure, then its execution.
#pragma once
#include "loader/base/addr.hpp"
#include "loader/base/result.hpp"
#include "loader/elf/headers.hpp"

namespace myld::map {

/// One step of a plan. Addresses are link addresses, sizes are bytes, all page-aligned but `zero`.
struct Step {
  enum class Kind : std::uint8_t { file, anonymous, zero, none };
  Kind kind;
  std::uint8_t prot;  ///< of the pages; for `zero` the segment's final protection
  LinkAddr at;
  std::uint64_t bytes;
  FileOffset offset;  ///< `file` only
};

/// Turns segment i (a PT_LOAD) into at most three steps: the file's pages, the zeroed rest of the
/// last of them, anonymous pages. Returns how many were written.
std::size_t plan_segment(const elf::Phdr& load, std::uint64_t page_size, Step (&steps)[3]);

/// The file mapped over a module's whole span as its first segment is, in one step: that reserves
/// the place, and other segments of the same protection that lie in the file as they do in memory
/// are there already. bytes == 0: not possible, since pages between segments would be accessible,
/// or since the first segment is more than readable.
struct Base {
  std::uint64_t bytes = 0;
  FileOffset offset;  ///< of Segments::start
  /// Segments are mapped again all the same: valgrind 3.19 takes a file's symbols, and with them
  /// the place of malloc, only when it has seen each segment mapped.
  bool first_alone = false;
  bool covers(const elf::Segments& segments, const Step& step) const;
};
Base plan_base(const elf::Segments& segments, std::uint64_t page_size);

int protection(std::uint32_t p_flags);

/// A module's address range in this process.
struct Mapping {
  RunAddr start;
  std::uint64_t bytes = 0;
  LoadBias bias;
  bool in_room = false;  ///< the range is a Room's: unmapping it leaves it reserved
};

/// A range that the caller of dlopen has reserved for a module: page-aligned, mapped by him, and
/// his again when the module goes. Empty: anywhere.
struct Room {
  RunAddr start;
  std::uint64_t bytes = 0;
};

/// What is wanted of a mapping.
struct Wishes {
  bool as_data = false;    ///< the file is only looked at, and nothing of it is executable
  bool huge_text = false;  ///< large code lies where huge pages may hold it (huge.hpp)
};

/// Maps every segment of the open file `fd`. ET_EXEC files go where they say, others where the
/// kernel finds room, or to the start of `room`.
/// Gives: text and data mapped with their final protection. `out` says where from the moment the
/// room is reserved. On failure nothing stays mapped, and `out` is empty.
/// Errors: cannot_reserve, cannot_map, cannot_protect; each names `object`.
Status map_segments(int fd,
                    const elf::Segments& segments,
                    bool fixed_address,
                    std::uint64_t page_size,
                    const char* object,
                    const Room& room,
                    Wishes wishes,
                    Mapping& out);

/// A module that is mapped already, all of it, and relocated: a part of an image.
struct Placed {
  LoadBias bias;
  RunAddr start;
  std::uint64_t bytes = 0;
  FileOffset offset;     ///< of `start` in the image
  std::size_t head = 0;  ///< bytes at `start` that are the file's, program headers among them
};

/// Maps a module from its own file, over what is there.
Status map_again(int fd,
                 const elf::Segments& segments,
                 const Mapping& mapping,
                 std::uint64_t page_size,
                 const char* object);

/// Has the kernel check that indirect branches into the code land where they may
/// (Port::kBranchTargets). A sandbox that forbids changes of code's protection costs the check, not
/// the program.
void check_branch_targets(const Mapping& mapping,
                          const elf::Segments& segments,
                          std::uint64_t page_size);

/// The pages of a writable segment that are written to before its program runs, where they are
/// three or more but few: of RELRO, with the dynamic section, and of the little data that follows
/// it up to a page whose end is zeroed. bytes == 0: there are none, or more than a guess should
/// cost. Pure; inside the file's part of `load`.
struct WrittenPart {
  LinkAddr at;
  std::uint64_t bytes = 0;
};
WrittenPart
plan_written(const elf::Phdr& load, const elf::Segments& segments, std::uint64_t page_size);

/// Has those pages copied in one go, where the system can be asked (Linux 5.14): a fault for each
/// takes half as long again.
/// Needs: the segment is mapped.
void bring_in_written(LoadBias bias,
                      const elf::Phdr& load,
                      const elf::Segments& segments,
                      std::uint64_t page_size);

/// Has the page of the dynamic section, where it is writable, copied before anything reads it: what
/// is beside it (.got) and the section itself will be stored to, and reading first costs a second
/// fault. Needs: what is needed to read it.
void prepare_dynamic(const Mapping& mapping, const elf::Segments& segments);

void unmap(const Mapping& mapping);

/// True if `at` is in the pages that protect_relro() makes read-only.
bool in_relro(const elf::Segments& segments, LinkAddr at, std::uint64_t page_size);

/// Seals (mseal(2)) what is read-only of a module that is never unloaded: up to the end of RELRO.
/// The page that holds `unsealed`, if not null, is left out.
/// False: there is no such call (kernels before 6.10, valgrind), so nobody need ask again.
/// Needs: protect_relro() was called.
bool seal(const Mapping& mapping,
          const elf::Segments& segments,
          std::uint64_t page_size,
          const void* unsealed = nullptr);

/// Makes the PT_GNU_RELRO range read-only. Needs: the module is relocated.
Status protect_relro(const Mapping& mapping,
                     const elf::Segments& segments,
                     std::uint64_t page_size,
                     const char* object);

}  // namespace myld::map
