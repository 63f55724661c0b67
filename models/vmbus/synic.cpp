#include "models/vmbus/synic.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "models/vmbus/message_port.hpp"

namespace vmbsim::vmbus {

struct Synic::Page {
  Page(Cpu& at, std::uint32_t peer, std::span<std::byte> memory) : cpu(at), connection(peer), flags(memory) {}

  struct Handler {
    Receiver receiver = nullptr;
    void* object = nullptr;
  };
  Cpu& cpu;
  std::uint32_t connection;
  EventFlags flags;
  std::vector<Handler> handlers;  // by flag
  bool touched = false;           // in the processor's list of pages to look at
};

struct Synic::Cpu {
  Synic& synic;
  hw::Processor& processor;
  kernel::Stream costs;
  hw::InterruptLine line;
  std::vector<std::unique_ptr<Page>> pages;  // in order of connection
  std::vector<Page*> touched;                // somebody set a flag there
  std::vector<Page*> looking;                // the routine's own list
  std::unique_ptr<Messages> messages;        // where a port was opened
};

/// What comes to one processor by messages.
struct Synic::Messages {
  struct Queued {
    MessagePort* port = nullptr;
    MessageBytes message;
  };
  explicit Messages(std::span<std::byte> memory) : page(memory), slot(memory, MessageSlot::vmbus_source) {}

  std::span<std::byte> page;
  MessageSlot slot;
  kernel::Fifo<Queued> queue;  // the hypervisor's: arrived, waiting for the slot
  std::map<std::uint64_t, MessagePort*> ports;
  KDPC dpc{};
};

Synic::Synic(os::Partition& partition) : partition_(partition) {
  for (std::uint32_t i = 0; i < partition.cpu_count(); ++i) {
    hw::Processor& processor = partition.cpu(CpuId{i});
    cpus_.push_back(std::make_unique<Cpu>(
        Cpu{*this, processor, partition.world().stream(processor.name(), "vmbus interrupt"), {}, {}, {}, {}, {}}));
    Cpu& cpu = *cpus_.back();
    cpu.line = {.irql = Irql::device,
                .routine =
                    [](void* object) {
                      auto& self = *static_cast<Cpu*>(object);
                      self.synic.on_interrupt(self);
                    },
                .object = &cpu};
  }
}

Synic::~Synic() = default;

std::span<std::byte> Synic::allocate_page() {
  const auto frame = partition_.memory().allocate_zeroed({1});
  VMBSIM_ASSERT(frame.has_value(), "a partition has room for its event flag and message pages");
  return partition_.memory().bytes(*frame, {0}, {page_size}).value();
}

Synic::Page& Synic::page_of(std::uint32_t connection, Cpu& cpu) {
  auto place = std::lower_bound(cpu.pages.begin(), cpu.pages.end(), connection,
                                [](const auto& page, std::uint32_t wanted) { return page->connection < wanted; });
  if (place == cpu.pages.end() || (*place)->connection != connection)
    place = cpu.pages.insert(place, std::make_unique<Page>(cpu, connection, allocate_page()));
  return **place;
}

Synic::Port Synic::open(std::uint32_t connection, CpuId id, std::uint32_t flag, Receiver receiver, void* object) {
  VMBSIM_ASSERT(flag < EventFlags::count, "an event flag is below 2048");
  Page& page = page_of(connection, *cpus_[id.value]);
  if (page.handlers.size() <= flag) page.handlers.resize(flag + 1);
  VMBSIM_ASSERT(page.handlers[flag].receiver == nullptr, "an event flag belongs to one port");
  page.handlers[flag] = {receiver, object};
  return {&page, flag};
}

std::optional<Synic::Port> Synic::at(std::uint32_t connection, std::uint32_t cpu, std::uint32_t flag) {
  if (cpu >= cpus_.size() || flag >= EventFlags::count) return std::nullopt;
  return Port{&page_of(connection, *cpus_[cpu]), flag};
}

CpuId Synic::cpu_of(const Port& port) {
  VMBSIM_ASSERT(port.page != nullptr, "an open port has a processor");
  return port.page->cpu.processor.id();
}

void Synic::close(Port& port) {
  if (port.page != nullptr) port.page->handlers[port.flag] = {};
  port = {};
}

void Synic::signal(const Port& port, Duration latency) {
  if (port.page == nullptr) return;
  if (hw::Exploration* exploration = partition_.exploration()) [[unlikely]] {
    exploration->barrier();  // a hypercall serialises
    latency = exploration->chosen_latency(latency);
  }
  Page& page = *port.page;
  if (!page.touched) {
    page.touched = true;
    page.cpu.touched.push_back(&page);
  }
  if (!page.flags.set(port.flag)) return;
  const auto deliver = [](void* object) {
    auto& cpu = *static_cast<Cpu*>(object);
    cpu.processor.request_interrupt(cpu.line);
  };
  if (latency.count() == 0)
    partition_.world().soon(deliver, &page.cpu);
  else
    partition_.world().after(latency, page.cpu.processor.actor(), deliver, &page.cpu);
}

void Synic::clear(const Port& port) {
  if (port.page != nullptr) port.page->flags.clear(port.flag);
}

void Synic::on_interrupt(Cpu& cpu) {
  partition_.spend(partition_.costs().isr, cpu.costs);
  const bool message = cpu.messages != nullptr && !cpu.messages->slot.empty();
  if (cpu.touched.empty() && !message) ++spurious_;
  cpu.looking.swap(cpu.touched);
  std::sort(cpu.looking.begin(), cpu.looking.end(), [](Page* a, Page* b) { return a->connection < b->connection; });
  for (Page* page : cpu.looking) page->touched = false;
  const bool keeps = partition_.planted(faults::Planted::flag_cleared_after_scan);
  for (Page* page : cpu.looking)
    page->flags.take([page, keeps](std::uint32_t flag) {
      if (flag >= page->handlers.size()) return;
      const Page::Handler handler = page->handlers[flag];
      if (keeps && handler.receiver != nullptr) static_cast<void>(page->flags.set(flag));  // until clear()
      if (handler.receiver != nullptr) handler.receiver(handler.object);
    });
  cpu.looking.clear();
  if (cpu.messages == nullptr) return;
  if (!cpu.messages->slot.empty()) partition_.insert_dpc(cpu.messages->dpc, nullptr, nullptr);
  fill_slot(cpu);  // end of interrupt
}

// ---- Messages ----

void Synic::open_messages(MessagePort& port) {
  Cpu& cpu = *cpus_[port.config_.cpu.value];
  if (cpu.messages == nullptr) {
    cpu.messages = std::make_unique<Messages>(allocate_page());
    KeInitializeDpc(
        &cpu.messages->dpc,
        [](KDPC*, void* object, void*, void*) {
          auto& self = *static_cast<Cpu*>(object);
          self.synic.take_message(self);
        },
        &cpu);
    if (hw::Exploration* const exploration = partition_.exploration())
      exploration->call(&cpu.messages->dpc, "the bus's messages");
    cpu.messages->dpc.Importance = MediumHighImportance;
    cpu.messages->dpc.Number = static_cast<USHORT>(os::Partition::targeted_dpc + port.config_.cpu.value);
  }
  const bool added = cpu.messages->ports.emplace(port.config_.id, &port).second;
  VMBSIM_ASSERT(added, "a message port has a number of its own");
}

/// What is queued for a port goes with it.
void Synic::close_messages(MessagePort& port) {
  Messages& messages = *cpus_[port.config_.cpu.value]->messages;
  messages.ports.erase(port.config_.id);
  for (std::size_t left = messages.queue.size(); left != 0; --left) {
    Messages::Queued queued = messages.queue.pop();
    if (queued.port != &port) messages.queue.push(std::move(queued));
  }
}

void Synic::queue_message(MessagePort& port, std::vector<std::byte> message) {
  Cpu& cpu = *cpus_[port.config_.cpu.value];
  cpu.messages->queue.push({&port, std::move(message)});
  fill_slot(cpu);
}

/// The hypervisor's part of queueing, of end of interrupt and of EOM.
void Synic::fill_slot(Cpu& cpu) {
  Messages& messages = *cpu.messages;
  if (messages.queue.empty()) return;
  if (!messages.slot.empty()) return messages.slot.set_pending();
  const Messages::Queued next = messages.queue.pop();
  messages.slot.put(next.port->config_.id, next.message);
  if (!messages.queue.empty()) messages.slot.set_pending();
  --next.port->in_use_;
  cpu.processor.request_interrupt(cpu.line);
}

/// The message DPC.
void Synic::take_message(Cpu& cpu) {
  Messages& messages = *cpu.messages;
  if (messages.slot.empty()) return;
  const std::uint64_t from = messages.slot.port();
  MessageBytes message = messages.slot.payload();
  messages.slot.clear();
  if (messages.slot.pending()) fill_slot(cpu);  // EOM
  const auto port = messages.ports.find(from);
  if (port != messages.ports.end()) port->second->config_.receiver(port->second->config_.object, std::move(message));
}

std::span<std::byte> Synic::message_page(CpuId cpu) {
  const Messages* messages = cpus_[cpu.value]->messages.get();
  return messages == nullptr ? std::span<std::byte>{} : messages->page;
}

}  // namespace vmbsim::vmbus
