#include "sim/cli/platform_inputs.hpp"

#include <fmt/format.h>
#include <stdlib.h>
#include <tinyxml2.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <functional>
#include <map>
#include <set>
#include <stdexcept>
#include <string_view>
#include <variant>

#include "models/scenario/on.hpp"
#include "sim/batch/plan.hpp"
#include "sim/config/file.hpp"
#include "sim/config/toml_text.hpp"
#include "sim/report/writer.hpp"

namespace vmbsim::cli {

namespace {

using tinyxml2::XMLElement;

constexpr std::int64_t largest_file = 16 << 20;

/// Source: SimGrid 3.32 documentation, "Platform DTD": the attributes that are amounts, of what vmbsim uses.
const std::map<std::string_view, std::vector<const char*>> amounts{
    {"host", {"speed", "core"}},
    {"disk", {"read_bw", "write_bw"}},
    {"link", {"bandwidth", "latency"}},
    {"cluster", {"speed", "core", "bw", "lat", "bb_bw", "bb_lat"}}};

struct Amount {
  double number;
  std::string unit;
};
/// "25Gbps"; nothing of 0, of a list, and of what is no amount.
std::optional<Amount> amount_in(std::string_view text) {
  Amount out{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out.number);
  out.unit = std::string(end, text.data() + text.size());
  const bool known =
      std::all_of(out.unit.begin(), out.unit.end(), [](unsigned char c) { return std::isalpha(c) != 0; });
  if (error != std::errc{} || !known || !(out.number > 0)) return std::nullopt;
  return out;
}

/// "node-12" -> "node-*"
std::string starred(std::string_view name) {
  std::string out;
  for (const char c : name)
    if (std::isdigit(static_cast<unsigned char>(c)) == 0)
      out += c;
    else if (out.empty() || out.back() != '*')
      out += '*';
  return out;
}

/// What a scenario names of its platform: "node-*" and "array" as hosts, "array:lun" and "*:ssd" as disks.
class Named {
 public:
  explicit Named(const std::string& resolved) {
    for (std::size_t open = resolved.find('"'); open != std::string::npos; open = resolved.find('"', open + 1)) {
      std::size_t close = open + 1;
      while (close < resolved.size() && resolved[close] != '"') close += resolved[close] == '\\' ? 2 : 1;
      if (close >= resolved.size()) break;
      texts_.insert(resolved.substr(open + 1, close - open - 1));
      open = close;
    }
  }
  bool host(const std::string& name) const {
    return std::any_of(texts_.begin(), texts_.end(),
                       [&name](const std::string& text) { return scenario::is_on(text, name); });
  }
  bool disk(const std::string& host_and_disk) const {
    const std::size_t colon = host_and_disk.find(':');
    const std::string own = host_and_disk.substr(0, colon);
    const std::string disk = host_and_disk.substr(colon);
    return std::any_of(texts_.begin(), texts_.end(), [&](const std::string& text) {
      if (!text.ends_with(disk)) return false;
      const std::string on = text.substr(0, text.size() - disk.size());
      return scenario::is_on(on, own) || (on == "*" && host(own));
    });
  }

 private:
  std::set<std::string> texts_;
};

/// An attribute that is an amount.
struct Site {
  std::string kind, name;
  XMLElement* element;
  const char* attribute;
  std::string value;

  /// Alike are those that move together.
  std::string group() const { return fmt::format("{}:{}.{}={}", kind, starred(name), attribute, value); }
};

void each_site(XMLElement* element, const std::string& host, const std::function<void(const Site&)>& take) {
  for (; element != nullptr; element = element->NextSiblingElement()) {
    const std::string kind = element->Name();
    const char* id = element->Attribute("id");
    const std::string name = (host.empty() ? "" : host + ":") + (id == nullptr ? "" : id);
    if (const auto known = amounts.find(kind); known != amounts.end())
      for (const char* attribute : known->second)
        if (const char* value = element->Attribute(attribute)) take({kind, name, element, attribute, value});
    each_site(element->FirstChildElement(), kind == "host" ? name : "", take);
  }
}

}  // namespace

PlatformInputs::PlatformInputs(const scenario::Scenario& scenario) {
  const std::string& file = scenario.machine.platform;
  if (file.empty() || file == "default") return;
  const auto read = config::read_file(file, largest_file);
  tinyxml2::XMLDocument page;
  if (!std::holds_alternative<std::string>(read)) return;
  text_ = std::get<std::string>(read);
  if (page.Parse(text_.c_str(), text_.size()) != tinyxml2::XML_SUCCESS) return;
  const Named named(scenario.resolved);
  std::map<std::string, std::set<std::string>> groups_of;  // by the name that they would share
  std::map<std::string, std::size_t> members;
  std::vector<Site> firsts;
  each_site(page.RootElement(), "", [&](const Site& site) {
    if ((site.kind == "host" && !named.host(site.name)) || (site.kind == "disk" && !named.disk(site.name))) return;
    if (!amount_in(site.value)) return;
    groups_of[site.kind + starred(site.name) + site.attribute].insert(site.group());
    if (++members[site.group()] == 1) firsts.push_back(site);
  });
  for (const Site& first : firsts) {
    const Amount amount = *amount_in(first.value);
    const std::size_t many = members.at(first.group());
    const bool alone = groups_of.at(first.kind + starred(first.name) + first.attribute).size() == 1;
    std::string name = many > 1 && alone ? starred(first.name) : first.name;
    if (many > 1 && !alone) name += fmt::format("+{}", many - 1);
    PlanInput& input = inputs_.emplace_back();
    input.key = fmt::format("platform:{}:{}.{}", first.kind, name, first.attribute);
    input.value = first.value;
    input.number = amount.number;
    input.unit = amount.unit;
    input.whole = std::string_view(first.attribute) == "core";
    input.least = input.whole ? 1 : 0;
    groups_.push_back(first.group());
  }
}

PlatformInputs::~PlatformInputs() {
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

std::string PlatformInputs::override_with(const std::vector<Moved>& moved) {
  std::map<std::string, std::string> values;  // by group
  for (const Moved& one : moved) values[groups_[one.input]] = inputs_[one.input].text_at(one.level);
  tinyxml2::XMLDocument page;
  page.Parse(text_.c_str(), text_.size());
  each_site(page.RootElement(), "", [&](const Site& site) {
    if (const auto value = values.find(site.group()); value != values.end())
      site.element->SetAttribute(site.attribute, value->second.c_str());
  });
  tinyxml2::XMLPrinter printer;
  page.Print(&printer);
  const std::string text = printer.CStr();
  if (folder_.empty()) {
    std::string pattern = (std::filesystem::temp_directory_path() / "vmbsim-plan-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error(pattern + " cannot be made a folder");
    folder_ = pattern;
  }
  const std::filesystem::path file = folder_ / (batch::digest_of(text).text() + ".xml");
  if (!std::filesystem::exists(file))
    if (const auto unwritten = report::write_whole(file, text)) throw std::runtime_error(unwritten->line());
  return "machine.platform=" + config::toml_quoted(file.string());
}

}  // namespace vmbsim::cli
