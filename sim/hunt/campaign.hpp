#pragma once
/// A hunt from its first run to its verdict: plans slices, has workers do them, keeps a journal, and says what was found or
/// covered.
///
///   Campaign campaign(config);
///   if (auto problem = campaign.prepare()) ...
///   const Verdict verdict = campaign.run();
///
/// Sameness  The verdict depends on target, setting, seed, strategies and number of runs; not on the number of workers, on
///           interruptions, or on how a campaign was divided into parts that were merged.
/// First     A hunt that stops at a find has done every run before it: the find is the campaign's first.
#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/hunt/journal.hpp"
#include "sim/hunt/portfolio.hpp"
#include "sim/hunt/slice.hpp"
#include "sim/hunt/target.hpp"
#include "sim/workers/crew.hpp"
#include "vmbsim/problem.hpp"

namespace vmbsim::hunt {

/// How far a campaign is, for a line that lives.
struct Progress {
  std::uint64_t runs = 0;
  std::uint64_t steps = 0;
  std::uint64_t covered = 0;  ///< features
  std::optional<std::uint32_t> unseen_ppm;
  std::size_t finds = 0;
};

struct Verdict {
  enum class End : std::uint8_t {
    found,      ///< at least one find; a hunt that goes on after finds ends otherwise, and has finds all the same
    proved,     ///< a complete search of a time-abstract program found nothing: there is nothing
    covered,    ///< every strategy is through with what it was to cover
    limit,      ///< so many runs were asked for
    stopped,    ///< by a signal; the journal has what was done
    unwritten,  ///< the journal cannot be written
  };
  End end = End::limit;
  std::vector<Find> finds;   ///< different ones, by place
  std::vector<Lane> lanes;   ///< with what each strategy did
  std::string proof;         ///< name of the strategy that searched completely; empty: none
  bool fair_yields = false;  ///< of the proof: of schedules in which a yield lets others go first
  bool time_abstract = false;
  std::uint64_t runs = 0;   ///< that were made: up to the first find, if that ended it
  std::uint64_t steps = 0;  ///< of whole epochs
  std::uint64_t covered = 0;
  std::optional<std::uint32_t> unseen_ppm;
  std::set<std::string> reached;    ///< `sometimes` goals that were met
  std::set<std::string> never_met;  ///< those that runs came by in vain
};

class Campaign {
 public:
  struct Config {
    const Target& target;
    Setting setting;  ///< for every run; a swarm adds to its knobs
    Seed seed;
    std::vector<std::string> strategies;  ///< names of explore::strategies()
    std::uint64_t runs;                   ///< at most
    unsigned jobs = 1;
    bool keep_going = false;
    std::optional<Part> part;
    bool swarm = true;
    std::string version;           ///< the program's: results of another one are not mixed in
    std::filesystem::path folder;  ///< empty: no journal
    std::vector<std::filesystem::path> merged;
    unsigned patience_s = 10;
    std::function<void(const Progress&)> on_progress;  ///< a few times a second
    std::function<bool()> stop_asked;
  };
  explicit Campaign(Config config);
  ~Campaign();
  Campaign(const Campaign&) = delete;
  Campaign& operator=(const Campaign&) = delete;

  /// Makes the program once, reads the journal. What is wrong with either.
  std::optional<Problem> prepare();
  Verdict run();

 private:
  /// A slice that workers are at, in one piece or, after one of them died, in several.
  struct Task {
    const Slice* slice;
    std::size_t pieces_left = 0;
    SliceResult gathered;
  };
  struct Piece {
    std::size_t task;
    std::uint64_t from, to;  // of the slice's places
  };

  Identity identity() const;
  void draw_knobs(Slice& slice) const;
  bool do_epoch(const std::vector<Slice>& slices, std::vector<const SliceResult*>& results);
  void start(const Piece& piece);
  void on_ended(workers::Crew::Ended& ended);
  Setting setting_of(const Slice& slice) const;
  void on_lost(const Piece& piece, const workers::Crew::Ended& ended);
  void on_told(const Piece& piece, SliceResult result);
  void on_piece_done(Task& task);
  void note_finds(const std::vector<Find>& finds);
  std::uint64_t runs_up_to(const Find& find, const std::vector<Slice>& slices) const;
  void show();

  Config config_;
  Journal journal_;
  Portfolio portfolio_;
  workers::Crew crew_;
  Coverage known_;
  Sketch classes_;
  std::set<std::string> goals_, reached_;
  std::map<std::string, Find> finds_;  // by mistake
  std::uint64_t steps_ = 0;            // of slices that are done
  std::uint64_t runs_ = 0;
  bool time_abstract_ = false;
  bool unwritten_ = false;

  // Of the epoch that is going on.
  std::vector<Task> tasks_;
  std::vector<Piece> waiting_;  // first come, first served
  std::map<std::uint64_t, Piece> at_work_;
  std::uint64_t pieces_ = 0;
  std::atomic<std::uint64_t>* earliest_;  // shared with the workers
};

}  // namespace vmbsim::hunt
