#include "models/hw/store_buffer.hpp"

#include <catch2/catch.hpp>
#include <string>

using vmbsim::explore::MemoryModel;
using vmbsim::hw::StoreBuffer;

// Source: Sewell et al., "x86-TSO", CACM 53(7), 2010, section 3; SPARC V9, appendix D.

TEST_CASE("a processor's loads see its own buffered stores, the newest of a word") {
  StoreBuffer buffer(MemoryModel::tso);
  CHECK_FALSE(buffer.forward(1));
  buffer.push(1, 10);
  buffer.push(2, 20);
  buffer.push(1, 11);
  CHECK(buffer.forward(1) == 11u);
  CHECK(buffer.forward(2) == 20u);
  CHECK_FALSE(buffer.forward(3));
}

TEST_CASE("in tso stores become visible in program order, one at a time") {
  StoreBuffer buffer(MemoryModel::tso);
  buffer.push(1, 10);
  buffer.push(2, 20);
  CHECK(buffer.ready() == 1);
  CHECK(buffer.drain_one().word == 1);
  CHECK(buffer.drain_one().value == 20);
  CHECK(buffer.empty());
  CHECK(buffer.ready() == 0);
}

TEST_CASE("in pso stores to different words overtake each other, stores to one word never") {
  StoreBuffer buffer(MemoryModel::pso);
  buffer.push(1, 10);
  buffer.push(1, 11);
  buffer.push(2, 20);
  CHECK(buffer.ready() == 2);
  CHECK(buffer.ready_at(1).value == 20);
  CHECK(buffer.drain_one(1).word == 2);
  CHECK(buffer.ready() == 1);
  CHECK(buffer.drain_one().value == 10);
  CHECK(buffer.drain_one().value == 11);
}

TEST_CASE("in pso no store overtakes over a write fence") {
  StoreBuffer buffer(MemoryModel::pso);
  buffer.push(1, 10);
  buffer.write_fence();
  buffer.push(2, 20);
  CHECK(buffer.ready() == 1);
  CHECK(buffer.drain_one().word == 1);
  CHECK(buffer.ready_at(0).word == 2);
}

TEST_CASE("a barrier drains everything, oldest first") {
  StoreBuffer buffer(MemoryModel::pso);
  buffer.push(1, 10);
  buffer.write_fence();
  buffer.push(2, 20);
  std::string order;
  buffer.drain_all([&](const StoreBuffer::Store& store) { order += std::to_string(store.value) + " "; });
  CHECK(order == "10 20 ");
  CHECK(buffer.empty());
}
