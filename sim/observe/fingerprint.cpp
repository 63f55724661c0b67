#include "sim/observe/fingerprint.hpp"

#define XXH_INLINE_ALL  // compiled with the program it takes a quarter fewer instructions than from the shared library
#include <xxhash.h>

#include <bit>

namespace vmbsim::observe {

static_assert(std::endian::native == std::endian::little, "the log is digested as it lies in memory");
static_assert(sizeof(kernel::EventRecord) == 16, "no padding may reach the digest");

struct FingerprintDigest::State {
  XXH3_state_t* xxh3 = XXH3_createState();
  ~State() { XXH3_freeState(xxh3); }
};

FingerprintDigest::FingerprintDigest() : state_(std::make_unique<State>()) { XXH3_128bits_reset(state_->xxh3); }
FingerprintDigest::~FingerprintDigest() = default;

void FingerprintDigest::on_events(std::span<const kernel::EventRecord> page) {
  XXH3_128bits_update(state_->xxh3, page.data(), page.size_bytes());
}

Fingerprint FingerprintDigest::value() const {
  const XXH128_hash_t digest = XXH3_128bits_digest(state_->xxh3);
  return {digest.high64, digest.low64};
}

}  // namespace vmbsim::observe
