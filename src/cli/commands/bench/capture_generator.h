// SPDX-License-Identifier: Apache-2.0
//
// Makes the captures that weir is measured on: Ethernet, IP, TCP and UDP with right lengths,
// checksums and sequence numbers, 1 µs from frame to frame, as a pcap file in microseconds.
//
// All flows of a capture are alive at once: none ends, and their packets are shuffled over the
// whole file, so a flow's state is cold again whenever its next packet comes. Packets alternate in
// direction. Four flows of five are TCP (SYN, SYN-ACK, ACK, then ACKs, with PSH when there is
// payload), one is UDP. In a flood the legitimate flows take turns at regular intervals instead.
//
// The same shape makes the same bytes on every machine; figures of different versions are of the
// same packets.
//
// Memory: 4 bytes a packet for the order, 12 bytes a flow.
// Threads: one per stream.
#pragma once

#include "cli/commands/bench/capture_shape.h"
#include "export/output_stream.h"

namespace weir {

// The shape's limits are asserted. False when the stream failed; it knows why.
bool write_capture(const CaptureShape& shape, OutputStream& stream);

}  // namespace weir
