// SPDX-License-Identifier: Apache-2.0
//
// What happens when the user or the system asks the program to end.
#pragma once

namespace weir {

// SIGINT and SIGTERM call `handler`, or do what they do by default (SIG_DFL). Without SA_RESTART: a
// blocked read must come back to see that it is over.
void on_interrupt(void (*handler)(int)) noexcept;

}  // namespace weir
