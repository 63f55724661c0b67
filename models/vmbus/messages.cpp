#include "models/vmbus/messages.hpp"

#include <algorithm>
#include <bit>

#include "models/vmbus/ring.hpp"

namespace vmbsim::vmbus {

static_assert(std::endian::native == std::endian::little, "messages are copied as they lie");
static_assert(sizeof(OfferMessage) == 188 && sizeof(OpenMessage) == 140 && sizeof(OpenResult) == 12);
static_assert(sizeof(GpadlHeader) == 12 && sizeof(GpadlBody) == 8 && sizeof(GpadlCreated) == 12);
static_assert(sizeof(InitiateContact) == 32 && sizeof(VersionResponse) == 8);
static_assert(values_in_header == 27 && values_in_body == 28);

const char* name_of(MessageType type) {
  switch (type) {
    case MessageType::offer: return "offer";
    case MessageType::rescind: return "rescind";
    case MessageType::request_offers: return "request offers";
    case MessageType::all_offers_delivered: return "all offers delivered";
    case MessageType::open: return "open";
    case MessageType::open_result: return "open result";
    case MessageType::close: return "close";
    case MessageType::gpadl_header: return "GPADL header";
    case MessageType::gpadl_body: return "GPADL body";
    case MessageType::gpadl_created: return "GPADL created";
    case MessageType::gpadl_teardown: return "GPADL teardown";
    case MessageType::gpadl_torn_down: return "GPADL torn down";
    case MessageType::relid_released: return "relid released";
    case MessageType::initiate_contact: return "initiate contact";
    case MessageType::version_response: return "version response";
    case MessageType::unload: return "unload";
    case MessageType::unload_complete: return "unload complete";
    case MessageType::modify_channel: return "modify channel";
    case MessageType::modify_channel_response: return "modify channel response";
  }
  return "unknown";
}

MessageBytes message_of(MessageType type) {
  MessageBytes bytes(header_bytes);
  std::memcpy(bytes.data(), &type, sizeof type);
  return bytes;
}

std::optional<std::uint32_t> type_of(std::span<const std::byte> message) {
  if (message.size() < header_bytes) return std::nullopt;
  std::uint32_t type = 0;
  std::memcpy(&type, message.data(), sizeof type);
  return type;
}

// ---- GPADLs ----

namespace {

void append_range(std::vector<std::uint64_t>& values, const Gpadl& range) {
  const auto count = static_cast<std::uint64_t>(range.length.count);
  values.push_back(count | static_cast<std::uint64_t>(range.byte_offset.count) << 32);
  values.insert(values.end(), range.pfns.begin(), range.pfns.end());
}

/// `body`, then the next values; what is left of them stays.
template <class Body>
MessageBytes with_values(const Body& body, std::span<const std::uint64_t>& values, std::size_t most) {
  MessageBytes bytes = message_of(body);
  const auto now = values.first(std::min(values.size(), most));
  const std::size_t head = bytes.size();
  bytes.resize(head + now.size_bytes());
  std::memcpy(bytes.data() + head, now.data(), now.size_bytes());
  values = values.subspan(now.size());
  return bytes;
}

}  // namespace

std::optional<std::vector<MessageBytes>> gpadl_messages(std::uint32_t relid, GpadlHandle handle,
                                                        const Gpadl& description) {
  std::vector<std::uint64_t> all;
  append_range(all, description);
  for (const Gpadl& range : description.chained) append_range(all, range);
  if (all.size() > values_in_gpadl) return std::nullopt;
  std::span<const std::uint64_t> left = all;
  std::vector<MessageBytes> messages;
  messages.push_back(with_values(GpadlHeader{.relid = relid,
                                             .gpadl = handle.value,
                                             .range_bytes = static_cast<std::uint16_t>(8 * all.size()),
                                             .range_count = static_cast<std::uint16_t>(1 + description.chained.size())},
                                 left, values_in_header));
  for (std::uint32_t number = 0; !left.empty(); ++number)
    messages.push_back(with_values(GpadlBody{.number = number, .gpadl = handle.value}, left, values_in_body));
  return messages;
}

std::optional<GpadlAssembly> GpadlAssembly::begin(std::span<const std::byte> header) {
  const auto body = body_of<GpadlHeader>(header);
  if (!body || body->range_count == 0 || body->range_bytes % 8 != 0 || body->range_bytes < 16 * body->range_count)
    return std::nullopt;
  GpadlAssembly assembly;
  assembly.relid_ = body->relid;
  assembly.expected_ = body->range_bytes / 8;
  assembly.ranges_ = body->range_count;
  assembly.take(header.subspan(header_bytes + sizeof(GpadlHeader)));
  return assembly;
}

void GpadlAssembly::add(std::span<const std::byte> body) { take(body.subspan(header_bytes + sizeof(GpadlBody))); }

void GpadlAssembly::take(std::span<const std::byte> values) {
  const std::size_t count = std::min(values.size() / 8, expected_ - values_.size());
  const std::size_t before = values_.size();
  values_.resize(before + count);
  std::memcpy(values_.data() + before, values.data(), 8 * count);
}

std::optional<Gpadl> GpadlAssembly::description() const {
  std::optional<Gpadl> whole;
  std::size_t next = 0;
  for (std::size_t range = 0; range < ranges_; ++range) {
    if (next == values_.size()) return std::nullopt;
    const auto count = static_cast<std::uint32_t>(values_[next]);
    const auto offset = static_cast<std::uint32_t>(values_[next] >> 32);
    ++next;
    const std::uint64_t pages = pages_touched(offset, count);
    if (count == 0 || offset >= page_size || pages > values_.size() - next) return std::nullopt;
    const auto first = values_.begin() + static_cast<std::ptrdiff_t>(next);
    Gpadl piece{
        .byte_offset = {offset}, .length = {count}, .pfns = {first, first + static_cast<std::ptrdiff_t>(pages)}};
    next += pages;
    if (!whole)
      whole = std::move(piece);
    else
      whole->chained.push_back(std::move(piece));
  }
  return next == values_.size() ? whole : std::nullopt;
}

}  // namespace vmbsim::vmbus
