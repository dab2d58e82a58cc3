// SPDX-License-Identifier: Apache-2.0
#include "dpi/number_names.h"

#include "dpi/text_buffer.h"

namespace weir {

void set_name(Context& context, uint8_t index, std::span<const NumberName> table,
              uint32_t number) noexcept {
  const std::string_view name = find_name(table, number);
  if (!name.empty()) {
    context.set(index, name);
    return;
  }
  TextBuffer<10> text;
  text.append_unsigned(number);
  context.set(index, text.view());
}

}  // namespace weir
