// SPDX-License-Identifier: Apache-2.0
//
// X.509 certificates (RFC 5280), as far as a monitor shows them: whose, by whom, for which names,
// from when to when. Nothing is verified. Bounded DER: no recursion, no indefinite lengths, tags of
// one byte.
//
//   Certificate ::= SEQUENCE { SEQUENCE { [0] version, serial, algorithm, issuer, validity, subject,
//                                         key, [1], [2], [3] extensions }, algorithm, signature }
//
// Errors: bytes that are no certificate give false.
// Threads: pure functions; any. Spans point into the certificate.
#pragma once

#include <cstdint>
#include <span>

#include "dpi/text_buffer.h"
#include "weir/byte_reader.h"
#include "weir/field.h"

namespace weir {

struct Certificate {
  std::span<const uint8_t> serial;
  std::span<const uint8_t> issuer;  // the contents of a Name
  std::span<const uint8_t> subject;
  std::span<const uint8_t> alternative_names;  // the contents of GeneralNames
  int64_t not_before_ns = 0;
  int64_t not_after_ns =
      0;  // what is later than 64 bits of nanoseconds can say is the last they can
  bool has_validity = false;

  bool is_self_issued() const noexcept;  // subject and issuer are the same, as of those self-signed
};

bool read_certificate(std::span<const uint8_t> der, Certificate& certificate) noexcept;

// A Name as text by RFC 4514: "CN=example.org,O=Example,C=US", the most specific part first.
AttributeText name_text(std::span<const uint8_t> name) noexcept;

// The next of the alternative names that is text or an address; false at the end.
bool next_alternative_name(ByteReader& names, AttributeText& out) noexcept;

}  // namespace weir
