#include "sim/batch/folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <system_error>
#include <tuple>

#include "sim/config/file.hpp"
#include "sim/sweep/quantity.hpp"

namespace vmbsim::batch {
namespace {
namespace fs = std::filesystem;
}

fs::path store_of(const fs::path& folder, std::uint32_t shard, std::uint32_t shards) {
  return folder / fmt::format("shard-{}-of-{}.sqlite", shard + 1, shards);
}

std::vector<fs::path> stores_in(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code none;
  for (fs::directory_iterator entry(folder, none), end; !none && entry != end; entry.increment(none))
    if (entry->path().extension() == ".sqlite") files.push_back(entry->path());
  std::sort(files.begin(), files.end());
  return files;
}

std::variant<Runs, Problem> Runs::read(const std::vector<fs::path>& folders) {
  Runs runs;
  for (const fs::path& folder : folders) {
    const std::vector<fs::path> files = stores_in(folder);
    if (files.empty()) return config::problem_with(folder.string(), "holds no runs of a batch");
    for (const fs::path& file : files) {
      auto store = Store::open(file);
      if (auto* wrong = std::get_if<Problem>(&store)) return *wrong;
      runs.stores_.push_back(std::get<std::unique_ptr<Store>>(std::move(store)));
      runs.names_.push_back(file.string());
      if (const auto difference = runs.stores_.back()->campaign().differs_from(runs.campaign()))
        return config::problem_with(file.string(), "holds " + *difference + ", as " + runs.names_.front() + " has it");
      const std::size_t number = runs.stores_.size() - 1;
      auto wrong = runs.stores_.back()->each(Store::Depth::heads, [&](Store::Row row) {
        runs.index_.push_back({number, row.id, std::move(row.record)});
      });
      if (wrong) return *wrong;
    }
  }
  runs.spell_alike();
  if (auto wrong = runs.keep_one_of_each()) return *wrong;
  return runs;
}

std::variant<Record, Problem> Runs::at(std::size_t i) const {
  auto read = stores_[index_[i].store]->at(index_[i].row);
  if (auto* record = std::get_if<Record>(&read)) record->parameters = index_[i].record.parameters;
  return read;
}

void Runs::spell_alike() {
  const auto shorter = [](const std::string& a, const std::string& b) {
    return std::forward_as_tuple(a.size(), a) < std::forward_as_tuple(b.size(), b);
  };
  for (std::size_t i = 0; i < campaign().parameters.size(); ++i) {
    std::map<std::string, const std::string*> spellings;  // to the shortest that means the same
    for (const Entry& entry : index_) spellings.emplace(entry.record.parameters[i], nullptr);
    std::map<std::string, const std::string*> shortest;
    for (auto& [text, same] : spellings) {
      const std::string*& best = shortest.emplace(sweep::canonical(text), &text).first->second;
      if (shorter(text, *best)) best = &text;
    }
    if (shortest.size() == spellings.size()) continue;
    for (auto& [text, same] : spellings) same = shortest.at(sweep::canonical(text));
    for (Entry& entry : index_) entry.record.parameters[i] = *spellings.at(entry.record.parameters[i]);
  }
}

std::optional<Problem> Runs::keep_one_of_each() {
  // Of one run: those that are done first, then as the stores come.
  std::stable_sort(index_.begin(), index_.end(), [](const Entry& a, const Entry& b) {
    if (a.record.key != b.record.key) return a.record.key < b.record.key;
    return done(a.record.status) && !done(b.record.status);
  });
  std::vector<Entry> once;
  for (Entry& entry : index_) {
    if (once.empty() || once.back().record.key != entry.record.key) {
      once.push_back(std::move(entry));
      continue;
    }
    const Record& kept = once.back().record;
    if (done(entry.record.status) && kept.figures.fingerprint != entry.record.figures.fingerprint)
      return config::problem_with(names_[entry.store], fmt::format("run {} has another result than in {}",
                                                                   kept.key.text(), names_[once.back().store]));
  }
  index_ = std::move(once);
  std::sort(index_.begin(), index_.end(), [](const Entry& a, const Entry& b) {
    for (std::size_t i = 0; i < a.record.parameters.size(); ++i)
      if (const auto order = sweep::compare(a.record.parameters[i], b.record.parameters[i]); order != 0)
        return order < 0;
    if (a.record.seed != b.record.seed) return a.record.seed < b.record.seed;
    return a.record.key < b.record.key;
  });
  return std::nullopt;
}

std::uint64_t Runs::planned() const {
  std::uint64_t most = 0;
  for (const auto& store : stores_) most = std::max(most, store->planned());
  return most;
}

std::variant<Merged, Problem> merge(const std::vector<fs::path>& folders, const fs::path& to) {
  for (const fs::path& folder : folders) {
    std::error_code none;
    if (fs::equivalent(folder, to, none))
      return config::problem_with(to.string(),
                                  "is one of the folders that are merged; right would be a folder of its own");
  }
  std::vector<fs::path> all = folders;
  if (!stores_in(to).empty()) all.push_back(to);
  auto read = Runs::read(all);
  if (auto* wrong = std::get_if<Problem>(&read)) return *wrong;
  const Runs& runs = std::get<Runs>(read);
  std::error_code error;
  fs::create_directories(to, error);
  if (error) return config::problem_with(to.string(), "cannot be made a folder: " + error.message());
  std::optional<std::string> rescued;
  auto opened = Store::open(store_of(to, 0, 1), runs.campaign(), rescued);
  if (auto* wrong = std::get_if<Problem>(&opened)) return *wrong;
  Store& store = *std::get<std::unique_ptr<Store>>(opened);
  if (auto wrong = store.plan(runs.planned())) return *wrong;
  Merged sum{.runs = runs.size(), .planned = runs.planned()};
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (!done(runs.head(i).status)) ++sum.failed;
    auto record = runs.at(i);
    if (auto* wrong = std::get_if<Problem>(&record)) return *wrong;
    if (auto wrong = store.add(std::get<Record>(record))) return *wrong;
  }
  if (auto wrong = store.commit()) return *wrong;
  return sum;
}

}  // namespace vmbsim::batch
