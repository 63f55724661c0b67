#include "sim/hunt/tape.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <map>
#include <new>

#include "vmbsim/assert.hpp"

namespace vmbsim::hunt {

namespace {

template <std::size_t size>
void put(char (&field)[size], const std::string& text) {
  const std::size_t length = std::min(text.size(), size - 1);
  std::memcpy(field, text.data(), length);
  field[length] = '\0';
}

/// Has names and nothing else.
class Names final : public explore::Program {
 public:
  Names(std::map<std::uint32_t, std::string> actors, bool abstract) : actors_(std::move(actors)), abstract_(abstract) {}
  const explore::Outcome& run(kernel::ChoiceSource&, explore::StepListener*) override {
    VMBSIM_ASSERT(false, "a program that is gone is not run");
    return nothing_;
  }
  bool time_abstract() const override { return abstract_; }
  std::string actor_name(std::uint32_t actor) const override {
    const auto known = actors_.find(actor);
    return known == actors_.end() ? "actor " + std::to_string(actor) : known->second;
  }
  std::string object_name(std::uint32_t object) const override { return "object " + std::to_string(object); }

 private:
  std::map<std::uint32_t, std::string> actors_;
  bool abstract_;
  explore::Outcome nothing_;
};

}  // namespace

struct Tape::Record {
  std::uint64_t number, value;
  std::int64_t time_ns;
  std::uint32_t actor, processor;
  kernel::Operation operation;
  std::uint64_t departures;  // of the run, up to this step
  std::uint8_t irql;
  char name[48];  // the actor's
  char text[160];
};

struct Tape::Page {
  std::atomic<std::uint64_t> steps, questions, digest_count;
  std::uint32_t digests[64];
  bool abstract;
  Record records[most_steps];
};

Tape::Tape() {
  void* const memory = ::mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  VMBSIM_ASSERT(memory != MAP_FAILED, "there is memory for the last steps of a run");
  page_ = new (memory) Page;
}

Tape::~Tape() { ::munmap(page_, sizeof(Page)); }

void Tape::begin(const explore::Program& program, const Recorder& recorder) {
  program_ = &program;
  recorder_ = &recorder;
  page_->abstract = program.time_abstract();
}

void Tape::on_step(const explore::Step& step) {
  const std::uint64_t at = page_->steps.load(std::memory_order_relaxed);
  Record& record = page_->records[at % most_steps];
  record.number = step.number;
  record.value = step.value;
  record.time_ns = step.time_ns;
  record.actor = step.actor;
  record.processor = step.processor;
  record.operation = step.operation;
  record.departures = recorder_->taken().size();
  record.irql = step.irql;
  put(record.name, program_->actor_name(step.actor));
  put(record.text, step.text);
  page_->steps.store(at + 1, std::memory_order_release);
}

void Tape::note(const AnswerDigest& digest) {
  const std::vector<std::uint32_t>& all = digest.digests();
  for (std::uint64_t i = page_->digest_count.load(std::memory_order_relaxed);
       i < std::min<std::size_t>(all.size(), 64);)
    page_->digests[i] = all[i], page_->digest_count.store(++i, std::memory_order_release);
  page_->questions.store(digest.questions(), std::memory_order_release);
}

std::uint64_t Tape::steps() const { return page_->steps.load(std::memory_order_acquire); }
std::uint64_t Tape::questions() const { return page_->questions.load(std::memory_order_acquire); }

std::vector<std::uint32_t> Tape::digests() const {
  return {page_->digests, page_->digests + page_->digest_count.load(std::memory_order_acquire)};
}

std::vector<const Tape::Record*> Tape::records() const {
  std::vector<const Record*> all;
  const std::uint64_t end = steps();
  for (std::uint64_t i = end - std::min<std::uint64_t>(end, most_steps); i < end; ++i)
    all.push_back(&page_->records[i % most_steps]);
  return all;
}

explore::Step Tape::step_of(const Record& record) const {
  return {.number = record.number,
          .actor = record.actor,
          .processor = record.processor,
          .irql = record.irql,
          .operation = record.operation,
          .value = record.value,
          .text = record.text,
          .time_ns = record.time_ns};
}

void Tape::tell(explore::StepListener& listener) const {
  for (const Record* record : records()) listener.on_step(step_of(*record));
}

void Tape::tell(Story& story) const {
  const std::vector<const Record*> all = records();
  story.skip(steps() - all.size());
  for (const Record* record : all) story.add(step_of(*record), record->departures);
}

std::unique_ptr<explore::Program> Tape::names() const {
  std::map<std::uint32_t, std::string> actors;
  for (const Record* record : records()) actors[record->actor] = record->name;
  return std::make_unique<Names>(std::move(actors), page_->abstract);
}

}  // namespace vmbsim::hunt
