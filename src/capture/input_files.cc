// SPDX-License-Identifier: Apache-2.0
#include "capture/input_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>
#include <system_error>
#include <utility>

#include "capture/byte_stream.h"
#include "capture/capture_format.h"

namespace weir {

namespace {

struct Entry {
  std::string path;
  size_t depth = 0;  // of the folder it is in; the argument itself has 0
};

// Empty if the file begins like a capture, else what is wrong with it.
std::string reason_against(const std::string& path) {
  std::string error;
  const std::unique_ptr<ByteStream> stream = ByteStream::open(path, error);
  if (stream == nullptr) return error;
  const Recognition recognition = recognize_capture(*stream);
  if (recognition.format != nullptr) return {};
  return recognition.fill == ByteStream::Fill::kFailed ? stream->failure() : recognition.reason;
}

// One argument's walk, without recursion: `pending_` is what is still to be visited, last first.
class FolderWalk {
 public:
  FolderWalk(InputFolder& folder, InputFiles& out, size_t& entry_count)
      : folder_(folder), out_(out), entry_count_(entry_count) {}

  bool walk(std::string& error);

 private:
  bool visit(const Entry& entry, std::string& error);
  bool list(const Entry& entry, std::string& error);
  void skip(const Entry& entry, std::string reason) {
    folder_.skipped.push_back({entry.path, std::move(reason)});
  }

  InputFolder& folder_;
  InputFiles& out_;
  size_t& entry_count_;
  std::vector<Entry> pending_;
  std::set<std::pair<dev_t, ino_t>> walked_;
};

bool FolderWalk::walk(std::string& error) {
  pending_.push_back({folder_.path, 0});
  while (!pending_.empty()) {
    const Entry entry = std::move(pending_.back());
    pending_.pop_back();
    if (!visit(entry, error)) return false;
  }
  return true;
}

bool FolderWalk::visit(const Entry& entry, std::string& error) {
  const bool is_hidden = std::filesystem::path(entry.path).filename().string().starts_with('.');
  if (is_hidden && entry.depth > 0) {
    skip(entry, "is hidden");
    return true;
  }
  struct stat status {};
  if (stat(entry.path.c_str(), &status) != 0) {
    skip(entry, system_message(errno));
    return true;
  }
  if (S_ISDIR(status.st_mode)) {
    if (!walked_.insert({status.st_dev, status.st_ino}).second) {
      skip(entry, "is a folder that was read already");
      return true;
    }
    if (entry.depth == kFolderDepthMax) {
      skip(entry, "is more than " + std::to_string(kFolderDepthMax) + " folders deep");
      return true;
    }
    return list(entry, error);
  }
  if (!S_ISREG(status.st_mode)) {
    skip(entry, "is not a regular file");
    return true;
  }
  std::string reason = reason_against(entry.path);
  if (!reason.empty()) {
    skip(entry, std::move(reason));
    return true;
  }
  out_.files.push_back(entry.path);
  ++folder_.taken_count;
  return true;
}

// Puts the entries of a folder on the list of what is to be visited.
bool FolderWalk::list(const Entry& entry, std::string& error) {
  std::error_code failure;
  std::vector<std::string> names;
  std::filesystem::directory_iterator iterator(entry.path, failure);
  while (!failure && iterator != std::filesystem::directory_iterator()) {
    if (++entry_count_ > kFolderEntryCountMax) {
      error = folder_.path + ": more than " + std::to_string(kFolderEntryCountMax) +
              " entries; name the captures themselves";
      return false;
    }
    names.push_back(iterator->path().filename().string());
    iterator.increment(failure);
  }
  if (failure) skip(entry, system_message(failure.value()));
  std::sort(names.begin(), names.end(), std::greater<>());
  const std::string prefix = entry.path.ends_with('/') ? entry.path : entry.path + '/';
  for (const std::string& name : names) pending_.push_back({prefix + name, entry.depth + 1});
  return true;
}

}  // namespace

bool expand_inputs(std::span<const std::string> paths, InputFiles& out, std::string& error) {
  out = InputFiles{};
  size_t entry_count = 0;
  for (const std::string& path : paths) {
    struct stat status {};
    if (path == "-" || stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
      out.files.push_back(path);
    } else {
      InputFolder folder{path, 0, {}};
      if (!FolderWalk(folder, out, entry_count).walk(error)) return false;
      out.folders.push_back(std::move(folder));
    }
    if (out.files.size() <= kInputFileCountMax) continue;
    error = path + ": more than " + std::to_string(kInputFileCountMax) +
            " files in one call; read them in several";
    return false;
  }
  return true;
}

}  // namespace weir
