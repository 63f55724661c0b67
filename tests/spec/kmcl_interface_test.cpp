// Tables of functions: KMCL_CLIENT_INTERFACE_V1 and KMCL_SERVER_INTERFACE_V1.
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstring>

#include "models/kmcl/interface_tables.hpp"
#include "tests/coverage/documented_kmcl.h"
#include "tests/support/channel_pair.hpp"

namespace vmbsim::testing {
namespace {

using kmcl::query_interface;

INTERFACE& head(auto& table) { return reinterpret_cast<INTERFACE&>(table); }

TEST_CASE("the tables hold 41 functions for either end and 14 for servers", "[kmcl]") {
  // Source: KMCL DDI, KMCL_CLIENT_INTERFACE_V1 and KMCL_SERVER_ONLY_METHODS.
  CHECK(sizeof(KMCL_CLIENT_INTERFACE_V1) == sizeof(INTERFACE) + 41 * sizeof(void*));
  CHECK(sizeof(KMCL_SERVER_ONLY_METHODS) == 14 * sizeof(void*));
  CHECK(sizeof(KMCL_SERVER_INTERFACE_V1) == sizeof(KMCL_CLIENT_INTERFACE_V1) + sizeof(KMCL_SERVER_ONLY_METHODS));
  CHECK(offsetof(KMCL_CLIENT_INTERFACE_V1, VmbChannelAllocate) == sizeof(INTERFACE));
  CHECK(offsetof(KMCL_CLIENT_INTERFACE_V1, VmbPacketSetPointer) == sizeof(KMCL_CLIENT_INTERFACE_V1) - sizeof(void*));
  CHECK(offsetof(KMCL_SERVER_INTERFACE_V1, VmbChannelMapGpadl) == sizeof(KMCL_CLIENT_INTERFACE_V1));
}

TEST_CASE("a queried table holds the functions that a direct call reaches, in the documented order", "[kmcl]") {
  KMCL_SERVER_INTERFACE_V1 server;
  REQUIRE(query_interface(KMCL_SERVER_INTERFACE_TYPE, head(server), sizeof server, KMCL_SERVER_INTERFACE_VERSION_V1) ==
          STATUS_SUCCESS);
  KMCL_CLIENT_INTERFACE_V1 client;
  REQUIRE(query_interface(KMCL_CLIENT_INTERFACE_TYPE, head(client), sizeof client,
                          KMCL_CLIENT_INTERFACE_VERSION_LATEST) == STATUS_SUCCESS);
  CHECK(client.Size == sizeof client);
  CHECK(client.Version == KMCL_CLIENT_INTERFACE_VERSION_V1);
  client.InterfaceReference(client.Context);  // legal, and without effect
  client.InterfaceDereference(client.Context);

  const void* const documented[] = {
#define ADDRESS(name, ...) reinterpret_cast<const void*>(&name),
      KMCL_CLIENT_FUNCTIONS(ADDRESS) KMCL_SERVER_FUNCTIONS(ADDRESS)
#undef ADDRESS
  };
  CHECK(std::memcmp(reinterpret_cast<const std::byte*>(&server) + sizeof(INTERFACE), documented, sizeof documented) ==
        0);
  CHECK(std::memcmp(reinterpret_cast<const std::byte*>(&client) + sizeof(INTERFACE), documented,
                    sizeof client - sizeof(INTERFACE)) == 0);
  CHECK(sizeof documented == 55 * sizeof(void*));
}

TEST_CASE("a table of another size, version or kind is refused", "[kmcl]") {
  KMCL_SERVER_INTERFACE_V1 table;
  constexpr USHORT client_size = sizeof(KMCL_CLIENT_INTERFACE_V1);
  CHECK(query_interface(KMCL_CLIENT_INTERFACE_TYPE, head(table), sizeof table, 1) == STATUS_INVALID_PARAMETER);
  CHECK(query_interface(KMCL_SERVER_INTERFACE_TYPE, head(table), client_size, 1) == STATUS_INVALID_PARAMETER);
  CHECK(query_interface(KMCL_CLIENT_INTERFACE_TYPE, head(table), client_size, 2) == STATUS_INVALID_PARAMETER);
  CHECK(query_interface(GUID{}, head(table), client_size, 1) == STATUS_NOT_SUPPORTED);
}

TEST_CASE("a channel works through its table as it does by direct calls", "[kmcl]") {
  const auto echo = [](bool by_table) {
    ChannelPair pair(
        {.machines = {.costs = costs_of({{&hw::Costs::packet_send, 1us}, {&hw::Costs::signal_host, 5us}})}});
    pair.open();
    pair.on_guest([&] {
      KMCL_CLIENT_INTERFACE_V1 kmcl{};
      const NTSTATUS queried =
          query_interface(KMCL_CLIENT_INTERFACE_TYPE, head(kmcl), sizeof kmcl, KMCL_CLIENT_INTERFACE_VERSION_V1);
      VMBPACKET packet = pair.guest.new_packet(1, 64);
      const auto send = by_table ? kmcl.VmbPacketSend : VmbPacketSend;
      CHECK((queried | send(packet, pair.guest.bytes_of(1).data(), 64, nullptr, wait_flag)) == STATUS_SUCCESS);
    });
    return pair.timeline();
  };
  CHECK(echo(true) == echo(false));
}

}  // namespace
}  // namespace vmbsim::testing
