#include "sim/batch/tables.hpp"
#include "sim/cli/output.hpp"
#include "sim/cli/verbs.hpp"

namespace vmbsim::cli {

int export_table(const std::string& folder, Table table) {
  const auto read = batch::Runs::read({folder});
  if (const auto* wrong = std::get_if<Problem>(&read)) {
    print({*wrong});
    return bad_input;
  }
  const auto& runs = std::get<batch::Runs>(read);
  int status = fine;
  const batch::Sink sink = [&](const std::string& piece) { return (status = say(piece, fine)) == fine; };
  const auto wrong = table == Table::by_metric ? batch::long_table(runs, sink)
                     : table == Table::by_run  ? batch::wide_table(runs, sink)
                                               : batch::pooled_table(runs, sink);
  if (!wrong) return status;
  print({*wrong});
  return bad_input;
}

}  // namespace vmbsim::cli
