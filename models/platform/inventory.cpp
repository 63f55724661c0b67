#include "models/platform/inventory.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string_view>
#include <variant>

#include "models/platform/bridge.hpp"
#include "models/platform/platform_text.hpp"
#include "sim/config/file.hpp"
#include "sim/config/suggestions.hpp"
#include "sim/foreign/child.hpp"
#include "vmbsim/wide.hpp"

namespace vmbsim::platform {
namespace {

constexpr std::int64_t longest_file = 16 << 20;  // bytes
constexpr unsigned longest_reading = 5;          // seconds of processor time in the child
constexpr std::uint64_t most_memory = 1 << 30;   // bytes of it

// What the child says, as NUL-terminated words: "host" name cores flops, "disk" name read write, at last "end"; or "error" text.
void say(std::string& out, std::string_view word) {
  out += word;
  out += '\0';
}
void say(std::string& out, double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%a", value);
  say(out, text);
}

bool leads(const s4u::Host& from, const s4u::Host& to) {
  std::vector<s4u::Link*> links;
  double latency = 0;
  try {
    from.route_to(&to, links, &latency);
  } catch (const std::exception&) { return false; }
  return &from != &to && !links.empty();
}

std::string look_and_tell(const std::string& file) {
  std::string out;
  try {
    s4u::Engine& engine = *start_engine().release();  // ends with the child
    describe(engine, file);
    engine.seal_platform();
    for (const s4u::Host* host : engine.get_all_hosts()) {
      say(out, "host");
      say(out, host->get_cname());
      say(out, host->get_core_count());
      say(out, host->get_speed());
      for (const s4u::Disk* disk : host->get_disks()) {
        say(out, "disk");
        say(out, disk->get_cname());
        say(out, disk->get_read_bandwidth());
        say(out, disk->get_write_bandwidth());
      }
    }
    say(out, "end");
  } catch (const std::bad_alloc&) { throw; } catch (const std::exception& error) {
    out.clear();
    say(out, "error");
    say(out, error.what());
  }
  return out;
}

std::vector<std::string> words_of(const std::string& answer) {
  std::vector<std::string> words;
  for (std::size_t begin = 0, end; (end = answer.find('\0', begin)) != std::string::npos; begin = end + 1)
    words.push_back(answer.substr(begin, end - begin));
  return words;
}

/// What the child said, or nothing when it died of the file.
std::optional<std::vector<std::string>> ask(const std::string& file) {
  const foreign::Answer answer =
      foreign::ask_child([&file] { return look_and_tell(file); }, {.seconds = longest_reading, .bytes = most_memory});
  auto words = words_of(answer.text);
  if (answer.end != foreign::Answer::End::told || words.empty() || (words.front() != "error" && words.back() != "end"))
    return std::nullopt;
  return words;
}

Inventory to_inventory(const std::vector<std::string>& words) {
  Inventory inventory;
  for (std::size_t i = 0; i + 3 < words.size(); i += 4) {
    const double second = std::strtod(words[i + 2].c_str(), nullptr);
    const double third = std::strtod(words[i + 3].c_str(), nullptr);
    if (words[i] == "host")
      inventory.hosts.push_back({words[i + 1], static_cast<std::uint32_t>(std::clamp(second, 0.0, 1e9)), third, {}});
    else
      inventory.hosts.back().disks.push_back({words[i + 1], second, third});
  }
  // SimGrid keeps hosts and disks in hash tables; nothing may depend on their order.
  std::sort(inventory.hosts.begin(), inventory.hosts.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  for (HostSpec& host : inventory.hosts)
    std::sort(host.disks.begin(), host.disks.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return inventory;
}

// Costs are those of a processor of 1 Gf, and speeds are kept in thousandths of it.
constexpr double slowest_host = 1e6;
constexpr double fastest_host = 1e15;

bool positive(double value) { return std::isfinite(value) && value > 0; }

/// Figures that SimGrid takes and that mean nothing.
void check_figures(const Inventory& inventory, const PlatformText& text, Problems& problems) {
  if (inventory.hosts.empty()) complain(problems, Place{text.file(), 1, 1}, "a platform needs at least one <host>");
  for (const HostSpec& host : inventory.hosts) {
    if (!(host.flops >= slowest_host && host.flops <= fastest_host) || host.cores == 0)
      complain(problems, text.place_of_value(host.name),
               "host \"" + host.name + "\" needs a speed from 1Mf to 1Pf and a core count above 0");
    for (const DiskSpec& disk : host.disks) {
      for (double bandwidth : {disk.read_bytes_per_second, disk.write_bytes_per_second})
        if (!positive(bandwidth) || bandwidth > 1e15) {
          complain(
              problems, text.place_of_value(disk.name),
              "disk \"" + host.name + ":" + disk.name + "\" needs bandwidths above 0 and up to 1e15 bytes per second");
          break;
        }
    }
  }
}

}  // namespace

Duration HostSpec::scaled(Duration cost) const {
  const Wide speed = static_cast<Wide>(std::llround(std::min(flops, 9e18)));
  return Duration{static_cast<std::int64_t>((static_cast<Wide>(cost.count()) * 1'000'000'000 + speed / 2) / speed)};
}

const HostSpec* Inventory::host(const std::string& name, const Place& asked, Problems& problems) const {
  std::vector<std::string> names;
  for (const HostSpec& candidate : hosts) {
    if (candidate.name == name) return &candidate;
    names.push_back(candidate.name);
  }
  complain(problems, asked,
           "the platform has no host \"" + name + "\"" + config::did_you_mean(name, names) +
               "; its hosts: " + config::listed(names));
  return nullptr;
}

bool Inventory::has_disk(const std::string& host_and_disk, const Place& asked, Problems& problems) const {
  std::vector<std::string> names;
  for (const HostSpec& candidate : hosts)
    for (const DiskSpec& disk : candidate.disks) names.push_back(candidate.name + ":" + disk.name);
  if (std::find(names.begin(), names.end(), host_and_disk) != names.end()) return true;
  if (names.empty())
    complain(problems, asked, "the platform has no disk \"" + host_and_disk + "\", nor any other");
  else
    complain(problems, asked,
             "the platform has no disk \"" + host_and_disk + "\"" + config::did_you_mean(host_and_disk, names) +
                 "; its disks: " + config::listed(names));
  return false;
}

std::optional<Inventory> inspect(const std::string& file, Problems& problems) {
  const std::size_t before = problems.size();
  std::string content;
  if (file != "default") {
    auto read = config::read_file(file, longest_file);
    if (const auto* error = std::get_if<config::FileError>(&read)) {
      complain(problems, Place{file, 0, 0}, error->text);
      return std::nullopt;
    }
    content = std::move(std::get<std::string>(read));
  }
  const PlatformText text(file, std::move(content));
  text.check(problems);
  if (problems.size() != before) return std::nullopt;
  if (engine_was_started()) {
    complain(problems, Place{file, 0, 0},
             "this process has a SimGrid platform already, and one is the most it can have");
    return std::nullopt;
  }
  const auto words = ask(file);
  if (!words) {
    complain(problems, Place{file, 0, 0},
             "SimGrid cannot read this platform: it gave up, took longer than " + std::to_string(longest_reading) +
                 " s or needed too much memory");
    return std::nullopt;
  }
  if (words->front() == "error") {
    problems.push_back(text.problem_of(words->size() > 1 ? (*words)[1] : ""));
    return std::nullopt;
  }
  Inventory inventory = to_inventory(*words);
  inventory.links_vary = text.varies();
  check_figures(inventory, text, problems);
  if (problems.size() != before) return std::nullopt;
  return inventory;
}

std::optional<std::string> wrong_with_routes(const std::string& file, const std::vector<std::string>& from,
                                             const std::string& to) {
  const foreign::Answer answer = foreign::ask_child(
      [&] {
        s4u::Engine& engine = *start_engine().release();  // ends with the child
        describe(engine, file);
        engine.seal_platform();
        const s4u::Host& target = *s4u::Host::by_name(to);
        for (const std::string& name : from) {
          const s4u::Host& source = *s4u::Host::by_name(name);
          if (!leads(source, target) || !leads(target, source)) return name;
        }
        return std::string();
      },
      {.seconds = longest_reading, .bytes = most_memory});
  if (answer.end != foreign::Answer::End::told) return "SimGrid cannot find the routes of this platform";
  if (answer.text.empty()) return std::nullopt;
  return "the platform has no route from \"" + answer.text + "\" to \"" + to + "\" and back";
}

}  // namespace vmbsim::platform
