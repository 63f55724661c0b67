// Requests that wait for their answer, with a packet of KMCL's own.
// Source: KMCL DDI, VmbChannelSendSynchronousRequest. Where it is silent: a Timeout of 0 is about room in the ring only, and
// an answer that is too large is cut off and told with its size.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "models/kmcl/endpoint.hpp"
#include "models/kmcl/locked.hpp"

namespace vmbsim::kmcl {

namespace {

/// One request that a thread waits for.
struct Request {
  KEVENT over;
  bool ended = false;
  NTSTATUS status = STATUS_SUCCESS;
  std::vector<std::byte> answer;
  std::uint32_t length = 0;
};

/// The packet's routine, at or below DISPATCH_LEVEL: the driver's buffer may be pageable, so the answer is kept first.
void on_over(VMBPACKET handle, NTSTATUS status, void* answer, UINT32 length) {
  Packet& packet = Packet::of(handle);
  auto& request = *static_cast<Request*>(packet.pointer);
  request.ended = true;
  request.status = status;
  request.length = length;
  if (request.answer.size() < length) request.answer.resize(length);
  if (length != 0) std::memcpy(request.answer.data(), answer, length);
  Endpoint& endpoint = *packet.endpoint;
  endpoint.free_packet(packet);
  endpoint.partition().set_event(request.over);
}

bool waits(const Endpoint::Question& question) {
  return question.timeout == nullptr || question.timeout->QuadPart != 0 ||
         (question.flags & VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION) != 0;
}

}  // namespace

/// What is wrong with a request before anything is done; STATUS_SUCCESS when nothing is.
NTSTATUS Endpoint::legal(const Question& question) {
  constexpr const char* call = "VmbChannelSendSynchronousRequest";
  const Irql irql = hw::Processor::current()->irql();
  const Irql highest = waits(question) ? Irql::passive : Irql::dispatch;
  if (irql > highest) {
    report("K87", call,
           fmt::format("{} called at {} level; with these arguments it is legal up to {} level", call, name_of(irql),
                       name_of(highest)),
           waits(question) ? BugCheck::attempted_switch_from_dpc : BugCheck::irql_not_less_or_equal);
    return STATUS_INVALID_DEVICE_STATE;
  }
  if (server_ && waits(question)) {
    report("K88", call,
           fmt::format("{} may wait at the guest only: the host asks with a timeout of 0 and no WAIT_FOR_COMPLETION",
                       call));
    return STATUS_INVALID_PARAMETER;
  }
  if ((question.answer == nullptr) != (question.answer_size == nullptr)) {
    report("K90", call, fmt::format("{} takes a completion buffer and its size together", call));
    return STATUS_INVALID_PARAMETER;
  }
  if (question.answer_size != nullptr && *question.answer_size % 8 != 0) return STATUS_INVALID_PARAMETER_7;
  if (connection_ == Connection::disabled || connection_ == Connection::closing) return STATUS_DEVICE_REMOVED;
  const os::Thread* here = partition().current_thread();
  if (stepping_ && here == stepping_thread_ && !queue_on_ && waits(question))
    report(
        "K30", call,
        fmt::format("{} called in a state callback that comes before incoming packets: its answer cannot come", call));
  if (pass_running_ && here != nullptr && here == pass_thread_ && waits(question))
    report("K40", call,
           fmt::format("{} called in a packet callback of its channel: its answer is behind this packet", call));
  return STATUS_SUCCESS;
}

NTSTATUS Endpoint::ask_peer(const Question& question) {
  const NTSTATUS wrong = legal(question);
  if (wrong != STATUS_SUCCESS) return wrong;
  Packet* packet = allocate_packet();
  if (packet == nullptr) return STATUS_INSUFFICIENT_RESOURCES;
  Request request;
  KeInitializeEvent(&request.over, NotificationEvent, FALSE);
  request.answer.swap(spare_answer_);
  const bool only_tried = question.timeout != nullptr && question.timeout->QuadPart == 0;
  packet->pointer = &request;
  packet->routine = on_over;
  packet->synchronous = true;
  packet->only_tried = only_tried;
  packet->buffer = static_cast<const std::byte*>(question.buffer);
  packet->length = question.length;
  packet->mdl = question.mdl;
  packet->flags = question.flags;
  packet->call = "VmbChannelSendSynchronousRequest";
  const NTSTATUS sent = send(*packet);
  if (sent != STATUS_SUCCESS) {
    no_longer_under_way(*packet);
    free_packet(*packet);
    spare_answer_.swap(request.answer);
    return sent;
  }
  if (only_tried && device_.journeys != nullptr &&
      (question.flags & VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION) != 0)
    device_.journeys->begun(packet->journey);
  // Without an answer to come, a packet that was tried and sent is over, or will be in the next pass: no reason to wait.
  if (only_tried && (question.flags & VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION) == 0) {
    if (!request.ended) give_up(*packet);
    spare_answer_.swap(request.answer);
    return STATUS_SUCCESS;
  }
  partition().wait(request.over.Header, only_tried ? nullptr : question.timeout);
  const NTSTATUS status = request.ended ? request.status : give_up(*packet);
  if (question.answer_size != nullptr) {
    const std::uint32_t room = *question.answer_size;
    *question.answer_size = request.length;
    if (request.length != 0) std::memcpy(question.answer, request.answer.data(), std::min(room, request.length));
    if (request.length > room) {
      report("SYNC", "VmbChannelSendSynchronousRequest",
             fmt::format("an answer of {} bytes does not fit a completion buffer of {}", request.length, room));
      spare_answer_.swap(request.answer);
      return STATUS_BUFFER_TOO_SMALL;
    }
  }
  spare_answer_.swap(request.answer);
  return status;
}

/// Nobody waits for the packet any more. What is not in the ring yet never will be; an answer to what is frees the packet.
NTSTATUS Endpoint::give_up(Packet& packet) {
  bool was_queued = false;
  {
    Locked locked(partition(), lock_);
    was_queued = take_out(waiting_, packet) || take_out(held_, packet);
  }
  packet.routine = nullptr;
  packet.pointer = nullptr;
  if (was_queued) {
    no_longer_under_way(packet);
    free_packet(packet);
    return STATUS_CANCELLED;
  }
  return packet.waits_for_completion() ? STATUS_CANCELLED : STATUS_SUCCESS;
}

bool Endpoint::take_out(kernel::Fifo<Outgoing>& queue, const Packet& packet) {
  bool found = false;
  for (std::size_t left = queue.size(); left != 0; --left) {
    const Outgoing item = queue.pop();
    if (item.packet == &packet)
      found = true;
    else
      queue.push(item);
  }
  return found;
}

/// The channel is disabled: whoever waits for an answer learns that none will come.
void Endpoint::end_synchronous() {
  for (std::size_t left = held_.size(); left != 0; --left) {
    const Outgoing item = held_.pop();
    if (item.packet != nullptr && item.packet->synchronous)
      finish(*item.packet, STATUS_DEVICE_REMOVED, nullptr, 0);
    else
      held_.push(item);
  }
}

}  // namespace vmbsim::kmcl
