#include "sim/report/grouping.hpp"

#include <algorithm>
#include <cmath>

namespace vmbsim::report {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

void add_ring(RingResult& into, const RingResult& ring) {
  into.size = std::max(into.size, ring.size);
  into.peak = std::max(into.peak, ring.peak);
  into.left += ring.left;
  into.full_events += ring.full_events;
}

void add_times(ProcessorResult& into, const ProcessorResult& processor) {
  into.isr += processor.isr;
  into.dpc += processor.dpc;
  into.thread += processor.thread;
  into.spin += processor.spin;
  into.idle += processor.idle;
}

void add_traffic(TrafficResult& into, const TrafficResult& traffic) {
  into.throughput_per_s += traffic.throughput_per_s;
  into.bytes_per_s += traffic.bytes_per_s;
  into.latency.merge(traffic.latency);
}

double higher(double a, double b) { return std::isnan(a) || b > a ? b : a; }

}  // namespace

std::string template_name(std::string_view instance) {
  std::string name;
  for (std::size_t i = 0; i < instance.size(); ++i) {
    name += instance[i];
    if (instance[i] != '[') continue;
    std::size_t end = i + 1;
    while (end < instance.size() && is_digit(instance[end])) ++end;
    if (end == i + 1 || end == instance.size() || instance[end] != ']') continue;
    name += '*';
    i = end - 1;
  }
  const std::size_t last = name.find_last_not_of("0123456789");
  constexpr std::string_view cpu = ".cpu";
  if (last != std::string::npos && last + 1 < name.size() && last + 1 >= cpu.size() &&
      name.compare(last + 1 - cpu.size(), cpu.size(), cpu) == 0)
    name.replace(last + 1, std::string::npos, "*");
  return name;
}

ChannelResult merged(const Group<ChannelResult>& group) {
  ChannelResult sum;
  sum.name = group.name;
  for (const ChannelResult* channel : group.items) {
    sum.sent += channel->sent;
    sum.completed += channel->completed;
    sum.outstanding += channel->outstanding;
    sum.measured += channel->measured;
    sum.throughput_per_s += channel->throughput_per_s;
    sum.bytes_per_s += channel->bytes_per_s;
    sum.latency.merge(channel->latency);
    for (std::size_t i = 0; i < stage_count; ++i) sum.stage_sum_ns[i] += channel->stage_sum_ns[i];
    sum.batches += channel->batches;
    sum.batched_packets += channel->batched_packets;
    sum.batch_max = std::max(sum.batch_max, channel->batch_max);
    sum.signals_sent += channel->signals_sent;
    sum.signals_suppressed += channel->signals_suppressed;
    sum.interrupts += channel->interrupts;
    add_ring(sum.to_host, channel->to_host);
    add_ring(sum.to_guest, channel->to_guest);
  }
  return sum;
}

WorkloadResult merged(const Group<WorkloadResult>& group) {
  WorkloadResult sum;
  sum.name = group.name;
  sum.channel = template_name(group.items.front()->channel);
  for (const WorkloadResult* workload : group.items) {
    sum.offered += workload->offered;
    sum.completed += workload->completed;
    sum.response.merge(workload->response);
  }
  return sum;
}

ProcessorResult merged(const Group<ProcessorResult>& group) {
  ProcessorResult sum;
  sum.name = group.name;
  for (const ProcessorResult* processor : group.items) add_times(sum, *processor);
  return sum;
}

DeviceResult merged(const Group<DeviceResult>& group) {
  DeviceResult sum;
  sum.name = group.name;
  sum.utilisation = 0;
  for (const DeviceResult* device : group.items) {
    sum.operations += device->operations;
    sum.bytes += device->bytes;
    sum.peak_in_flight = std::max(sum.peak_in_flight, device->peak_in_flight);
    sum.utilisation += device->utilisation / static_cast<double>(group.items.size());
  }
  return sum;
}

HostResult merged(const Group<HostResult>& group) {
  HostResult sum;
  sum.name = group.name;
  for (const HostResult* host : group.items) {
    sum.guests += host->guests;
    sum.peak_guests = std::max(sum.peak_guests, host->peak_guests);
    add_traffic(sum.traffic, host->traffic);
    add_times(sum.processors, host->processors);
    sum.guest_processors += host->guest_processors;
    sum.busiest_disk = higher(sum.busiest_disk, host->busiest_disk);
  }
  return sum;
}

TemplateResult together(const std::vector<TemplateResult>& templates) {
  TemplateResult sum;
  for (const TemplateResult& of : templates) {
    sum.guests += of.guests;
    sum.refused += of.refused;
    sum.departed += of.departed;
    add_traffic(sum.traffic, of.traffic);
  }
  return sum;
}

}  // namespace vmbsim::report
