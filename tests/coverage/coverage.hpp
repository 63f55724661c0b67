#pragma once
/// Which test covers which documented name of KMCL, and which transition or decision: read from the texts of the tests.
///
/// Rule     A test covers a function, a callback, a flag or a status that its own text names, or that a helper names which
///          stands in the same file and which it uses. What happens in helpers that all tests share does not count, nor do
///          tests that only compare the header with the documents. A test shows the transitions and decisions that are its
///          tags.
#include <string>
#include <vector>

#include "tests/tidy/tree.hpp"

namespace vmbsim::coverage {

/// One name of documented_kmcl.h.
struct Name {
  std::string kind;  ///< "function", "server function", "callback", "value", "status"
  std::string name;
  std::vector<std::string> words;  ///< a test that contains one of them names it
};
/// All of them, in the order of the lists.
std::vector<Name> documented_names();

/// One transition or decision of documented_decisions.h.
struct Sentence {
  std::string tag;  ///< "T7", "Q34"
  std::string text;
};
/// All of them, in the order of the lists.
std::vector<Sentence> documented_sentences();

/// One TEST_CASE.
struct Test {
  std::string file;  ///< relative to the root of the tree
  std::string name;
  std::string tags;  ///< "[kmcl][T7]"
  std::string body;  ///< without comments; the helpers it uses included
};
/// The tests in these files, in their order.
std::vector<Test> tests_in(const std::vector<tidy::SourceFile>& files);

/// The tests that say how KMCL behaves.
std::vector<Test> tests_of_behaviour();

/// True when `word` stands in `text` and no letter, digit or underscore is beside it.
bool names(const std::string& text, const std::string& word);

/// The tests that cover `name`.
std::vector<const Test*> covering(const Name& name, const std::vector<Test>& tests);

/// The tests that have the sentence's tag.
std::vector<const Test*> showing(const Sentence& sentence, const std::vector<Test>& tests);

}  // namespace vmbsim::coverage
