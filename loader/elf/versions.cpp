#include "loader/elf/versions.hpp"

#include "loader/base/mem.hpp"
#include "loader/heap/hash.hpp"

#include <algorithm>

namespace myld::elf {
namespace {

struct VersionReader {
  const Image& image;
  const char* object;
  VersionTable& out;
  mutable const Phdr* segment = nullptr;

  Error bad(const char* field, std::uint64_t value) const {
    return {.code = Code::bad_version_table, .object = object, .subject = field, .value = value};
  }
  /// The record `next` bytes after `at`, if it lies in the file.
  template <class T>
  const T* record(const void* at, std::uint64_t next) const {
    std::uintptr_t to = reinterpret_cast<std::uintptr_t>(at) + next;
    if (to % alignof(T) != 0) return nullptr;
    LinkAddr link = RunAddr{to} - image.bias;
    // All records lie in one segment: the last one's.
    auto in_segment = [&] {
      return segment != nullptr && link.value - segment->p_vaddr <= segment->p_filesz &&
             sizeof(T) <= segment->p_filesz - (link.value - segment->p_vaddr);
    };
    if (!in_segment()) segment = image.segments.find_in_file(link, sizeof(T));
    return segment == nullptr ? nullptr : RunAddr{to}.as<T>();
  }
  /// Makes out[index]. False: no memory.
  bool grow(std::uint32_t index) {
    if (!out.reserve(std::size_t{index} + 1)) return false;
    while (out.size() <= index) out.push_reserved({});
    return true;
  }
  [[gnu::always_inline]] Status put(std::uint32_t index, const Version& v, const char* field) {
    index &= kVersionIndexMask;
    if (index >= out.size() && !grow(index)) return no_memory(object);
    // Two records for one index would make the choice depend on the order of reading. Linkers store
    // a name once, so that the same name is the same place: comparing long ones again and again
    // could take for ever.
    if (out[index].name != nullptr && out[index].name != v.name) return bad(field, index);
    out[index] = v;
    return {};
  }
  Status definitions();
  Status needs();
};

Status VersionReader::definitions() {
  const Verdef* def = image.verdef;
  for (std::uint32_t i = 0; i < image.verdef_count; ++i) {
    if (def->vd_version != VER_DEF_CURRENT) return bad("vd_version", def->vd_version);
    if (def->vd_cnt != 0) {
      const auto* aux = record<const Verdaux>(def, def->vd_aux);
      if (aux == nullptr) return bad("vd_aux", def->vd_aux);
      const char* name = image.strings.at(aux->vda_name);
      if (name == nullptr) return bad("vda_name", aux->vda_name);
      // The base definition names the file, not a version.
      if ((def->vd_flags & VER_FLG_BASE) == 0)
        MYLD_CHECK(put(def->vd_ndx, {.name = name, .hash = def->vd_hash}, "vd_ndx"));
    }
    if (i + 1 == image.verdef_count) break;
    if (def->vd_next == 0) break;  // glibc ends at the first zero, whatever the count says
    const auto* next = record<const Verdef>(def, def->vd_next);
    if (next == nullptr || def->vd_next < sizeof(Verdef)) return bad("vd_next", def->vd_next);
    def = next;
  }
  return {};
}

Status VersionReader::needs() {
  const Verneed* need = image.verneed;
  std::uint32_t records = 0;
  for (std::uint32_t i = 0; i < image.verneed_count; ++i) {
    if (need->vn_version != VER_NEED_CURRENT) return bad("vn_version", need->vn_version);
    const char* file = image.strings.at(need->vn_file);
    if (file == nullptr) return bad("vn_file", need->vn_file);
    std::uint64_t offset = need->vn_aux;
    const void* from = need;
    for (std::uint32_t j = 0; j < need->vn_cnt; ++j) {
      // Each record has an index of its own; more of them only go round in circles.
      if (++records > kVersionIndexMask) return bad("vn_cnt", need->vn_cnt);
      const auto* aux = record<const Vernaux>(from, offset);
      if (aux == nullptr || offset < sizeof(Vernaux)) return bad("vn_aux", offset);
      const char* name = image.strings.at(aux->vna_name);
      if (name == nullptr) return bad("vna_name", aux->vna_name);
      MYLD_CHECK(put(aux->vna_other,
                     {.name = name,
                      .hash = aux->vna_hash,
                      .weak = (aux->vna_flags & VER_FLG_WEAK) != 0,
                      .file = file},
                     "vna_other"));
      from = aux;
      offset = aux->vna_next;
      if (offset == 0) break;
    }
    if (i + 1 == image.verneed_count || need->vn_next == 0) break;
    const auto* next = record<const Verneed>(need, need->vn_next);
    if (next == nullptr || need->vn_next < sizeof(Verneed)) return bad("vn_next", need->vn_next);
    need = next;
  }
  return {};
}

}  // namespace

Status read_versions(const Image& image, const char* object, VersionTable& out) {
  VersionReader r{.image = image, .object = object, .out = out};
  if (image.verdef != nullptr) MYLD_CHECK(r.definitions());
  if (image.verneed != nullptr) MYLD_CHECK(r.needs());
  return {};
}

// ---- Which versions are defined --------------------------------------------------------------

bool VersionTable::is(std::size_t index, const char* name, std::uint32_t hash) const {
  const Version& v = (*this)[index];
  return v.file == nullptr && v.name != nullptr && v.hash == hash && equal(v.name, name);
}

/// The index of the definition, or size().
std::size_t VersionTable::find_one_by_one(const char* name, std::uint32_t hash) const {
  std::size_t i = 0;
  while (i < size() && !is(i, name, hash)) ++i;
  return i;
}

namespace {

std::uint64_t key_of(const char* name, std::uint32_t hash) {
  return hash_string(name) ^ std::uint64_t{hash} << 32;
}

}  // namespace

VersionTable::~VersionTable() {
  if (sorted_ != nullptr)
    heap::release(sorted_, sizeof(Sorted) + sorted_->count * sizeof(Definition));
}

/// Without memory the table stays as it is.
void VersionTable::sort() const {
  auto is_definition = [](const Version& v) { return v.file == nullptr && v.name != nullptr; };
  auto count = static_cast<std::size_t>(std::count_if(begin(), end(), is_definition));
  auto* sorted =
      static_cast<Sorted*>(heap::allocate_unfilled(sizeof(Sorted) + count * sizeof(Definition)));
  if (sorted == nullptr) {
    looked_at_ = 0;
    return;
  }
  sorted->count = 0;
  for (std::uint32_t i = 0; i < size(); ++i)
    if (const Version& v = (*this)[i]; is_definition(v))
      sorted->definitions[sorted->count++] = {key_of(v.name, v.hash), i};
  std::sort(sorted->definitions, sorted->definitions + sorted->count,
            [](const Definition& a, const Definition& b) { return a.key < b.key; });
  sorted_ = sorted;
}

bool VersionTable::defines(const char* name, std::uint32_t hash) const {
  constexpr std::size_t kLookedAtForEach = 16;
  if (sorted_ == nullptr) {
    std::size_t i = find_one_by_one(name, hash);
    looked_at_ += static_cast<std::uint32_t>(i);  // of at most 32,768 each time
    if (looked_at_ > (size() + 64) * kLookedAtForEach) sort();
    return i < size();
  }
  std::uint64_t key = key_of(name, hash);
  const Definition* first = sorted_->definitions;
  const Definition* last = first + sorted_->count;
  const Definition* d = std::lower_bound(
      first, last, key, [](const Definition& each, std::uint64_t k) { return each.key < k; });
  for (; d != last && d->key == key; ++d)
    if (is(d->index, name, hash)) return true;
  return false;
}

}  // namespace myld::elf
