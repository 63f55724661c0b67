#include "models/scenario/arrivals.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <variant>

#include "models/scenario/fields.hpp"
#include "sim/config/csv_reader.hpp"
#include "sim/config/suggestions.hpp"
#include "sim/config/units.hpp"

namespace vmbsim::scenario {
namespace {

constexpr std::size_t most_rows = most_guests_of_fleet;

/// Reads times and lifetimes, each in its unit.
class Times {
 public:
  Times(config::CsvReader& csv, std::optional<Duration> unit) : csv_(csv), unit_(unit) {}

  /// At least `least`, 0 or 1 ns, and within what can be simulated.
  std::optional<Duration> in(const config::CsvColumn& column, Duration least) {
    const auto value = written_in(column);
    if (!value || (*value >= least && *value <= longest_run)) return value;
    complain(column, least == Duration{0} ? "out of range; right would be 0 to 10 years"
                                          : "out of range; right would be above 0, up to 10 years");
    return std::nullopt;
  }

 private:
  std::optional<Duration> written_in(const config::CsvColumn& column) {
    const std::string_view cell = csv_.text(column);
    if (!cell.empty() && (cell.back() < '0' || cell.back() > '9')) {
      const auto value = config::parse_duration(cell);
      if (const auto* wrong = std::get_if<config::UnitError>(&value)) {
        complain(column, wrong->text);
        return std::nullopt;
      }
      return std::get<Duration>(value);
    }
    if (cell == "0") return Duration{0};
    if (cell.find_first_not_of("-.0123456789") != std::string_view::npos) {
      complain(column, "not a number; right would be decimal digits, as in 1500 or 1.5");
      return std::nullopt;
    }
    if (column.quantity == config::CsvColumn::Quantity::time || unit_)
      return csv_.duration(column, unit_.value_or(Duration{1}));
    if (told_.insert(column.index).second)
      csv_.complain_header(column, fmt::format("{} has no unit; right would be one in its name, as in \"{} (ms)\", one "
                                               "behind each value, as in 5ms, or unit = \"ms\" in [fleet] arrivals",
                                               config::quoted(column.name), column.name));
    return std::nullopt;
  }
  void complain(const config::CsvColumn& column, const std::string& what) {
    csv_.complain(column,
                  fmt::format("{} {}: {}", config::quoted(column.name), config::quoted(csv_.text(column)), what));
  }

  config::CsvReader& csv_;
  std::optional<Duration> unit_;
  std::set<std::size_t> told_;  // columns without a unit
};

}  // namespace

ArrivalsText read_arrivals(std::string_view text, const std::string& file, std::optional<Duration> unit,
                           const std::vector<HostSpec>& hosts, const std::vector<VmSpec>& vms) {
  ArrivalsText out;
  config::CsvReader csv(text, file, {.decimal = '.'});
  if (!csv.columns().empty() && csv.delimiter() != ',')
    csv.complain_header(csv.columns().front(), csv.delimiter() == ';'
                                                   ? "semicolons stand between the columns; right would be commas"
                                                   : "tabs stand between the columns; right would be commas");
  if (csv.delimiter() != ',' || !csv.refuse_others({"time", "vm", "template", "host", "lifetime"})) {
    out.problems = csv.take_problems();
    return out;
  }
  Times times(csv, unit);
  const auto time = csv.column({"time"});
  const auto vm = csv.column({"vm", "template"});
  if (const auto same = csv.find("template"); vm && same && same->index != vm->index) {
    csv.complain_header(std::max(*vm, *same, [](const auto& a, const auto& b) { return a.index < b.index; }),
                        "\"vm\" and \"template\" mean the same; right would be one of them");
    out.problems = csv.take_problems();
    return out;
  }
  const auto host = csv.column_if_any({"host"});
  const auto lifetime = csv.column_if_any({"lifetime"});
  std::map<std::string, std::size_t, std::less<>> templates;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < vms.size(); ++i) {
    templates.emplace(vms[i].name, i);
    names.push_back(vms[i].name);
  }
  const std::set<std::string> places = host_names(hosts);
  while (time && vm && csv.next()) {
    FleetSpec::Arrival arrival;
    const auto at = times.in(*time, Duration{0});
    bool good = at.has_value();
    arrival.at = at.value_or(Duration{0});
    const std::string name(csv.text(*vm));
    if (const auto known = templates.find(name); known != templates.end()) {
      arrival.vm = known->second;
    } else {
      csv.complain(
          *vm, "there is no [[vm]] " + config::quoted(name) + config::did_you_mean_or(name, names, "; there are: "));
      good = false;
    }
    if (host && !csv.text(*host).empty()) {
      arrival.host = std::string(csv.text(*host));
      if (places.count(arrival.host) == 0) {
        csv.complain(*host, "there is no [[host]] " + config::quoted(arrival.host) +
                                config::did_you_mean_or(arrival.host, {places.begin(), places.end()}, "; there are: "));
        good = false;
      }
    }
    if (lifetime && !csv.text(*lifetime).empty()) {
      arrival.lifetime = times.in(*lifetime, Duration{1});
      good = arrival.lifetime && good;
    }
    if (!good) continue;
    if (out.arrivals.size() == most_rows) {
      csv.complain_file("more than " + std::to_string(most_rows) + " arrivals");
      break;
    }
    out.arrivals.push_back(std::move(arrival));
  }
  out.problems = csv.take_problems();
  return out;
}

}  // namespace vmbsim::scenario
