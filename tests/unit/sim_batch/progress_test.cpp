#include "sim/batch/progress.hpp"

#include <catch2/catch.hpp>

using namespace vmbsim::batch;

TEST_CASE("progress says what is done, what runs, what failed, how fast it goes and how long it takes") {
  CHECK(plain_line({.planned = 10, .running = 2}) == "0 of 10 done, 2 running, 0 failed");
  CHECK(plain_line({.planned = 1000, .before = 100, .done = 290, .failed = 10, .running = 2, .elapsed_ms = 20'000}) ==
        "290 of 1000 done, 2 running, 10 failed, 10.0/s, 1 min 10 s left");
  CHECK(plain_line({.planned = 100'000, .done = 10, .elapsed_ms = 10'000}) ==
        "10 of 100000 done, 0 running, 0 failed, 1.0/s, 27 h 46 min left");
  CHECK(
      json_line({.planned = 1000, .before = 100, .done = 290, .failed = 10, .running = 2, .elapsed_ms = 20'000}) ==
      R"({"planned":1000,"before":100,"done":290,"failed":10,"running":2,"elapsed_s":20.0,"per_s":10.0,"left_s":70})");
  CHECK(json_line({.planned = 3}) ==
        R"({"planned":3,"before":0,"done":0,"failed":0,"running":0,"elapsed_s":0.0,"per_s":0.0,"left_s":null})");
}
