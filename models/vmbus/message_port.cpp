#include "models/vmbus/message_port.hpp"

#include <algorithm>
#include <utility>

namespace vmbsim::vmbus {

// ---- The slot ----

std::uint32_t MessageSlot::type() const {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes_.data(), sizeof value);
  return value;
}

std::uint64_t MessageSlot::port() const {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes_.data() + 8, sizeof value);
  return value;
}

MessageBytes MessageSlot::payload() const {
  const auto length = std::min(static_cast<std::size_t>(bytes_[4]), longest_message);
  const auto payload = bytes_.subspan(16, length);
  return {payload.begin(), payload.end()};
}

void MessageSlot::put(std::uint64_t port, std::span<const std::byte> payload) {
  VMBSIM_ASSERT(empty() && payload.size() <= longest_message, "a message goes into an empty slot, and fits");
  bytes_[4] = static_cast<std::byte>(payload.size());
  bytes_[5] = {};
  std::memcpy(bytes_.data() + 8, &port, sizeof port);
  std::copy(payload.begin(), payload.end(), bytes_.begin() + 16);
  const std::uint32_t type = channel_message;
  std::memcpy(bytes_.data(), &type, sizeof type);
}

void MessageSlot::clear() { std::fill_n(bytes_.begin(), 4, std::byte{}); }

// ---- The port ----

MessagePort::MessagePort(Config config) : config_(config), actor_(config_.synic.partition().world().new_actor()) {
  config_.synic.open_messages(*this);
}

MessagePort::~MessagePort() { config_.synic.close_messages(*this); }

MessagePort::Posted MessagePort::post(MessageBytes message) {
  VMBSIM_ASSERT(!message.empty() && message.size() <= longest_message, "HvPostMessage takes 1 to 240 bytes");
  if (in_use_ == buffers) return Posted::insufficient_buffers;
  ++in_use_;
  os::Partition& partition = config_.synic.partition();
  const SimTime due =
      saturating_add(partition.world().now(), partition.costs().control_message.sample(config_.latency));
  last_due_ = std::max(due, last_due_);
  travelling_.push(std::move(message));
  partition.world().at<&MessagePort::on_arrival>(last_due_, actor_, *this);
  return Posted::success;
}

void MessagePort::on_arrival() { config_.synic.queue_message(*this, travelling_.pop()); }

// ---- The sender ----

MessageSender::MessageSender(os::Partition& partition, MessagePort& port)
    : partition_(partition), port_(port), actor_(partition.world().new_actor()) {}

void MessageSender::send(MessageBytes message) {
  waiting_.push(std::move(message));
  if (waiting_.size() == 1) go_on();
}

void MessageSender::go_on() {
  constexpr std::uint32_t most_doublings = 22;
  while (!waiting_.empty()) {
    if (port_.post(waiting_.front()) == MessagePort::Posted::success) {
      tries_ = 0;
      waiting_.pop();
      continue;
    }
    ++refused_;
    if (++tries_ < most_tries) {
      const Duration wait = Duration{1us} * (std::int64_t{1} << std::min(tries_ - 1, most_doublings));
      partition_.world().after(
          wait, actor_, [](void* self) { static_cast<MessageSender*>(self)->go_on(); }, this);
      return;
    }
    partition_.findings().add("VMBUS", BugCheck::none, partition_.name(),
                              "the other end takes no messages: HvPostMessage found no buffer 100 times in a row");
    tries_ = 0;
    waiting_.clear();
  }
}

}  // namespace vmbsim::vmbus
