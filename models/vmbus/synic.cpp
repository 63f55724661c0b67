#include "models/vmbus/synic.hpp"

#include <algorithm>

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
};

Synic::Synic(os::Partition& partition) : partition_(partition) {
  for (std::uint32_t i = 0; i < partition.cpu_count(); ++i) {
    hw::Processor& processor = partition.cpu(CpuId{i});
    cpus_.push_back(std::make_unique<Cpu>(
        Cpu{*this, processor, partition.world().stream(processor.name(), "vmbus interrupt"), {}, {}, {}, {}}));
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

Synic::Port Synic::open(std::uint32_t connection, CpuId id, std::uint32_t flag, Receiver receiver, void* object) {
  VMBSIM_ASSERT(flag < EventFlags::count, "an event flag is below 2048");
  Cpu& cpu = *cpus_[id.value];
  auto place = std::lower_bound(cpu.pages.begin(), cpu.pages.end(), connection,
                                [](const auto& page, std::uint32_t wanted) { return page->connection < wanted; });
  if (place == cpu.pages.end() || (*place)->connection != connection) {
    const auto frame = partition_.memory().allocate_zeroed({1});
    VMBSIM_ASSERT(frame.has_value(), "a partition has room for its event flag pages");
    const auto bytes = partition_.memory().bytes(*frame, {0}, {page_size}).value();
    place = cpu.pages.insert(place, std::make_unique<Page>(cpu, connection, bytes));
  }
  Page& page = **place;
  if (page.handlers.size() <= flag) page.handlers.resize(flag + 1);
  VMBSIM_ASSERT(page.handlers[flag].receiver == nullptr, "an event flag belongs to one port");
  page.handlers[flag] = {receiver, object};
  return {&page, flag};
}

void Synic::close(Port& port) {
  if (port.page != nullptr) port.page->handlers[port.flag] = {};
  port = {};
}

void Synic::signal(const Port& port, Duration latency) {
  if (port.page == nullptr) return;
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

void Synic::on_interrupt(Cpu& cpu) {
  partition_.spend(partition_.costs().isr, cpu.costs);
  if (cpu.touched.empty()) ++spurious_;
  cpu.looking.swap(cpu.touched);
  std::sort(cpu.looking.begin(), cpu.looking.end(), [](Page* a, Page* b) { return a->connection < b->connection; });
  for (Page* page : cpu.looking) page->touched = false;
  for (Page* page : cpu.looking)
    page->flags.take([page](std::uint32_t flag) {
      if (flag >= page->handlers.size()) return;
      const Page::Handler handler = page->handlers[flag];
      if (handler.receiver != nullptr) handler.receiver(handler.object);
    });
  cpu.looking.clear();
}

}  // namespace vmbsim::vmbus
