#pragma once
/// Instances of one template, seen as one: `web[0].disk` and `web[1].disk` are `web[*].disk`.
#include <string>
#include <string_view>
#include <vector>

#include "vmbsim/result.hpp"

namespace vmbsim::report {

/// The name shared by all instances of a template: every `[n]` becomes `[*]`, a processor's number at the end becomes `*`.
std::string template_name(std::string_view instance);

/// Items that share a template, in the order of their first appearance.
template <class Item>
struct Group {
  std::string name;
  std::vector<const Item*> items;
};

template <class Item>
std::vector<Group<Item>> group(const std::vector<Item>& items) {
  std::vector<Group<Item>> groups;
  for (const Item& item : items) {
    const std::string name = template_name(item.name);
    auto found = groups.begin();
    while (found != groups.end() && found->name != name) ++found;
    if (found == groups.end()) found = groups.insert(found, Group<Item>{name, {}});
    found->items.push_back(&item);
  }
  return groups;
}

/// Counts and rates added, histograms merged, high-water marks the highest of all.
ChannelResult merged(const Group<ChannelResult>& group);
WorkloadResult merged(const Group<WorkloadResult>& group);
/// Times added: shares of the sum are the mean shares.
ProcessorResult merged(const Group<ProcessorResult>& group);
/// Counts added; the utilisation is the mean.
DeviceResult merged(const Group<DeviceResult>& group);
/// The guests of all; peaks and the busiest disk the highest of all.
HostResult merged(const Group<HostResult>& group);
/// All templates as one without a name.
TemplateResult together(const std::vector<TemplateResult>& templates);

}  // namespace vmbsim::report
