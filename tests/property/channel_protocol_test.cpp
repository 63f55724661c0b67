// Offers, rescinds, opens and closes in random orders, at random moments: what always holds.
// Source: OpenVMM, vmbus_server: channels.rs; Linux, channel_mgmt.c.
#include <catch2/catch.hpp>
#include <set>

#include "tests/support/bus_machines.hpp"

namespace vmbsim::testing {
namespace {

using namespace vmbus;

/// A server and a client of one offer that keep the rules, and otherwise do what chance tells them.
class Pair final : public ServerEnd, public ClientEnd {
 public:
  Pair(BusMachines& machines, OfferId id) : m_(machines), id_(id) {}

  void server_step() {
    if (offer_ == nullptr) {
      offer_ = m_.bus.offer(id_, *this);
      rescinded_ = false;
    } else if (rescinded_) {
      if (attached_) let_go();
      if (!attached_) offer_ = nullptr;
    } else if (opening_ && chance(2)) {
      opening_ = false;
      attached_ = chance(4) != 0;
      const bool closes = closing_;
      if (!attached_) closing_ = false;
      m_.bus.answer_open(*offer_, attached_);
      if (closes && attached_) let_go();
    } else if (closing_ && !opening_) {
      let_go();
    } else if (chance(4) == 0) {
      rescinded_ = true;
      if (opening_) {
        opening_ = closing_ = false;
        m_.bus.answer_open(*offer_, false);
      }
      m_.bus.rescind(*offer_);
      if (!attached_) offer_ = nullptr;
    }
  }

  void client_step() {
    switch (state_) {
      case State::idle:
        state_ = State::waiting;
        m_.bus.connect(id_, *this);
        return;
      case State::waiting:
        if (chance(6) == 0) {
          m_.bus.disconnect(*this);
          state_ = State::idle;
        }
        return;
      case State::offered:
        if (gone_) return release();
        if (chance(5) == 0) {
          m_.bus.disconnect(*this);
          state_ = State::idle;
          return;
        }
        state_ = State::sharing;
        return m_.bus.create_gpadl(mine(), m_.pages(1 + 3 + static_cast<std::int64_t>(chance(60))));
      case State::shared:
        if (gone_ || chance(5) == 0) return tear_down();
        state_ = State::opening;
        return m_.bus.open(mine(), {1}, {1}, {});
      case State::opening:  // a rescinded channel's open gets no answer
        if (gone_) tear_down();
        return;
      case State::refused: return tear_down();
      case State::open:
        if (!gone_ && chance(3) != 0) return;
        m_.bus.close(mine());
        return tear_down();
      case State::torn_down:
        if (gone_) return release();
        m_.bus.disconnect(*this);
        state_ = State::idle;
        return;
      case State::sharing:
      case State::tearing_down: return;
    }
  }

  void wind_down() {
    if (offer_ != nullptr && !rescinded_) {
      rescinded_ = true;
      if (opening_) {
        opening_ = closing_ = false;
        m_.bus.answer_open(*offer_, false);
      }
      m_.bus.rescind(*offer_);
    }
    if (attached_) let_go();
    offer_ = nullptr;
    if (state_ == State::waiting) {
      m_.bus.disconnect(*this);
      state_ = State::idle;
    } else if (state_ != State::idle) {
      client_step();
    }
  }
  bool quiet() const { return state_ == State::idle && offer_ == nullptr; }
  std::uint64_t opens() const { return opens_; }

  // ---- News ----
  void on_open(Channel&) override {
    CHECK((offer_ != nullptr && !attached_ && !opening_));
    opening_ = true;
    closing_ = false;
  }
  void on_close() override {
    CHECK((attached_ || opening_));
    closing_ = true;
  }
  void on_offer() override {
    CHECK(state_ == State::waiting);
    state_ = State::offered;
    gone_ = false;
  }
  void on_gpadl_created(GpadlHandle handle) override {
    CHECK(state_ == State::sharing);
    CHECK(handle.value != 0);
    state_ = State::shared;
  }
  void on_open_result(bool opened) override {
    CHECK(state_ == State::opening);
    state_ = opened ? State::open : State::refused;
    if (opened) ++opens_;
  }
  void on_gpadl_torn_down() override {
    CHECK(state_ == State::tearing_down);
    CHECK_FALSE(attached_);  // the memory is back, so nobody uses it
    state_ = State::torn_down;
  }
  void on_rescind() override {
    CHECK_FALSE(gone_);
    gone_ = true;
  }

 private:
  enum class State { idle, waiting, offered, sharing, shared, opening, refused, open, tearing_down, torn_down };

  std::uint64_t chance(std::uint64_t of) { return random_.next() % of; }
  Offer& mine() { return *m_.bus.offer_of(*this); }
  void let_go() {
    attached_ = closing_ = false;
    m_.bus.server_closed(*offer_);
  }
  void tear_down() {
    state_ = State::tearing_down;
    m_.bus.tear_down_gpadl(mine());
  }
  void release() {
    m_.bus.release(mine());
    state_ = State::idle;
    gone_ = false;
  }

  BusMachines& m_;
  OfferId id_;
  kernel::Stream random_{
      m_.world.stream("pair", std::to_string(id_.instance.Data1) + "." + std::to_string(id_.subchannel))};
  Offer* offer_ = nullptr;
  bool rescinded_ = false, opening_ = false, attached_ = false, closing_ = false;
  State state_ = State::idle;
  bool gone_ = false;
  std::uint64_t opens_ = 0;
};

/// `channels` devices, each with so many subchannels.
std::uint64_t play(std::uint64_t seed, ULONG devices, std::uint16_t subchannels) {
  BusMachines m(versions[0], versions[0], Seed{seed});
  kernel::Stream random = m.world.stream("test", "order");
  std::vector<std::unique_ptr<Pair>> pairs;
  for (ULONG device = 1; device <= devices; ++device)
    for (std::uint16_t sub = 0; sub <= subchannels; ++sub) {
      OfferId id = m.id;
      id.instance.Data1 = device;
      id.subchannel = sub;
      pairs.push_back(std::make_unique<Pair>(m, id));
    }
  for (int step = 0; step < 400; ++step) {
    Pair& pair = *pairs[random.next() % pairs.size()];
    if (random.next() % 2 == 0)
      pair.server_step();
    else
      pair.client_step();
    // Messages take a microsecond, so some are always on their way.
    m.world.run_until(m.world.now() + Duration{static_cast<std::int64_t>(random.next() % 1500)});
    std::set<std::uint32_t> relids;
    for (const auto& held : pairs)
      if (const Offer* offer = m.bus.offer_of(*held)) {
        REQUIRE(offer->relid() != 0);
        REQUIRE(relids.insert(offer->relid()).second);
      }
  }
  for (int round = 0; round < 8; ++round) {
    for (const auto& pair : pairs) pair->wind_down();
    m.settle();
  }
  for (const auto& pair : pairs) CHECK(pair->quiet());
  CHECK(m.bus.offer_count() == 0);
  CHECK(m.bus.gpadls().count() == 0);
  for (const Finding& finding : m.findings.all())  // what chance may do, a driver may not
    CHECK(finding.text.rfind("guest: the primary channel is closed while its subchannel", 0) == 0);
  std::uint64_t opens = 0;
  for (const auto& pair : pairs) opens += pair->opens();
  return opens;
}

/// What 300 seeds open, with 1 to `most` devices.
std::uint64_t play_300(ULONG most, std::uint16_t subchannels) {
  std::uint64_t opens = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    opens += play(seed, 1 + static_cast<ULONG>(seed % most), subchannels);
  }
  return opens;
}

TEST_CASE("Channels that come and go at random share no relid, leave no memory, and are told nothing out of order") {
  CHECK(play_300(5, 0) > 1000);
}

TEST_CASE("The same with subchannels, whose primaries come and go") { CHECK(play_300(2, 2) > 500); }

}  // namespace
}  // namespace vmbsim::testing
