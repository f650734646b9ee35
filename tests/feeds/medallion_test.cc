// The TAXII client and medallion, the TAXII 2.1 server of OASIS' open repository (https://github.com/oasis-open/
// cti-taxii-server): paging, cursors, log-in. Skipped where the package of pip is not installed for python3, or for the
// interpreter that ORBWATCH_MEDALLION_PYTHON names.
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <set>
#include <thread>

#include "core/text.h"
#include "intel/fetch/taxii.h"
#include "support/peer.h"
#include "support/run.h"
#include "support/temp_dir.h"

namespace orbwatch::intel {
namespace {

using orbwatch::test::run;
using orbwatch::test::TempDir;

const std::string kReadable = "91a7b528-80eb-42ed-a74d-c6fbd5a26116";
const std::string kClosed = "64993447-4d7e-4f70-b94d-d7f33742ee63";
constexpr int kObjects = 25;

std::string python() {
  const char* const named = std::getenv("ORBWATCH_MEDALLION_PYTHON");
  return named != nullptr ? named : "python3";
}

bool has_medallion() {
  return run({"sh", "-c", "exec \"$0\" -c 'import medallion.scripts.run' 2>/dev/null", python()}).exit_code == 0;
}

std::string date_added(int i) { return fmt::format("2026-01-{:02}T00:00:00.000001Z", 1 + i); }

// medallion's data: one collection that may be read, with an object a day, one that may not.
std::string data(unsigned port) {
  std::string objects, manifest;
  for (int i = 0; i < kObjects; ++i) {
    const std::string id = fmt::format("indicator--5a8e{:04x}-0000-4000-8000-000000000000", i);
    const std::string version = date_added(i).substr(0, 19) + ".000Z";
    const char* const comma = i == 0 ? "" : ",";
    objects += fmt::format(
        R"({}{{"type":"indicator","spec_version":"2.1","id":"{}","created":"{}","modified":"{}","valid_from":"{}","pattern":"[ipv4-addr:value = '192.0.2.{}']","pattern_type":"stix"}})",
        comma, id, version, version, version, i);
    manifest += fmt::format(
        R"({}{{"date_added":"{}","id":"{}","media_type":"application/stix+json;version=2.1","version":"{}"}})", comma,
        date_added(i), id, version);
  }
  const std::string types = R"("media_types":["application/stix+json;version=2.1"])";
  return fmt::format(
      R"({{"/discovery":{{"title":"Test","default":"http://127.0.0.1:{0}/group/","api_roots":["http://127.0.0.1:{0}/group/"]}},)"
      R"("group":{{"information":{{"title":"Group","versions":["application/taxii+json;version=2.1"],"max_content_length":9765625}},)"
      R"("status":[],"collections":[{{"id":"{1}","title":"Readable","can_read":true,"can_write":false,{2},"objects":[{3}],"manifest":[{4}],"responses":[]}},)"
      R"({{"id":"{5}","title":"Closed","can_read":false,"can_write":false,{2},"objects":[],"manifest":[],"responses":[]}}]}}}})",
      port, kReadable, types, objects, manifest, kClosed);
}

class Medallion : public testing::Test {
 protected:
  void SetUp() override {
    if (!has_medallion()) GTEST_SKIP() << "medallion is not installed (pip install medallion)";
    ::close(orbwatch::test::bound_socket(SOCK_STREAM, port_));
    const auto file = dir_.write("data.json", data(port_));
    const auto config = dir_.write(
        "config.json",
        fmt::format(
            R"({{"backend":{{"module":"medallion.backends.memory_backend","module_class":"MemoryBackend","filename":"{}"}},"users":{{"ann":"hush"}},"taxii":{{"max_page_size":10}}}})",
            file.string()));
    const std::string port = std::to_string(port_), log = (dir_ / "log").string(), interpreter = python();
    pid_ = ::fork();
    ASSERT_GE(pid_, 0);
    if (pid_ == 0) {
      const int out = ::open(log.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
      ::dup2(out, STDOUT_FILENO);
      ::dup2(out, STDERR_FILENO);
      ::execlp(interpreter.c_str(), interpreter.c_str(), "-m", "medallion.scripts.run", "--port", port.c_str(),
               config.c_str(), nullptr);
      ::_exit(127);
    }
    secret_ = dir_.write("secret", "hush\n");
    std::filesystem::permissions(secret_, std::filesystem::perms::owner_read);
    settings_.url = "http://127.0.0.1:" + port + "/taxii2/";
    settings_.collection = "Readable";
    // It takes some seconds to start; the Fetcher tries again.
    FetchSettings patient = fetching();
    patient.retry.most_attempts = 20;
    patient.retry.longest_wait = std::chrono::milliseconds(3'000);
    const auto fetcher = Fetcher::make(patient);
    ASSERT_TRUE(fetcher);
    const auto known = taxii_collections(**fetcher, settings_);
    ASSERT_TRUE(known) << known.error().text() << "\n" << orbwatch::test::read_file(dir_ / "log");
    EXPECT_EQ(known->size(), 2U);
  }
  void TearDown() override {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  FetchSettings fetching() const {
    FetchSettings s;
    s.authentication = FetchSettings::Authentication::kBasic;
    s.user = "ann";
    s.secret_file = secret_;
    return s;
  }
  core::Expected<TaxiiReading> read(const std::string& added_after) {
    patterns_.clear();
    const auto fetcher = Fetcher::make(fetching());
    if (!fetcher) return std::unexpected(fetcher.error());
    return read_taxii(**fetcher, settings_, added_after, [this](std::string_view envelope) -> core::Expected<void> {
      while (const auto pattern = core::between(envelope, "\"pattern\": \"", "\"")) {
        patterns_.emplace(*pattern);
        envelope.remove_prefix(static_cast<std::size_t>(pattern->data() - envelope.data()));
      }
      return {};
    });
  }

  TempDir dir_;
  unsigned port_ = 0;
  pid_t pid_ = 0;
  std::filesystem::path secret_;
  TaxiiSettings settings_;
  std::set<std::string> patterns_;
};

TEST_F(Medallion, IsReadPageByPageAndOnlyWhatIsNewNextTime) {
  for (const unsigned page_size : {1'000U, 4U}) {
    settings_.page_size = page_size;
    const auto all = read("");
    ASSERT_TRUE(all) << all.error().text();
    EXPECT_EQ(all->objects, static_cast<std::uint64_t>(kObjects));
    EXPECT_EQ(all->pages, page_size == 4 ? 7U : 3U);
    EXPECT_EQ(patterns_.size(), static_cast<std::size_t>(kObjects));
    EXPECT_EQ(all->added_after, date_added(kObjects - 1));
    const auto some = read(date_added(19));
    ASSERT_TRUE(some) << some.error().text();
    EXPECT_EQ(patterns_.size(), 5U);
    EXPECT_TRUE(patterns_.contains("[ipv4-addr:value = '192.0.2.20']"));
    const auto none = read(all->added_after);
    ASSERT_TRUE(none) << none.error().text();
    EXPECT_EQ(none->objects, 0U);
    EXPECT_EQ(none->added_after, all->added_after);
  }
  settings_.types = {"malware"};
  const auto other = read("");
  ASSERT_TRUE(other) << other.error().text();
  EXPECT_EQ(other->objects, 0U);
}

TEST_F(Medallion, SaysNoAndIsUnderstood) {
  settings_.collection = "Closed";
  const auto closed = read("");
  ASSERT_FALSE(closed);
  EXPECT_NE(closed.error().text().find("may not be read by this account"), std::string::npos);
  settings_.collection = kReadable;
  std::filesystem::permissions(secret_, std::filesystem::perms::owner_all);
  dir_.write("secret", "wrong\n");
  const auto refused = read("");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text().find("HTTP status 401"), std::string::npos) << refused.error().text();
}

}  // namespace
}  // namespace orbwatch::intel
