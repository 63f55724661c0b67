#include "tests/property/kmcl_player.hpp"

namespace vmbsim::testing::sequences {

namespace {

constexpr UINT32 most_inline = 1500;

/// Bits of a send's `a` above those that choose its kind; see Player::send.
bool raised(std::uint32_t a) { return (a >> 3 & 1) != 0; }
std::uint32_t cpu_bits(std::uint32_t a) { return a >> 4 & 3; }
std::uint32_t haste(std::uint32_t a) { return a >> 6 & 3; }
bool sent_again(std::uint32_t a) { return (a >> 12 & 3) == 3; }

/// What a packet says to its receiver, behind its number.
struct Message {
  Fate fate = Fate::complete;
  std::uint8_t answer_words = 0;
  bool repeated = false;
};
void write(std::byte* packet, const Message& message) { std::memcpy(packet + 8, &message, sizeof message); }

NTSTATUS on_save(VMBCHANNEL, VMBPACKET packet, PVOID buffer, UINT32 size, PUINT32 needed) {
  const PVOID state = VmbPacketGetPointer(packet);
  if (size < sizeof state) {
    *needed = sizeof state;
    return STATUS_BUFFER_TOO_SMALL;
  }
  std::memcpy(buffer, &state, sizeof state);
  return STATUS_SUCCESS;
}

}  // namespace

// ---- The machines and the drivers' callbacks ----

PairConfig Player::config_of(RandomChoices& random, std::uint32_t machines) {
  PairConfig config;
  if (machines != 0) config = drawn_pair(random, machines);
  config.maximum_packet = most_inline;
  config.external_data = 8192;
  config.chain_length = 2;
  config.quiet = true;
  kmcl::Policies policies;
  if (machines != 0) {
    policies.routine_of_sent = static_cast<kmcl::Policies::RoutineOfSent>(random.draw(3));
    policies.exact_length = random.draw(2) != 0;
    policies.overtaking = random.draw(4) == 0;
    policies.pending_permille = random.draw(3) * 300;
    policies.page_in = Duration{random.draw(20'000)};
  }
  config.host_device = config.guest_device = [policies](kmcl::Device& device) { device.policies = policies; };
  config.host_channel = [](VMBCHANNEL at) { VmbServerChannelInitSetSaveRestorePacketCallbacks(at, on_save, nullptr); };
  return config;
}

Player::Player(std::uint32_t machines)
    : random_(machines),
      pair(config_of(random_, machines)),
      host_(pair.host, pair.machines.host, true),
      guest_(pair.guest, pair.machines.guest, false),
      order_holds_(!pair.host.device.policies.overtaking),
      guest_closes_first_(machines % 2 != 0) {
  set_up(host_);
  set_up(guest_);
}

void Player::set_up(Side& side) {
  side.end.opened = [&side]() -> NTSTATUS {
    return std::exchange(side.refuses, false) ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS;
  };
  side.end.started = [&side] {
    side.suspended = false;
    if (side.in_started) std::exchange(side.in_started, nullptr)();
  };
  side.end.suspend = [&side] {
    side.suspended = true;
    if (side.in_suspend) std::exchange(side.in_suspend, nullptr)();
  };
  side.end.closed = [this, &side] {
    side.suspended = false;
    side.again.clear();
    if (!std::exchange(side.forgetful, false)) give_back(side);
  };
  side.end.packet = [this, &side](Arrived& a) { on_packet(side, a); };
  side.end.completed = [this, &side](Returned& r) { on_completed(side, r); };
}

/// The GPADLs that this end has shared, or mapped.
void Player::give_back(Side& side) {
  for (std::size_t i = 0; i < 3; ++i) {
    if (side.server && std::exchange(side.mapped[i], false)) VmbChannelUnmapGpadl(side.end.channel, guest_.handles[i]);
    if (!side.server && side.handles[i] != 0)
      VmbChannelDeleteGpadl(side.end.channel, std::exchange(side.handles[i], 0));
  }
}

void Player::on_packet(Side& side, Arrived& a) {
  Message message;
  if (a.length >= 16) std::memcpy(&message, a.buffer + 8, sizeof message);
  const bool first = side.again.erase(a.number) == 0;
  const Side& from = side.server ? guest_ : host_;
  const bool in_order = a.length >= 16 && a.number != 0 && !message.repeated && message.fate != Fate::special;
  if (first && in_order) {
    if (order_holds_ && !from.overlapping) expect(a.number > side.last_arrived, "a packet came before an earlier one");
    side.last_arrived = a.number;
  }
  const bool at_dispatch = hw::Processor::current()->irql() == Irql::dispatch;
  switch (message.fate) {
    case Fate::special: return side.special(a);
    case Fate::keep: return side.kept.push_back(a.packet);
    case Fate::defer_and_complete:
    case Fate::defer_and_keep:
      if (first && at_dispatch) {
        side.again.insert(a.number);
        return VmbChannelPacketDeferToPassive(a.packet);
      }
      if (message.fate == Fate::defer_and_keep) return side.kept.push_back(a.packet);
      break;
    case Fate::use_data_and_complete:
    case Fate::use_data_and_keep:
      if (a.flags != 0) {
        PMDL mdl = nullptr;
        const NTSTATUS status = VmbChannelPacketGetExternalData(a.packet, 0, &mdl);
        if (status == STATUS_PENDING) return static_cast<void>(side.again.insert(a.number));
        expect(status == STATUS_SUCCESS, "external data could not be had");
      }
      if (message.fate == Fate::use_data_and_keep) return side.kept.push_back(a.packet);
      break;
    case Fate::complete_elsewhere:
      pair.machines.start(side.partition, side.partition.cpu_count() - 1,
                          [this, packet = a.packet, words = message.answer_words] { answer(packet, words); });
      return;
    case Fate::fail: return VmbChannelPacketFail(a.packet);
    case Fate::complete: break;
  }
  answer(a.packet, message.answer_words);
}

void Player::on_completed(Side& side, Returned& r) {
  expect(r.status == STATUS_SUCCESS || r.status == STATUS_DEVICE_REMOVED, "a packet ended with another status");
  Sent& sent = (side.server ? of_host_ : of_guest_)[r.number - 1];
  if (sent.mdl != nullptr) {
    IoFreeMdl(std::exchange(sent.mdl, nullptr));
    ExFreePool(sent.page);
  }
  if (std::exchange(sent.again, false) && r.status == STATUS_SUCCESS && !side.suspended) {
    std::vector<std::byte>& bytes = side.end.bytes_of(r.number);
    write(bytes.data(), {.repeated = true});
    ++side.sent;
    expect(VmbPacketSend(r.packet, bytes.data(), sent.length, nullptr, wait_flag) == STATUS_SUCCESS,
           "a packet could not be sent again");
    return;
  }
  if (sent.own_memory != nullptr)
    ExFreePool(std::exchange(sent.own_memory, nullptr));
  else
    VmbPacketFree(r.packet);
}

// ---- Threads ----

TwoPartitions::Running& Player::start(Side& at, std::uint32_t bits, std::function<void()> body) {
  return pair.machines.start(at.partition, bits % at.partition.cpu_count(), std::move(body));
}

void Player::run_until_true(const bool& condition) {
  kernel::Simulation& world = pair.machines.world;
  world.run_until(world.now());
  while (!condition && world.next_time() != end_of_time) world.run_until(world.next_time());
}

/// No call is under way any more but those that wait.
void Player::calls_are_made() {
  for (const TwoPartitions::Running& thread : calls_) run_until_true(thread.ended);
  calls_.clear();
}

bool Player::complete_kept(Side& at) {
  if (at.kept.empty()) return false;
  std::vector<VMBPACKETCOMPLETION> kept;
  kept.swap(at.kept);
  start(at, 0, [this, kept] {
    for (const VMBPACKETCOMPLETION packet : kept) answer(packet, 1);
  });
  return true;
}

void Player::settle() {
  do pair.machines.quiesce();
  while (complete_kept(host_) || complete_kept(guest_));
}

void Player::blocking(Side& at, const Command& c, std::function<void()> body, bool both_complete) {
  if ((c.a & 1) != 0)
    at.in_suspend = [this, &at] {
      for (const VMBPACKETCOMPLETION packet : std::exchange(at.kept, {})) answer(packet, 2);
    };
  TwoPartitions::Running& thread = start(at, cpu_bits(c.a), std::move(body));
  if (both_complete) {
    settle();
  } else {
    do pair.machines.quiesce();
    while (complete_kept(at));
  }
  at.in_suspend = nullptr;
  expect(thread.ended, std::string(names[static_cast<std::size_t>(c.what)]) + " does not return");
}

// ---- Commands ----

void Player::play(const Command& c, const Model& before) {
  Side& at = side(c.server);
  const std::size_t slot = c.a % 3;
  if (c.what == Do::send) return send(at, c);
  if (c.what == Do::complete) return complete_one(at, c.a, c.b);
  calls_are_made();
  if (c.what == Do::ask) return ask(at, c);
  VMBCHANNEL& channel = at.end.channel;
  switch (c.what) {
    case Do::enable:
      return on(c.server, [&] { expect(at.end.enable() == STATUS_SUCCESS, "a channel could not be enabled"); });
    case Do::disable:
      return blocking(
          at, c, [&] { VmbChannelDisable(channel); }, true);
    case Do::start: return on(c.server, [&] { VmbChannelStart(channel); });
    case Do::pause:
      return blocking(
          at, c, [&] { VmbChannelPause(channel); }, false);
    case Do::refuse_open: at.refuses = true; return;
    case Do::configure: return configure(at, before.end(c.server).enabled);
    case Do::recreate:
      at.refuses = false;
      return on(c.server, [&] {
        VmbChannelCleanup(channel);
        at.end.allocate_again();
      });
    case Do::quota: return VmbChannelSetTransactionQuota(channel, 1 + c.b % 4);
    case Do::passive: return VmbChannelSetIncomingProcessingAtPassive(channel, c.a % 2 != 0 ? TRUE : FALSE);
    case Do::look: return look(at, before);
    case Do::latency:
      return on(false, [&] {
        UINT16 was = 0;
        expect(VmbChannelSetInterruptLatency(channel, static_cast<UINT16>(c.b % 64), &was) == STATUS_SUCCESS,
               "the latency could not be set");
      });
    case Do::share:
      return on(false, [&, slot] {
        void* bytes = ExAllocatePool2(POOL_FLAG_NON_PAGED, 4096, 1);
        at.read_only[slot] = (c.a >> 3 & 1) != 0;
        const UINT32 flags = at.read_only[slot] ? VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY : 0;
        PMDL mdl = IoAllocateMdl(bytes, 4096, FALSE, FALSE, nullptr);
        MmBuildMdlForNonPagedPool(mdl);
        const NTSTATUS status = (c.a >> 2 & 1) != 0
                                    ? VmbChannelCreateGpadlFromBuffer(channel, flags, bytes, 4096, &at.handles[slot])
                                    : VmbChannelCreateGpadlFromMdl(channel, flags, mdl, 0, 0, &at.handles[slot]);
        IoFreeMdl(mdl);
        expect(status == STATUS_SUCCESS, "a GPADL could not be created");
      });
    case Do::map:
      return on(true, [&, slot] {
        PMDL mdl = nullptr;
        const UINT32 flags = guest_.read_only[slot] ? VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY : 0;
        at.mapped[slot] = true;
        expect(VmbChannelMapGpadl(channel, flags, guest_.handles[slot], &mdl) == STATUS_SUCCESS,
               "a GPADL could not be mapped");
      });
    case Do::unmap:
      return on(true, [&, slot] {
        at.mapped[slot] = false;
        VmbChannelUnmapGpadl(channel, guest_.handles[slot]);
      });
    case Do::unshare: {
      const UINT32 handle = std::exchange(at.handles[slot], 0);
      const auto& thread = start(at, 0, [&, handle] { VmbChannelDeleteGpadl(channel, handle); });
      pair.machines.quiesce();
      if (std::exchange(host_.mapped[slot], false)) {
        expect(!thread.ended, "a GPADL was deleted while it was mapped");
        on(true, [&, handle] { VmbChannelUnmapGpadl(host_.end.channel, handle); });
      }
      return expect(thread.ended, "the deletion of a GPADL does not return");
    }
    case Do::snapshot: return on(true, [this] { save(); });
    case Do::send:
    case Do::ask:
    case Do::complete: return;
  }
}

/// Bits of `a`: 0 to 2 the kind of send, 3 at DISPATCH_LEVEL, 4 and 5 the processor, 6 and 7 what to wait for, 8 to 11 the
/// packet's fate, 12 and 13 whether it is sent again from its routine. `b` chooses length and answer.
void Player::send(Side& from, const Command& c) {
  const bool leave = haste(c.a) == 1;
  if (leave && !calls_.empty()) from.overlapping = true;
  if (!leave) calls_are_made();
  std::deque<Sent>& all = from.server ? of_host_ : of_guest_;
  ++from.sent;
  TwoPartitions::Running& thread = start(from, cpu_bits(c.a), [this, &from, &all, c] {
    const std::uint64_t number = ++from.last_number;
    Sent& sent = all.emplace_back();
    sent.length = 16 + (c.b % 3 == 0 ? c.b % (most_inline - 16) : c.b % 64);
    sent.again = sent_again(c.a) && fate_of(c.a) != Fate::special;
    const VMBCHANNEL channel = from.end.channel;
    VMBPACKET packet = nullptr;
    if (c.a % 8 >= 6) {
      const UINT32 bytes = VmbChannelSizeofPacket(channel);
      sent.own_memory = ExAllocatePool2(POOL_FLAG_NON_PAGED, bytes, 1);
      packet = static_cast<VMBPACKET>(sent.own_memory);
      expect(VmbPacketInitialize(channel, packet, bytes) == STATUS_SUCCESS, "a packet could not be initialised");
    } else {
      packet = VmbPacketAllocate(channel);
    }
    from.end.prepare(packet, number, sent.length);
    std::vector<std::byte>& bytes = from.end.bytes_of(number);
    write(bytes.data(), {.fate = fate_of(c.a), .answer_words = static_cast<std::uint8_t>(c.b % 9)});
    expect(submit(packet, bytes, c, sent) == STATUS_SUCCESS, "a packet could not be sent");
  });
  calls_.push_back(thread);
  if (leave) return;
  if (haste(c.a) == 0)
    pair.machines.quiesce();
  else
    calls_are_made();
}

NTSTATUS Player::submit(VMBPACKET packet, std::vector<std::byte>& bytes, const Command& c, Sent& sent) {
  const bool from_host = VmbPacketGetChannel(packet) == host_.end.channel;
  const std::uint32_t kind = c.a % 8;
  const bool external = kind >= 2 && kind <= 4 && !from_host;
  if (external) {
    sent.page = ExAllocatePool2(POOL_FLAG_NON_PAGED, 4096, 1);
    sent.mdl = IoAllocateMdl(sent.page, 4096, FALSE, FALSE, nullptr);
    MmBuildMdlForNonPagedPool(sent.mdl);
  }
  if (kind == 5) {
    void* paged = ExAllocatePool2(POOL_FLAG_PAGED, sent.length, 1);
    std::memcpy(paged, bytes.data(), sent.length);
    const NTSTATUS status =
        VmbPacketSend(packet, paged, sent.length, nullptr, wait_flag | VMBUS_CHANNEL_FORMAT_FLAG_PAGED_BUFFER);
    ExFreePool(paged);
    return status;
  }
  const KIRQL before = KeGetCurrentIrql();
  if (raised(c.a)) KeRaiseIrqlToDpcLevel();
  NTSTATUS status = STATUS_UNSUCCESSFUL;
  if (external && kind == 3) {
    status = VmbPacketSendWithExternalMdl(packet, bytes.data(), sent.length, sent.mdl, c.b * 8 % 2048,
                                          c.b % 4 == 0 ? 0 : 8 + c.b * 16 % 2040, wait_flag);
  } else if (external && kind == 4) {
    status = VmbPacketSendWithExternalPfns(packet, bytes.data(), sent.length, MmGetMdlPfnArray(sent.mdl), 1, wait_flag);
  } else {
    status = VmbPacketSend(packet, bytes.data(), sent.length, external ? sent.mdl : nullptr,
                           kind == 0 || kind == 7 ? 0 : wait_flag);
  }
  if (raised(c.a)) KeLowerIrql(before);
  return status;
}

/// Bits of `a`: 0 and 1 the timeout, 2 without WAIT_FOR_COMPLETION, 3 without a buffer for the answer, 6 whether the request is
/// left under way, 8 to 11 the fate. A host may only try.
void Player::ask(Side& from, const Command& c) {
  Asked& asked = asked_.emplace_back();
  Fate fate = fate_of(c.a);
  if (fate == Fate::fail) fate = Fate::complete;
  write(asked.question, {.fate = fate, .answer_words = static_cast<std::uint8_t>(c.b % 9)});
  const std::uint32_t kind = from.server ? 1 : c.a & 3;
  asked.timeout.QuadPart = kind == 1 ? 0 : kind == 2 ? -1 - LONGLONG{c.b % 500} : -100'000;
  const auto& thread = start(from, cpu_bits(c.a), [&, c, kind] {
    const bool answered = !from.server && (c.a >> 3 & 1) == 0;
    asked.entered = true;
    asked.status = VmbChannelSendSynchronousRequest(
        from.end.channel, asked.question, 16 + c.b % 48, nullptr, from.server || (c.a >> 2 & 1) != 0 ? 0 : wait_flag,
        answered ? asked.answer : nullptr, answered ? &asked.room : nullptr, kind == 0 ? nullptr : &asked.timeout);
    expect(asked.status == STATUS_SUCCESS || asked.status == STATUS_CANCELLED ||
               asked.status == STATUS_BUFFER_OVERFLOW || asked.status == STATUS_DEVICE_REMOVED,
           "a synchronous request ended with another status");
  });
  if ((c.a >> 6 & 1) == 0)
    pair.machines.quiesce();
  else
    run_until_true(from.server ? thread.ended : asked.entered);
}

void Player::complete_one(Side& at, std::uint32_t which, std::uint32_t words) {
  if (at.kept.empty()) return;
  const auto chosen = at.kept.begin() + static_cast<std::ptrdiff_t>(which % at.kept.size());
  const VMBPACKETCOMPLETION packet = *chosen;
  at.kept.erase(chosen);
  calls_.push_back(start(at, cpu_bits(which), [this, packet, which, words] {
    const KIRQL before = KeGetCurrentIrql();
    if (raised(which)) KeRaiseIrqlToDpcLevel();
    answer(packet, words);
    if (raised(which)) KeLowerIrql(before);
  }));
  if (haste(which) == 0) pair.machines.quiesce();
}

void Player::configure(Side& at, bool enabled) {
  on(at.server, [&] {
    const NTSTATUS expected = enabled ? STATUS_INVALID_PARAMETER_1 : STATUS_SUCCESS;
    const VMBCHANNEL channel = at.end.channel;
    WCHAR text[] = {'n', 0};
    const UNICODE_STRING name = {2, 4, text};
    std::vector<NTSTATUS> statuses{VmbChannelInitSetMaximumPacketSize(channel, most_inline),
                                   VmbChannelInitSetMaximumExternalData(channel, 8192, 2),
                                   VmbChannelInitSetClientContextSize(channel, 8),
                                   VmbChannelInitSetFriendlyName(channel, &name), VmbChannelInitSetFlags(channel, 0)};
    if (at.server) {
      statuses.push_back(VmbServerChannelInitSetFlags(channel, 0));
      statuses.push_back(VmbServerChannelInitSetMmioMegabytes(channel, 1, 0));
      statuses.push_back(VmbServerChannelInitSetTargetVtl(channel, 0));
    } else {
      statuses.push_back(VmbClientChannelInitSetRingBufferPageCount(channel, 1, 1));
    }
    for (const NTSTATUS status : statuses) expect(status == expected, "a setting was answered otherwise");
  });
}

void Player::look(Side& at, const Model& before) {
  on(at.server, [&] {
    const VMBCHANNEL channel = at.end.channel;
    expect(VmbChannelGetPointer(channel) == &at.end, "a channel forgot its pointer");
    GUID instance{};
    VmbChannelGetInterfaceInstance(channel, &instance);
    UINT64 address = 0, size = 0;
    if (before.open) VmbChannelGetMmioSpace(channel, &address, &size);
    VMBPACKET packet = VmbPacketAllocate(channel);
    expect(VmbPacketGetPointer(packet) == nullptr, "a new packet has a pointer");
    VmbPacketSetPointer(packet, &at);
    expect(VmbPacketGetPointer(packet) == &at, "a packet forgot its pointer");
    expect(VmbPacketGetChannel(packet) == channel, "a packet forgot its channel");
    VmbPacketFree(packet);
  });
}

void Player::save() {
  const VMBCHANNEL channel = host_.end.channel;
  if (VmbChannelSaveBegin(channel) != STATUS_SUCCESS) return expect(false, "a channel could not be saved");
  ULONG room = 64;
  for (NTSTATUS status = STATUS_BUFFER_TOO_SMALL; status != STATUS_SUCCESS;) {
    std::vector<std::byte> bytes(room);
    ULONG filled = 0, required = 0;
    status = VmbChannelSaveContinue(channel, bytes.data(), room, &filled, &required);
    if (status != STATUS_SUCCESS && status != STATUS_BUFFER_OVERFLOW && status != STATUS_BUFFER_TOO_SMALL) {
      expect(false, "saving ended with another status");
      break;
    }
    room = std::max(room, required);
  }
  VmbChannelSaveEnd(channel);
}

void Player::deliver(bool to_server, bool external, std::function<void(Arrived&)> receiver) {
  settle();
  Side& to = side(to_server);
  Side& from = side(!to_server);
  to.special = std::move(receiver);
  VMBPACKET packet = nullptr;
  start(from, 0, [&] {
    const std::uint64_t number = ++from.last_number;
    Sent& sent = (from.server ? of_host_ : of_guest_).emplace_back();
    sent.length = 16;
    packet = VmbPacketAllocate(from.end.channel);
    from.end.prepare(packet, number, sent.length);
    std::vector<std::byte>& bytes = from.end.bytes_of(number);
    write(bytes.data(), {.fate = Fate::special});
    ++from.sent;
    expect(submit(packet, bytes, {Do::send, from.server, external ? 2u : 1u, 0}, sent) == STATUS_SUCCESS,
           "a packet could not be sent");
  });
  settle();
}

// ---- The end ----

void Player::wind_down(const Model& last) {
  Model model = last;
  const auto then = [&](Do what, bool server) {
    const Command command{what, server};
    if (!model.legal(command)) return;
    play(command, model);
    model.apply(command);
  };
  calls_are_made();
  for (const bool server : {true, false}) {
    side(server).refuses = model.end(server).refuses = false;
    then(Do::enable, server);
  }
  for (const bool server : {true, false}) {
    then(Do::start, server);
    VmbChannelSetTransactionQuota(side(server).end.channel, 1000);
  }
  settle();
  if (model.delivers_to(true) && model.delivers_to(false)) expect(pair.rings_empty(), "a ring is not empty");
  then(Do::disable, !guest_closes_first_);
  then(Do::disable, guest_closes_first_);
  for (const bool server : {true, false}) {
    Side& at = side(server);
    expect(at.end.disabled(), "a channel is not disabled");
    if (!at.end.disabled()) continue;
    on(server, [&at] { VmbChannelCleanup(at.end.channel); });
    expect(at.end.returned.size() == at.sent,
           std::to_string(at.sent) + " packets were sent, " + std::to_string(at.end.returned.size()) + " came back");
  }
  pair.machines.quiesce();
  for (const Asked& asked : asked_) expect(asked.status != STATUS_PENDING, "a synchronous request does not return");
  for (const TwoPartitions::Running& thread : pair.machines.running) expect(thread.ended, "a thread does not end");
  expect(pair.machines.bus.gpadls().count() == 0, "memory is still shared");
  expect(pair.machines.bus.offer_count() == 0, "a channel is still offered");
}

std::string Player::broken_rules() const {
  std::string text;
  for (const Finding& finding : pair.machines.findings.all()) text += (text.empty() ? "" : " ") + finding.rule;
  return text;
}

}  // namespace vmbsim::testing::sequences
