// The binding file: what a start of a program found, so that the next one need not look again.
//
// Little-endian, every table aligned to 8 bytes, every string NUL-terminated in one table.
// docs/binding.md has the same layout for readers of other languages. What is here is pure: bytes
// in, a checked view or a reason out; who may have written the file is rtld/binding's question.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace myld::binding {

inline constexpr char kMagic[8] = {'m', 'y', 'l', 'd', 'b', 'i', 'n', 'd'};
/// How an image begins; zeros follow to the end of the page.
inline constexpr char kImageMagic[8] = {'m', 'y', 'l', 'd', 'i', 'm', 'a', 'g'};
/// Another layout, or another meaning of a field, is another number.
inline constexpr std::uint32_t kFormat = 4;
inline constexpr std::uint32_t kNone = UINT32_MAX;  ///< no module
inline constexpr std::uint32_t kMostModules = 60000;

/// A file, or a directory, as stat(2) shows it. A change of either makes another identity: the
/// times are that of the content and that of the inode, which nobody can set back.
struct Identity {
  std::uint64_t device, inode;
  std::int64_t bytes;
  std::int64_t content_s, inode_s;
  std::uint32_t content_ns, inode_ns;
  bool operator==(const Identity&) const = default;
};
static_assert(sizeof(Identity) == 48);

/// The first bytes of NT_GNU_BUILD_ID; length 0: there is none.
struct BuildId {
  std::uint8_t length;
  std::uint8_t bytes[31];
  bool operator==(const BuildId&) const = default;
};

/// Where a table is. `count`: elements, of the strings bytes.
struct Table {
  std::uint32_t offset, count;
};

struct Header {
  char magic[8];
  std::uint32_t format;
  std::uint32_t machine;  ///< e_machine
  std::uint64_t bytes;    ///< of the file
  std::uint64_t
      checksum;    ///< checksum() of what follows this field, up to the slots from `rest` on
  BuildId loader;  ///< the loader that wrote the file
  Table strings, modules, searches, stamps, slots, placements, areas;
  std::uint32_t key;        ///< string: program and environment (rtld/binding/key.hpp)
  std::uint32_t directory;  ///< string: the working directory, where a relative path counts; or 0
  std::uint32_t cpu;        ///< string: what the CPU was asked for in the search; or 0
  std::uint32_t image;      ///< string: the file of the closure's memory; or 0
  std::uint64_t image_at;   ///< run address of the image, all of which is mapped
  std::uint64_t image_bytes;
  Identity image_file;
  std::uint64_t rest_checksum;  ///< checksum() of the slots from `rest` on, which end the file
  std::uint32_t rest;           ///< number of the first slot that no start with the image reads
  std::uint32_t unused;
};
static_assert(sizeof(Header) == 216);

/// One module. Number 0 is the program, 1 the loader, then the others in the order of loading.
struct ModuleRecord {
  std::uint32_t path;         ///< string
  std::uint32_t first;        ///< of its slots of kind address
  std::uint32_t addresses;    ///< how many there are, in ascending order of `at`
  std::uint32_t first_other;  ///< of those of other kinds
  std::uint32_t others;       ///< how many there are, in the order of the relocations
  std::uint32_t unused;
  Identity file;
  BuildId build_id;
};
static_assert(sizeof(ModuleRecord) == 104);

/// One search, in the order in which they were made.
struct SearchRecord {
  std::uint32_t name;       ///< string: what was looked for
  std::uint32_t path;       ///< string: what was found; 0: nothing
  std::uint32_t requester;  ///< module number
  std::uint32_t module;     ///< number of the module that the path is the file of; kNone: no file
  std::uint32_t of;         ///< number of the module whose RPATH, RUNPATH or note led there; kNone
  std::uint32_t by;         ///< find::By
};
static_assert(sizeof(SearchRecord) == 24);

/// Something that must be as it was for the searches to have the same results.
struct StampRecord {
  std::uint32_t path;  ///< string
  std::int32_t error;  ///< errno of stat(2); 0: `file` is what it says
  Identity file;
};
static_assert(sizeof(StampRecord) == 56);

/// A module whose place in memory is fixed, and whose memory is in the image file as it is after
/// relocation, but for what depends on modules whose place is not fixed.
struct PlacementRecord {
  std::uint32_t module;
  std::uint32_t first, moving;  ///< its slots of kind address that are still to be stored
  std::uint32_t head;           ///< bytes at its start that are the file's
  std::uint64_t bias;           ///< its load bias
  std::uint64_t offset, bytes;  ///< of its memory in the image
};
static_assert(sizeof(PlacementRecord) == 40);

/// What the pages of the image are that are more, or less, than readable.
enum class AreaKind : std::uint32_t {
  file,             ///< the image's pages, with this protection
  anonymous,        ///< zeros that are not in the file
  until_relocated,  ///< the image's pages, with this protection until what is in them is stored,
                    ///< and only readable then
};
struct AreaRecord {
  std::uint64_t offset, bytes;  ///< in the image
  std::uint32_t prot;           ///< PROT_* of mmap(2); not writable and executable
  AreaKind kind;
};
static_assert(sizeof(AreaRecord) == 24);

enum class SlotKind : std::uint16_t {
  address,    ///< the word at link address `at` is load bias of `provider` + `value`
  symbol,     ///< relocation number `at` is to symbol number `value` of `provider`
  undefined,  ///< relocation number `at` is to a weak symbol that nobody defines
  look_up,    ///< relocation number `at` is left to the ordinary way
  resolver,   ///< relocation number `at` has a resolver that gives the value
};

/// One relocation. Relocation numbers count DT_RELA without the PLT's part, then DT_JMPREL. The
/// provider of kind address may be the number of modules: an absolute value.
struct Slot {
  std::uint32_t at;
  std::uint32_t value;
  std::uint16_t provider;
  SlotKind kind;
};
static_assert(sizeof(Slot) == 12);

/// Four lanes, so that it runs at the speed of memory. For accidents, not for attackers.
std::uint64_t checksum(std::span<const std::uint8_t> bytes);
/// What `Header::checksum` and `Header::rest_checksum` are of. Needs: `h` is the header of `file`,
/// whose slots from `h.rest` on end it.
std::span<const std::uint8_t> checked_part(const Header& h, std::span<const std::uint8_t> file);
std::span<const std::uint8_t> rest_part(const Header& h, std::span<const std::uint8_t> file);

/// A file whose every table, string and module number is where it says. Slots are checked by who
/// uses them.
class View {
public:
  constexpr View() = default;

  /// Looks at a file and keeps pointers into it. Returns nullptr, or why it is refused; the view is
  /// empty then. Does not look at the checksum.
  const char* read(std::span<const std::uint8_t> file, std::uint16_t machine);
  /// Are the bytes those that were written, but for the slots that no start with the image reads;
  /// and are these? Needs: read() returned nullptr.
  bool is_whole(std::span<const std::uint8_t> file) const;
  bool is_rest_whole(std::span<const std::uint8_t> file) const;

  const Header& header() const { return *header_; }
  const char* string(std::uint32_t offset) const { return strings_.data() + offset; }
  std::span<const ModuleRecord> modules() const { return modules_; }
  std::span<const SearchRecord> searches() const { return searches_; }
  std::span<const StampRecord> stamps() const { return stamps_; }
  std::span<const Slot> slots() const { return slots_; }
  std::span<const PlacementRecord> placements() const { return placements_; }
  std::span<const Slot> moving(const PlacementRecord& p) const {
    return slots_.subspan(p.first, p.moving);
  }
  std::span<const AreaRecord> areas() const { return areas_; }
  std::span<const Slot> addresses(const ModuleRecord& m) const {
    return slots_.subspan(m.first, m.addresses);
  }
  std::span<const Slot> others(const ModuleRecord& m) const {
    return slots_.subspan(m.first_other, m.others);
  }

private:
  const char* read_tables(std::span<const std::uint8_t> file);
  const char* check_records() const;
  const char* check_image() const;
  bool has(std::uint32_t string) const { return string < strings_.size(); }
  bool has_slots(std::uint32_t first, std::uint32_t count) const {
    return first <= slots_.size() && count <= slots_.size() - first;
  }

  const Header* header_ = nullptr;
  std::span<const char> strings_;
  std::span<const ModuleRecord> modules_;
  std::span<const SearchRecord> searches_;
  std::span<const StampRecord> stamps_;
  std::span<const Slot> slots_;
  std::span<const PlacementRecord> placements_;
  std::span<const AreaRecord> areas_;
};

}  // namespace myld::binding
