// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "dpi/protocol_run.h"

namespace weir {
namespace {

using test::from_hex;
using test::PayloadBytes;
using test::ProtocolRun;
using test::RunOptions;

constexpr Side kClient = Side::kInitiator;
constexpr Side kServer = Side::kResponder;
constexpr RunOptions kTcp{.transport = kOverTcp, .dst_port = 502};
constexpr RunOptions kElsewhere{.transport = kOverTcp, .dst_port = 10502};

TEST(Modbus, tells_requests_and_their_responses) {
  ProtocolRun run(kTcp);
  run.send(kClient, from_hex("0001 0000 0006 11 03 006b 0003"));
  run.advance_clock(5'000'000);
  run.send(kServer, from_hex("0001 0000 0009 11 03 06 022b 0000 0064"));
  run.send(kClient, from_hex("0002 0000 0006 11 05 0010 ff00"));
  run.send(kServer, from_hex("0002 0000 0003 11 85 02"));
  EXPECT_EQ(run.app(), "modbus");
  EXPECT_EQ(run.json(),
            R"({"modbus":{"unit_id":[17],"function":[3,5],)"
            R"("function_name":["read_holding_registers","write_single_coil"],)"
            R"("access":["read","write"],"address":[107,16],"quantity":[3,1],"written_value":[1],)"
            R"("value_count":3,"request_count":2,"response_count":2,"transaction_count":2,)"
            R"("exception_count":1,"exception":["illegal_data_address"],"response_time":0.005}})");
  EXPECT_EQ(run.events().size(), 4u);
}

TEST(Modbus, reads_device_identification) {
  ProtocolRun run(kTcp);
  run.send(kClient, from_hex("0001 0000 0005 01 2b 0e 01 00"));
  run.send(kServer, from_hex("0001 0000 0019 01 2b 0e 01 01 00 00 03"
                             "00 04 41636d65 01 02 5031 02 05 56312e3032"));
  EXPECT_EQ(run.attribute("modbus.vendor"), "Acme");
  EXPECT_EQ(run.attribute("modbus.product_code"), "P1");
  EXPECT_EQ(run.attribute("modbus.revision"), "V1.02");
  EXPECT_EQ(run.attribute("modbus.mei_type"), "read_device_identification");
}

TEST(Modbus, names_subfunctions_and_umas) {
  ProtocolRun run(kTcp);
  run.send(kClient, from_hex("0001 0000 0006 01 08 0004 0000"));
  run.send(kClient, from_hex("0002 0000 0005 01 5a 00 41 ff"));
  EXPECT_EQ(run.attribute("modbus.subfunction"), "force_listen_only_mode");
  EXPECT_EQ(run.attribute("modbus.umas_function"), "stop_plc");
  EXPECT_EQ(run.attribute("modbus.access"), "diagnose program");
}

TEST(Modbus, reads_both_parts_of_read_write) {
  ProtocolRun run(kTcp);
  run.send(kClient, from_hex("0001 0000 000d 01 17 0001 0002 0010 0001 02 0005"));
  EXPECT_EQ(run.attribute("modbus.address"), "1 16");
  EXPECT_EQ(run.attribute("modbus.quantity"), "2 1");
  EXPECT_EQ(run.attribute("modbus.access"), "read write");
}

TEST(Modbus, is_found_on_any_port) {
  for (const char* hex : {
           "0001 0000 0006 ff 01 0000 0010",
           "0001 0000 0006 ff 06 0000 1234",
           "0001 0000 000b 01 10 0001 0002 04 0001 0002",
           "0001 0000 0008 01 0f 0001 0003 01 05",
           "0001 0000 0005 01 2b 0e 01 00",
           "0001 0000 0007 01 04 04 0000 0001",
       }) {
    ProtocolRun run(kElsewhere);
    run.send(kClient, from_hex(hex));
    EXPECT_EQ(run.app(), "modbus") << hex;
    ProtocolRun datagram({.transport = kOverUdp, .dst_port = 10502});
    datagram.send(kClient, from_hex(hex));
    EXPECT_EQ(datagram.app(), "modbus") << hex;
  }
}

TEST(Modbus, refuses_sizes_that_do_not_fit_elsewhere) {
  for (const char* hex : {
           "0001 0000 0006 ff 01 0000 0000",               // nothing to read
           "0001 0000 0006 ff 03 0000 007e",               // too much to read
           "0001 0000 0007 01 04 05 0000 0001",            // count
           "0001 0000 000b 01 10 0001 0003 04 0001 0002",  // three registers in four bytes
           "0001 0001 0006 ff 06 0000 1234",               // protocol
           "0001 0000 0106 ff 06 0000 1234",               // size
           "0001 0000 0006 ff 05 0000 1234",               // a coil is on or off
           "0001 0000 0006 ff 64 0000 1234",               // not a common function
           "0001 0000 0006 ff 00 0000 1234",
           "0001 0000 0006 ff 06 0000 1234 4711 4711 4711 4711",  // what follows
       }) {
    ProtocolRun run(kElsewhere);
    run.send(kClient, from_hex(hex));
    EXPECT_NE(run.app(), "modbus") << hex;
  }
}

TEST(Modbus, refuses_other_protocols_on_its_port) {
  for (const char* hex : {
           "16 03 01 00 2e 01 00 00 2a 03 03",
           "47 45 54 20 2f 20 48 54 54 50",
           "03 00 00 16 11 e0 00 00 00 01 00",
       }) {
    ProtocolRun run(kTcp);
    run.send(kClient, from_hex(hex));
    EXPECT_NE(run.app(), "modbus") << hex;
  }
}

const PayloadBytes& stream() {
  static const PayloadBytes bytes = from_hex(
      "0001 0000 0006 11 03 006b 0003  0002 0000 0006 12 01 0000 0008  0003 0000 0006 13 06 0001 "
      "0002");
  return bytes;
}

TEST(Modbus, reads_messages_however_they_are_cut) {
  for (const RunOptions& options : {kTcp, kElsewhere}) {
    for (size_t size = 1; size <= stream().size(); ++size) {
      ProtocolRun run(options);
      // As much as it takes to be known within the budget of a flow that is not.
      const auto known = stream().begin() + 14;
      run.send_in_pieces(kClient, PayloadBytes(stream().begin(), known), std::max<size_t>(size, 2));
      run.send_in_pieces(kClient, PayloadBytes(known, stream().end()), size);
      ASSERT_EQ(run.app(), "modbus") << size;
      ASSERT_EQ(run.attribute("modbus.unit_id"), "17 18 19") << size;
      ASSERT_EQ(run.events().size(), 3u) << size;
    }
  }
}

TEST(Modbus, every_beginning_has_the_messages_that_are_whole) {
  for (size_t size = 1; size <= stream().size(); ++size) {
    ProtocolRun run(kTcp);
    run.send(kClient,
             PayloadBytes(stream().begin(), stream().begin() + static_cast<ptrdiff_t>(size)));
    run.finish();
    EXPECT_EQ(run.events().size(), size / 12) << size;
  }
}

TEST(Modbus, goes_on_behind_nonsense_with_the_next_segment) {
  ProtocolRun run(kTcp);
  run.send(kClient, from_hex("0001 0000 0006 11 03 006b 0003"));
  run.send(kClient, from_hex("ffff ffff ffff ffff ffff ffff"));
  run.send(kClient, from_hex("0003 0000 0006 13 06 0001 0002"));
  EXPECT_EQ(run.attribute("modbus.unit_id"), "17 19");
}

TEST(Modbus, knows_the_server_by_its_port_when_the_begin_was_not_seen) {
  ProtocolRun run(
      {.transport = kOverTcp, .src_port = 502, .dst_port = 50000, .is_midstream = true});
  run.send(kClient, from_hex("0001 0000 0005 11 03 02 0001"));
  run.send(kServer, from_hex("0002 0000 0006 11 03 006b 0003"));
  EXPECT_EQ(run.app(), "modbus");
  EXPECT_EQ(run.attribute("modbus.response_count"), "1");
  EXPECT_EQ(run.attribute("modbus.request_count"), "1");
  EXPECT_EQ(run.attribute("modbus.transaction_count"), "");
}

TEST(Modbus, reads_datagrams_cut_by_the_capture) {
  const PayloadBytes whole = from_hex("0001 0000 000b 01 10 0001 0002 04 0001 0002");
  for (size_t size = 8; size <= whole.size(); ++size) {
    ProtocolRun run({.transport = kOverUdp, .dst_port = 502});
    run.send(kClient, PayloadBytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size)),
             static_cast<uint32_t>(whole.size()));
    EXPECT_EQ(run.app(), "modbus") << size;
    EXPECT_EQ(run.attribute("modbus.function"), "16") << size;
    EXPECT_EQ(run.attribute("modbus.quantity"), size < 12 ? "" : "2") << size;
  }
}

}  // namespace
}  // namespace weir
