// SPDX-License-Identifier: Apache-2.0
//
// The catalogue weir comes with: the fields of the flow record, all protocols, all services. Take it as
// it is, or add to it and freeze it:
//
//   weir::CatalogBuilder builder = weir::standard_catalog();
//   builder.add(kMyProtocol);
//   auto catalog = std::make_shared<const weir::Catalog>(builder.freeze());
//
// Threads: any; what it returns is the caller's.
#pragma once

#include "weir/catalog.h"

namespace weir {

CatalogBuilder standard_catalog();

}  // namespace weir
