// SPDX-License-Identifier: Apache-2.0
//
// The smallest program on the weir library: reads a capture and prints its flows.
//
//   read_flows sample.pcap
#include <cstdio>

#include "weir/handler.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: read_flows CAPTURE\n");
    return 2;
  }

  weir::Handler handler({.interface_name = argv[1]});
  handler.on_flow_end([](const weir::Flow& flow) {
    const weir::FlowRecord& record = flow.record();
    const std::string packets = std::to_string(record.src.total.packets + record.dst.total.packets);
    std::printf("%-5s %s:%s -> %s:%s  %s packets  %s\n", flow.text("proto").c_str(),
                flow.text("src_ip").c_str(), flow.text("src_port").c_str(),
                flow.text("dst_ip").c_str(), flow.text("dst_port").c_str(), packets.c_str(),
                weir::flow_state_name(record.state));
  });

  std::string error;
  weir::read_capture(argv[1], handler, &error);
  handler.finish();
  if (!error.empty()) std::fprintf(stderr, "%s\n", error.c_str());
  return error.empty() ? 0 : 1;
}
