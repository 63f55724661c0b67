#include "sim/config/csv_reader.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace vmbsim;
using config::CsvColumn;
using config::CsvOptions;
using config::CsvReader;

namespace {

/// The text of each problem, as a user sees it.
std::vector<std::string> lines(const Problems& problems) {
  std::vector<std::string> out;
  for (const Problem& problem : problems) out.push_back(problem.line());
  return out;
}

/// Every row as its cells.
std::vector<std::vector<std::string>> cells(CsvReader& csv) {
  std::vector<std::vector<std::string>> out;
  while (csv.next()) {
    out.emplace_back();
    for (const CsvColumn& column : csv.columns()) out.back().emplace_back(csv.text(column));
  }
  return out;
}

/// One cell under one header, read as nanoseconds.
struct Reading {
  std::optional<Duration> value;
  std::vector<std::string> problems;
};
Reading nanoseconds_of(const std::string& header, const std::string& cell, char decimal = 0, char delimiter = ';') {
  const std::string text = header + "\n" + cell + "\n";
  CsvReader csv(text, "t.csv", {.delimiter = delimiter, .decimal = decimal});
  REQUIRE(csv.next());
  const CsvColumn column = csv.columns().front();
  Reading reading;
  reading.value = csv.duration(column);
  reading.problems = lines(csv.take_problems());
  return reading;
}

}  // namespace

// Source: RFC 4180, section 2, rules 1 to 7.
TEST_CASE("quoted cells may hold delimiters, line ends and doubled quotation marks") {
  CsvReader csv("a,b\r\n\"1,5\",\"x\r\ny\"\r\n\"say \"\"hi\"\"\",\r\n", "t.csv");
  CHECK(cells(csv) == std::vector<std::vector<std::string>>{{"1,5", "x\r\ny"}, {"say \"hi\"", ""}});
  CHECK(csv.take_problems().empty());
}

TEST_CASE("lines may end in LF, CRLF or CR, the last one in nothing, and blank lines are skipped") {
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    INFO("line end of " << end.size() << " bytes, " << int(end[0]));
    const std::string text = "a,b" + end + "1,2" + end + end + "  " + end + "3,4";
    CsvReader csv(text, "t.csv");
    CHECK(cells(csv) == std::vector<std::vector<std::string>>{{"1", "2"}, {"3", "4"}});
    CHECK(csv.take_problems().empty());
  }
}

TEST_CASE("the delimiter is the one the header line holds most of") {
  struct Row {
    std::string header;
    char delimiter;
  };
  for (const Row& row :
       {Row{"a,b,c", ','}, Row{"a;b;c", ';'}, Row{"a\tb\tc", '\t'}, Row{"one", ','}, Row{"\"a,b,c,d\";e", ';'},
        Row{"\xEF\xBB\xBF"
            "a;b,c;d",
            ';'}}) {
    INFO(row.header);
    const std::string text = row.header + "\n";
    CsvReader csv(text, "t.csv");
    CHECK(csv.delimiter() == row.delimiter);
  }
}

TEST_CASE("a byte order mark is no part of the first column's name, and shifts no place") {
  CsvReader csv("\xEF\xBB\xBFtime,size\n1,x\n", "t.csv");
  const auto size = csv.column({"size"});
  REQUIRE(csv.find("time"));
  REQUIRE(size);
  REQUIRE(csv.next());
  CHECK_FALSE(csv.integer(*size));
  CHECK(lines(csv.take_problems()) == std::vector<std::string>{"t.csv:2:3: \"size\" \"x\" is not a number"});
}

TEST_CASE("what is not text is refused with what to do about it") {
  struct Row {
    std::string text;
    std::string says;
  };
  for (const Row& row :
       {Row{"", "t.csv: the file is empty"}, Row{"\xEF\xBB\xBF\r\n \n", "t.csv: the file is empty"},
        Row{"\x1F\x8B\x08 abc", "t.csv: the file is compressed (gzip); unpack it first: gzip -dk FILE"},
        Row{std::string("\xFF\xFE"
                        "a\0,\0",
                        6),
            "t.csv: the file is UTF-16; save it as UTF-8 (iconv -f UTF-16 -t UTF-8)"},
        Row{std::string("a\0,\0b\0", 6),
            "t.csv: the file holds zero bytes, so it is binary, or UTF-16 without a mark; text in UTF-8 is "
            "needed"}}) {
    CsvReader csv(row.text, "t.csv");
    CHECK(csv.columns().empty());
    CHECK_FALSE(csv.next());
    CHECK(lines(csv.take_problems()) == std::vector<std::string>{row.says});
  }
}

TEST_CASE("a header without rows is no problem of the reader, only no rows") {
  CsvReader csv("a,b\n", "t.csv");
  CHECK_FALSE(csv.next());
  CHECK(csv.rows() == 0);
  CHECK(csv.take_problems().empty());
}

TEST_CASE("a row with too many or too few cells is named by its place and skipped") {
  CsvReader csv("a,b\n1,\"x\ny\"\n2,3,4\n5\n6,7\n", "t.csv");
  CHECK(cells(csv) == std::vector<std::vector<std::string>>{{"1", "x\ny"}, {"6", "7"}});
  CHECK(lines(csv.take_problems()) ==
        std::vector<std::string>{"t.csv:4:5: the row has 3 cells, and there are 2 columns",
                                 "t.csv:5:2: the row has 1 cell, and there are 2 columns"});
}

TEST_CASE("places count lines inside quotes, and characters instead of bytes") {
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    INFO("line end of " << end.size() << " bytes, " << int(end[0]));
    const std::string text = "a,b,c" + end + "\"x" + end + "\xC2\xB5\",  7,q" + end + "1,2,\xC3\xA9" + end;
    CsvReader csv(text, "t.csv");
    const auto& columns = csv.columns();
    REQUIRE(csv.next());
    CHECK(csv.place(columns[0]).line == 2);
    CHECK(csv.place(columns[0]).column == 1);
    CHECK(csv.place(columns[1]).line == 3);
    CHECK(csv.place(columns[1]).column == 6);
    CHECK(csv.place(columns[2]).line == 3);
    CHECK(csv.place(columns[2]).column == 8);
    REQUIRE(csv.next());
    CHECK(csv.place(columns[2]).line == 4);
    CHECK(csv.place(columns[2]).column == 5);
  }
}

TEST_CASE("a broken quotation ends the reading where it begins") {
  struct Row {
    std::string text;
    std::string says;
  };
  for (const Row& row :
       {Row{"a,b\n1,2\n3,\"4\n5,6\n", "t.csv:3:3: this cell opens a quotation that is never closed"},
        Row{"a,b\n1,2\n3,4\"5\n",
            "t.csv:3:4: a quotation mark stands inside a cell; double it, and put the whole cell in quotes"}}) {
    CsvReader csv(row.text, "t.csv");
    CHECK(cells(csv) == std::vector<std::vector<std::string>>{{"1", "2"}});
    CHECK(lines(csv.take_problems()) == std::vector<std::string>{row.says});
  }
}

TEST_CASE("columns are found in any case, with or without their unit") {
  CsvReader csv("Init Time (s);Process (Name);Size (KB)\n", "t.csv");
  REQUIRE(csv.find("init time"));
  CHECK(csv.find("init time")->index == 0);
  CHECK(csv.find("INIT TIME (S)")->index == 0);
  CHECK(csv.find("Process (Name)")->quantity == CsvColumn::Quantity::plain);
  CHECK(csv.find("size")->unit == 1024);
  CHECK_FALSE(csv.find("Process"));
}

TEST_CASE("a missing column is answered with the columns there are, nearest first") {
  CsvReader csv("Priority;Disk;Init Time (s)\n1;2;3\n", "t.csv");
  CHECK_FALSE(csv.column({"Init Tmie"}));
  CHECK(lines(csv.take_problems()) ==
        std::vector<std::string>{"t.csv:1:1: there is no column \"Init Tmie\"; there are, nearest first: "
                                 "\"Init Time (s)\", \"Priority\", \"Disk\""});
}

TEST_CASE("a name that stands twice in the header is a problem at its place") {
  CsvReader csv("x,size,Size (B)\n", "t.csv");
  CHECK_FALSE(csv.column({"size"}));
  CHECK(lines(csv.take_problems()) ==
        std::vector<std::string>{"t.csv:1:3: 2 columns are called \"size\"; rename all but one"});
}

TEST_CASE("times become nanoseconds digit by digit") {
  struct Row {
    std::string header;
    std::string cell;
    char decimal;
    std::int64_t ns;
  };
  for (const Row& row :
       {Row{"Init Time (s)", "1,079943800", ',', 1'079'943'800},
        Row{"Init Time (s)", "1.079943800", '.', 1'079'943'800},
        Row{"t (s)", "9007199.254740993", '.', 9'007'199'254'740'993},  // 2^53 + 1: a double would lose the 1
        Row{"t (\xC2\xB5s)", "1.360,300", ',', 1'360'300}, Row{"t (\xCE\xBCs)", "87,200", ',', 87'200},
        Row{"t (\xB5s)", "87,2", ',', 87'200}, Row{"t (us)", "1,360.3", '.', 1'360'300},
        Row{"t (ms)", "0.000001", '.', 1}, Row{"t (ns)", "16.384", ',', 16'384}, Row{"t (ns)", "0.5", '.', 1},
        Row{"t (ns)", "0.4999999999999999999999", '.', 0}, Row{"t (ns)", "-0.5", '.', -1}, Row{"t", "42", '.', 42},
        Row{"t (ns)", "9223372036854775807", '.', 9'223'372'036'854'775'807},
        Row{"t (ns)",
            "1\xC2\xA0"
            "048\xC2\xA0"
            "576",
            ',', 1'048'576},
        Row{"t (ns)",
            "1\xE2\x80\xAF"
            "048",
            ',', 1'048},
        Row{"t (ns)", "1'048", '.', 1'048}, Row{"t (ns)", "12,34,567", '.', 1'234'567},  // groups of two, as in India
        Row{"t (ns)", "0x1F", '.', 31}}) {
    INFO(row.header << " " << row.cell);
    const Reading reading = nanoseconds_of(row.header, row.cell, row.decimal);
    CHECK(reading.problems.empty());
    REQUIRE(reading.value);
    CHECK(reading.value->count() == row.ns);
  }
}

TEST_CASE("what is no number is said so at its place") {
  struct Row {
    std::string cell;
    std::string says;
  };
  for (const Row& row :
       {Row{"\"\"", "t.csv:2:1: \"t (s)\" is empty; a number is needed"},
        Row{"abc", "t.csv:2:1: \"t (s)\" \"abc\" is not a number"},
        Row{"1e3", "t.csv:2:1: \"t (s)\" \"1e3\" is not a number"},
        Row{"1.5.2", "t.csv:2:1: \"t (s)\" \"1.5.2\" is not a number"},
        Row{"-", "t.csv:2:1: \"t (s)\" \"-\" is not a number"},
        Row{".5", "t.csv:2:1: \"t (s)\" \".5\" is not a number"},
        Row{"5.", "t.csv:2:1: \"t (s)\" \"5.\" needs a digit behind the decimal mark"},
        Row{"1,0000", "t.csv:2:1: \"t (s)\" \"1,0000\" has a thousands mark that three digits do not follow"},
        Row{"1,00", "t.csv:2:1: \"t (s)\" \"1,00\" has a thousands mark that three digits do not follow"},
        Row{"1,,000", "t.csv:2:1: \"t (s)\" \"1,,000\" has a thousands mark in a strange place"},
        Row{"0x", "t.csv:2:1: \"t (s)\" \"0x\" 0x needs at least one hexadecimal digit"},
        Row{"0xFG", "t.csv:2:1: \"t (s)\" \"0xFG\" is not a hexadecimal number"},
        Row{"99999999999999999999999", "t.csv:2:1: \"t (s)\" \"99999999999999999999999\" is too large a number"},
        Row{"9223372037",
            "t.csv:2:1: \"t (s)\" \"9223372037\" is too large: the most is 9223372036854775807 nanoseconds"}}) {
    const Reading reading = nanoseconds_of("t (s)", row.cell, '.');
    CHECK_FALSE(reading.value);
    CHECK(reading.problems == std::vector<std::string>{row.says});
  }
}

TEST_CASE("the decimal mark is what the first cells show beyond doubt") {
  struct Row {
    std::string text;
    char decimal;
    const char* why;
  };
  for (const Row& row :
       {Row{"a;b\n16.384;1,079943800\n", ',', "nine digits follow the comma"},
        Row{"a;b\n16,384;1.079943800\n", '.', "a Swiss machine: ; and decimal point"},
        Row{"a;b\n1.360,300;1\n", ',', "both marks: the last is decimal"},
        Row{"a;b\n1.048.576;1\n", ',', "twice: it parts thousands"},
        Row{"a,b\n\"1,048,576\",1\n", '.', "twice: it parts thousands"},
        Row{"a,b\n\"1,5\",1\n", ',', "one digit follows"}, Row{"a;b\n0,123;1\n", ',', "thousands do not begin with 0"},
        Row{"a;b\n16.384;1\n", ',', "in doubt: a ; file has a decimal comma"},
        Row{"a,b\n\"16,384\",1\n", '.', "in doubt: a , file has a decimal point"},
        Row{"a;b\n10.0.0.1;x.y\n", ',', "an address shows nothing"}}) {
    INFO(row.why);
    CsvReader csv(row.text, "t.csv");
    CHECK(csv.decimal() == row.decimal);
  }
}

TEST_CASE("a size must come out as whole bytes") {
  CsvReader csv("Size (KB);n\n1,5;1\n0,3;1\n", "t.csv");
  const auto size = csv.column({"size"});
  REQUIRE(size);
  REQUIRE(csv.next());
  CHECK(csv.size(*size) == Bytes{1536});
  REQUIRE(csv.next());
  CHECK_FALSE(csv.size(*size));
  CHECK(lines(csv.take_problems()) ==
        std::vector<std::string>{"t.csv:3:1: \"Size (KB)\" \"0,3\" must be a whole number of bytes"});
}

TEST_CASE("offsets may be hexadecimal up to 63 bits") {
  CsvReader csv("o\n0x0000002CE9A08000\n0xFFFFFFFFFFFFFFFF\n", "t.csv");
  const CsvColumn offset = csv.columns().front();
  REQUIRE(csv.next());
  CHECK(csv.integer(offset) == 0x2CE9A08000);
  REQUIRE(csv.next());
  CHECK_FALSE(csv.integer(offset));
  CHECK(csv.take_problems().size() == 1);
}

TEST_CASE("twenty problems are told one by one, the rest as a number") {
  std::string text = "a,b\n";
  for (int i = 0; i < 50; ++i) text += "1\n";
  CsvReader csv(text, "t.csv");
  CHECK_FALSE(csv.next());
  const auto problems = lines(csv.take_problems());
  REQUIRE(problems.size() == 21);
  CHECK(problems[19] == "t.csv:21:2: the row has 1 cell, and there are 2 columns");
  CHECK(problems[20] == "t.csv: and 30 more");
}

TEST_CASE("a file without a header line is read by the names its reader knows") {
  CsvReader csv("1,2\n3,4\n", "t.csv", {.names = {"x", "y"}});
  REQUIRE(csv.find("y"));
  CHECK(cells(csv) == std::vector<std::vector<std::string>>{{"1", "2"}, {"3", "4"}});
}

TEST_CASE("options that contradict each other are a problem, not a crash") {
  CsvReader marks("a\n1\n", "t.csv", {.decimal = ',', .thousands = ','});
  CHECK(lines(marks.take_problems()) ==
        std::vector<std::string>{"t.csv: ',' cannot be both the decimal and the thousands mark"});
  CsvReader delimiter("a\n1\n", "t.csv", {.delimiter = '"'});
  CHECK(lines(delimiter.take_problems()) ==
        std::vector<std::string>{"t.csv: a quotation mark or a line end cannot be the delimiter"});
}

TEST_CASE("cells in messages are short and printable") {
  CHECK(config::quoted("\xC2\xB5s") == "\"\xC2\xB5s\"");
  CHECK(config::quoted("a\nb\xB5") == "\"a\\x0Ab\\xB5\"");
  CHECK(config::quoted(std::string(50, 'x')) == "\"" + std::string(40, 'x') + "...\"");
}
