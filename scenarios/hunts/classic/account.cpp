// Two clerks book on one account. Does every booking count?
//
// Planted  the lock is given back between reading the balance and writing it.
// Source   SCTBench, account.
#include <mutex>

#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("account") {
  struct Account {
    Mutex lock{"lock"};
    Shared<int> balance{"balance", 100};
  };
  auto& account = make<Account>();
  const auto book = [&account](int amount) {
    std::unique_lock guard(account.lock);
    const int before = account.balance;
    if (!healthy) {
      guard.unlock();
      guard.lock();
    }
    account.balance = before + amount;
  };
  thread("deposit", [=] { book(30); });
  thread("withdrawal", [=] { book(-50); });
  at_end([&] { check(account.balance.peek() == 80, "both bookings count"); });
}
