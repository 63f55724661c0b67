#include <catch2/catch.hpp>

#include <array>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "sim/kernel/random.hpp"
#include "tests/support/goodness_of_fit.hpp"

using namespace vmbsim;
using namespace vmbsim::kernel;
using namespace vmbsim::testing;

// Source: Random123, kat_vectors (philox4x32, 10 rounds): all zero, all one, and the digits of pi.
TEST_CASE("philox gives the published answers") {
  using Block = std::array<std::uint32_t, 4>;
  CHECK(philox4x32_10({0, 0, 0, 0}, {0, 0}) == Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox4x32_10({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
        Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32_10({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

// The expected numbers come from a second implementation of the rule in random.hpp, in another language.
TEST_CASE("a stream is philox over the seed, the names and the index of the draw") {
  Stream disk(Seed{42}, "disk", "service time");
  for (const std::uint64_t expected :
       {0x0d8a1bd4152ed9a2u, 0xc3925a201f6e3cd0u, 0x369d50b47ad8cb80u, 0x5c36e4ba23752f13u, 0xc153f2e55a741ce8u,
        0xba736d1d7dda8ac8u, 0xcc9261fd6789bd3au, 0x1da01289e3bbd995u, 0x60ae8a77c8a6505eu, 0x4b2adab0d1fc81cbu})
    CHECK(disk.next() == expected);
  Stream nameless(Seed{0x123456789abcdef0}, "", "");
  for (const std::uint64_t expected : {0x441f503b80d1ababu, 0x8d2615fcd6b7cf3cu, 0x799fb903d0b1bf42u})
    CHECK(nameless.next() == expected);
}

TEST_CASE("a stream depends on the seed, the component and the purpose, and on where one name ends") {
  const std::vector<Stream> streams{Stream(Seed{1}, "disk", "service"),
                                    Stream(Seed{2}, "disk", "service"),
                                    Stream(Seed{std::uint64_t{1} << 32}, "disk", "service"),
                                    Stream(Seed{1}, "disk", "arrivals"),
                                    Stream(Seed{1}, "net", "service"),
                                    Stream(Seed{1}, "disks", "ervice"),
                                    Stream(Seed{1}, "", "diskservice")};
  std::set<std::uint64_t> firsts;
  for (Stream stream : streams) firsts.insert(stream.next());
  CHECK(firsts.size() == streams.size());
}

TEST_CASE("adding a component does not shift the numbers of another") {
  const auto numbers_of_disk = [](bool with_network) {
    Stream disk(Seed{7}, "disk", "service time");
    Stream network(Seed{7}, "network", "service time");
    std::vector<std::uint64_t> numbers;
    for (int i = 0; i < 1000; ++i) {
      numbers.push_back(disk.next());
      if (with_network) network.below(10);
    }
    return numbers;
  };
  CHECK(numbers_of_disk(true) == numbers_of_disk(false));
}

TEST_CASE("a copied stream goes on from the same position") {
  Stream stream(Seed{7}, "disk", "service time");
  for (int position = 0; position < 20; ++position) {
    Stream copy = stream;
    CHECK(copy.next() == stream.next());
  }
}

// Fails by luck with probability 1e-6 for each row.
TEST_CASE("numbers below a bound are equally likely") {
  struct Row {
    std::uint64_t bound;
    std::size_t cells;
  };
  // At the last bound 4 numbers fall on 3 answers: without drawing again, every third answer would come twice as often.
  for (const Row& row :
       {Row{2, 2}, Row{10, 10}, Row{1000, 1000}, Row{std::uint64_t{1} << 40, 256}, Row{std::uint64_t{3} << 62, 3}}) {
    INFO("bound " << row.bound);
    Stream stream(Seed{11}, "test", "below");
    std::vector<std::uint64_t> by_place(row.cells);
    std::vector<std::uint64_t> by_remainder(row.cells);
    for (int i = 0; i < 200'000; ++i) {
      const std::uint64_t drawn = stream.below(row.bound);
      REQUIRE(drawn < row.bound);
      ++by_place[static_cast<std::size_t>(Wide{drawn} * row.cells / row.bound)];
      ++by_remainder[drawn % row.cells];
    }
    CHECK(chi_square(by_place) < chi_square_limit(row.cells));
    CHECK(chi_square(by_remainder) < chi_square_limit(row.cells));
  }
}

TEST_CASE("a draw counts also when its answer is certain") {
  Stream stream(Seed{11}, "test", "below");
  Stream twin = stream;
  CHECK(stream.below(1) == 0);
  CHECK_FALSE(stream.chance(0, 5));
  CHECK(stream.chance(5, 5));
  for (int i = 0; i < 3; ++i) twin.next();
  CHECK(stream.next() == twin.next());
}

// Fails by luck with probability 1e-6 for each row.
TEST_CASE("chance comes true as often as it says") {
  struct Row {
    std::uint64_t numerator, denominator;
  };
  for (const Row& row : {Row{0, 5}, Row{5, 5}, Row{1, 3}, Row{1, 1000}, Row{999, 1000}}) {
    INFO(row.numerator << " in " << row.denominator);
    Stream stream(Seed{13}, "test", "chance");
    const double p = static_cast<double>(row.numerator) / static_cast<double>(row.denominator);
    const double n = 100'000;
    double hits = 0;
    for (int i = 0; i < 100'000; ++i) hits += stream.chance(row.numerator, row.denominator);
    CHECK(std::abs(hits - n * p) <= limit_of_z * std::sqrt(n * p * (1 - p)));
  }
}

// Fails by luck with probability 1e-6 for each byte.
TEST_CASE("every byte of the numbers is uniform") {
  for (int shift = 0; shift < 64; shift += 8) {
    INFO("byte at bit " << shift);
    Stream stream(Seed{17}, "test", "bytes");
    std::vector<std::uint64_t> counts(256);
    for (int i = 0; i < 100'000; ++i) ++counts[(stream.next() >> shift) & 255];
    CHECK(chi_square(counts) < chi_square_limit(256));
  }
}

// The correlation of n independent pairs has standard deviation 1/sqrt(n). Fails by luck with probability 1e-6 for each
// pair of streams.
TEST_CASE("streams are not correlated with one another or with themselves a draw later") {
  constexpr int n = 100'000;
  const auto correlation = [](Stream a, Stream b) {
    double sum = 0;
    for (int i = 0; i < n; ++i) {
      const double x = static_cast<double>(a.next()) * 0x1p-64 - 0.5;
      const double y = static_cast<double>(b.next()) * 0x1p-64 - 0.5;
      sum += x * y * 12;
    }
    return sum / n;
  };
  const Stream first(Seed{1}, "vm0", "arrivals");
  Stream later = first;
  later.next();
  for (const Stream& other : {later, Stream(Seed{2}, "vm0", "arrivals"), Stream(Seed{1}, "vm1", "arrivals"),
                              Stream(Seed{1}, "vm0", "service")})
    CHECK(std::abs(correlation(first, other)) < limit_of_z / std::sqrt(n));
}
