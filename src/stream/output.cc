#include "stream/output.h"

#include <algorithm>

#include "core/base/format.h"
#include "stream/sources.h"

namespace lbrx {
namespace {

constexpr uint64_t kCopyBytes = uint64_t{1} << 20;

// Of a file that was as `expected` when the run began.
void CopyFile(const SideFile& source, const Fingerprint& expected, File& to) {
  std::shared_ptr<File> from = File::OpenRead(source.path);
  RequireUnchanged(source.path, expected, from->GetFingerprint());
  std::vector<std::byte> buffer(std::min(kCopyBytes, source.bytes));
  for (uint64_t at = 0; at < source.bytes; at += buffer.size()) {
    const std::span<std::byte> part(buffer.data(),
                                    std::min<uint64_t>(buffer.size(), source.bytes - at));
    from->ReadAt(at, part);
    to.WriteAt(at, part);
  }
  from = nullptr;  // few files may be open
  // What is there now, which may be another file than was read.
  RequireUnchanged(source.path, expected, File::OpenRead(source.path)->GetFingerprint());
}

// The files that are copied at the end must be there when the work begins, and stay as they are.
std::vector<Fingerprint> FingerprintsOf(const std::vector<SideFile>& copies) {
  std::vector<Fingerprint> fingerprints;
  for (const SideFile& copy : copies) {
    fingerprints.push_back(File::OpenRead(copy.path)->GetFingerprint());
    if (fingerprints.back().size != copy.bytes) {
      Fingerprint planned = fingerprints.back();
      planned.size = copy.bytes;
      RequireUnchanged(copy.path, planned, fingerprints.back());
    }
  }
  return fingerprints;
}

[[noreturn]] void ThrowChanged(const std::string& folder, const std::string& what,
                               const std::string& expected, const std::string& found) {
  throw Error(
      ErrorCode::kInvalid,
      {.file = folder,
       .object = what,
       .what = "changed since the partial run",
       .expected = expected,
       .found = found,
       .offset = {},
       .advice = "use --force to start over, or `lbrx clean` to remove the partial output"});
}

// The first member in which two objects of options differ.
void RequireSameMembers(const std::string& folder, const Json& before, const Json& now) {
  for (const auto& [key, value] : now.AsObject()) {
    const Json* old = before.Find(key);
    if (old == nullptr || !(*old == value)) {
      ThrowChanged(folder, "option " + key, old == nullptr ? "nothing" : WriteJson(*old),
                   WriteJson(value));
    }
  }
}

}  // namespace

Output::Output(const Plan& plan, Options options)
    : plan_(plan),
      options_(std::move(options)),
      copies_(FingerprintsOf(plan.copies)),
      files_([this](uint64_t file) {
        return File::OpenWrite(PathOf(plan_.layout.files[file].name));
      }) {
  PartialOutput::Options partial{.force = options_.force, .sync = options_.sync};
  if (plan_.layout.beside) {
    for (const OutputFile& file : plan_.layout.files) {
      partial.parts.push_back(file.name);
    }
  }
  partial_ = PartialOutput::Open(options_.destination, partial);
  try {
    Resume();
  } catch (const Error& error) {
    // What was there before stays; what was not yet worth keeping goes.
    if (error.code() == ErrorCode::kNoSpace && journal_ == nullptr) {
      partial_->Discard();
    }
    throw;
  }
}

std::string Output::PathOf(const std::string& name) const {
  return name.empty() ? partial_->data_path() : JoinPath(partial_->data_path(), name);
}

Json Output::JournalHeader() const {
  Json header = Json::MakeObject();
  header.Set("plan", PlanHash(plan_).Hex());
  header.Set("request", plan_.request);
  header.Set("allow_nonfinite", options_.allow_nonfinite);
  header.Set("sources", SourceFingerprints(plan_));
  return header;
}

void Output::RequireSamePlan(const Json& found) const {
  const Json now = JournalHeader();
  if (found == now) {
    return;
  }
  const std::string folder = partial_->folder();
  if (const Json* request = found.Find("request"); request != nullptr && request->is_object()) {
    RequireSameMembers(folder, *request, plan_.request);
  }
  if (const Json* sources = found.Find("sources"); sources != nullptr && sources->is_array()) {
    const Json::Array& before = sources->AsArray();
    const Json::Array& after = now.Find("sources")->AsArray();
    for (size_t i = 0; i < std::min(before.size(), after.size()); ++i) {
      if (!(before[i] == after[i])) {
        ThrowChanged(folder, "source file " + std::to_string(i + 1), WriteJson(before[i]),
                     WriteJson(after[i]));
      }
    }
  }
  RequireSameMembers(folder, found, now);
  ThrowChanged(folder, "plan", "the same", "another");
}

void Output::Resume() {
  std::optional<Journal::Content> content = Journal::Read(partial_->journal_path());
  if (partial_->already_committed()) {
    finished_before_ = content && content->header == JournalHeader();
    if (finished_before_) {
      partial_->Discard();
      return;
    }
    content.reset();
  }
  if (content && !(content->header == JournalHeader()) && options_.force) {
    content.reset();
  }
  if (!content) {
    StartOver();
    return;
  }
  RequireSamePlan(content->header);
  journal_ = Journal::Continue(partial_->journal_path(), *content);
  earlier_ = std::move(content->records);
}

void Output::StartOver() {
  partial_->Reset();
  RequireSpace();
  Guard([&] {
    if (!plan_.layout.single_file) {
      MakeDirectory(partial_->data_path());
    }
    for (const OutputFile& file : plan_.layout.files) {
      const std::shared_ptr<File> out = File::Create(PathOf(file.name));
      out->Allocate(file.size);
      out->WriteAt(0, file.header);
    }
    journal_ = Journal::Create(partial_->journal_path(), JournalHeader());
  });
}

void Output::RequireSpace() const {
  const uint64_t need = plan_.OutputBytes();
  const uint64_t have = FreeSpace(partial_->folder());
  if (need > have) {
    throw Error(ErrorCode::kNoSpace,
                {.file = options_.destination,
                 .object = "",
                 .what = "not enough free space",
                 .expected = Format("{} ({} bytes)", FormatBytes(need), need),
                 .found = Format("{} ({} bytes)", FormatBytes(have), have),
                 .offset = {},
                 .advice = "nothing was written; free some space or choose another disk"});
  }
}

// Runs `write`, remembering that a failure came from writing (and not from what was to be written).
template <typename F>
void Output::Guard(F&& write) {
  try {
    write();
  } catch (const Error& error) {
    write_failed_ = write_failed_ || error.code() != ErrorCode::kInvalid;
    throw;
  }
}

void Output::Write(const OutputPlane& plane, uint64_t offset, std::span<const std::byte> data) {
  Guard([&] {
    const std::shared_ptr<File> file = files_.Get(plane.file);
    file->WriteAt(plane.offset + offset, data);
    if (options_.sync) {
      file->StartWriteback(plane.offset + offset, data.size());
    }
  });
}

void Output::Read(const OutputPlane& plane, uint64_t offset, std::span<std::byte> out) {
  files_.Get(plane.file)->ReadAt(plane.offset + offset, out);
}

void Output::Record(const JournalRecord& record) {
  Guard([&] { journal_->Append(record); });
}

void Output::WriteSmallFiles() {
  const auto create = [&](const std::string& name) {
    const std::string path = PathOf(name);
    RemoveTree(path);  // of an earlier run
    return File::Create(path);
  };
  for (size_t i = 0; i < plan_.copies.size(); ++i) {
    const std::shared_ptr<File> out = create(plan_.copies[i].name);
    CopyFile(plan_.copies[i], copies_[i], *out);
    if (options_.sync) {
      out->Sync();
    }
  }
  for (const OutputText& text : plan_.texts) {
    const std::shared_ptr<File> out = create(text.name);
    out->WriteAt(0, text.content);
    if (options_.sync) {
      out->Sync();
    }
  }
}

void Output::Finish() {
  Guard([&] {
    if (options_.sync) {
      for (size_t i = 0; i < plan_.layout.files.size(); ++i) {
        files_.Get(i)->Sync();
      }
    }
    WriteSmallFiles();
    partial_->Commit();
  });
}

void Output::Abandon(bool keep) {
  if (keep || write_failed_) {
    return;
  }
  try {
    partial_->Discard();
  } catch (const std::exception&) {  // the failure that led here is the one to tell
  }
}

}  // namespace lbrx
