// I/O queues and requests of framework drivers.
// Source: WDK, "Framework Queue Objects", "Managing I/O Queues", "Using Power-Managed I/O Queues", "Completing I/O Requests",
// "Canceling I/O Requests"; the DDI pages of the functions.
#include <catch2/catch.hpp>
#include <cstring>
#include <deque>

#include "tests/support/framework_driver.hpp"

using namespace vmbsim;
using kmdf::IoRequest;
using vmbsim::testing::FrameworkDriver;

namespace {

/// A driver with queues: requests are kept until the test says what becomes of them.
class QueueDriver : public FrameworkDriver {
 public:
  explicit QueueDriver(const Config& machines = {}) : FrameworkDriver(machines) {
    created = [this] {
      if (create) create();
    };
  }

  WDF_IO_QUEUE_CONFIG config(WDF_IO_QUEUE_DISPATCH_TYPE type, bool is_default = true) {
    WDF_IO_QUEUE_CONFIG result;
    WDF_IO_QUEUE_CONFIG_INIT(&result, type);
    result.DefaultQueue = is_default ? TRUE : FALSE;
    if (type == WdfIoQueueDispatchManual) return result;
    result.EvtIoRead = [](WDFQUEUE, WDFREQUEST request, size_t length) { self().arrived("read", request, length); };
    result.EvtIoWrite = [](WDFQUEUE, WDFREQUEST request, size_t length) { self().arrived("write", request, length); };
    result.EvtIoDeviceControl = [](WDFQUEUE, WDFREQUEST request, size_t out, size_t in, ULONG code) {
      self().arrived("control " + std::to_string(code) + " in " + std::to_string(in), request, out);
    };
    return result;
  }
  WDFQUEUE add_queue(WDF_IO_QUEUE_CONFIG config_of, NTSTATUS expected = STATUS_SUCCESS) {
    WDFQUEUE queue = nullptr;
    CHECK(WdfIoQueueCreate(device, &config_of, nullptr, &queue) == expected);
    return queue;
  }
  /// A driver with one default queue, started; `body` runs in the same thread.
  void with_queue(const WDF_IO_QUEUE_CONFIG& config_of, std::function<void()> body) {
    create = [this, config_of] { default_queue = add_queue(config_of); };
    in_thread([&] {
      CHECK(bring_up() == STATUS_SUCCESS);
      port = std::make_unique<kmdf::IoPort>(*node);
      log();
      body();
    });
  }

  IoRequest& make(WDF_REQUEST_TYPE type, std::int64_t size, std::int64_t offset = 0) {
    IoRequest& io = ios.emplace_back();
    io.type = type;
    io.size = {size};
    io.offset = offset;
    io.owner = this;
    io.done = [](IoRequest& done) {
      self().note("done(" + std::to_string(done.size.count) + "," + status_name(done.status) + "," +
                  std::to_string(done.information) + ")");
    };
    return io;
  }
  IoRequest& submit(WDF_REQUEST_TYPE type, std::int64_t size) {
    IoRequest& io = make(type, size);
    CHECK(port->submit(io));
    return io;
  }
  IoRequest& read(std::int64_t size) { return submit(WdfRequestTypeRead, size); }

  std::function<void()> create;
  std::function<void(WDFREQUEST)> handler;  ///< null: the request is kept
  std::deque<WDFREQUEST> kept;
  WDFQUEUE default_queue = nullptr;
  std::unique_ptr<kmdf::IoPort> port;
  std::deque<IoRequest> ios;

  static QueueDriver& self() { return static_cast<QueueDriver&>(current()); }

 private:
  static std::string status_name(NTSTATUS status) {
    switch (status) {
      case STATUS_SUCCESS: return "ok";
      case STATUS_CANCELLED: return "cancelled";
      case STATUS_INVALID_DEVICE_STATE: return "bad state";
      case STATUS_INVALID_DEVICE_REQUEST: return "bad request";
      case STATUS_NO_SUCH_DEVICE: return "no device";
      default: return std::to_string(status);
    }
  }
  void arrived(const std::string& what, WDFREQUEST request, size_t length) {
    note(what + "(" + std::to_string(length) + ")");
    if (handler)
      handler(request);
    else
      kept.push_back(request);
  }
};

void complete_next(QueueDriver& driver, NTSTATUS status = STATUS_SUCCESS) {
  const WDFREQUEST request = driver.kept.front();
  driver.kept.pop_front();
  WdfRequestComplete(request, status);
}

}  // namespace

// Source: WDF_IO_QUEUE_DISPATCH_TYPE.
TEST_CASE("a sequential queue delivers the next request when the one before is complete") {
  QueueDriver driver;
  driver.with_queue(driver.config(WdfIoQueueDispatchSequential), [&] {
    for (const int size : {1, 2, 3}) driver.read(size);
    CHECK(driver.log() == "read(1)");
    ULONG waiting = 0, owned = 0;
    CHECK(WdfIoQueueGetState(driver.default_queue, &waiting, &owned) ==
          (WdfIoQueueAcceptRequests | WdfIoQueueDispatchRequests));
    CHECK(waiting == 2);
    CHECK(owned == 1);
    complete_next(driver);
    CHECK(driver.log() == "done(1,ok,0) read(2)");
    complete_next(driver);
    complete_next(driver);
    CHECK(driver.log() == "done(2,ok,0) read(3) done(3,ok,0)");
    CHECK(WDF_IO_QUEUE_IDLE(WdfIoQueueGetState(driver.default_queue, nullptr, nullptr)));
  });
  CHECK(driver.found().empty());
}

TEST_CASE("a handler that completes at once gets the next request when it has returned, not inside") {
  QueueDriver driver;
  driver.with_queue(driver.config(WdfIoQueueDispatchSequential), [&] {
    driver.handler = [&](WDFREQUEST request) {
      WdfRequestComplete(request, STATUS_SUCCESS);
      driver.note("handled");
    };
    WdfIoQueueStop(driver.default_queue, nullptr, nullptr);
    for (const int size : {1, 2}) driver.read(size);
    WdfIoQueueStart(driver.default_queue);
  });
  CHECK(driver.log() == "read(1) done(1,ok,0) handled read(2) done(2,ok,0) handled");
}

// Source: WDF_IO_QUEUE_CONFIG, NumberOfPresentedRequests.
TEST_CASE("a parallel queue delivers as requests come, up to a number if the driver wishes") {
  QueueDriver driver;
  WDF_IO_QUEUE_CONFIG config = driver.config(WdfIoQueueDispatchParallel);
  SECTION("without a limit") {
    driver.with_queue(config, [&] {
      for (const int size : {1, 2, 3}) driver.read(size);
      CHECK(driver.log() == "read(1) read(2) read(3)");
      while (!driver.kept.empty()) complete_next(driver);
    });
  }
  SECTION("two at most") {
    config.Settings.Parallel.NumberOfPresentedRequests = 2;
    driver.with_queue(config, [&] {
      for (const int size : {1, 2, 3}) driver.read(size);
      CHECK(driver.log() == "read(1) read(2)");
      complete_next(driver);
      CHECK(driver.log() == "done(1,ok,0) read(3)");
      while (!driver.kept.empty()) complete_next(driver);
    });
  }
  CHECK(driver.found().empty());
}

// Source: WdfIoQueueRetrieveNextRequest, WdfIoQueueReadyNotify.
TEST_CASE("a manual queue gives requests when it is asked, and tells when the first one comes") {
  QueueDriver driver;
  driver.with_queue(driver.config(WdfIoQueueDispatchManual), [&] {
    const auto ready = [](WDFQUEUE, WDFCONTEXT context) { static_cast<QueueDriver*>(context)->note("ready"); };
    CHECK(WdfIoQueueReadyNotify(driver.default_queue, ready, &driver) == STATUS_SUCCESS);
    CHECK(WdfIoQueueReadyNotify(driver.default_queue, ready, &driver) == STATUS_INVALID_DEVICE_REQUEST);
    WDFREQUEST request = nullptr;
    CHECK(WdfIoQueueRetrieveNextRequest(driver.default_queue, &request) == STATUS_NO_MORE_ENTRIES);
    driver.read(1);
    driver.read(2);
    CHECK(driver.log() == "ready");
    CHECK(WdfIoQueueRetrieveNextRequest(driver.default_queue, &request) == STATUS_SUCCESS);
    CHECK(WdfRequestRequeue(request) == STATUS_SUCCESS);
    for (int i = 0; i < 2; ++i) {
      CHECK(WdfIoQueueRetrieveNextRequest(driver.default_queue, &request) == STATUS_SUCCESS);
      WdfRequestCompleteWithInformation(request, STATUS_SUCCESS, 7);
    }
    CHECK(driver.log() == "done(1,ok,7) done(2,ok,7)");
  });
  CHECK(driver.found().empty());
}

// Source: WdfDeviceConfigureRequestDispatching; WDF_IO_QUEUE_CONFIG: EvtIoDefault; a request without a handler.
TEST_CASE("requests go to the queue and the handler of their type") {
  QueueDriver driver;
  driver.create = [&] {
    WDF_IO_QUEUE_CONFIG reads = driver.config(WdfIoQueueDispatchParallel, false);
    const WDFQUEUE queue = driver.add_queue(reads);
    CHECK(WdfDeviceConfigureRequestDispatching(driver.device, queue, WdfRequestTypeRead) == STATUS_SUCCESS);
    CHECK(WdfDeviceConfigureRequestDispatching(driver.device, queue, WdfRequestTypeRead) == STATUS_WDF_BUSY);
    WDF_IO_QUEUE_CONFIG rest;
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&rest, WdfIoQueueDispatchParallel);
    rest.EvtIoDefault = [](WDFQUEUE, WDFREQUEST request) {
      QueueDriver::self().note("default");
      WdfRequestComplete(request, STATUS_SUCCESS);
    };
    driver.add_queue(rest);
    driver.add_queue(rest, STATUS_UNSUCCESSFUL);  // a second default queue
  };
  driver.in_thread([&] {
    driver.bring_up();
    driver.port = std::make_unique<kmdf::IoPort>(*driver.node);
    driver.log();
    driver.read(5);
    complete_next(driver);
    driver.submit(WdfRequestTypeWrite, 6);
    WdfObjectDelete(WdfDeviceGetDefaultQueue(driver.device));
  });
  CHECK(driver.log() == "read(5) done(5,ok,0) default done(6,ok,0)");
  CHECK(driver.found() == "WDF: WdfObjectDelete called for a WDFQUEUE that only the framework deletes\n");
}

TEST_CASE("requests that no queue or no handler takes are completed by the framework") {
  QueueDriver driver;
  SECTION("no queue") {
    driver.in_thread([&] {
      driver.bring_up();
      driver.port = std::make_unique<kmdf::IoPort>(*driver.node);
      driver.log();
      driver.read(1);
    });
    CHECK(driver.log() == "done(1,bad request,0)");
  }
  SECTION("no handler") {
    WDF_IO_QUEUE_CONFIG config = driver.config(WdfIoQueueDispatchParallel);
    config.EvtIoRead = nullptr;
    driver.with_queue(config, [&] { driver.read(1); });
    CHECK(driver.log() == "done(1,bad request,0)");
  }
  SECTION("nothing to transfer") {
    driver.with_queue(driver.config(WdfIoQueueDispatchParallel), [&] { driver.read(0); });
    CHECK(driver.log() == "done(0,ok,0)");
  }
  SECTION("nothing to transfer, but wanted") {
    WDF_IO_QUEUE_CONFIG config = driver.config(WdfIoQueueDispatchParallel);
    config.AllowZeroLengthRequests = TRUE;
    driver.with_queue(config, [&] {
      driver.read(0);
      complete_next(driver);
    });
    CHECK(driver.log() == "read(0) done(0,ok,0)");
  }
  CHECK(driver.found().empty());
}

// Source: WdfIoQueueCreate, return values.
TEST_CASE("a queue that is configured wrongly is refused") {
  QueueDriver driver;
  driver.create = [&] {
    WDF_IO_QUEUE_CONFIG config = driver.config(WdfIoQueueDispatchParallel);
    config.Size = 4;
    driver.add_queue(config, STATUS_INFO_LENGTH_MISMATCH);
    config = driver.config(WdfIoQueueDispatchParallel);
    config.DispatchType = WdfIoQueueDispatchMax;
    driver.add_queue(config, STATUS_INVALID_PARAMETER);
    WDF_IO_QUEUE_CONFIG_INIT(&config, WdfIoQueueDispatchSequential);  // no handler
    driver.add_queue(config, STATUS_INVALID_PARAMETER);
    config = driver.config(WdfIoQueueDispatchParallel);
    config.Settings.Parallel.NumberOfPresentedRequests = 0;
    driver.add_queue(config, STATUS_INVALID_PARAMETER);
  };
  driver.in_thread([&] { CHECK(driver.bring_up() == STATUS_SUCCESS); });
  CHECK(driver.found().empty());
}

// Source: WdfRequestRetrieveInputBuffer and its siblings; WdfRequestGetParameters.
TEST_CASE("a request's buffer is in the partition's memory and reached in every way its direction allows") {
  QueueDriver driver;
  driver.with_queue(driver.config(WdfIoQueueDispatchParallel), [&] {
    IoRequest& io = driver.make(WdfRequestTypeWrite, 5000, 4096);
    REQUIRE(driver.port->prepare(io));
    std::memset(io.buffer, 0x5a, 5000);
    CHECK(driver.port->submit(io));
    const WDFREQUEST request = driver.kept.front();
    WDF_REQUEST_PARAMETERS parameters;
    WDF_REQUEST_PARAMETERS_INIT(&parameters);
    WdfRequestGetParameters(request, &parameters);
    CHECK(parameters.Type == WdfRequestTypeWrite);
    CHECK(parameters.Parameters.Write.Length == 5000);
    CHECK(parameters.Parameters.Write.DeviceOffset == 4096);

    PVOID buffer = nullptr;
    size_t length = 0;
    CHECK(WdfRequestRetrieveInputBuffer(request, 5000, &buffer, &length) == STATUS_SUCCESS);
    CHECK(length == 5000);
    CHECK(static_cast<unsigned char*>(buffer)[4999] == 0x5a);
    CHECK(driver.guest.memory().address_of(buffer).has_value());
    CHECK(WdfRequestRetrieveInputBuffer(request, 5001, &buffer, nullptr) == STATUS_BUFFER_TOO_SMALL);
    CHECK(WdfRequestRetrieveOutputBuffer(request, 0, &buffer, nullptr) == STATUS_INVALID_DEVICE_REQUEST);
    WDFMEMORY memory = nullptr, again = nullptr;
    CHECK(WdfRequestRetrieveInputMemory(request, &memory) == STATUS_SUCCESS);
    CHECK(WdfRequestRetrieveInputMemory(request, &again) == STATUS_SUCCESS);
    CHECK(memory == again);
    CHECK(WdfRequestRetrieveOutputMemory(request, &again) == STATUS_INVALID_DEVICE_REQUEST);
    PMDL mdl = nullptr;
    CHECK(WdfRequestRetrieveInputWdmMdl(request, &mdl) == STATUS_SUCCESS);
    CHECK(MmGetMdlByteCount(mdl) == 5000);
    CHECK(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority) == io.buffer);
    WdfRequestSetInformation(request, 4);
    CHECK(WdfRequestGetInformation(request) == 4);
    WdfObjectDelete(memory);  // not the driver's
    complete_next(driver);
  });
  CHECK(driver.log() == "write(5000) done(5000,ok,4)");
  CHECK(driver.found() == "WDF: WdfObjectDelete called for a WDFMEMORY that only the framework deletes\n");
}

TEST_CASE("a device control has an input and an output") {
  QueueDriver driver;
  driver.with_queue(driver.config(WdfIoQueueDispatchParallel), [&] {
    IoRequest& io = driver.make(WdfRequestTypeDeviceControl, 8);
    io.input_size = {16};
    io.io_control_code = 42;
    CHECK(driver.port->submit(io));
    size_t in = 0, out = 0;
    PVOID input = nullptr, output = nullptr;
    CHECK(WdfRequestRetrieveInputBuffer(driver.kept.front(), 0, &input, &in) == STATUS_SUCCESS);
    CHECK(WdfRequestRetrieveOutputBuffer(driver.kept.front(), 0, &output, &out) == STATUS_SUCCESS);
    CHECK(in == 16);
    CHECK(out == 8);
    CHECK(input == output);  // METHOD_BUFFERED
    complete_next(driver);
  });
  CHECK(driver.log() == "control 42 in 16(8) done(8,ok,0)");
}

// Source: WdfDeviceInitSetRequestAttributes; EVT_WDF_OBJECT_CONTEXT_CLEANUP: before the request goes back up.
TEST_CASE("a request has the device's request context, fresh each time, and its cleanup precedes its completion") {
  QueueDriver driver;
  driver.configure = [](PWDFDEVICE_INIT init) {
    WDF_OBJECT_ATTRIBUTES attributes = FrameworkDriver::noting();
    WdfDeviceInitSetRequestAttributes(init, &attributes);
  };
  driver.with_queue(driver.config(WdfIoQueueDispatchParallel), [&] {
    for (int i = 0; i < 2; ++i) {
      driver.read(1);
      CHECK(TestContext(driver.kept.front())->Number == 0);
      TestContext(driver.kept.front())->Number = 1;
      FrameworkDriver::named(driver.kept.front(), "request");
      complete_next(driver);
      CHECK(driver.log() == "read(1) request:cleanup request:destroy done(1,ok,0)");
    }
  });
  CHECK(driver.found().empty());
}

// Source: WdfRequestComplete; "A bug check occurs if the driver supplies an invalid object handle."
TEST_CASE("a request is completed once, by who has it, and not while it is cancelable") {
  QueueDriver driver;
  driver.with_queue(driver.config(WdfIoQueueDispatchParallel), [&] {
    driver.read(1);
    WDFREQUEST request = driver.kept.front();
    WdfObjectReference(request);
    complete_next(driver);
    WdfRequestComplete(request, STATUS_SUCCESS);
    WdfObjectDereference(request);
    WdfRequestComplete(request, STATUS_SUCCESS);
    driver.read(2);
    WdfRequestMarkCancelable(driver.kept.front(), [](WDFREQUEST) {});
    complete_next(driver);
  });
  CHECK(driver.found() ==
        "WDF: WdfRequestComplete completed a request that the driver does not have\n"
        "WDF: WdfRequestComplete called with the handle of a deleted object\n"
        "WDF: WdfRequestComplete completed a request that is cancelable: WdfRequestUnmarkCancelable comes first\n");
  CHECK(driver.log() == "read(1) done(1,ok,0) read(2) done(2,ok,0)");
}

// Source: "Canceling I/O Requests"; WdfRequestMarkCancelable, WdfRequestUnmarkCancelable.
TEST_CASE("a request is cancelled where it is") {
  QueueDriver driver;
  const auto on_cancel = [](WDFREQUEST request) {
    QueueDriver::self().note("cancel");
    WdfRequestComplete(request, STATUS_CANCELLED);
  };
  driver.with_queue(driver.config(WdfIoQueueDispatchSequential), [&] {
    IoRequest& first = driver.read(1);
    IoRequest& second = driver.read(2);
    driver.log();
    driver.port->cancel(second);
    CHECK(driver.log() == "done(2,cancelled,0)");

    const WDFREQUEST request = driver.kept.front();
    CHECK(WdfRequestUnmarkCancelable(request) == STATUS_INVALID_DEVICE_REQUEST);
    WdfRequestMarkCancelable(request, on_cancel);
    CHECK(WdfRequestUnmarkCancelable(request) == STATUS_SUCCESS);
    driver.port->cancel(first);  // not cancelable now: the driver may look
    CHECK(WdfRequestIsCanceled(request));
    CHECK(WdfRequestMarkCancelableEx(request, on_cancel) == STATUS_CANCELLED);
    CHECK(driver.log().empty());
    WdfRequestMarkCancelable(request, on_cancel);
    CHECK(driver.log() == "cancel done(1,cancelled,0)");
    driver.port->cancel(first);  // it is done
    driver.kept.clear();

    IoRequest& third = driver.read(3);
    CHECK(WdfRequestMarkCancelableEx(driver.kept.front(), on_cancel) == STATUS_SUCCESS);
    driver.port->cancel(third);
    CHECK(driver.log() == "read(3) cancel done(3,cancelled,0)");
    driver.kept.clear();
  });
  CHECK(driver.found().empty());
}

// Source: WdfRequestForwardToIoQueue; EVT_WDF_IO_QUEUE_IO_CANCELED_ON_QUEUE.
TEST_CASE("a forwarded request waits in its new queue, and is the driver's again when it is cancelled there") {
  QueueDriver driver;
  WDFQUEUE manual = nullptr;
  driver.with_queue(driver.config(WdfIoQueueDispatchSequential), [&] {
    WDF_IO_QUEUE_CONFIG config = driver.config(WdfIoQueueDispatchManual, false);
    config.EvtIoCanceledOnQueue = [](WDFQUEUE, WDFREQUEST request) {
      QueueDriver::self().note("canceled on queue");
      WdfRequestComplete(request, STATUS_CANCELLED);
    };
    manual = driver.add_queue(config);
    IoRequest& io = driver.read(1);
    driver.read(2);
    CHECK(WdfRequestForwardToIoQueue(driver.kept[0], driver.default_queue) == STATUS_INVALID_DEVICE_REQUEST);
    CHECK(WdfRequestForwardToIoQueue(driver.kept[0], manual) == STATUS_SUCCESS);
    CHECK(driver.log() == "read(1) read(2)");
    CHECK(WdfRequestGetIoQueue(driver.kept[0]) == manual);
    driver.port->cancel(io);
    CHECK(driver.log() == "canceled on queue done(1,cancelled,0)");
    WdfIoQueuePurge(manual, nullptr, nullptr);
    CHECK(WdfRequestForwardToIoQueue(driver.kept[1], manual) == STATUS_WDF_BUSY);
    driver.kept.pop_front();
    complete_next(driver);
  });
  CHECK(driver.found().empty());
}

// Source: WdfIoQueueStop, WdfIoQueueDrain, WdfIoQueuePurge, WdfIoQueueStart.
TEST_CASE("a queue is stopped, drained, purged and started again") {
  QueueDriver driver;
  const auto finished = [](WDFQUEUE, WDFCONTEXT context) { QueueDriver::self().note(static_cast<char*>(context)); };
  char stopped[] = "stopped", drained[] = "drained", purged[] = "purged";
  driver.with_queue(driver.config(WdfIoQueueDispatchSequential), [&] {
    driver.read(1);
    driver.read(2);
    WdfIoQueueStop(driver.default_queue, finished, stopped);
    driver.read(3);
    CHECK(driver.log() == "read(1)");
    complete_next(driver);
    CHECK(driver.log() == "done(1,ok,0) stopped");
    CHECK(WDF_IO_QUEUE_STOPPED(WdfIoQueueGetState(driver.default_queue, nullptr, nullptr)));
    WdfIoQueueStart(driver.default_queue);
    CHECK(driver.log() == "read(2)");

    WdfIoQueueDrain(driver.default_queue, finished, drained);
    driver.read(4);
    CHECK(driver.log() == "done(4,bad state,0)");
    complete_next(driver);
    complete_next(driver);
    CHECK(driver.log() == "done(2,ok,0) read(3) done(3,ok,0) drained");
    CHECK(WDF_IO_QUEUE_DRAINED(WdfIoQueueGetState(driver.default_queue, nullptr, nullptr)));
    WdfIoQueueStart(driver.default_queue);

    driver.read(5);
    driver.read(6);
    driver.log();
    WdfRequestMarkCancelable(driver.kept.front(),
                             [](WDFREQUEST request) { WdfRequestComplete(request, STATUS_CANCELLED); });
    WdfIoQueuePurge(driver.default_queue, finished, purged);
    CHECK(driver.log() == "done(6,cancelled,0) done(5,cancelled,0) purged");
    CHECK(WDF_IO_QUEUE_PURGED(WdfIoQueueGetState(driver.default_queue, nullptr, nullptr)));
    driver.kept.clear();
    driver.read(7);
    CHECK(driver.log() == "done(7,bad state,0)");
  });
  CHECK(driver.found().empty());
}

TEST_CASE("a synchronous stop, drain or purge returns when the driver has given its requests back") {
  for (const auto& call : {WdfIoQueueStopSynchronously, WdfIoQueueDrainSynchronously, WdfIoQueuePurgeSynchronously}) {
    QueueDriver driver;
    driver.with_queue(driver.config(WdfIoQueueDispatchSequential), [&] { driver.read(1); });
    driver.start(driver.guest, 0, [&] {
      driver.guest.delay(10us);
      complete_next(driver);
    });
    driver.in_thread([&] {
      call(driver.default_queue);
      CHECK(driver.world.now() == SimTime{10us});
    });
    CHECK(driver.log() == "read(1) done(1,ok,0)");
    CHECK(driver.found().empty());
  }
}

// Source: "Using Power-Managed I/O Queues"; EVT_WDF_IO_QUEUE_IO_STOP, WdfRequestStopAcknowledge, EVT_WDF_IO_QUEUE_IO_RESUME.
TEST_CASE("a device falls asleep when every request was completed, requeued or is kept on purpose") {
  for (const bool requeue : {true, false}) {
    INFO(requeue);
    static bool requeues;
    requeues = requeue;
    QueueDriver driver;
    WDF_IO_QUEUE_CONFIG config = driver.config(WdfIoQueueDispatchSequential);
    config.EvtIoStop = [](WDFQUEUE, WDFREQUEST request, ULONG flags) {
      QueueDriver::self().note("stop " + std::to_string(flags));
      WdfRequestStopAcknowledge(request, requeues ? TRUE : FALSE);
    };
    config.EvtIoResume = [](WDFQUEUE, WDFREQUEST) { QueueDriver::self().note("resume"); };
    driver.with_queue(config, [&] {
      driver.read(1);
      driver.log();
      CHECK(driver.node->power_down() == STATUS_SUCCESS);
      CHECK(driver.log() == "IoSuspend stop 1 PreInterruptsDisabled D0Exit");
      driver.read(2);
      CHECK(driver.log().empty());
      CHECK(driver.node->power_up() == STATUS_SUCCESS);
      CHECK(driver.log() ==
            std::string("D0Entry PostInterruptsEnabled ") + (requeue ? "read(1)" : "resume") + " IoRestart");
      if (requeue) driver.kept.pop_front();
      while (!driver.kept.empty()) complete_next(driver);
      CHECK(driver.log() == "done(1,ok,0) read(2) done(2,ok,0)");
    });
    CHECK(driver.found().empty());
  }
}

// Source: EVT_WDF_IO_QUEUE_IO_STOP: the framework waits until the request is complete.
TEST_CASE("without EvtIoStop a device falls asleep when the driver has completed its requests") {
  QueueDriver driver;
  driver.with_queue(driver.config(WdfIoQueueDispatchSequential), [&] { driver.read(1); });
  driver.log();
  driver.start(driver.guest, 0, [&] {
    driver.guest.delay(50us);
    complete_next(driver);
  });
  driver.in_thread([&] { driver.node->power_down(); });
  CHECK(driver.log() == "IoSuspend done(1,ok,0) PreInterruptsDisabled D0Exit");
  CHECK(driver.world.now() == SimTime{50us});
}

// Source: "A User Unplugs a Device", Surprise Removal: queues stop first; requests that wait are cancelled.
TEST_CASE("a device that is surprise-removed during I/O gives every request back, and later ones find no device") {
  QueueDriver driver;
  WDF_IO_QUEUE_CONFIG config = driver.config(WdfIoQueueDispatchParallel);
  config.Settings.Parallel.NumberOfPresentedRequests = 2;
  config.EvtIoStop = [](WDFQUEUE, WDFREQUEST request, ULONG flags) {
    QueueDriver::self().note("stop " + std::to_string(flags));
    WdfRequestComplete(request, STATUS_CANCELLED);
  };
  driver.with_queue(config, [&] {
    for (const int size : {1, 2, 3}) driver.read(size);
    driver.log();
    driver.node->surprise_remove();
    driver.read(4);
  });
  CHECK(driver.log() ==
        "SurpriseRemoval stop 2 done(1,cancelled,0) stop 2 done(2,cancelled,0) IoSuspend PreInterruptsDisabled D0Exit "
        "ReleaseHardware done(3,cancelled,0) IoFlush IoCleanup device:cleanup device:destroy done(4,no device,0)");
  CHECK(driver.found().empty());
}

// Source: WDF_IO_QUEUE_CONFIG, PowerManaged; WdfFdoInitSetFilter.
TEST_CASE("a queue that is not power managed delivers while the device sleeps") {
  for (const bool filter : {true, false}) {
    INFO(filter);
    QueueDriver driver;
    if (filter) driver.configure = [](PWDFDEVICE_INIT init) { WdfFdoInitSetFilter(init); };
    WDF_IO_QUEUE_CONFIG config = driver.config(WdfIoQueueDispatchParallel);
    if (!filter) config.PowerManaged = WdfFalse;
    driver.with_queue(config, [&] {
      driver.node->power_down();
      driver.log();
      driver.read(1);
      CHECK(driver.log() == "read(1)");
      complete_next(driver);
    });
  }
}

// Source: WDF_EXECUTION_LEVEL.
TEST_CASE("handlers of passive execution level run in a worker when the request comes at DISPATCH_LEVEL") {
  for (const bool passive : {true, false}) {
    INFO(passive);
    QueueDriver driver;
    if (passive) driver.device_attributes.ExecutionLevel = WdfExecutionLevelPassive;
    driver.handler = [&](WDFREQUEST request) {
      driver.note(name_of(hw::Processor::current()->irql()));
      WdfRequestComplete(request, STATUS_SUCCESS);
    };
    driver.with_queue(driver.config(WdfIoQueueDispatchSequential), [&] {
      const KIRQL before = KeRaiseIrqlToDpcLevel();
      driver.read(1);
      driver.note("submitted");
      KeLowerIrql(before);
      driver.guest.delay(1us);
    });
    CHECK(driver.log() ==
          (passive ? "submitted read(1) passive done(1,ok,0)" : "read(1) dispatch done(1,ok,0) submitted"));
    CHECK(driver.found().empty());
  }
}

TEST_CASE("a steady stream of requests takes nothing more from the pool") {
  QueueDriver driver;
  driver.handler = [](WDFREQUEST request) {
    WDFMEMORY memory = nullptr;
    CHECK(WdfRequestRetrieveOutputMemory(request, &memory) == STATUS_SUCCESS);
    WdfRequestCompleteWithInformation(request, STATUS_SUCCESS, 1);
  };
  driver.with_queue(driver.config(WdfIoQueueDispatchParallel), [&] {
    driver.read(4096);
    const std::uint64_t blocks = driver.guest.pool().live_blocks();
    for (int i = 0; i < 1000; ++i) driver.read(4096);
    CHECK(driver.guest.pool().live_blocks() == blocks);
  });
  CHECK(driver.found().empty());
}
