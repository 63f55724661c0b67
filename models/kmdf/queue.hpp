#pragma once
/// I/O queues and requests: WDFQUEUE, WDFREQUEST.
///
/// A request is waiting in a queue, in the driver's hands, or done. Waiting ones are delivered while the queue dispatches, the
/// device is in D0 (power-managed queues) and the queue's type allows another one.
/// Source: WDK, "Framework Queue Objects", "Managing I/O Queues", "Canceling I/O Requests", "Using Power-Managed I/O Queues".
#include <array>
#include <vector>

#include "models/kmdf/device.hpp"
#include "models/kmdf/io_request.hpp"
#include "models/kmdf/memory.hpp"

namespace vmbsim::kmdf {

class Request final : public Object {
 public:
  static constexpr Kind of_kind = Kind::request;
  enum class Where : std::uint8_t { done, waiting, with_driver };

  explicit Request(Device& device);

  /// Begins a life for `io`.
  void begin(IoRequest& io);
  IoRequest* io() const { return io_; }
  Queue* queue() const { return queue_; }
  Where where() const { return where_; }

  /// The driver completes it.
  void complete(NTSTATUS status, ULONG_PTR information, const char* call);
  /// The framework completes it; the driver does not have it.
  void refuse(NTSTATUS status);
  /// Whoever sent it wants it back.
  void cancel();

  void mark_cancelable(PFN_WDF_REQUEST_CANCEL routine, const char* call);
  NTSTATUS unmark_cancelable();
  bool cancelable() const { return cancel_routine_ != nullptr; }
  bool cancelled() const { return cancelled_; }

  /// True for the direction that the request has.
  bool has(bool input) const;
  std::size_t length(bool input) const;
  /// A status, and the object when it is STATUS_SUCCESS.
  NTSTATUS memory(bool input, Memory** memory);

  ULONG_PTR information = 0;

 private:
  friend class Queue;
  friend class Device;
  void finish() override;
  void complete_up(NTSTATUS status, ULONG_PTR information);

  Device* device_;  // null when it is gone
  IoRequest* io_ = nullptr;
  Queue* queue_ = nullptr;
  struct Link {
    LIST_ENTRY entry{};  // of a queue's list
    Request* request;
  } link_{.request = this};
  PFN_WDF_REQUEST_CANCEL cancel_routine_ = nullptr;
  std::array<Memory*, 2> memory_{};  // output, input
  Where where_ = Where::done;
  bool cancelled_ = false;
  bool cancel_called_ = false;
  bool was_delivered_ = false;
  bool acknowledged_ = false;  // kept by the driver while the device is not in D0
};

class Queue final : public Object {
 public:
  static constexpr Kind of_kind = Kind::queue;

  Queue(Device& device, const WDF_IO_QUEUE_CONFIG& config);

  Device& device() const { return device_; }
  const WDF_IO_QUEUE_CONFIG& config() const { return config_; }
  bool power_managed() const { return power_managed_; }
  CallbackLock* lock() const;
  /// After adopt(): the lock that its synchronization scope asks for.
  void make_lock();

  // ---- Requests ----
  /// A new request, or one that the driver forwards.
  void enqueue(Request& request);
  bool accepts() const { return accepting_; }
  NTSTATUS retrieve(Request** request);
  void put_back(Request& request);
  void forward(Request& request, Queue& destination);
  void acknowledge(Request& request, bool requeue);
  ULONG waiting() const { return waiting_count_; }
  ULONG with_driver() const { return driver_count_; }
  WDF_IO_QUEUE_STATE state() const;

  // ---- What the driver decides ----
  void start();
  void stop(PFN_WDF_IO_QUEUE_STATE complete, WDFCONTEXT context);
  void drain(PFN_WDF_IO_QUEUE_STATE complete, WDFCONTEXT context);
  void purge(PFN_WDF_IO_QUEUE_STATE complete, WDFCONTEXT context);
  /// Returns when the driver has no request and, with `empty`, none waits either.
  void wait_idle(bool empty);
  NTSTATUS ready_notify(PFN_WDF_IO_QUEUE_STATE routine, WDFCONTEXT context);

  // ---- What the device's power decides ----
  /// Delivers nothing more and returns when every request that the driver has is completed or acknowledged. At PASSIVE_LEVEL.
  void hold(ULONG action);
  void resume();

  void deliver();

 private:
  friend class Request;
  void dispose() override;
  bool may_deliver() const;
  void deliver_one();
  static Request& at(LIST_ENTRY* entry) { return *reinterpret_cast<Request::Link*>(entry)->request; }
  Request& take();
  void leave(Request& request);
  void given_to_driver(Request& request);
  void left_driver();
  void run_callback(Request& request);
  void cancel_waiting();
  void set_state(bool accepting, bool dispatching, PFN_WDF_IO_QUEUE_STATE complete, WDFCONTEXT context, bool empty);
  void look_whether_done();
  void tell(PFN_WDF_IO_QUEUE_STATE routine, WDFCONTEXT context);
  void tell_ready();
  void wait_for_change();

  Device& device_;
  WDF_IO_QUEUE_CONFIG config_;
  std::unique_ptr<CallbackLock> lock_;
  LIST_ENTRY waiting_;
  LIST_ENTRY driver_;
  ULONG waiting_count_ = 0;
  ULONG driver_count_ = 0;
  bool power_managed_;
  bool held_;  // by the device's power
  bool accepting_ = true;
  bool dispatching_ = true;
  std::vector<const hw::Context*> delivering_;  // software that is in deliver()
  PFN_WDF_IO_QUEUE_STATE state_routine_ = nullptr;
  WDFCONTEXT state_context_ = nullptr;
  bool state_empty_ = false;
  PFN_WDF_IO_QUEUE_STATE ready_routine_ = nullptr;
  WDFCONTEXT ready_context_ = nullptr;
  KEVENT changed_;        // a request has left the driver or was acknowledged
  os::WorkItem deliver_;  // at PASSIVE_LEVEL
};

}  // namespace vmbsim::kmdf
