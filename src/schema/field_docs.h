// SPDX-License-Identifier: Apache-2.0
//
// The catalogue as documents: the Markdown of docs/formats/flow_fields.md, which `weir protocols
// flow
// --markdown` prints. Written from the rows, so the page cannot say anything else than the program
// does.
//
// Threads: pure; any.
#pragma once

#include <string>

#include "schema/catalog.h"

namespace weir {

std::string fields_markdown(const Catalog& catalog);

}  // namespace weir
