// SPDX-License-Identifier: Apache-2.0
//
// FTP's data connections (RFC 959, 3.2): the bytes of one file or listing and nothing else. So no
// probe can know one, and port 20 alone is no proof: only the control connection tells, by
// announcing the port (ftp.cc). What is transferred, by which command, is in the control
// connection's attributes.
#include "weir/protocol.h"

namespace weir {
namespace {

constexpr uint16_t kPorts[] = {20};

}  // namespace

extern const Protocol kFtpData{
    .name = "ftp-data",
    .help = "Data connections of FTP: files and listings, announced by the control connection.",
    .transports = kOverTcp,
    .ports = kPorts,
};

}  // namespace weir
