// The keys of `[hunt]`.
#include <algorithm>
#include <string>
#include <vector>

#include "models/scenario/fields.hpp"
#include "models/scenario/parsers.hpp"
#include "sim/config/suggestions.hpp"
#include "sim/config/toml_text.hpp"

namespace vmbsim::scenario {
namespace {

/// A list of words out of a table, in the table's order.
template <class Take>
Parse parse_words(const std::vector<std::string>& words, Take take) {
  return [words, take](const config::Node& node, Reading& reading) -> std::optional<std::string> {
    std::vector<std::string> said;
    auto text = parse_texts(said)(node, reading);
    if (!text) return text;
    for (const std::string& word : said) {
      const auto known = std::find(words.begin(), words.end(), word);
      if (known == words.end()) {
        reading.wrong(node, "\"" + word + "\" is none of them" + config::did_you_mean_or(word, words, "; there are: "));
        return std::nullopt;
      }
      take(static_cast<std::size_t>(known - words.begin()));
    }
    return text;
  };
}

/// Spans, shortest first.
Parse parse_spans(std::vector<Duration>& out) {
  return [&out](const config::Node& node, Reading& reading) -> std::optional<std::string> {
    constexpr std::size_t most = 15;
    std::vector<std::string> said;
    auto text = parse_texts(said)(node, reading);
    if (!text) return text;
    out.clear();
    for (const std::string& one : said) {
      config::Node span;
      span.kind = config::Node::Kind::text;
      span.at = node.at;
      span.text = one;
      Duration parsed{};
      if (!parse_duration(parsed, 1ns, 1s)(span, reading)) return std::nullopt;
      out.push_back(parsed);
    }
    if (out.size() <= most && std::is_sorted(out.begin(), out.end())) return text;
    reading.wrong(node, "right would be at most " + std::to_string(most) + " spans, shortest first");
    return std::nullopt;
  };
}

}  // namespace

void hunt_fields(Visitor& v, HuntSpec& hunt) {
  using explore::MemoryModel;
  v.value({.key = "memory",
           .shape = Shape::choice,
           .doc = "Order of loads and stores of ring control words: as written, as on x86, or with stores of different "
                  "words overtaking.",
           .preset = "\"sc\"",
           .choices = {"sc", "tso", "pso"}},
          parse_choice(hunt.memory, {{"sc", MemoryModel::sc}, {"tso", MemoryModel::tso}, {"pso", MemoryModel::pso}}));
  v.value({.key = "stalls",
           .shape = Shape::texts,
           .doc = "Spans for which a processor may be descheduled before a visible operation; shortest first.",
           .preset = "[\"1us\", \"4us\", \"16us\", \"64us\", \"256us\"]"},
          parse_spans(hunt.stalls));
  v.value({.key = "latency",
           .shape = Shape::boolean,
           .doc = "Costs and latencies may be half of what they are, or four times.",
           .preset = "false"},
          parse_flag(hunt.latency));
  std::vector<std::string> kinds;
  std::string preset;
  for (const faults::FaultKind& kind : faults::fault_kinds) {
    kinds.emplace_back(kind.name);
    if (kind.to_be_survived) preset += (preset.empty() ? "[" : ", ") + config::toml_quoted(kind.name);
  }
  hunt.faults = {};
  v.value({.key = "faults",
           .shape = Shape::texts,
           .doc = "What may fail: allocation, ring-full, pending-data, pending-completion, short-completion, cancel, "
                  "suspend, rescind. Left out: what every correct driver survives. A driver of vmbsim's own waits for "
                  "memory until somebody gives some back.",
           .preset = preset + "]"},
          parse_words(kinds, [&hunt](std::size_t i) { hunt.faults.add(faults::fault_kinds[i].fault); }));
  std::vector<std::string> bugs{""};
  for (const faults::PlantedBug& bug : faults::planted_bugs) bugs.emplace_back(bug.name);
  v.value({.key = "plant",
           .shape = Shape::text,
           .doc = "A known bug to find: models/faults/planted.hpp.",
           .preset = "\"\""},
          [&](const config::Node& node, Reading& reading) -> std::optional<std::string> {
            std::string name;
            auto text = parse_text(name)(node, reading);
            if (!text) return text;
            const faults::PlantedBug* bug = faults::find_planted(name);
            hunt.planted = bug == nullptr ? faults::Planted::none : bug->bug;
            if (bug != nullptr || name.empty()) return text;
            reading.wrong(node, "no such bug" + config::did_you_mean_or(name, bugs, "; there are: "));
            return std::nullopt;
          });
  constexpr std::int64_t most_runs = 1'000'000'000'000;
  v.value({.key = "runs",
           .shape = Shape::integer,
           .doc = "Runs after which a hunt gives up.",
           .preset = "10000",
           .min = 1,
           .max = most_runs},
          parse_integer(hunt.runs, 1, most_runs));
  v.value({.key = "events",
           .shape = Shape::integer,
           .doc = "Events after which one run is cut off.",
           .preset = "1000000",
           .min = 1,
           .max = most_runs},
          parse_integer(hunt.events, 1, most_runs));
  v.value({.key = "strategies", .shape = Shape::texts, .doc = "How to vary; left out: a portfolio.", .preset = "[]"},
          parse_texts(hunt.strategies));
  v.value(
      {.key = "expect",
       .shape = Shape::text,
       .doc = "Id of the rule that the planted bug is to be found by; a hunt that does not find it ends with status 1.",
       .preset = "\"\""},
      [&](const config::Node& node, Reading& reading) -> std::optional<std::string> {
        auto text = parse_text(hunt.expect)(node, reading);
        if (!text || hunt.expect.empty() || find_rule(hunt.expect) != nullptr) return text;
        reading.wrong(node, "there is no such rule; right would be one such as \"WAKEUP\" or \"K50\"");
        return std::nullopt;
      });
}

}  // namespace vmbsim::scenario
