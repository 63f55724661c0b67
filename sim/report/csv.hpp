#pragma once
/// Tidy tables: one header line, one row per observation, RFC 4180 quoting, the same bytes for the same run.
/// A figure of which there were no samples is an empty cell.
#include <string>
#include <string_view>

#include "vmbsim/result.hpp"

namespace vmbsim::report {

/// Text as a cell, in quotes where it needs them.
std::string csv_field(std::string_view text);
/// The shortest text that reads back to the same number; empty where nothing was measured.
std::string csv_figure(double value);

/// scenario,seed,metric,value,unit,low,high : one row per metric of metrics.hpp; low and high are its confidence interval.
std::string summary_csv(const RunResult& result);

/// channel,submitted_ns,<stage>_ns...,latency_ns : one row per recorded transaction.
std::string packets_csv(const RunResult& result);

/// channel,end_ns,completed,latency_mean_ns,latency_p99_ns : one row per interval and channel.
std::string intervals_csv(const RunResult& result);

}  // namespace vmbsim::report
