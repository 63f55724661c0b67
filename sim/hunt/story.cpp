#include "sim/hunt/story.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "vmbsim/irql.hpp"

namespace vmbsim::hunt {

namespace {

constexpr std::size_t widest_column = 44;

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

bool writes(kernel::Access access) { return access != kernel::Access::none && access != kernel::Access::read; }

}  // namespace

void Story::add(const explore::Step& step, std::size_t departures) {
  ++count_;
  if (step.time_ns > until_) {
    ++after_;
    return;
  }
  lines_.push_back({step, departures != departures_});
  departures_ = departures;
  if (lines_.size() > most_steps) lines_.pop_front();
}

/// The last step that was made by the time of the first finding.
std::optional<std::uint64_t> Story::went_wrong(const Findings& findings) const {
  std::optional<std::uint64_t> number;
  if (findings.empty()) return number;
  const std::int64_t when = nanoseconds(findings.front().time);
  for (const Line& line : lines_)
    if (line.step.time_ns <= when) number = line.step.number;
  return number;
}

std::string Story::columns(const Findings& findings) const {
  const std::optional<std::uint64_t> wrong = went_wrong(findings);
  const bool timed = !program_.time_abstract();
  std::map<std::uint32_t, std::vector<std::uint32_t>> actors;  // by processor, in order of their first step
  for (const Line& line : lines_) {
    auto& there = actors[line.step.processor];
    if (std::find(there.begin(), there.end(), line.step.actor) == there.end()) there.push_back(line.step.actor);
  }
  const auto cell = [&](const explore::Step& step) {
    std::string text = actors[step.processor].size() > 1 ? program_.actor_name(step.actor) + ": " : std::string();
    text += step.text;
    if (step.irql != 0) text += fmt::format(" [{}]", name_of(static_cast<Irql>(step.irql)));
    return text;
  };
  std::map<std::uint32_t, std::size_t> width;
  std::map<std::uint32_t, std::string> heads;
  for (const auto& [processor, there] : actors) {
    heads[processor] = there.size() == 1 ? program_.actor_name(there.front()) : fmt::format("processor {}", processor);
    width[processor] = heads[processor].size();
  }
  for (const Line& line : lines_)
    width[line.step.processor] = std::max(width[line.step.processor], cell(line.step).size());
  std::string text = fmt::format("{:>9}  ", "step");
  if (timed) text += fmt::format("{:>13}  ", "time in us");
  for (const auto& [processor, head] : heads) {
    width[processor] = std::min(width[processor], widest_column);
    text += fmt::format("{:<{}}  ", head, width[processor]);
  }
  const auto finish = [&text] {
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  };
  finish();
  if (const std::uint64_t before = count_ - after_ - lines_.size(); before != 0)
    text += fmt::format("{:>9}  ({} steps before)\n", "...", before);
  for (const Line& line : lines_) {
    text +=
        fmt::format("{}{} {:>6}  ", line.step.number == wrong ? '*' : ' ', line.departs ? '>' : ' ', line.step.number);
    if (timed) text += fmt::format("{:>9}.{:03}  ", line.step.time_ns / 1000, line.step.time_ns % 1000);
    for (const auto& [processor, column] : width)
      text += fmt::format("{:<{}}  ", processor == line.step.processor ? cell(line.step) : "", column);
    finish();
  }
  if (after_ != 0) text += fmt::format("{:>9}  ({} steps after)\n", "...", after_);
  return text;
}

std::string Story::dot(const std::vector<kernel::Alternative>& waiting) const {
  std::string text =
      "digraph run {\n  rankdir = TB;\n  node [shape = box, fontname = \"monospace\", fontsize = 10];\n"
      "  // solid: order within an actor; dashed: order of conflicting steps; dotted: waits for\n";
  std::map<std::uint32_t, std::uint64_t> last_of;                           // actor -> step
  std::map<std::uint32_t, std::uint64_t> last_write;                        // object -> step
  std::map<std::uint32_t, std::vector<std::uint64_t>> reads_since;          // object -> steps
  std::map<std::uint32_t, std::pair<std::uint32_t, std::uint64_t>> holder;  // object -> actor, step
  std::map<std::uint64_t, std::uint32_t> actor_of;
  std::set<std::pair<std::uint64_t, std::uint64_t>> edges;
  const auto edge = [&](std::uint64_t from, std::uint64_t to) {
    if (actor_of[from] != actor_of[to] && edges.emplace(from, to).second)
      text += fmt::format("  s{} -> s{} [style = dashed];\n", from, to);
  };
  for (const Line& line : lines_) {
    const explore::Step& step = line.step;
    actor_of[step.number] = step.actor;
    text += fmt::format("  s{} [label = {}];\n", step.number,
                        quoted(fmt::format("{}: {}", program_.actor_name(step.actor), step.text)));
    if (const auto before = last_of.find(step.actor); before != last_of.end())
      text += fmt::format("  s{} -> s{};\n", before->second, step.number);
    last_of[step.actor] = step.number;
    for (const std::uint32_t object : {step.operation.object, step.operation.other}) {
      if (object == 0 || step.operation.access == kernel::Access::none) continue;
      if (const auto before = last_write.find(object); before != last_write.end()) edge(before->second, step.number);
      if (!writes(step.operation.access)) {
        reads_since[object].push_back(step.number);
        continue;
      }
      for (const std::uint64_t read : reads_since[object]) edge(read, step.number);
      reads_since[object].clear();
      last_write[object] = step.number;
      if (step.operation.access == kernel::Access::acquire) holder[object] = {step.actor, step.number};
      if (step.operation.access == kernel::Access::release) holder.erase(object);
    }
  }
  for (const kernel::Alternative& one : waiting) {
    const std::uint32_t object = one.operation.object;
    text += fmt::format("  w{} [shape = ellipse, label = {}];\n", one.actor,
                        quoted(fmt::format("{} waits for {}", program_.actor_name(one.actor),
                                           object == 0 ? std::string("?") : program_.object_name(object))));
    if (const auto before = last_of.find(one.actor); before != last_of.end())
      text += fmt::format("  s{} -> w{};\n", before->second, one.actor);
    if (const auto held = holder.find(object); held != holder.end())
      text += fmt::format("  w{} -> s{} [style = dotted, label = \"held since\"];\n", one.actor, held->second.second);
  }
  return text + "}\n";
}

}  // namespace vmbsim::hunt
