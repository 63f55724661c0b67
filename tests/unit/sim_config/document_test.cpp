// Documents: places, includes, overrides, and text no parser should be trusted with.
#include <unistd.h>

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "sim/config/document.hpp"
#include "sim/config/overrides.hpp"
#include "sim/config/suggestions.hpp"
#include "sim/config/toml_text.hpp"

using namespace vmbsim;
using namespace vmbsim::config;

namespace {

/// A folder that is gone when the test is over.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / ("vmbsim-document-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << text;
    return (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

/// Problems without their folder, one a line.
std::string lines(const Problems& problems) {
  std::string out;
  for (const Problem& p : problems) {
    Problem short_one = p;
    short_one.place.file = std::filesystem::path(p.place.file).filename().string();
    out += short_one.line() + "\n";
  }
  return out;
}

std::string problems_of(std::string_view text) {
  Problems problems;
  parse_document(text, "t.toml", problems);
  return lines(problems);
}

std::string repeated(const std::string& text, int times) {
  std::string out;
  while (times-- > 0) out += text;
  return out;
}

}  // namespace

TEST_CASE("every key and every value knows its place") {
  Problems problems;
  const Document document = parse_document("a = 1\n[b]\n  c = [ 2, \"three\" ]\n", "t.toml", problems);
  REQUIRE(problems.empty());
  const Node& c = *document.root.find("b")->find("c");
  CHECK(document.place(c.at).line == 3);
  CHECK(document.place(c.at).column == 7);
  CHECK(document.place(c.items[1].at).column == 12);
  CHECK(document.root.find("b")->entries[0].at.column == 3);
  CHECK(document.place(c.at).file == "t.toml");
}

TEST_CASE("hostile text is one problem, never a crash") {
  struct Row {
    const char* situation;
    std::string text;
    std::string problem;
  };
  for (const Row& row :
       {Row{"syntax", "a = = 1", "t.toml:1:5: not TOML: "}, Row{"duplicate key", "a = 1\na = 2", "t.toml:2:"},
        Row{"NUL", std::string("a = 1\0", 6), "t.toml:1:6: not TOML: "},
        Row{"invalid UTF-8", "a = \"\xC3\x28\"", "t.toml:1:"},
        Row{"integer overflow", "a = 9223372036854775808", "t.toml:1:"},
        Row{"deep lists", "a = " + repeated("[", 100'000), "t.toml:1:69: nested more than 64 deep\n"},
        Row{"deep tables", "a = " + repeated("{a=", 100'000), "t.toml:1:"},
        Row{"deep dotted key", repeated("a.", 100'000) + "a = 1", "t.toml:1:"},
        Row{"deep header", "[" + repeated("a.", 100'000) + "a]", "t.toml:1:"},
        Row{"deep quoted key", repeated("\"=\".", 100'000) + "a = 1", "t.toml:1:"},
        Row{"dots and lists mixed", "a = " + repeated("[{" + repeated("a.", 20) + "a=", 20), "t.toml:1:"},
        Row{"too large", std::string(2 << 20, '#'), "t.toml: larger than 1 MiB, which is the most that is read\n"},
        Row{"include without files", "include = [\"x.toml\"]",
            "t.toml:1:11: include: this text is read without files, so it cannot include any\n"}}) {
    INFO(row.situation);
    CHECK_THAT(problems_of(row.text), Catch::StartsWith(row.problem));
  }
}

TEST_CASE("text that only looks deep is fine") {
  for (const std::string& text :
       {std::string("\xEF\xBB\xBF") + "a = 1", "a = [" + repeated("1.5, ", 1000) + "]", "# " + repeated(".", 1000),
        "a = \"" + repeated("[", 1000) + "\"", "a = '''\n" + repeated("[.\n", 1000) + "'''",
        std::string("a = \"\"\"x\"\"\"\"\"\nb = 1"), "a = [\n" + repeated("  { b.c = 1 },\n", 200) + "]",
        std::string()}) {
    INFO(text.substr(0, 40));
    CHECK(problems_of(text) == "");
  }
}

TEST_CASE("an including file wins over what it includes, and lists of tables are appended") {
  const Folder folder;
  folder.write("parts/one.toml", "x = 1\ny = 1\n[t]\na = 1\nb = 1\n[[c]]\nname = \"one\"\n");
  folder.write("parts/two.toml", "y = 2\nlist = [1, 2]\n[[c]]\nname = \"two\"\n");
  const std::string main = folder.write(
      "main.toml",
      "include = [\"parts/one.toml\", \"parts/two.toml\"]\nlist = [3]\n[t]\nb = 3\n[[c]]\nname = \"main\"\n");
  Problems problems;
  const Document document = load_document(main, problems);
  REQUIRE(lines(problems) == "");
  CHECK(document.root.find("include") == nullptr);
  CHECK(document.root.find("x")->integer == 1);
  CHECK(document.root.find("y")->integer == 2);
  CHECK(document.root.find("list")->items.size() == 1);
  CHECK(document.root.find("t")->find("a")->integer == 1);
  CHECK(document.root.find("t")->find("b")->integer == 3);
  const auto& entries = document.root.find("c")->items;
  REQUIRE(entries.size() == 3);
  CHECK(entries[0].find("name")->text == "one");
  CHECK(entries[2].find("name")->text == "main");
  CHECK_THAT(document.place(entries[1].at).file, Catch::EndsWith("parts/two.toml"));
}

TEST_CASE("an include that goes wrong is a problem where it is written") {
  const Folder folder;
  const auto of = [&](const std::string& text) {
    Problems problems;
    load_document(folder.write("main.toml", text), problems);
    return lines(problems);
  };
  folder.write("back.toml", "include = [\"main.toml\"]");
  folder.write("bad.toml", "a = ");
  CHECK(of("include = [\"main.toml\"]") ==
        "main.toml:1:12: include: \"main.toml\" includes itself: main.toml -> main.toml\n");
  CHECK(of("include = [\"back.toml\"]") ==
        "back.toml:1:12: include: \"main.toml\" includes itself: main.toml -> back.toml -> main.toml\n");
  CHECK_THAT(of("include = [\"none.toml\"]"), Catch::EndsWith("none.toml\": there is no such file\n"));
  CHECK_THAT(of("include = [\".\"]"), Catch::EndsWith("\": this is a folder, not a file\n"));
  CHECK_THAT(of("include = [\"bad.toml\"]"), Catch::StartsWith("bad.toml:1:"));
  CHECK(of("include = \"x.toml\"") ==
        "main.toml:1:11: include: wrong type: text; right would be a list of file names, as in [\"base.toml\"]\n");
  CHECK(of("include = [1]") == "main.toml:1:12: include: wrong type: a whole number; right would be a file name\n");
}

TEST_CASE("includes that multiply end at a limit") {
  const Folder folder;
  for (int i = 0; i < 20; ++i) {
    const std::string next = "\"" + std::to_string(i + 1) + ".toml\"";
    folder.write(std::to_string(i) + ".toml", "include = [" + next + ", " + next + "]");
  }
  Problems problems;
  load_document(folder.write("20.toml", ""), problems);
  CHECK(problems.empty());
  load_document(folder.write("main.toml", "include = [\"0.toml\"]"), problems);
  REQUIRE_FALSE(problems.empty());
  CHECK(problems[0].text == "include: more than 64 files");
}

TEST_CASE("a document that is not there is one problem") {
  Problems problems;
  load_document("no/such.toml", problems);
  CHECK(lines(problems) == "such.toml: there is no such file\n");
}

namespace {

const char* const two_entries =
    "n = 1\n[[c]]\nname = \"one\"\nv = 1\n[[c]]\nname = \"two\"\n[[c]]\nname = \"two\"\n[e]\n";

std::string overridden(const std::string& assignment, std::string& error) {
  Problems problems;
  Document document = parse_document(two_entries, "t.toml", problems);
  apply_override(document, 3, assignment, problems);
  error = lines(problems);
  return value_text(document.root);
}

}  // namespace

TEST_CASE("an override changes the value its path names") {
  struct Row {
    const char* assignment;
    const char* expected;
  };
  for (const Row& row :
       {Row{"n=2", "n = 2"}, Row{"n=4 pages", "n = \"4 pages\""}, Row{"n=\"4 pages\"", "n = \"4 pages\""},
        Row{"n = 2", "n = 2"}, Row{"n=true", "n = true"}, Row{"n=0.5", "n = 0.5"}, Row{"n=5us", "n = \"5us\""},
        Row{"n={ exponential = \"5us\" }", "n = { exponential = \"5us\" }"}, Row{"n=[1, 2]", "n = [1, 2]"},
        Row{"n=1979-05-27", "n = \"1979-05-27\""}, Row{"n=", "n = \"\""}, Row{"n=a = b", "n = \"a = b\""},
        Row{"c.one.v=8", "{ name = \"one\", v = 8 }"}, Row{"c.0.v=8", "{ name = \"one\", v = 8 }"},
        Row{"c.2.v=8", "{ name = \"two\", v = 8 }]"}, Row{"c.one.ring.to_host=8", "ring = { to_host = 8 }"},
        Row{"e.\"a.b\"=8", "e = { \"a.b\" = 8 }"}, Row{"new.table=8", "new = { table = 8 }"}}) {
    INFO(row.assignment);
    std::string error;
    CHECK_THAT(overridden(row.assignment, error), Catch::Contains(row.expected));
    CHECK(error == "");
  }
}

TEST_CASE("an override that names nothing says what there is") {
  struct Row {
    const char* assignment;
    const char* problem;
  };
  for (const Row& row :
       {Row{"n", "--set:3:1: \"n\" is no override; write it as in workload.foreground.queue_depth=8\n"},
        Row{"=1", "--set:3:1: \"=1\" is no override; write it as in workload.foreground.queue_depth=8\n"},
        Row{"a..b=1", "--set:3:1: \"a..b=1\" is no override; write it as in workload.foreground.queue_depth=8\n"},
        Row{"\"a=1", "--set:3:1: \"\"a=1\" is no override; write it as in workload.foreground.queue_depth=8\n"},
        Row{"c.noe.v=1", "--set:3:3: there is no entry \"noe\" (did you mean \"one\"?)\n"},
        Row{"c.elsewhere.v=1", "--set:3:3: there is no entry \"elsewhere\"; there are: one, two, two\n"},
        Row{"c.two.v=1", "--set:3:3: \"two\" is the name of several entries; say which by its index from 0\n"},
        Row{"c.3.v=1", "--set:3:3: there is no entry \"3\"; there are: one, two, two\n"},
        Row{"n.x=1", "--set:3:3: \"x\": what stands before it is a whole number, not a table\n"}}) {
    INFO(row.assignment);
    std::string error;
    overridden(row.assignment, error);
    CHECK(error == row.problem);
  }
}

TEST_CASE("the place of an override is its own") {
  Problems problems;
  Document document = parse_document(two_entries, "t.toml", problems);
  apply_override(document, 2, "c.one.v=8", problems);
  CHECK(document.place(document.root.find("c")->items[0].find("v")->at).file == "--set");
  CHECK(document.place(document.root.find("c")->items[0].find("v")->at).line == 2);
  CHECK(document.place(document.root.find("c")->items[0].find("v")->at).column == 9);
}

TEST_CASE("the nearest known word is offered, a far one is not") {
  const std::vector<std::string> words{"to_host", "to_guest", "subchannels"};
  CHECK(nearest("to_hots", words) == "to_host");
  CHECK(nearest("subchanels", words) == "subchannels");
  CHECK(nearest("banana", words) == std::nullopt);
  CHECK(nearest(std::string(100'000, 'a'), words) == std::nullopt);
  CHECK(did_you_mean_or("banana", words, "; known: ") == "; known: to_host, to_guest, subchannels");
}

TEST_CASE("text and numbers written as TOML read back") {
  for (const std::string& text : {std::string("plain"), std::string("a\"b\\c"), std::string("tab\tnew\nline\r"),
                                  std::string("\x01\x7F"), std::string("µs ∞"), std::string()}) {
    const auto node = parse_toml_value(toml_quoted(text));
    REQUIRE(node);
    CHECK(node->text == text);
  }
  for (const double value : {0.0, 1.0, 0.1, 1e300, 5e-324, -2.5}) {
    const auto node = parse_toml_value(real_text(value));
    REQUIRE(node);
    CHECK(node->is(Node::Kind::real));
    CHECK(node->real == value);
  }
  CHECK(key_text("plain-key_1") == "plain-key_1");
  CHECK(key_text("a.b") == "\"a.b\"");
}
