// Sequences of operations that Microsoft's own packet library carried out, and what its ring then held.
// Source: EMCL, RingBuffer.c, run step by step; one line an operation, every column compared.
#include <catch2/catch.hpp>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "models/vmbus/ring.hpp"
#include "tests/support/test_ring.hpp"

using namespace vmbsim;
using namespace vmbsim::vmbus;

namespace {

std::filesystem::path vectors_folder() {
  if (const char* folder = std::getenv("VMBSIM_RING_VECTORS")) return folder;
  return std::filesystem::path(VMBSIM_SOURCE_DIR) / "../shared/data/ring-vectors";
}

std::string fnv1a(std::span<const std::byte> bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const std::byte b : bytes) hash = (hash ^ static_cast<std::uint64_t>(b)) * 0x100000001b3;
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields(1);
  for (const char c : line) {
    if (c == ',')
      fields.emplace_back();
    else if (c != '\r')
      fields.back() += c;
  }
  return fields;
}

std::string send(TestRing& ring, std::uint64_t bytes, std::uint64_t id, bool completion_requested) {
  std::vector<std::byte> payload(bytes);
  for (std::uint64_t k = 0; k < bytes; ++k) payload[k] = std::byte(id * 31 + k * 7);
  OutgoingPacket packet;
  packet.completion_requested = completion_requested;
  packet.transaction_id = id;
  packet.payload = payload;
  const WriteAnswer answer = ring.writer.write(packet);
  if (const auto* signal = std::get_if<SignalNeeded>(&answer)) return *signal == SignalNeeded::yes ? "ok,1" : "ok,0";
  return std::holds_alternative<Full>(answer)       ? "full,0"
         : std::holds_alternative<TooLarge>(answer) ? "too_large,0"
                                                    : "corrupt,0";
}

std::string receive(TestRing& ring, std::uint64_t most, std::string& received) {
  for (std::uint64_t n = 0; n < most; ++n) {
    const ReadAnswer answer = ring.reader.read();
    if (std::holds_alternative<Corrupt>(answer)) return "corrupt,0";
    const auto* packet = std::get_if<IncomingPacket>(&answer);
    if (packet == nullptr) break;
    if (!received.empty()) received += ';';
    received += std::to_string(packet->transaction_id);
  }
  const bool signal = ring.reader.commit() == SignalNeeded::yes;
  return std::string(received.empty() ? "empty," : "ok,") + (signal ? '1' : '0');
}

// The line this ring would have written for the operation.
std::string play(TestRing& ring, const std::vector<std::string>& given) {
  const std::uint64_t argument = std::stoull(given[1]);
  std::string received;
  std::string answer;
  if (given[0] == "send") {
    answer = send(ring, argument, std::stoull(given[2]), given[3] == "1");
  } else if (given[0] == "recv") {
    answer = receive(ring, argument, received);
  } else {
    if (argument == 1)
      ring.reader.mask();
    else
      static_cast<void>(ring.reader.unmask());
    answer = "ok,0";
  }
  std::ostringstream line;
  line << given[0] << ',' << given[1] << ',' << given[2] << ',' << given[3] << ',' << answer << ','
       << ring.word(ControlWord::in) << ',' << ring.word(ControlWord::out) << ','
       << ring.word(ControlWord::interrupt_mask) << ',' << ring.word(ControlWord::pending_send) << ','
       << ring.word(ControlWord::feature_bits) << ',' << received << ',' << fnv1a(ring.memory.image().subspan(4096));
  return line.str();
}

}  // namespace

TEST_CASE("a ring does, step by step and byte by byte, what Microsoft's packet library does") {
  const std::filesystem::path folder = vectors_folder();
  if (!std::filesystem::is_directory(folder)) {
    WARN("skipped: no ring vectors at " << folder << "; set VMBSIM_RING_VECTORS to their folder");
    return;
  }
  int files = 0;
  int rows = 0;
  for (const char* pages : {"1", "2", "4"}) {
    for (const char* payload : {"64", "700", "3000"}) {
      const std::filesystem::path path = folder / ("pages-" + std::string(pages) + "-payload-" + payload + ".csv");
      INFO(path);
      std::ifstream file(path);
      REQUIRE(file.is_open());
      std::string line;
      REQUIRE(std::getline(file, line));
      REQUIRE(line.rfind("# data_pages=" + std::string(pages), 0) == 0);
      REQUIRE(std::getline(file, line));
      REQUIRE(line == "op,arg,txid,flags,result,signal,in,out,mask,pending,feature,received,data_fnv1a");
      TestRing ring({std::stoll(pages)});
      for (int row = 3; std::getline(file, line); ++row, ++rows) {
        INFO("line " << row);
        const std::vector<std::string> given = fields_of(line);
        REQUIRE(given.size() == 13);
        REQUIRE(play(ring, given) == line);
      }
      ++files;
    }
  }
  CHECK(files == 9);
  CHECK(rows == 9 * 400);
}
