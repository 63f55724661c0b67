#pragma once
/// Properties over cases that rapidcheck draws, and shrinks where one fails: the same cases every time.
#include <rapidcheck.h>
#include <rapidcheck/detail/TestListenerAdapter.h>

#include <catch2/catch.hpp>

#include <sstream>
#include <unordered_map>
#include <utility>

namespace vmbsim::testing {

/// `property` holds for `count` values of its arguments. What is told of a failure is the simplest one found.
template <class Property>
rc::detail::TestResult checked(const char* name, int count, Property property) {
  rc::detail::TestParams params;
  params.seed = 0x5EED;
  params.maxSuccess = count;
  rc::detail::TestListenerAdapter nobody;  // the result tells all
  return rc::detail::checkTestable(std::move(property), rc::detail::TestMetadata{name, name}, params, nobody,
                                   std::unordered_map<std::string, rc::detail::Reproduce>{});
}

/// Fails the test case unless it held.
inline void told(const rc::detail::TestResult& result) {
  std::ostringstream text;
  rc::detail::printResultMessage(result, text);
  INFO(text.str());
  CHECK(result.is<rc::detail::SuccessResult>());
}

}  // namespace vmbsim::testing
