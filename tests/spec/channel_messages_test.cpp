// The messages of the channel protocol, byte by byte.
// Source: EMCL, ChannelMessages.h; OpenVMM, vmbus_core: protocol.rs; Linux, hyperv.h.
#include <catch2/catch.hpp>
#include <cstddef>
#include <numeric>

#include "models/vmbus/messages.hpp"

namespace vmbsim::vmbus {
namespace {

std::uint64_t number_at(const MessageBytes& bytes, std::size_t offset, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value |= std::to_integer<std::uint64_t>(bytes.at(offset + i)) << 8 * i;
  return value;
}

Gpadl range_of(std::size_t pages, hw::Pfn first = 100) {
  Gpadl range{.byte_offset = {}, .length = {static_cast<std::int64_t>(pages) * 4096}, .pfns = {}};
  range.pfns.resize(pages);
  std::iota(range.pfns.begin(), range.pfns.end(), first);
  return range;
}

TEST_CASE("Every message has the number that both ends know it by") {
  // KMCL and EMCL: VMBUS_CHANNEL_MESSAGE_TYPE.
  struct Row {
    MessageType type;
    std::uint32_t number;
  };
  for (const Row& row :
       {Row{MessageType::offer, 1}, Row{MessageType::rescind, 2}, Row{MessageType::request_offers, 3},
        Row{MessageType::all_offers_delivered, 4}, Row{MessageType::open, 5}, Row{MessageType::open_result, 6},
        Row{MessageType::close, 7}, Row{MessageType::gpadl_header, 8}, Row{MessageType::gpadl_body, 9},
        Row{MessageType::gpadl_created, 10}, Row{MessageType::gpadl_teardown, 11},
        Row{MessageType::gpadl_torn_down, 12}, Row{MessageType::relid_released, 13},
        Row{MessageType::initiate_contact, 14}, Row{MessageType::version_response, 15}, Row{MessageType::unload, 16},
        Row{MessageType::unload_complete, 17}, Row{MessageType::modify_channel, 22},
        Row{MessageType::modify_channel_response, 24}}) {
    const MessageBytes bytes = message_of(row.type);
    CHECK(bytes.size() == 8);
    CHECK(number_at(bytes, 0, 4) == row.number);
    CHECK(number_at(bytes, 4, 4) == 0);
  }
}

TEST_CASE("Each field lies where the other implementations look for it") {
  struct Row {
    const char* what;
    MessageBytes bytes;
    std::size_t size;
    std::vector<std::array<std::uint64_t, 3>> fields;  // offset, size, value
  };
  OfferMessage offer{.interface_type = {0x11223344, 0x5566, 0x7788, {}}, .interface_instance = {0x99, 0, 0, {}}};
  offer.flags = 0x2011;
  offer.mmio_megabytes = 0x1234;
  offer.user[0] = std::byte{0xAB};
  offer.subchannel = 3;
  offer.mmio_megabytes_optional = 0x4321;
  offer.relid = 0x707;
  offer.monitor_id = 0x5A;
  offer.monitor_allocated = 1;
  offer.dedicated_interrupt = 1;
  offer.connection_id = 0x2707;
  OpenMessage open{.relid = 7, .open_id = 8, .gpadl = 9, .target_vp = 10, .downstream_page = 11};
  open.user[119] = std::byte{0xCD};
  InitiateContact contact{.version = 0x60000, .target_vp = 1, .target_sint = 2, .target_vtl = 3};
  contact.parent_to_child_monitor = 0x1111;
  contact.child_to_parent_monitor = 0x2222;
  const std::vector<Row> rows{
      {"offer",
       message_of(offer),
       196,
       {{8, 4, 0x11223344},
        {12, 2, 0x5566},
        {14, 2, 0x7788},
        {24, 4, 0x99},
        {40, 8, 0},
        {48, 8, 0},
        {56, 2, 0x2011},
        {58, 2, 0x1234},
        {60, 1, 0xAB},
        {180, 2, 3},
        {182, 2, 0x4321},
        {184, 4, 0x707},
        {188, 1, 0x5A},
        {189, 1, 1},
        {190, 2, 1},
        {192, 4, 0x2707}}},
      {"rescind", message_of(RescindMessage{7}), 12, {{8, 4, 7}}},
      {"open", message_of(open), 148, {{8, 4, 7}, {12, 4, 8}, {16, 4, 9}, {20, 4, 10}, {24, 4, 11}, {147, 1, 0xCD}}},
      {"open result", message_of(OpenResult{7, 8, 9}), 20, {{8, 4, 7}, {12, 4, 8}, {16, 4, 9}}},
      {"close", message_of(CloseMessage{7}), 12, {{8, 4, 7}}},
      {"GPADL created", message_of(GpadlCreated{7, 8, 9}), 20, {{8, 4, 7}, {12, 4, 8}, {16, 4, 9}}},
      {"GPADL teardown", message_of(GpadlTeardown{7, 8}), 16, {{8, 4, 7}, {12, 4, 8}}},
      {"GPADL torn down", message_of(GpadlTornDown{8}), 12, {{8, 4, 8}}},
      {"relid released", message_of(RelidReleased{7}), 12, {{8, 4, 7}}},
      {"initiate contact",
       message_of(contact),
       40,
       {{8, 4, 0x60000}, {12, 4, 1}, {16, 1, 2}, {17, 1, 3}, {20, 4, 0}, {24, 8, 0x1111}, {32, 8, 0x2222}}},
      {"version response",
       message_of(VersionResponse{.supported = 1, .state = 2, .version_or_connection = 4}),
       16,
       {{8, 1, 1}, {9, 1, 2}, {12, 4, 4}}},
      {"modify channel", message_of(ModifyChannel{7, 8}), 16, {{8, 4, 7}, {12, 4, 8}}},
      {"modify channel response", message_of(ModifyChannelResponse{7, 8}), 16, {{8, 4, 7}, {12, 4, 8}}}};
  for (const Row& row : rows) {
    INFO(row.what);
    CHECK(row.bytes.size() == row.size);
    CHECK(row.bytes.size() <= longest_message);
    for (const auto& [offset, size, value] : row.fields) {
      CAPTURE(offset);
      CHECK(number_at(row.bytes, offset, size) == value);
    }
  }
}

TEST_CASE("A version is its major number in the upper half and its minor in the lower, newest tried first") {
  // OpenVMM, Version: 0.13, 1.1, 2.4, 3.0, 4.0, 4.1, 5.0, 5.1, 5.2, 5.3, 6.0.
  CHECK(static_cast<std::uint32_t>(Version::v0_13) == 13);
  CHECK(static_cast<std::uint32_t>(Version::v2_4) == (2u << 16 | 4));
  CHECK(static_cast<std::uint32_t>(Version::v5_3) == (5u << 16 | 3));
  CHECK(versions.size() == 11);
  CHECK(std::is_sorted(versions.begin(), versions.end(), std::greater<>{}));
}

TEST_CASE("A GPADL is one header with 26 pages, then bodies with 28 pages each") {
  struct Row {
    std::size_t pages, messages, last_bytes;
  };
  for (const Row& row : {Row{1, 1, 20 + 16}, Row{26, 1, 20 + 8 * 27}, Row{27, 2, 16 + 8}, Row{54, 2, 16 + 28 * 8},
                         Row{55, 3, 16 + 8}, Row{258, 10, 16 + 8 * 8}, Row{8190, 293, 16 + 8 * 16}}) {
    CAPTURE(row.pages);
    const auto messages = gpadl_messages(7, GpadlHandle{9}, range_of(row.pages));
    REQUIRE(messages.has_value());
    CHECK(messages->size() == row.messages);
    CHECK(messages->back().size() == row.last_bytes);
    const MessageBytes& header = messages->front();
    CHECK(number_at(header, 0, 4) == 8);
    CHECK(number_at(header, 8, 4) == 7);
    CHECK(number_at(header, 12, 4) == 9);
    CHECK(number_at(header, 16, 2) == 8 + 8 * row.pages);  // range_buf_len
    CHECK(number_at(header, 18, 2) == 1);                  // range count
    CHECK(number_at(header, 20, 4) == 4096 * row.pages);   // GPA_RANGE: byte count, byte offset, PFNs
    CHECK(number_at(header, 24, 4) == 0);
    CHECK(number_at(header, 28, 8) == 100);
    for (std::size_t i = 1; i < messages->size(); ++i) {
      CHECK(number_at((*messages)[i], 0, 4) == 9);
      CHECK(number_at((*messages)[i], 12, 4) == 9);
      CHECK(number_at((*messages)[i], 16, 8) == 100 + 26 + 28 * (i - 1));
      CHECK((*messages)[i].size() <= 240);
    }
  }
  // The length is a 16-bit field: 8191 pages would need 65536.
  CHECK_FALSE(gpadl_messages(7, GpadlHandle{9}, range_of(8191)).has_value());
}

TEST_CASE("A chain of ranges goes over and comes back as it was") {
  Gpadl chain = range_of(30);
  chain.byte_offset = {16};
  chain.length = {30 * 4096 - 20};
  chain.chained = {range_of(1, 900), range_of(40, 2000)};
  chain.chained[0].length = {12};
  const auto messages = gpadl_messages(7, GpadlHandle{9}, chain);
  REQUIRE(messages->size() == 3);  // 3 + 71 values: 27, 28, 19
  auto assembly = GpadlAssembly::begin(messages->front());
  REQUIRE(assembly.has_value());
  for (std::size_t i = 1; i < messages->size(); ++i) {
    CHECK_FALSE(assembly->complete());
    assembly->add((*messages)[i]);
  }
  REQUIRE(assembly->complete());
  const auto back = assembly->description();
  REQUIRE(back.has_value());
  CHECK(back->byte_offset == chain.byte_offset);
  CHECK(back->length == chain.length);
  CHECK(back->pfns == chain.pfns);
  REQUIRE(back->chained.size() == 2);
  CHECK(back->chained[0].length == Bytes{12});
  CHECK(back->chained[1].pfns == chain.chained[1].pfns);
}

TEST_CASE("What is too short, of another kind, or contradicts itself is nothing") {
  const MessageBytes whole = message_of(OpenResult{1, 2, 3});
  CHECK(body_of<OpenResult>(whole).has_value());
  CHECK_FALSE(body_of<GpadlCreated>(whole).has_value());
  for (std::size_t size = 0; size < whole.size(); ++size)
    CHECK_FALSE(body_of<OpenResult>(std::span(whole).first(size)).has_value());
  MessageBytes longer = whole;
  longer.resize(100);
  CHECK(body_of<OpenResult>(longer).has_value());  // a newer peer may say more

  MessageBytes header = gpadl_messages(7, GpadlHandle{9}, range_of(3))->front();
  const auto with = [&](std::uint16_t range_bytes, std::uint16_t ranges) {
    MessageBytes changed = header;
    std::memcpy(changed.data() + 16, &range_bytes, 2);
    std::memcpy(changed.data() + 18, &ranges, 2);
    return changed;
  };
  CHECK_FALSE(GpadlAssembly::begin(with(32, 0)).has_value());
  CHECK_FALSE(GpadlAssembly::begin(with(31, 1)).has_value());
  CHECK_FALSE(GpadlAssembly::begin(with(8, 1)).has_value());
  CHECK_FALSE(GpadlAssembly::begin(with(32, 0xFFFF)).has_value());
  CHECK_FALSE(GpadlAssembly::begin(with(24, 1))->description().has_value());  // a page too few
  CHECK_FALSE(GpadlAssembly::begin(with(32, 2))->description().has_value());  // a second range that is not there
  CHECK_FALSE(GpadlAssembly::begin(with(48, 1))->complete());
}

}  // namespace
}  // namespace vmbsim::vmbus
