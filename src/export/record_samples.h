// SPDX-License-Identifier: Apache-2.0
//
// Flow records for the tests of this folder: one of each kind with known values, and random ones.
//
// Threads: none; each test has its own.
#pragma once

#include <random>

#include "weir/flow_record.h"

namespace weir {

// TCP over IPv4, closed, 10.0.0.1:50000 → 192.0.2.1:443, 2005-07-04T09:32:20.839354Z, 1.5 s.
FlowRecord tcp_sample();
// UDP over IPv6 in VLANs 5 and 7, an interim record with a delta.
FlowRecord udp_interim_sample();
// GOOSE: a layer-2 flow.
FlowRecord layer2_sample();

// Any record the codec keeps entirely: what does not apply is zero.
FlowRecord random_record(std::mt19937_64& random);

// Equality of what the codec keeps, which for these records is everything.
bool equal(const FlowRecord& x, const FlowRecord& y);

}  // namespace weir
