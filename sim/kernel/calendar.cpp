#include "sim/kernel/calendar.hpp"

#include <algorithm>

namespace vmbsim::kernel {

Calendar::Calendar() = default;
Calendar::~Calendar() = default;

bool Calendar::cancel(EventHandle handle) {
  if (!pending(handle)) return false;
  release(handle.slot);
  --size_;
  ++stale_;
  const bool was_next = handle.slot == next_slot_;
  if (stale_ > size_ + front_capacity) sweep();
  if (was_next) find_next();
  return true;
}

// ---- Events of one instant ----

/// Calls `visit(place)` for the places in the front of what could come next, until it answers false.
template <class Visit>
void Calendar::each_tie(Visit visit) const {
  std::array<std::uint32_t, 16> actors;
  std::size_t known = 0;
  for (std::uint32_t place = head_; place != tail_ && front_[place].time == next_ && known != actors.size(); ++place) {
    if (!live(front_[place])) continue;
    const std::uint32_t actor = node_at(front_[place].slot).actor_or_free;
    const auto end = actors.begin() + static_cast<std::ptrdiff_t>(known);
    if (std::find(actors.begin(), end, actor) != end) continue;
    actors[known++] = actor;
    if (!visit(place)) return;
  }
}

std::uint32_t Calendar::ties(std::uint32_t most) const {
  std::uint32_t count = 0;
  each_tie([&](std::uint32_t) { return ++count < most; });
  return std::max(count, 1u);
}

void Calendar::bring_forward(std::uint32_t which) {
  std::uint32_t place = head_;
  each_tie([&](std::uint32_t candidate) {
    place = candidate;
    return which-- != 0;
  });
  const Entry chosen = front_[place];
  std::move_backward(front_.begin() + head_, front_.begin() + place, front_.begin() + place + 1);
  front_[head_] = chosen;
  next_slot_ = chosen.slot;
}

// ---- Memory ----------------------------------------------------------------------------------------------------------

void Calendar::grow_nodes() {
  VMBSIM_ASSERT(nodes_ < no_slot - node_block, "pending events are counted in 32 bits");
  node_blocks_.push_back(std::make_unique<Node[]>(node_block));
  for (std::uint32_t i = node_block; i-- != 0;) {  // so that the lowest slot is taken first
    Node& node = node_blocks_.back()[i];
    node.generation = 1;
    node.actor_or_free = free_;
    free_ = nodes_ + i;
  }
  nodes_ += node_block;
}

void Calendar::extend(Bucket& bucket) {
  if (free_chunks_ == nullptr) {
    const std::size_t count = 16 + chunks_ / 16;  // in proportion: a population that wavers soon finds all it needs
    chunk_blocks_.push_back(std::make_unique_for_overwrite<Chunk[]>(count));
    for (std::size_t i = count; i-- != 0;) recycle(&chunk_blocks_.back()[i]);
    chunks_ += count;
  }
  Chunk* const chunk = free_chunks_;
  free_chunks_ = chunk->next;
  chunk->next = nullptr;
  chunk->begin = 0;
  if (bucket.first == nullptr) {
    bucket.first = chunk;
  } else {
    reinterpret_cast<Chunk*>(bucket.write)[-1].next = chunk;  // `write` is the end of the last chunk
  }
  bucket.write = chunk->entries.data();
}

void Calendar::recycle(Chunk* chunk) {
  chunk->next = free_chunks_;
  free_chunks_ = chunk;
}

Calendar::Entry* Calendar::end_of(const Bucket& bucket, const Chunk* chunk) {
  if (chunk->next != nullptr) return const_cast<Entry*>(chunk->entries.data() + chunk->entries.size());
  return bucket.write;
}

/// Takes a bucket's contents out of the levels; the bucket is empty afterwards.
Calendar::Bucket Calendar::detach(unsigned level, unsigned digit) {
  Bucket& bucket = levels_[level].buckets[digit];
  const Bucket contents = bucket;
  bucket = Bucket{};
  digits_[level] &= ~(std::uint64_t{1} << digit);
  if (digits_[level] == 0) used_levels_ &= ~(1u << level);
  return contents;
}

/// Visits the entries of a detached bucket in order and recycles its chunks as it goes.
template <class Visit>
void Calendar::consume(Bucket bucket, Visit visit) {
  for (Chunk* chunk = bucket.first; chunk != nullptr;) {
    const Entry* const end = end_of(bucket, chunk);
    for (const Entry* entry = chunk->entries.data() + chunk->begin; entry != end; ++entry) visit(*entry);
    Chunk* const next = chunk->next;
    recycle(chunk);
    chunk = next;
  }
}

bool Calendar::is_small(const Bucket& bucket) const {
  const Chunk* chunk = bucket.first;
  for (unsigned i = 0; i != small_chunks && chunk != nullptr; ++i) chunk = chunk->next;
  return chunk == nullptr;
}

// ---- The front -------------------------------------------------------------------------------------------------------

void Calendar::slide_front() {
  std::memmove(front_.data(), front_.data() + head_, (tail_ - head_) * sizeof(Entry));
  tail_ -= head_;
  head_ = 0;
}

/// Moves the later half of a full front to the buckets. Entries of one time stay together, so that those which are
/// scheduled later end up behind them.
void Calendar::pour_front() {
  std::uint32_t split = head_ + (tail_ - head_) / 2;
  while (split != head_ && front_[split - 1].time == front_[split].time) --split;
  if (split == head_) {
    split = head_ + (tail_ - head_) / 2;
    while (split != tail_ && front_[split - 1].time == front_[split].time) ++split;
    if (split == tail_) split = head_;  // all of one time
  }
  if (used_levels_ == 0) reference_ = last_;
  set_boundary(front_[split].time);
  for (std::uint32_t i = split; i != tail_; ++i) insert_into_bucket(front_[i]);
  tail_ = split;
}

void Calendar::drop_stale_heads() {
  while (stale_ != 0 && head_ != tail_ && !live(front_[head_])) {
    ++head_;
    --stale_;
  }
}

/// Establishes what comes next, after a pop or after the next event was cancelled.
void Calendar::find_next() {
  drop_stale_heads();
  while (head_ == tail_ && used_levels_ != 0) {
    const auto level = static_cast<unsigned>(std::countr_zero(used_levels_));
    const auto digit = static_cast<unsigned>(std::countr_zero(digits_[level]));
    const Entry& earliest = levels_[level].buckets[digit].earliest;
    if (stale_ == 0 || live(earliest)) {
      next_ = earliest.time;
      next_slot_ = earliest.slot;
      return;
    }
    find_earliest(level, digit);  // may empty the bucket or fill the front
  }
  if (head_ != tail_) {
    next_ = front_[head_].time;
    next_slot_ = front_[head_].slot;
  } else {
    next_ = no_time;
    next_slot_ = no_slot;
  }
}

// ---- Opening buckets -------------------------------------------------------------------------------------------------

/// Fills the empty front with the soonest entries. The event that pop is about to return is not before any bucket's
/// earliest entry that is met here, so `reference_` may follow it.
void Calendar::open_bucket() {
  do {
    head_ = tail_ = 0;
    if (size_ + stale_ <= few) {
      gather();
    } else {
      const auto level = static_cast<unsigned>(std::countr_zero(used_levels_));
      const auto digit = static_cast<unsigned>(std::countr_zero(digits_[level]));
      const Bucket& bucket = levels_[level].buckets[digit];
      reference_ = bucket.earliest.time;
      if (level == 0) {
        take_instant(digit);
      } else if (is_small(bucket)) {
        take(level, digit);
      } else {
        deal_out(level, digit);
      }
    }
    drop_stale_heads();
  } while (head_ == tail_);
}

/// A small population lives in the front whatever its times.
void Calendar::gather() {
  set_boundary(no_time);
  while (used_levels_ != 0) {
    const auto level = static_cast<unsigned>(std::countr_zero(used_levels_));
    consume(detach(level, static_cast<unsigned>(std::countr_zero(digits_[level]))),
            [this](const Entry& entry) { insert_into_front(entry); });
  }
}

/// Moves a small bucket to the front, sorted by the digit in which its entries differ first, then by what is left.
void Calendar::take(unsigned level, unsigned digit) {
  const Time width = Time{1} << (6 * level);
  const Time end = (reference_ & ~(width - 1)) + width;
  const Bucket contents = detach(level, digit);
  set_boundary(used_levels_ == 0 ? no_time : end);

  constexpr std::uint64_t ones = 0x0101010101010101;  // a byte per digit, eight to a word
  std::array<std::uint64_t, 8> words{};
  auto* const bytes = reinterpret_cast<std::uint8_t*>(words.data());
  for (const Chunk* chunk = contents.first; chunk != nullptr; chunk = chunk->next) {
    const Entry* const chunk_end = end_of(contents, chunk);
    for (const Entry* entry = chunk->entries.data() + chunk->begin; entry != chunk_end; ++entry)
      ++bytes[digit_of(entry->time, level - 1)];
  }
  std::uint64_t before = 0;
  for (std::uint64_t& word : words) {  // counts become places: a multiplication adds up the bytes below each byte
    const std::uint64_t up_to = word * ones;
    word = (up_to << 8) + before * ones;
    before += up_to >> 56;
  }
  consume(contents, [&](const Entry& entry) {
    __builtin_prefetch(&node_at(entry.slot));
    front_[bytes[digit_of(entry.time, level - 1)]++] = entry;
  });
  tail_ = static_cast<std::uint32_t>(before);
  if (level == 1) return;
  for (std::uint32_t i = 1; i < tail_; ++i) {
    const Entry entry = front_[i];
    std::uint32_t place = i;
    for (; place != 0 && front_[place - 1].time > entry.time; --place) front_[place] = front_[place - 1];
    front_[place] = entry;
  }
}

/// Moves the first entries of a bucket one nanosecond wide to the front. The rest stays: what is scheduled for this
/// instant from now on goes behind it.
void Calendar::take_instant(unsigned digit) {
  Bucket& bucket = levels_[0].buckets[digit];
  Chunk* const chunk = bucket.first;
  const Entry* const end = end_of(bucket, chunk);
  for (const Entry* entry = chunk->entries.data() + chunk->begin; entry != end; ++entry) front_[tail_++] = *entry;
  set_boundary(reference_);
  if (chunk->next != nullptr) {
    bucket.first = chunk->next;
    bucket.earliest = chunk->next->entries[0];
    recycle(chunk);
  } else {
    detach(0, digit);
    recycle(chunk);
    set_boundary(used_levels_ == 0 ? no_time : reference_ + 1);
  }
}

/// Deals a large bucket out to the levels below, which are empty.
void Calendar::deal_out(unsigned level, unsigned digit) {
  set_boundary(reference_);
  consume(detach(level, digit), [this](const Entry& entry) { insert_into_bucket(entry); });
}

// ---- Cancelled events ------------------------------------------------------------------------------------------------

/// The first bucket's earliest entry was cancelled: finds its successor, or takes the soonest to the front.
void Calendar::find_earliest(unsigned level, unsigned digit) {
  Bucket& bucket = levels_[level].buckets[digit];
  const Time time = bucket.earliest.time;  // nothing here is before it
  if (!trim(level, digit)) return;
  for (const Chunk* chunk = bucket.first; chunk != nullptr; chunk = chunk->next) {
    const Entry* const end = end_of(bucket, chunk);
    for (const Entry* entry = chunk->entries.data() + chunk->begin; entry != end; ++entry) {
      if (entry->time == time && live(*entry)) {
        bucket.earliest = *entry;
        return;
      }
    }
  }
  sweep_bucket(level, digit);
  if (bucket.first != nullptr && !is_small(bucket)) take_soonest(level, digit);
}

/// Drops cancelled entries from the beginning of a bucket. False when nothing was left.
bool Calendar::trim(unsigned level, unsigned digit) {
  Bucket& bucket = levels_[level].buckets[digit];
  while (true) {
    Chunk* const chunk = bucket.first;
    const auto end = static_cast<std::size_t>(end_of(bucket, chunk) - chunk->entries.data());
    for (; chunk->begin != end; ++chunk->begin, --stale_)
      if (live(chunk->entries[chunk->begin])) return true;
    bucket.first = chunk->next;
    recycle(chunk);
    if (bucket.first == nullptr) {
      detach(level, digit);
      return false;
    }
  }
}

/// Moves the soonest entries of the first bucket to the front, so that cancelling the next event again and again does
/// not read the bucket every time.
void Calendar::take_soonest(unsigned level, unsigned digit) {
  std::array<Time, many + 1> soonest;  // a heap: the latest of them first
  std::size_t count = 0;
  const Bucket& bucket = levels_[level].buckets[digit];
  for (const Chunk* chunk = bucket.first; chunk != nullptr; chunk = chunk->next) {
    const Entry* const end = end_of(bucket, chunk);
    for (const Entry* entry = chunk->entries.data() + chunk->begin; entry != end; ++entry) {
      if (count == soonest.size()) {
        if (entry->time >= soonest[0]) continue;
        std::pop_heap(soonest.begin(), soonest.begin() + static_cast<std::ptrdiff_t>(count--));
      }
      soonest[count++] = entry->time;
      std::push_heap(soonest.begin(), soonest.begin() + static_cast<std::ptrdiff_t>(count));
    }
  }
  const Time limit = soonest[0];
  if (limit == bucket.earliest.time) return;  // too many at one time
  head_ = tail_ = 0;
  set_boundary(limit);
  consume(detach(level, digit), [=, this](const Entry& entry) {
    if (entry.time < limit) {
      insert_into_front(entry);
    } else {
      append(level, digit, entry);
    }
  });
}

void Calendar::sweep_bucket(unsigned level, unsigned digit) {
  consume(detach(level, digit), [=, this](const Entry& entry) {
    if (live(entry)) {
      append(level, digit, entry);
    } else {
      --stale_;
    }
  });
}

/// Removes every entry whose event was cancelled.
void Calendar::sweep() {
  std::uint32_t kept = head_;
  for (std::uint32_t i = head_; i != tail_; ++i)
    if (live(front_[i])) front_[kept++] = front_[i];
  stale_ -= tail_ - kept;
  tail_ = kept;
  for (unsigned level = 0; level != levels; ++level)
    for (std::uint64_t left = digits_[level]; left != 0; left &= left - 1)
      sweep_bucket(level, static_cast<unsigned>(std::countr_zero(left)));
  VMBSIM_ASSERT(stale_ == 0, "every entry is in the front or in a bucket");
}

}  // namespace vmbsim::kernel
