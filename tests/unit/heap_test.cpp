#include "loader/heap/heap.hpp"
#include "loader/heap/pointer_table.hpp"
#include "loader/heap/vec.hpp"
#include "tests/unit/catch.hpp"

#include <cstring>
#include <random>
#include <vector>

using namespace myld;

TEST_CASE("blocks are zeroed, aligned and apart") {
  struct Block {
    unsigned char* at;
    std::size_t bytes;
    unsigned char fill;
  };
  std::mt19937 random(7);
  std::vector<Block> blocks;
  for (int i = 0; i < 20000; ++i) {
    if (!blocks.empty() && random() % 2 == 0) {
      std::size_t k = random() % blocks.size();
      Block b = blocks[k];
      for (std::size_t n = 0; n < b.bytes; ++n) REQUIRE(b.at[n] == b.fill);
      heap::release(b.at, b.bytes);
      blocks[k] = blocks.back();
      blocks.pop_back();
      continue;
    }
    std::size_t bytes = random() % 4 == 0 ? random() % 20000 : random() % 300;
    auto* at = static_cast<unsigned char*>(heap::allocate(bytes));
    REQUIRE(at != nullptr);
    REQUIRE(reinterpret_cast<std::uintptr_t>(at) % 16 == 0);
    for (std::size_t n = 0; n < bytes; ++n) REQUIRE(at[n] == 0);
    auto fill = static_cast<unsigned char>(random());
    std::memset(at, fill, bytes);
    blocks.push_back({at, bytes, fill});
  }
  for (Block& b : blocks) heap::release(b.at, b.bytes);
}

TEST_CASE("what is released is used again") {
  for (int i = 0; i < 100; ++i) heap::release(heap::allocate(4000), 4000);
  std::size_t before = heap::mapped_bytes();
  for (int i = 0; i < 100000; ++i) heap::release(heap::allocate(4000), 4000);
  CHECK(heap::mapped_bytes() == before);
}

TEST_CASE("the newest block grows in its place") {
  auto* old = static_cast<unsigned char*>(heap::allocate(96));
  std::memset(old, 1, 96);
  auto* newest = static_cast<unsigned char*>(heap::allocate(6000));
  CHECK_FALSE(heap::extend(old, 96, 192));
  heap::release(newest, 6000);
  CHECK_FALSE(heap::extend(old, 96, 100000));
  for (int i = 0; i < 96; ++i) CHECK(old[i] == 1);
  heap::release(old, 96);
  // A block of a size that nobody had before is the newest.
  auto* block = static_cast<unsigned char*>(heap::allocate(7000));
  std::memset(block, 2, 7000);
  if (heap::extend(block, 7000, 8000)) {
    std::memset(block + 7000, 3, 1000);
    auto* next = static_cast<unsigned char*>(heap::allocate(16));
    CHECK((next >= block + 8000 || next + 16 <= block));
    heap::release(next, 16);
    heap::release(block, 8000);
  } else {
    heap::release(block, 7000);
  }
}

TEST_CASE("a part of the chunk is nobody else's, and maps nothing") {
  std::size_t before = heap::mapped_bytes();
  std::vector<unsigned char*> parts;
  while (auto* part = static_cast<unsigned char*>(heap::carve(5000))) {
    CHECK(reinterpret_cast<std::uintptr_t>(part) % 16 == 0);
    std::memset(part, static_cast<int>(parts.size() % 255 + 1), 5000);
    parts.push_back(part);
  }
  CHECK(heap::carve(SIZE_MAX - 15) == nullptr);
  CHECK(heap::mapped_bytes() == before);
  void* block = heap::allocate(6000);
  std::memset(block, 0xff, 6000);
  for (std::size_t k = 0; k < parts.size(); ++k)
    CHECK((parts[k][0] == k % 255 + 1 && parts[k][4999] == k % 255 + 1));
  heap::release(block, 6000);
}

TEST_CASE("what cannot be had is nullptr") { CHECK(heap::allocate(SIZE_MAX / 2) == nullptr); }

TEST_CASE("a vector keeps its order through growth and erasure") {
  Vec<int> v;
  for (int i = 0; i < 100; ++i) REQUIRE(v.push(i));
  v.erase(50);
  CHECK(v.size() == 99);
  CHECK(v[49] == 49);
  CHECK(v[50] == 51);
  CHECK(v.contains(99));
  CHECK(!v.contains(50));
}

TEST_CASE(
    "a table finds what was put in and forgets what was taken out, without growing for ever") {
  PointerTable<int> table;
  std::vector<int> values(1000);
  auto hash = [](int i) { return static_cast<std::uint64_t>(i) * 0x9e3779b97f4a7c15; };
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 1000; ++i)
      REQUIRE(table.insert(hash(i), &values[static_cast<std::size_t>(i)]));
    CHECK(table.size() == 1000);
    for (int i = 0; i < 1000; ++i) {
      int* want = &values[static_cast<std::size_t>(i)];
      CHECK(table.find(hash(i), [&](int& v) { return &v == want; }) == want);
    }
    for (int i = 0; i < 1000; ++i) table.erase(hash(i), &values[static_cast<std::size_t>(i)]);
    CHECK(table.size() == 0);
    CHECK(table.find(hash(3), [](int&) { return true; }) == nullptr);
  }
}

TEST_CASE("what grew for many and holds few gives its memory back") {
  std::size_t before = heap::mapped_bytes();
  std::vector<int> values(20000);
  auto hash = [](std::size_t i) { return i * 0x9e3779b97f4a7c15; };
  PointerTable<int> table;
  Vec<int*> vec;
  for (std::size_t i = 0; i < values.size(); ++i) {
    REQUIRE(table.insert(hash(i), &values[i]));
    REQUIRE(vec.push(&values[i]));
  }
  CHECK(heap::mapped_bytes() >= before + values.size() * 40);
  // The last ten stay, and are found at every size that the table takes on the way.
  for (std::size_t i = 0; i + 10 < values.size(); ++i) {
    table.erase(hash(i), &values[i]);
    int* last = &values.back();
    REQUIRE(table.find(hash(values.size() - 1), [&](int& v) { return &v == last; }) == last);
  }
  for (std::size_t i = 0; i < 10; ++i) vec[i] = vec[values.size() - 10 + i];
  vec.truncate(10);
  vec.shrink();
  CHECK(table.size() == 10);
  for (std::size_t i = 0; i < 10; ++i) CHECK(vec[i] == &values[values.size() - 10 + i]);
  CHECK(heap::mapped_bytes() <= before + 128 * 1024);  // a chunk of small blocks, at most
}

TEST_CASE("rounds of growing the newest block, and freeing it, do not use up the heap") {
  constexpr int kRounds = 50000;  // times 2,048 bytes
  std::size_t before = heap::mapped_bytes();
  for (int round = 0; round < kRounds; ++round) {
    std::size_t bytes = 1024;
    void* block = heap::allocate(bytes);
    REQUIRE(block != nullptr);
    if (heap::extend(block, bytes, 2048)) bytes = 2048;
    heap::release(block, bytes);
  }
  CHECK(heap::mapped_bytes() <= before + 128 * 1024);  // a chunk of small blocks, at most
}
