// The fuzzers without a fuzzer: seeds from a folder, changed at random but the same way every time.
//
//   short_run CORPUS INPUTS [FIRST]     runs inputs FIRST .. FIRST + INPUTS - 1; a single one is printed first
#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "sim/kernel/random.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Input = std::vector<std::uint8_t>;
using vmbsim::kernel::Stream;

volatile std::sig_atomic_t current = 0;  // signal handlers may read nothing else
char again[512];

extern "C" void on_crash(int signal) {
  std::fprintf(stderr, "input %d crashes; again: %s %d\n", static_cast<int>(current), again, static_cast<int>(current));
  std::_Exit(128 + signal);
}

std::vector<Input> corpus(const char* folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<Input> inputs;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return inputs;
}

/// One change: a byte, a bit, a digit, a piece lost, doubled, or taken from another seed.
void change(Input& input, const Input& other, Stream& random) {
  const auto place = [&](const Input& in) { return static_cast<std::ptrdiff_t>(random.below(in.size() + 1)); };
  const auto piece = [&](const Input& in, std::ptrdiff_t from) {
    return static_cast<std::ptrdiff_t>(
        random.below(std::min<std::uint64_t>(in.size() - static_cast<std::size_t>(from), 64) + 1));
  };
  constexpr char telling[] = "0123456789.,;\"'-x\n\r\t \0\xFF\x80";
  const std::ptrdiff_t at = place(input);
  const bool inside = at < static_cast<std::ptrdiff_t>(input.size());
  const auto index = static_cast<std::size_t>(at);
  switch (random.below(7)) {
    case 0:
      if (inside) input[index] = static_cast<std::uint8_t>(random.next());
      break;
    case 1:
      if (inside) input[index] ^= static_cast<std::uint8_t>(1U << random.below(8));
      break;
    case 2:
      if (inside) input[index] = static_cast<std::uint8_t>(telling[random.below(sizeof telling)]);
      break;
    case 3: input.insert(input.begin() + at, static_cast<std::uint8_t>(telling[random.below(sizeof telling)])); break;
    case 4: input.erase(input.begin() + at, input.begin() + at + piece(input, at)); break;
    case 5: {
      const Input copy(input.begin() + at, input.begin() + at + piece(input, at));
      input.insert(input.begin() + place(input), copy.begin(), copy.end());
      break;
    }
    case 6: {
      const std::ptrdiff_t from = place(other);
      const Input copy(other.begin() + from, other.begin() + from + piece(other, from));
      input.insert(input.begin() + at, copy.begin(), copy.end());
      break;
    }
  }
}

/// Input `index` of the run, from nothing but its number: any one can be run alone.
Input input_of(std::uint64_t index, const std::vector<Input>& seeds) {
  if (index < seeds.size()) return seeds[index];
  Stream random(vmbsim::Seed{index}, "fuzz", "mutation");
  Input input = seeds[random.below(seeds.size())];
  for (std::uint64_t changes = 1 + random.below(8); changes > 0; --changes)
    change(input, seeds[random.below(seeds.size())], random);
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: %s CORPUS INPUTS [FIRST]\n", argv[0]);
    return 2;
  }
  const std::vector<Input> seeds = corpus(argv[1]);
  if (seeds.empty()) {
    std::fprintf(stderr, "%s: no seeds\n", argv[1]);
    return 2;
  }
  std::snprintf(again, sizeof again, "%s %s 1", argv[0], argv[1]);
  for (const int signal : {SIGABRT, SIGSEGV, SIGFPE, SIGILL, SIGBUS}) std::signal(signal, on_crash);
  const std::uint64_t inputs = std::strtoull(argv[2], nullptr, 10);
  const std::uint64_t first = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 0;
  for (std::uint64_t index = first; index < first + inputs; ++index) {
    current = static_cast<std::sig_atomic_t>(index);
    const Input input = input_of(index, seeds);
    if (inputs == 1) {
      std::fwrite(input.data(), 1, input.size(), stdout);
      std::fflush(stdout);
    }
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  std::printf("%llu inputs from %zu seeds\n", static_cast<unsigned long long>(inputs), seeds.size());
  return 0;
}
