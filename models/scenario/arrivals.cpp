#include "models/scenario/arrivals.hpp"

#include <map>
#include <set>

#include "models/scenario/fields.hpp"
#include "sim/config/csv_reader.hpp"
#include "sim/config/suggestions.hpp"

namespace vmbsim::scenario {
namespace {

constexpr std::size_t most_rows = most_guests_of_fleet;

/// Bounds that keep every sum of times within simulated time.
bool in_a_run(config::CsvReader& csv, const config::CsvColumn& column, Duration value, Duration least) {
  if (value >= least && value <= longest_run) return true;
  csv.complain(column, least == Duration{0} ? "out of range; right would be 0 to 10 years"
                                            : "out of range; right would be above 0, up to 10 years");
  return false;
}

}  // namespace

ArrivalsText read_arrivals(std::string_view text, const std::string& file, Duration unit,
                           const std::vector<HostSpec>& hosts, const std::vector<VmSpec>& vms) {
  ArrivalsText out;
  config::CsvReader csv(text, file);
  const auto time = csv.column({"time"});
  const auto vm = csv.column({"vm", "template"});
  const auto host = csv.find("host");
  const auto lifetime = csv.find("lifetime");
  std::map<std::string, std::size_t, std::less<>> templates;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < vms.size(); ++i) {
    templates.emplace(vms[i].name, i);
    names.push_back(vms[i].name);
  }
  const std::set<std::string> places = host_names(hosts);
  while (time && vm && csv.next()) {
    FleetSpec::Arrival arrival;
    bool good = true;
    if (const auto at = csv.duration(*time, unit); at && in_a_run(csv, *time, *at, Duration{0}))
      arrival.at = *at;
    else
      good = false;
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
      const auto span = csv.duration(*lifetime, unit);
      good = span && in_a_run(csv, *lifetime, *span, Duration{1}) && good;
      if (span) arrival.lifetime = *span;
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
