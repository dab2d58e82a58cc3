// SPDX-License-Identifier: Apache-2.0
//
// ReadPlan: what `weir read` was asked to do, validated before anything is opened.
//
// Threads: plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "capture/input_files.h"
#include "cli/commands.h"
#include "cli/settings.h"
#include "export/exporter.h"
#include "export/record_sorter.h"
#include "filter/filter.h"
#include "pipeline/engine.h"

namespace weir {

struct ReadPlan {
  std::vector<std::string> paths;    // as given: files, folders, "-" for standard input
  std::vector<std::string> files;    // what they stand for
  std::vector<InputFolder> folders;  // the folders among them, and what was left out of each
  const ExportFormat* format = nullptr;
  std::string output_path;           // empty: standard output
  std::string stats_path;            // empty: none; "-": standard output
  std::vector<const Field*> fields;  // --fields; none: all
  std::optional<Filter> filter;      // which flows, or messages, are printed
  bool prints_events = false;        // messages instead of flows
  SortOptions sort;                  // order and number of the records printed
  bool is_table = false;
  bool is_summary_only = false;       // no flows
  bool is_summary_on_stderr = false;  // beside flows for machines
  bool is_unordered = false;
  bool is_quiet = false;
  EngineOptions engine;
  Settings settings;
  Catalog catalog;  // fields and the rest point into it
};

// Returns the exit code when there is nothing to run: help was printed, or what is wrong.
std::optional<int> plan_read(const Invocation& invocation, ReadPlan& plan);

}  // namespace weir
