// SPDX-License-Identifier: Apache-2.0
//
// Who asks whom for which host: every server name that TLS clients in a capture send.
//
//   tls_sni sample.pcap
#include <cstdio>

#include "weir/handler.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: tls_sni CAPTURE\n");
    return 2;
  }

  // Of all that could be found in payload, this is looked for and kept.
  weir::Handler handler({.keeps_attributes = weir::KeptAttributes::kSubscribed});
  handler.on_attribute("tls.sni", [](const weir::AttributeEvent& event) {
    const weir::Flow& flow = *event.flow;
    std::printf("%s -> %s:%s %s\n", flow.text("src_ip").c_str(), flow.text("dst_ip").c_str(),
                flow.text("dst_port").c_str(), event.json().c_str());
    return weir::Answer::kStopFlow;  // a client names its server once
  });

  std::string error;
  weir::read_capture(argv[1], handler, &error);
  if (!error.empty()) std::fprintf(stderr, "%s\n", error.c_str());
  return error.empty() ? 0 : 1;
}
