// What a lane writes into the journeys of its packets.
#include <catch2/catch.hpp>

#include "models/vmbus/lane.hpp"
#include "tests/support/test_ring.hpp"

namespace vmbsim::vmbus {
namespace {

using Kind = Lane::Kind;
SimTime at(int us) { return SimTime{Duration{us * 1000}}; }
SimTime ended(const Journey& journey, Stage stage) { return journey.ended[static_cast<std::size_t>(stage)]; }

struct TestLane : TestRing, Lane {
  explicit TestLane(Stage first) : TestRing({1}), Lane(TestRing::memory, first) {}
};

TEST_CASE("A packet on its own ends each stage when it happened") {
  const auto first = GENERATE(Stage::to_host_queue, Stage::to_guest_queue);
  TestLane lane(first);
  Journey journey;
  lane.entered(&journey, Kind::request, at(1));
  lane.signalled(at(2));
  lane.interrupted(at(5));
  lane.dispatched(at(6), true);
  CHECK(lane.left(at(9)) == &journey);
  const auto index = static_cast<std::size_t>(first);
  for (const auto& [stage, time] : {std::pair<std::size_t, int>{0, 1}, {1, 2}, {2, 5}, {3, 6}, {4, 9}})
    CHECK(journey.ended[index + stage] == at(time));
}

TEST_CASE("A packet that rides on an earlier signal spends nothing on stages that were over when it came") {
  TestLane lane(Stage::to_host_queue);
  Journey early, rider;
  lane.entered(&early, Kind::request, at(1));
  lane.signalled(at(2));
  lane.entered(&rider, Kind::request, at(3));
  lane.interrupted(at(5));
  lane.dispatched(at(6), true);
  CHECK(lane.left(at(7)) == &early);
  CHECK(lane.left(at(8)) == &rider);
  CHECK(ended(rider, Stage::to_host_signal) == at(3));
  CHECK(ended(rider, Stage::to_host_interrupt) == at(5));
  CHECK(ended(rider, Stage::to_host_drain) == at(8));
}

TEST_CASE("What a pass leaves in the ring waits in its drain stage, whatever interrupts and passes follow") {
  TestLane lane(Stage::to_host_queue);
  Journey taken, left;
  lane.entered(&taken, Kind::request, at(1));
  lane.entered(&left, Kind::request, at(1));
  lane.signalled(at(2));
  lane.interrupted(at(3));
  lane.dispatched(at(4), true);
  CHECK(lane.left(at(5)) == &taken);
  lane.interrupted(at(50));       // for another reason
  lane.dispatched(at(60), true);  // a completion has ended the stall
  CHECK(lane.left(at(61)) == &left);
  CHECK(ended(left, Stage::to_host_interrupt) == at(3));
  CHECK(ended(left, Stage::to_host_dispatch) == at(4));
  CHECK(ended(left, Stage::to_host_drain) == at(61));
}

TEST_CASE("A pass that takes completions only dispatches those; requests wait for the pass that takes them") {
  TestLane lane(Stage::to_guest_queue);
  Journey request, completion;
  lane.entered(&request, Kind::request, at(1));
  lane.entered(&completion, Kind::completion, at(1));
  lane.signalled(at(2));
  lane.interrupted(at(3));
  lane.dispatched(at(4), false);
  lane.dispatched(at(7), true);
  CHECK(lane.left(at(8)) == &request);
  CHECK(lane.left(at(9)) == &completion);
  CHECK(ended(request, Stage::to_guest_dispatch) == at(7));
  CHECK(ended(completion, Stage::to_guest_dispatch) == at(4));
}

TEST_CASE("What comes out before anybody signalled has stages of length 0") {
  TestLane lane(Stage::to_host_queue);
  Journey journey;
  lane.signalled(at(1));  // of an earlier packet
  lane.interrupted(at(2));
  lane.dispatched(at(3), true);
  lane.entered(&journey, Kind::request, at(4));
  lane.left(at(5));
  CHECK(ended(journey, Stage::to_host_dispatch) == at(4));
  CHECK(ended(journey, Stage::to_host_drain) == at(5));
}

TEST_CASE("Forgotten journeys are not touched any more, those of the other kind are; later ones are not taken either") {
  TestLane lane(Stage::to_guest_queue);
  Journey request, completion, later;
  lane.entered(&request, Kind::request, at(1));
  lane.entered(&completion, Kind::completion, at(2));
  lane.forget(Kind::request);
  lane.entered(&later, Kind::request, at(3));
  CHECK(lane.left(at(4)) == nullptr);
  CHECK(lane.left(at(5)) == &completion);
  CHECK(lane.left(at(6)) == nullptr);
  CHECK(ended(later, Stage::to_guest_queue) == SimTime{});
}

TEST_CASE("A packet that nobody put in has no journey") {
  TestLane lane(Stage::to_host_queue);
  CHECK(lane.left(at(1)) == nullptr);
}

}  // namespace
}  // namespace vmbsim::vmbus
