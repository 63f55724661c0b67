#pragma once
/// The calendar: pending events in exact order, by time and, within a time, by order of scheduling.
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "vmbsim/assert.hpp"
#include "vmbsim/ids.hpp"
#include "vmbsim/time.hpp"

namespace vmbsim::kernel {

/// What an event runs: a plain function and the object it is for. Never null.
using Handler = void (*)(void* object);

/// Names a pending event for cancellation. A default-constructed or used-up handle names nothing.
struct EventHandle {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;  ///< 0: names nothing
};

/// A monotone multi-level bucket queue with a sorted front.
///
///   past | front: sorted array | buckets of level 0 | level 1 | ... | level 10
///        now               boundary                                  each level: 64 buckets, one digit of time
///
/// Places   An event before `boundary` stands in the front. Any other stands in the bucket named by the highest base-64
///          digit in which its time differs from `reference`, a time that is never later than the last pop.
/// Opening  When the front is empty, pop opens the first bucket: a small one is sorted into the front, a large one is
///          dealt out, in order, to the levels below, which are empty then. So order within a time is kept for free.
/// Memory   An entry in the front or a bucket is 16 bytes, in chunks that are filled and read in streams; what the event
///          runs lies in a slab of 24-byte nodes. Both are pooled: nothing is allocated per event.
/// Cancel   Frees the node at once. Its entry stays until it is met, or until such entries outnumber the pending events.
/// Source:  Denardo and Fox, "Shortest-route methods: 1. Reaching, pruning, and buckets", 1979 (multi-level buckets);
///          Goldberg, "A simple shortest path algorithm with linear average time", 2001 (monotone, by highest digit).
class Calendar {
 public:
  struct Due {
    SimTime time;
    ActorId actor;
    Handler handler;
    void* object;
  };

  Calendar();
  ~Calendar();
  Calendar(const Calendar&) = delete;
  Calendar& operator=(const Calendar&) = delete;

  /// `at` must not be before the time of the last pop.
  EventHandle schedule(SimTime at, ActorId actor, Handler handler, void* object) {
    const auto time = static_cast<Time>(nanoseconds(at));
    VMBSIM_ASSERT(time >= last_ && at >= start_of_time, "an event is never scheduled before one that has run");
    if (free_ == no_slot) grow_nodes();
    const std::uint32_t slot = free_;
    Node& node = node_at(slot);
    free_ = node.actor_or_free;
    node.handler = handler;
    node.object = object;
    node.actor_or_free = actor.value;
    const Entry entry{time, slot, node.generation};
    ++size_;
    if (time < next_) {
      next_ = time;
      next_slot_ = slot;
    }
    if (time < boundary_) {
      insert_into_front(entry);
    } else {
      insert_into_bucket(entry);
    }
    return {slot, entry.generation};
  }

  /// True when the event was pending; it will not run. False when it has run, was cancelled, or the handle names nothing.
  bool cancel(EventHandle handle);
  bool pending(EventHandle handle) const {
    return handle.generation != 0 && handle.slot < nodes_ && node_at(handle.slot).generation == handle.generation;
  }

  bool empty() const { return size_ == 0; }
  std::uint64_t size() const { return size_; }  ///< pending events, cancelled ones not counted
  /// The next event's time, exactly; end_of_time when empty.
  SimTime next_time() const { return SimTime{Duration{static_cast<std::int64_t>(next_ & latest)}}; }

  /// Of the events of the next instant that are sorted already, so many could come first without overtaking one of the same
  /// actor: at most `most`, which is 1 or more. The next event is the first of them.
  std::uint32_t ties(std::uint32_t most) const;
  /// Lets the `which`-th of them come next.
  void bring_forward(std::uint32_t which);

  /// Takes the next event out. Precondition: not empty().
  Due pop() {
    VMBSIM_ASSERT(size_ != 0, "only a pending event is taken out");
    if (head_ == tail_) open_bucket();
    const Entry entry = front_[head_++];
    if (head_ + object_ahead < tail_) __builtin_prefetch(node_at(front_[head_ + object_ahead].slot).object);
    const Node& node = node_at(entry.slot);
    const Due due{SimTime{Duration{static_cast<std::int64_t>(entry.time)}}, ActorId{node.actor_or_free}, node.handler,
                  node.object};
    release(entry.slot);
    --size_;
    last_ = entry.time;
    if (head_ != tail_ && stale_ == 0) {
      next_ = front_[head_].time;
      next_slot_ = front_[head_].slot;
    } else {
      find_next();
    }
    return due;
  }

 private:
  using Time = std::uint64_t;  // nanoseconds; the top bit is never part of an event's time

  struct Entry {
    Time time;
    std::uint32_t slot;
    std::uint32_t generation;  // differs from the node's once the event was cancelled
  };
  struct Node {
    Handler handler;
    void* object;
    std::uint32_t actor_or_free;  // pending: the actor; free: the next free slot
    std::uint32_t generation;     // of the pending event, or of the next one to use this slot; 0: retired
  };
  static_assert(sizeof(Entry) == 16 && sizeof(Node) == 24);

  static constexpr std::size_t chunk_bytes = 512;
  struct alignas(chunk_bytes) Chunk {
    Chunk* next;
    std::size_t begin;  // entries before it are taken; not 0 only in a bucket's first chunk
    std::array<Entry, 31> entries;
  };
  static_assert(sizeof(Chunk) == chunk_bytes);

  /// Entries in order of insertion. `write` is null or a chunk's end when the next entry needs a new chunk.
  struct Bucket {
    Entry* write = nullptr;
    Chunk* first = nullptr;
    Entry earliest{no_time, no_slot, 0};  // the first of the smallest time; may have been cancelled
  };
  struct Level {
    std::array<Bucket, 64> buckets;
  };

  static constexpr std::uint32_t no_slot = ~std::uint32_t{0};
  static constexpr Time no_time = ~Time{0};
  static constexpr Time latest = no_time >> 1;
  static constexpr unsigned levels = 11;  // 6 bits each: 66 >= 63
  // Measured with bench_hold, as are all sizes here.
  static constexpr std::uint32_t front_capacity = 192;  // entries the front holds before it pours half of them out
  static constexpr std::uint32_t alone_capacity = 32;   // the same while the front holds everything there is
  static constexpr std::uint32_t few = 24;              // entries that are gathered in the front whatever their times
  static constexpr std::uint32_t many = 128;            // entries moved to the front when the next event was cancelled
  static constexpr unsigned small_chunks = 4;           // chunks up to which a bucket is sorted and not dealt out
  static constexpr std::uint32_t object_ahead = 3;      // how many events ahead of pop an object is fetched from memory
  static constexpr unsigned node_block_bits = 11;
  static constexpr std::uint32_t node_block = 1u << node_block_bits;

  Node& node_at(std::uint32_t slot) const { return node_blocks_[slot >> node_block_bits][slot & (node_block - 1)]; }
  bool live(const Entry& entry) const { return node_at(entry.slot).generation == entry.generation; }

  void release(std::uint32_t slot) {
    Node& node = node_at(slot);
    if (++node.generation == 0) return;  // all generations used: a slot is never mistaken for its former self
    node.actor_or_free = free_;
    free_ = slot;
  }

  static unsigned level_of(Time time, Time reference) {
    return (static_cast<unsigned>(63 - std::countl_zero((time ^ reference) | 1)) * 43) >> 8;  // bit number / 6
  }
  static unsigned digit_of(Time time, unsigned level) { return static_cast<unsigned>(time >> (6 * level)) & 63; }

  void insert_into_bucket(const Entry& entry) {
    const unsigned level = level_of(entry.time, reference_);
    append(level, digit_of(entry.time, level), entry);
  }
  void append(unsigned level, unsigned digit, const Entry& entry) {
    Bucket& bucket = levels_[level].buckets[digit];
    if ((reinterpret_cast<std::uintptr_t>(bucket.write) & (chunk_bytes - 1)) == 0) [[unlikely]] {
      extend(bucket);
      digits_[level] |= std::uint64_t{1} << digit;
      used_levels_ |= 1u << level;
    }
    *bucket.write++ = entry;
    if (entry.time < bucket.earliest.time) bucket.earliest = entry;
  }
  void insert_into_front(const Entry& entry) {
    if (tail_ - head_ >= front_limit_) [[unlikely]] {
      pour_front();
      if (entry.time >= boundary_) return insert_into_bucket(entry);
    }
    if (tail_ == front_.size()) slide_front();
    std::uint32_t place = tail_++;
    for (; place != head_ && front_[place - 1].time > entry.time; --place) front_[place] = front_[place - 1];
    front_[place] = entry;
  }

  void set_boundary(Time time) {
    boundary_ = time;
    front_limit_ = time == no_time ? alone_capacity : front_capacity;
  }
  void grow_nodes();
  void extend(Bucket& bucket);
  void recycle(Chunk* chunk);
  void slide_front();
  void pour_front();
  void open_bucket();
  void gather();
  void take(unsigned level, unsigned digit);
  void take_instant(unsigned digit);
  void deal_out(unsigned level, unsigned digit);
  void drop_stale_heads();
  template <class Visit>
  void each_tie(Visit visit) const;
  void find_next();
  void find_earliest(unsigned level, unsigned digit);
  bool trim(unsigned level, unsigned digit);
  void take_soonest(unsigned level, unsigned digit);
  void sweep_bucket(unsigned level, unsigned digit);
  void sweep();
  bool is_small(const Bucket& bucket) const;
  Bucket detach(unsigned level, unsigned digit);
  template <class Visit>
  void consume(Bucket bucket, Visit visit);
  static Entry* end_of(const Bucket& bucket, const Chunk* chunk);

  // What schedule and pop touch, together.
  Time boundary_ = no_time;  // front: before it; buckets: at or after it
  Time reference_ = 0;
  Time next_ = no_time;  // of the next event; no_time when there is none
  Time last_ = 0;        // of the last pop
  std::uint32_t next_slot_ = no_slot;
  std::uint32_t free_ = no_slot;
  std::uint32_t head_ = 0, tail_ = 0;  // the front is front_[head_ .. tail_)
  std::uint64_t size_ = 0;
  std::uint64_t stale_ = 0;  // entries whose event was cancelled
  std::uint32_t used_levels_ = 0;
  std::uint32_t front_limit_ = alone_capacity;
  std::uint32_t nodes_ = 0;
  std::vector<std::unique_ptr<Node[]>> node_blocks_;
  Chunk* free_chunks_ = nullptr;
  std::size_t chunks_ = 0;
  std::array<std::uint64_t, levels> digits_{};  // bit d: bucket d of the level holds entries
  std::array<Entry, 2 * front_capacity> front_;
  std::array<Level, levels> levels_;
  std::vector<std::unique_ptr<Chunk[]>> chunk_blocks_;
};

}  // namespace vmbsim::kernel
