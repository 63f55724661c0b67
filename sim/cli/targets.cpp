#include "sim/cli/targets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <set>
#include <variant>

#include "models/harness/harness.hpp"
#include "models/scenario/hunted.hpp"
#include "models/scenario/swarm.hpp"
#include "sim/cli/loading.hpp"
#include "sim/cli/version.hpp"
#include "sim/config/file.hpp"
#include "sim/config/suggestions.hpp"
#include "sim/hunt/words.hpp"

namespace vmbsim::cli {

namespace fs = std::filesystem;

namespace {

class HarnessTarget final : public hunt::Target {
 public:
  HarnessTarget(std::string path, std::string content) : path_(std::move(path)), content_(std::move(content)) {}

  std::string kind() const override { return "harness"; }
  std::string path() const override { return path_; }
  std::string content() const override { return content_; }
  std::unique_ptr<explore::Program> make(const hunt::Setting& setting, std::string& why) const override {
    if (!setting.knobs.empty()) {
      why = "a harness has no keys to set: " + setting.knobs.front();
      return nullptr;
    }
    return harness::Harness::load(path_, {.memory = setting.memory}, why);
  }

 private:
  std::string path_;
  std::string content_;
};

class ScenarioTarget final : public hunt::Target {
 public:
  ScenarioTarget(std::string path, Inputs inputs)
      : path_(std::move(path)),
        inputs_(std::move(inputs)),
        content_(hunt::hexadecimal(hunt::checksum(inputs_.scenario->resolved))) {}

  std::string kind() const override { return "scenario"; }
  std::string path() const override { return path_; }
  std::string content() const override { return content_; }

  std::unique_ptr<explore::Program> make(const hunt::Setting& setting, std::string& why) const override {
    if (setting.knobs.empty()) return with_memory(inputs_, setting.memory);
    Inputs changed = load_inputs(path_, setting.knobs, std::nullopt);
    if (changed.scenario) return with_memory(changed, setting.memory);
    why = changed.problems.front().line();
    return nullptr;
  }

  std::vector<std::string> swarm(kernel::Stream& stream) const override {
    return scenario::draw_swarm(*inputs_.scenario, stream);
  }

  std::vector<hunt::Reduction> reductions(const hunt::Setting& setting) const override {
    std::string why;
    const auto program = make(setting, why);
    std::vector<hunt::Reduction> all;
    if (program == nullptr) return all;
    for (const scenario::Reduction& one : static_cast<const scenario::Hunted&>(*program).reductions())
      all.push_back({one.description, one.overrides});
    return all;
  }

 private:
  static std::unique_ptr<explore::Program> with_memory(const Inputs& inputs, explore::MemoryModel memory) {
    scenario::Scenario scenario = *inputs.scenario;
    scenario.hunt.memory = memory;
    return std::make_unique<scenario::Hunted>(std::move(scenario), inputs.traces);
  }

  std::string path_;
  Inputs inputs_;  // without knobs
  std::string content_;
};

bool is_there(const fs::path& path) {
  std::error_code failed;
  return fs::exists(path, failed);
}

fs::path own_harnesses() { return folder_of_own("hunts", installed_harness_folder); }

/// The library that `path` means, if it means one: itself, or what was built from a source file beside it; where there is none,
/// the one of the program's own harnesses that has its name.
std::optional<std::string> harness_file(const std::string& path) {
  if (!names_harness(path)) return std::nullopt;
  const fs::path named = path;
  const fs::path beside = fs::path(named).replace_extension(".so");
  if (is_there(beside) || (named.extension() == ".so" && named.has_parent_path())) return beside.string();
  return (own_harnesses() / beside.filename()).string();
}

/// Names in a folder that a hunt may take, in order.
std::vector<std::string> names_in(const fs::path& folder, const std::set<std::string>& endings) {
  std::vector<std::string> names;
  std::error_code failed;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, failed))
    if (endings.count(entry.path().extension().string()) != 0) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

/// What is wrong with a name that leads nowhere, and what may have been meant: a file beside it, or a harness of vmbsim's own.
std::string no_such_file(const fs::path& named) {
  const std::string text =
      "there is no such file; right would be a scenario (.toml), a harness's library (.so), or the source that it was "
      "built from (.cpp, .c)";
  const std::vector<std::string> beside =
      names_in(named.has_parent_path() ? named.parent_path() : fs::path("."), {".so", ".cpp", ".c", ".toml"});
  for (const std::string ending : {"", ".so", ".cpp", ".c", ".toml"})
    if (const auto meant = config::nearest(named.filename().string() + ending, beside))
      return text + fmt::format("; did you mean \"{}\"?", (named.parent_path() / *meant).string());
  if (const auto meant = config::nearest(named.stem().string() + ".so", names_in(own_harnesses(), {".so"})))
    return text + fmt::format("; vmbsim has a harness {0} of its own: vmbsim hunt {0}", *meant);
  return text;
}

/// How a library is made of a source file, as somebody would type it.
std::string how_to_build(const fs::path& source) {
  const bool cpp = source.extension() == ".cpp";
  return fmt::format("{} -shared -fPIC -I {} {} -o {}", cpp ? "g++ -std=c++20" : "gcc -std=c11",
                     folder_of_own("layers/hunt", installed_hunt_headers), source.string(),
                     fs::path(source).replace_extension(".so").string());
}

bool is_digest(const std::string& text) {
  return text.size() == 16 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// A library is loaded by its name, so a pipe will not do.
std::variant<std::string, config::FileError> read_library(const std::string& path) {
  constexpr std::int64_t largest = std::int64_t{1} << 30;
  std::error_code failed;
  if (fs::is_fifo(path, failed)) return config::FileError{"this is a pipe, not a file"};
  return config::read_file(path, largest);
}

/// `named` is what the user typed, and `path` the library that it means.
LoadedTarget load_harness(const std::string& named, const std::string& path) {
  LoadedTarget loaded;
  if (!is_there(path) && is_there(named)) {
    loaded.problems.push_back(config::problem_with(
        named, "is not built yet: " + how_to_build(named) +
                   " makes its library, and with CMake vmbsim_add_harness() does; then the same command hunts in it"));
    return loaded;
  }
  if (!is_there(path)) {
    loaded.problems.push_back(config::problem_with(named, no_such_file(named)));
    return loaded;
  }
  std::error_code failed;
  if (fs::path(named).extension() != ".so" && is_there(named) &&
      fs::last_write_time(named, failed) > fs::last_write_time(path, failed))
    std::fprintf(stderr, "vmbsim: %s is newer than %s, which is hunted in: it was not built since\n", named.c_str(),
                 path.c_str());
  const auto read = read_library(path);
  const auto* const unread = std::get_if<config::FileError>(&read);
  const harness::Card card = unread != nullptr ? harness::Card{unread->text, {}} : harness::card_of_harness(path);
  if (!card.wrong.empty()) {
    loaded.problems.push_back(config::problem_with(path, card.wrong));
    return loaded;
  }
  // Of its sources where it says so: then every build of them is the same harness.
  const std::string content =
      is_digest(card.sources) ? card.sources : hunt::hexadecimal(hunt::checksum(std::get<std::string>(read)));
  loaded.target = std::make_unique<HarnessTarget>(path, content);
  return loaded;
}

}  // namespace

std::optional<std::string> own_harness(const std::string& file_name) {
  const fs::path file = own_harnesses() / file_name;
  return is_there(file) ? std::optional(file.string()) : std::nullopt;
}

LoadedTarget load_target(const std::string& path, const std::vector<std::string>& overrides) {
  if (const auto harness = harness_file(path)) {
    LoadedTarget loaded = load_harness(path, *harness);
    if (!overrides.empty()) loaded.problems.push_back(config::problem_with(path, "a harness has no keys for --set"));
    return loaded;
  }
  LoadedTarget loaded;
  if (fs::path(path).extension() != ".toml" && !is_there(path)) {
    loaded.problems.push_back(config::problem_with(path, no_such_file(path)));
    return loaded;
  }
  Inputs with = load_inputs(path, overrides, std::nullopt);
  Inputs without = overrides.empty() ? std::move(with) : load_inputs(path, {}, std::nullopt);
  if (overrides.empty()) with = {};
  const Inputs& said = overrides.empty() ? without : with;
  if (!without.scenario || !said.scenario) {
    loaded.problems = !said.scenario ? said.problems : without.problems;
    return loaded;
  }
  const scenario::HuntSpec& hunt = said.scenario->hunt;
  loaded.defaults = {.memory = hunt.memory,
                     .runs = hunt.runs,
                     .strategies = hunt.strategies,
                     .expect = hunt.planted == faults::Planted::none ? std::string() : hunt.expect,
                     .seed = said.scenario->seed};
  loaded.target = std::make_unique<ScenarioTarget>(path, std::move(without));
  return loaded;
}

}  // namespace vmbsim::cli
