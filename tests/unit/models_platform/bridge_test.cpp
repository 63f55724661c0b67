#include <malloc.h>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "models/device/processor_sharing.hpp"
#include "models/platform/platform.hpp"
#include "tests/unit/models_device/clients.hpp"
#include "tests/unit/models_platform/in_a_process.hpp"

using namespace vmbsim;
using namespace vmbsim::platform;
using device::Clients;
using device::ClosedLoop;
using device::Operation;
using kernel::Simulation;

namespace {

/// Reads at 1 GB/s, writes at 0.5 GB/s, two hosts with a link of 1 GB/s and 5 us between them.
constexpr const char* round_figures = R"(<?xml version="1.0"?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
  <zone id="z" routing="Full">
    <host id="a" speed="1Gf" core="4">
      <disk id="d" read_bw="1000MBps" write_bw="500MBps"/>
      <disk id="e" read_bw="1000MBps" write_bw="500MBps"/>
      <disk id="slow" read_bw="100MBps" write_bw="100MBps"/>
    </host>
    <host id="b" speed="2Gf" core="2"/>
    <link id="l" bandwidth="1000MBps" latency="5us"/>
    <route src="a" dst="b"><link_ctn id="l"/></route>
  </zone>
</platform>
)";

class TextFile {
 public:
  explicit TextFile(const std::string& text) {
    const int fd = ::mkstemp(name_);
    REQUIRE(fd >= 0);
    ::close(fd);
    std::ofstream(name_) << text;
  }
  ~TextFile() { ::unlink(name_); }
  const char* name() const { return name_; }

 private:
  char name_[32] = "/tmp/vmbsim-platform-XXXXXX";
};

/// A story on the platform of round figures, told from a process of its own.
std::string on_platform(const std::function<void(Simulation&, Platform&, std::ostream&)>& story,
                        kernel::ChoiceSource* choices = nullptr, const char* text = round_figures) {
  const TextFile file(text);
  return in_a_process([&] {
    Problems problems;
    const auto platform = Platform::load(file.name(), problems);
    if (platform == nullptr) return problems.front().line();
    Simulation world(Seed{1}, nullptr, choices);
    platform->attach(world);
    std::ostringstream out;
    story(world, *platform, out);
    return out.str();
  });
}

device::Resource& disk(Platform& platform, const std::string& name) {
  Problems problems;
  return *platform.disk(name, {}, problems);
}

std::string text(const Clients::Log& log) {
  std::ostringstream out;
  for (const auto& [label, time] : log) out << label << "@" << time << " ";
  return out.str();
}

}  // namespace

// Max-min sharing by hand: 500 B alone, then half the bandwidth each.
TEST_CASE("two reads of one disk share its bandwidth, and every other event keeps its nanosecond") {
  CHECK(on_platform([](Simulation& world, Platform& platform, std::ostream& out) {
          Clients clients(world, disk(platform, "a:d"));
          clients.submit_at(0ns, 1, Bytes{1000});
          clients.submit_at(500ns, 2, Bytes{1000});
          struct Foreign {
            Simulation& world;
            Clients& clients;
            std::ostream& out;
          } foreign{world, clients, out};
          const ActorId actor = world.new_actor();
          for (int at : {0, 499, 500, 501, 1499, 1500, 1501, 1999, 2000, 2001})
            world.at(
                SimTime{Duration{at}}, actor,
                [](void* object) {
                  auto& f = *static_cast<Foreign*>(object);
                  f.out << nanoseconds(f.world.now()) << "(" << f.clients.log().size() << ") ";
                },
                &foreign);
          platform.run(world, SimTime{1ms});
          out << "| " << text(clients.log()) << "| " << nanoseconds(world.now());
        }) ==
        // at 1500 and 2000 the calendar's own event comes first: it sees one completion less
        "0(0) 499(0) 500(0) 501(0) 1499(0) 1500(0) 1501(1) 1999(1) 2000(1) 2001(2) | 1@1500 2@2000 | 1000000");
}

TEST_CASE("two guests on one disk take twice the time of one alone, on two disks they do not") {
  const auto last = [](std::vector<std::string> disks) {
    return on_platform([&](Simulation& world, Platform& platform, std::ostream& out) {
      std::deque<ClosedLoop> guests;
      for (const std::string& name : disks) guests.emplace_back(world, disk(platform, name), 1, 100, 64_KiB);
      for (ClosedLoop& guest : guests) guest.start();
      platform.run(world, SimTime{1s});
      for (ClosedLoop& guest : guests) out << nanoseconds(guest.last()) << " ";
    });
  };
  CHECK(last({"a:d"}) == "6553600 ");
  CHECK(last({"a:d", "a:d"}) == "13107200 13107200 ");
  CHECK(last({"a:d", "a:e"}) == "6553600 6553600 ");
}

TEST_CASE("a disk is busy while any work is on it, a way as its fullest link by what all ways bring over it") {
  CHECK(on_platform([](Simulation& world, Platform& platform, std::ostream& out) {
          Clients clients(world, disk(platform, "a:d"));
          clients.submit_at(0us, 1, Bytes{2000});  // 1 GB/s
          clients.submit_at(1us, 2, Bytes{1000});
          clients.submit_at(6us, 3, Bytes{1000});
          Problems problems;
          Clients there(world, *platform.link("a", "b", {}, problems));
          Clients back(world, *platform.link("b", "a", {}, problems));
          there.submit_at(0us, 4, Bytes{2000});
          back.submit_at(5us, 5, Bytes{3000});
          platform.run(world, SimTime{20us});
          for (const DeviceResult& device : platform.devices(world.now())) out << device.utilisation << " ";
        }) == "0.2 0.25 0.25 ");
}

// Source: SimGrid 3.32 documentation, s4u::Disk: reads and writes have a bandwidth each, both together the larger of the two.
TEST_CASE("reads and writes of one disk share what the platform file says") {
  CHECK(on_platform([](Simulation& world, Platform& platform, std::ostream& out) {
          Clients clients(world, disk(platform, "a:d"));
          clients.submit_at(0ns, 1, Bytes{1000}, Duration{-1}, Operation::write);
          clients.submit_at(10us, 2, Bytes{1000}, Duration{-1},
                            Operation::read);  // with the write: half of 1 GB/s each
          clients.submit_at(10us, 3, Bytes{1000}, Duration{-1}, Operation::write);
          clients.submit_at(20us, 4, Bytes{0}, Duration{-1}, Operation::flush);
          platform.run(world, SimTime{1ms});
          out << text(clients.log());
        }) == "1@2000 2@12000 3@12000 4@20000 ");
}

TEST_CASE("a saturated disk moves exactly its bandwidth, and a closed form agrees to a few nanoseconds") {
  const auto last = [](std::uint32_t depth, std::int64_t size) {
    const std::string told = on_platform([&](Simulation& world, Platform& platform, std::ostream& out) {
      ClosedLoop loop(world, disk(platform, "a:d"), depth, 5000, {});
      std::int64_t bytes = size;
      for (device::Work& work : loop.works()) work.size = Bytes{bytes += 517};
      loop.start();
      platform.run(world, SimTime{100s});
      out << nanoseconds(loop.last()) -
                 platform.devices(world.now()).front().bytes.count;  // at 1 GB/s a byte is a nanosecond
    });
    return std::stol(told);
  };
  CHECK(std::abs(last(50, 4096)) < 1000);
  CHECK(std::abs(last(7, 65536)) < 1000);
  CHECK(std::abs(last(1, 1000)) < 1000);
}

// On one resource max-min fairness is equal sharing; the closed form rounds up, SimGrid's door rounds to the nearest.
TEST_CASE("a platform disk and processor sharing complete the same works at the same times") {
  const auto load = [](Clients& clients) {
    kernel::Stream stream(Seed{5}, "test", "load");
    for (int i = 0; i < 300; ++i) {
      const auto at = static_cast<std::int64_t>(stream.below(3'000'000));
      clients.submit_at(Duration{at}, i, Bytes{static_cast<std::int64_t>(stream.below(20'000))});
    }
  };
  Simulation alone(Seed{1});
  device::ProcessorSharing closed_form(alone, {.bytes_per_second = 1'000'000'000});
  Clients expected(alone, closed_form);
  load(expected);
  alone.run_until(SimTime{1s});
  const std::string told = on_platform([&](Simulation& world, Platform& platform, std::ostream& out) {
    Clients clients(world, disk(platform, "a:d"));
    load(clients);
    platform.run(world, SimTime{1s});
    for (const auto& [label, time] : clients.log()) out << label << " " << time << " ";
  });
  std::map<int, std::int64_t> done;
  std::istringstream in(told);
  for (int label; in >> label;) in >> done[label];
  REQUIRE(done.size() == 300);
  for (const auto& [label, time] : expected.log()) {
    CAPTURE(label, time);
    CHECK(std::abs(done[label] - time) <= 2);
  }
}

// SimGrid 3.32, DiskS19Model::update_actions_state: an unscaled disk of 100 MB/s never finishes beside a 4 ns tick, because progress is rounded to whole bytes.
TEST_CASE("unrelated submissions beside an operation do not change when it ends") {
  CHECK(on_platform([](Simulation& world, Platform& platform, std::ostream& out) {
          Clients clients(world, disk(platform, "a:slow"));
          Clients ticks(world, disk(platform, "a:d"));
          clients.submit_at(0ns, 1, Bytes{1000});
          for (int i = 1; i < 3000; ++i) ticks.submit_at(Duration{4 * i}, i, Bytes{1});
          platform.run(world, SimTime{1ms});
          out << text(clients.log()) << ticks.log().size();
        }) == "1@10000 2999");
}

TEST_CASE("completions of one instant come in order of submission, after the calendar's events, or as a choice says") {
  struct LastOfAll final : kernel::ChoiceSource {
    std::uint32_t choose(const kernel::Choice& choice) override { return choice.alternatives - 1; }
  } last;
  const auto story = [](Simulation& world, Platform& platform, std::ostream& out) {
    Clients first(world, disk(platform, "a:d"));
    Clients second(world, disk(platform, "a:e"));
    std::vector<std::string> seen;
    struct Chain {
      Simulation& world;
      Clients& clients;
      std::ostream& out;
      ActorId actor;
      int left = 2;
      void step() {
        out << "event sees " << clients.log().size() << ", ";
        if (left-- > 0) world.after<&Chain::step>(0ns, actor, *this);
      }
    } chain{world, first, out, world.new_actor()};
    second.submit_at(100ns, 1, Bytes{900});
    first.submit_at(200ns, 2, Bytes{400});  // both share their disks with nobody and end at 1000 ns
    first.submit_at(200ns, 3, Bytes{400});
    world.at<&Chain::step>(SimTime{1000ns}, chain.actor, chain);
    platform.run(world, SimTime{1ms});
    out << text(first.log()) << text(second.log());
  };
  CHECK(on_platform(story) == "event sees 0, event sees 0, event sees 0, 2@1000 3@1000 1@1000 ");
  CHECK(on_platform(story, &last) == "event sees 0, event sees 0, event sees 0, 3@1000 2@1000 1@1000 ");
}

TEST_CASE("transfers take the latency of the route, then share its bandwidth") {
  CHECK(on_platform([](Simulation& world, Platform& platform, std::ostream& out) {
          Problems problems;
          device::Resource* there = platform.link("a", "b", {}, problems);
          device::Resource* back = platform.link("b", "a", {}, problems);
          Clients one(world, *there);
          Clients two(world, *back);
          one.submit_at(0ns, 1, Bytes{10'000});
          one.submit_at(100us, 2, Bytes{10'000});
          two.submit_at(100us, 3, Bytes{10'000});
          platform.run(world, SimTime{1ms});
          out << text(one.log()) << text(two.log());
        }) == "1@15000 2@125000 3@125000 ");
}

TEST_CASE("a run ends where it is told and goes on from there") {
  const auto story = [](std::vector<Duration> ends) {
    return on_platform([&](Simulation& world, Platform& platform, std::ostream& out) {
      Clients clients(world, disk(platform, "a:d"));
      for (int i = 0; i < 40; ++i) clients.submit_at(Duration{300 * i}, i, Bytes{1000});
      for (const Duration end : ends) {
        platform.run(world, SimTime{end});
        if (nanoseconds(world.now()) != end.count()) out << "clock at " << nanoseconds(world.now()) << "! ";
      }
      out << text(clients.log());
    });
  };
  const std::string whole = story({1ms});
  CHECK(whole.find("39@40000") != std::string::npos);  // 40 kB at 1 GB/s
  CHECK(story({1500ns, 1501ns, 7us, 7us, 20us, 1ms}) == whole);
}

TEST_CASE("a completion at the very end of a run belongs to it") {
  CHECK(on_platform([](Simulation& world, Platform& platform, std::ostream& out) {
          Problems problems;
          device::Resource& reads = disk(platform, "a:d");
          device::Resource& transfers = *platform.link("a", "b", {}, problems);
          std::uint64_t late = 0;
          for (std::int64_t size = 1000; size < 1200; ++size)
            for (device::Resource* resource : {&reads, &transfers}) {
              ClosedLoop loop(world, *resource, 1, 1, Bytes{size});
              loop.start();
              platform.run(world, world.now() + Duration{size} + (resource == &transfers ? 5us : 0us));
              late += resource->in_flight();
              platform.run(world, world.now() + 10ns);
            }
          out << late;
        }) == "0");
}

// SimGrid's default surf/precision of 1e-9 s would complete some of these transfers with the read 1 ns before their end.
TEST_CASE("what happens a nanosecond before a completion does not bring it forward") {
  CHECK(on_platform([](Simulation& world, Platform& platform, std::ostream& out) {
          Problems problems;
          Clients transfers(world, *platform.link("a", "b", {}, problems));
          Clients reads(world, disk(platform, "a:d"));
          for (int i = 0; i < 100; ++i) {
            const Duration start = i * 33'333ns;
            transfers.submit_at(start, i, Bytes{10'000 + i});
            reads.submit_at(start + 14'999ns + Duration{i}, i, Bytes{100});
          }
          platform.run(world, SimTime{1s});
          int wrong = 100 - static_cast<int>(transfers.log().size());
          for (const auto& [i, time] : transfers.log()) wrong += time != i * 33'333 + 15'000 + i;
          out << wrong;
        }) == "0");
}

TEST_CASE("stop ends a run at once, with works in flight") {
  CHECK(on_platform([](Simulation& world, Platform& platform, std::ostream& out) {
          Clients clients(world, disk(platform, "a:d"));
          clients.submit_at(0ns, 1, Bytes{1000});
          world.at(
              SimTime{700ns}, world.new_actor(), [](void* object) { static_cast<Simulation*>(object)->stop(); },
              &world);
          platform.run(world, SimTime{1ms});
          out << nanoseconds(world.now()) << " " << clients.log().size() << " " << disk(platform, "a:d").in_flight()
              << " ";
          platform.run(world, SimTime{1ms});
          out << nanoseconds(world.now()) << " " << text(clients.log());
        }) == "700 0 1 1000000 1@1000 ");
}

TEST_CASE("time that passes without an event never passes a completion") {
  // A context that computes 2 us in steps of 100 ns while a read of 1000 B is in flight.
  CHECK(on_platform([](Simulation& world, Platform& platform, std::ostream& out) {
          Clients clients(world, disk(platform, "a:d"));
          struct Context {
            Simulation& world;
            Clients& clients;
            std::ostream& out;
            ActorId actor;
            int left = 20;
            int skipped = 0;
            void go() {
              while (left > 0) {
                --left;
                if (!world.try_advance(100ns, actor)) {
                  world.after<&Context::go>(100ns, actor, *this);
                  return;
                }
                ++skipped;
                if (nanoseconds(world.now()) > 1050 && clients.log().empty()) out << "passed it! ";
              }
            }
          } context{world, clients, out, world.new_actor()};
          clients.submit_at(50ns, 1, Bytes{1000});
          world.at<&Context::go>(SimTime{0ns}, context.actor, context);
          platform.run(world, SimTime{1ms});
          out << text(clients.log()) << (context.skipped > 10 ? "mostly without events" : "event by event");
        }) == "1@1050 mostly without events");
}

TEST_CASE("two processes complete the same works at the same times") {
  const auto story = [](Simulation& world, Platform& platform, std::ostream& out) {
    Clients one(world, disk(platform, "a:d"));
    Clients two(world, disk(platform, "a:slow"));
    kernel::Stream stream(world.seed(), "test", "load");
    for (int i = 0; i < 500; ++i) {
      const auto at = static_cast<std::int64_t>(stream.below(2'000'000));
      (i % 3 == 0 ? two : one).submit_at(Duration{at}, i, Bytes{static_cast<std::int64_t>(stream.below(9'000))});
    }
    platform.run(world, SimTime{1s});
    out << text(one.log()) << text(two.log());
  };
  const std::string once = on_platform(story);
  CHECK(std::count(once.begin(), once.end(), '@') == 500);
  CHECK(on_platform(story) == once);
}

TEST_CASE("a crowd on a platform is noticed") {
  CHECK(on_platform([](Simulation& world, Platform& platform, std::ostream& out) {
          for (std::uint32_t depth : {64U, 65U}) {
            ClosedLoop loop(world, disk(platform, "a:d"), depth, depth, 4_KiB);
            loop.start();
            platform.run(world, world.now() + 1s);
            out << platform.peak_in_flight() << (platform.crowded() ? " crowded " : " fine ");
          }
        }) == "64 fine 65 crowded ");
}

TEST_CASE("a run takes no more memory the longer it is") {
  CHECK(on_platform([](Simulation& world, Platform& platform, std::ostream& out) {
          Problems problems;
          for (device::Resource* resource : {&disk(platform, "a:d"), platform.link("a", "b", {}, problems)}) {
            std::size_t before = 0;
            for (const std::uint64_t operations : {1'000u, 20'000u}) {  // the first fill what is kept and used again
              ClosedLoop loop(world, *resource, 3, operations, 4_KiB);
              loop.start();
              before = ::mallinfo2().uordblks;
              platform.run(world, end_of_time);
            }
            const std::size_t after = ::mallinfo2().uordblks;
            if (after > before + 10'000) out << "grown by " << (after - before) << " bytes ";
          }
          out << platform.devices(world.now()).front().operations;
        }) == "21000");
}

TEST_CASE("works that take no time, each after the other, are a livelock") {
  std::string fast = round_figures;  // 4 KiB take 0.41 ns
  fast.replace(fast.find("1000MBps"), 8, "1e13Bps");
  struct Client {  // an event more than its read for every read, at the same instant
    Simulation& world;
    device::Resource& disk;
    ActorId actor;
    device::Work work;
    int events = 0;
    void step() {
      if (++events % 1000 != 0) return (void)world.after<&Client::step>(0ns, actor, *this);
      disk.submit(work);
    }
  };
  CHECK(on_platform(
            [](Simulation& world, Platform& platform, std::ostream& out) {
              Client client{world, disk(platform, "a:d"), world.new_actor(), {}};
              client.work.size = 4_KiB;
              client.work.owner = &client;
              client.work.done = [](device::Work& work) { static_cast<Client*>(work.owner)->step(); };
              client.disk.submit(client.work);
              platform.run(world, SimTime{1s});
              out << (world.livelocked() ? "livelock" : "no livelock") << " at " << nanoseconds(world.now());
            },
            nullptr, fast.c_str()) == "livelock at 0");
}

TEST_CASE("a link whose bandwidth varies is followed") {
  // Half the bandwidth of 1 GB/s for 20 us: 7.5 kB pass between 5 us and 20 us, the rest takes 2.5 us.
  const TextFile profile("0.0 500000000\n0.000020 1000000000\nLOOPAFTER 0.001\n");
  const std::string varying = [&] {
    std::string text = round_figures;
    const std::string link = R"(latency="5us")";
    text.insert(text.find(link), "bandwidth_file=\"" + std::string(profile.name()).substr(5) + "\" ");
    return text;
  }();
  CHECK(on_platform(
            [](Simulation& world, Platform& platform, std::ostream& out) {
              Problems problems;
              Clients clients(world, *platform.link("a", "b", {}, problems));
              clients.submit_at(0ns, 1, Bytes{10'000});
              platform.run(world, SimTime{10ms});
              out << text(clients.log());
            },
            nullptr, varying.c_str()) == "1@22500 ");
}
