// The binding file: what the view lets through can be walked. The input is the file behind its
// first words, which a fuzzer would hardly guess and which are put right here.
#include "loader/binding/format.hpp"
#include "tests/fuzz/input.hpp"

#include <vector>

using namespace myld::binding;

namespace {

constexpr std::uint16_t kMachine = 62;

void inside(std::uint64_t at, std::uint64_t bytes, std::uint64_t of) {
  if (at > of || bytes > of - at) __builtin_trap();
}

void walk(const View& v) {
  auto read = [&](std::uint32_t s) { myld::fuzz::read_all(v.string(s)); };
  std::uint64_t sum = 0;
  for (const ModuleRecord& m : v.modules()) {
    read(m.path);
    for (const Slot& s : v.addresses(m)) sum += s.at;
    for (const Slot& s : v.others(m)) sum += s.value;
  }
  for (const SearchRecord& s : v.searches()) {
    read(s.name);
    read(s.path);
    if (s.module != kNone) read(v.modules()[s.module].path);
    if (s.of != kNone) read(v.modules()[s.of].path);
    read(v.modules()[s.requester].path);
  }
  for (const StampRecord& s : v.stamps()) read(s.path);
  for (const Slot& s : v.slots()) sum += s.at;
  for (const PlacementRecord& p : v.placements()) {
    read(v.modules()[p.module].path);
    for (const Slot& s : v.moving(p)) sum += s.value;
    inside(p.offset, p.bytes, v.header().image_bytes);
    inside(0, p.head, p.bytes);
  }
  for (const AreaRecord& a : v.areas()) {
    inside(a.offset, a.bytes, v.header().image_bytes);
    if ((a.prot & 6) == 6) __builtin_trap();
  }
  for (std::uint32_t s : {v.header().key, v.header().directory, v.header().cpu, v.header().image})
    read(s);
  volatile std::uint64_t seen = sum;
  (void)seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A block of its own length, aligned as a mapped file is.
  std::vector<std::uint8_t> exact(data, data + size);
  if (size >= sizeof(Header)) {
    Header h;
    std::memcpy(&h, exact.data(), sizeof h);
    std::memcpy(h.magic, kMagic, sizeof h.magic);
    h.format = kFormat;
    h.machine = kMachine;
    h.bytes = size;
    std::memcpy(exact.data(), &h, sizeof h);
  }
  View v;
  if (v.read(exact, kMachine) == nullptr) {
    (void)v.is_whole(exact);
    (void)v.is_rest_whole(exact);
    walk(v);
  }
  return 0;
}
