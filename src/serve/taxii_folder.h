// A folder of STIX bundles as collections of TAXII: each `NAME.json` is one, its title is NAME, its id a UUID of
// version 5 of NAME.
//
// When an object was added. TAXII clients ask for what was added after the last they have; so the date must outlive a
// restart and a new export, and no object may come with a date that a client has already passed. Each version of an
// object gets one when it is first read: later than every earlier one of its collection, by a microsecond at least. The
// dates stand in `.NAME.added` beside the file, which is written before the objects are shown. An object without
// versions (an observable) counts as added anew when its content changes. What is not in the file any more is
// forgotten; should it come again, it is new.
//
// A file is read again when it has changed (time, size, inode). One that is damaged leaves the collection as it was,
// and is told once. One that is gone takes its collection away.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/time.h"
#include "source/collector.h"

namespace orbwatch::serve {

struct TaxiiObject {
  std::string id;            // "indicator--..."
  std::string type;          // "indicator"
  std::string spec_version;  // "2.1"
  std::string version;       // `modified`, else `created`, else the date on which it was added, as text
  core::Nanoseconds version_time = 0;
  core::Nanoseconds added = 0;  // whole microseconds, unlike that of any other object of the collection
  std::string json;
  bool first = false;  // of the versions of its id in the collection
  bool last = false;
};

struct TaxiiCollection {
  std::string id;
  std::string title;
  std::vector<TaxiiObject> objects;  // by `added`
};

// "2026-01-02T03:04:05.000006Z": dates of TAXII have microseconds.
std::string taxii_date(core::Nanoseconds time);

struct TaxiiFolderLimits {
  std::size_t most_file = std::size_t{128} << 20;   // bytes
  std::size_t most_bytes = std::size_t{512} << 20;  // of all files
  std::size_t most_objects = 1'000'000;             // of a file
  std::size_t most_collections = 256;
};

// What is wrong with one bundle's text, or its objects without dates.
core::Expected<std::vector<TaxiiObject>> read_taxii_bundle(std::string_view json, const TaxiiFolderLimits& limits);

class TaxiiFolder {
 public:
  using Collections = std::vector<std::shared_ptr<const TaxiiCollection>>;

  // Errors: there is no such folder. A file that cannot be shown is told to `log`.
  static core::Expected<std::unique_ptr<TaxiiFolder>> open(const std::string& folder, source::Log log,
                                                           const TaxiiFolderLimits& limits = {});

  // By title. Any thread; valid as long as it is held.
  std::shared_ptr<const Collections> collections() const;
  // Looks for what has changed. One thread.
  void look();

 private:
  struct File {
    struct stat seen{};
    std::size_t bytes = 0;
    std::shared_ptr<const TaxiiCollection> shown;
  };
  TaxiiFolder(std::string folder, source::Log log, const TaxiiFolderLimits& limits);
  core::Expected<std::shared_ptr<const TaxiiCollection>> read(const std::string& name,
                                                              const std::filesystem::path& path,
                                                              std::size_t& bytes) const;
  core::Expected<void> date(const std::string& name, std::vector<TaxiiObject>& objects) const;
  void say(source::LogLevel level, const std::string& text) const {
    if (log_) log_(level, text);
  }

  std::filesystem::path folder_;
  source::Log log_;
  TaxiiFolderLimits limits_;
  std::map<std::string, File> files_;  // by name, of the thread that looks
  bool crowded_ = false;
  mutable std::mutex mutex_;
  std::shared_ptr<const Collections> collections_;
};

}  // namespace orbwatch::serve
