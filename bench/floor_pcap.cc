// SPDX-License-Identifier: Apache-2.0
//
// floor_pcap: counts the frames of a capture with libpcap and does nothing else.
//
//   floor_pcap FILE
//
// The floor of every program built on libpcap. It asks for one packet after the other
// (pcap_next_ex), the interface most of them use. Prints the number of frames.
#include <pcap/pcap.h>

#include <array>
#include <cstdint>
#include <cstdio>

int main(int argument_count, char** arguments) {
  if (argument_count != 2) {
    fprintf(stderr, "usage: floor_pcap FILE\n");
    return 2;
  }
  std::array<char, PCAP_ERRBUF_SIZE> error{};
  pcap_t* const capture = pcap_open_offline(arguments[1], error.data());
  if (capture == nullptr) {
    fprintf(stderr, "floor_pcap: %s\n", error.data());
    return 1;
  }
  uint64_t frames = 0;
  pcap_pkthdr* header = nullptr;
  const u_char* bytes = nullptr;
  int outcome = 0;
  while ((outcome = pcap_next_ex(capture, &header, &bytes)) == 1) ++frames;
  pcap_close(capture);
  printf("%llu frames\n", static_cast<unsigned long long>(frames));
  return outcome == PCAP_ERROR_BREAK ? 0 : 1;
}
