#include "pipeline/live.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "core/text.h"
#include "pipeline/hunt.h"
#include "pipeline/kept_networks.h"
#include "pipeline/pseudonyms.h"
#include "pipeline/verdict_file.h"
#include "store/sql.h"
#include "store/store.h"
#include "support/sample_networks.h"

namespace orbwatch::pipeline {
namespace {

namespace fs = std::filesystem;
using source::Arrival;

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// A finding without what a stream says in another way than a hunt: the place of its records and the live alert line.
std::string essence(score::Finding finding) {
  for (auto& record : finding.records) record = {.file = "", .offset = 0, .line = 0, .raw = record.raw};
  finding.alert = false;
  return score::to_json(finding);
}

// Facts without a table: every /8 is a network of its own somewhere.
std::vector<intel::DeclaredNetwork> networks() {
  static constexpr const char* kCountries[] = {"DE", "FR", "US", "BR", "JP"};
  std::vector<intel::DeclaredNetwork> out;
  for (int i = 1; i < 224; ++i) {
    if (i == 10 || i == 127) continue;
    intel::DeclaredNetwork n;
    n.prefix = *core::Prefix::parse(std::to_string(i) + ".0.0.0/8");
    n.name = "network " + std::to_string(i);
    n.type = core::NetworkType::kConsumer;
    n.country = kCountries[i % 5];
    n.latitude = static_cast<float>(i % 50);
    n.longitude = static_cast<float>(i % 5 * 30);
    n.own = false;
    out.push_back(n);
  }
  return out;
}

class LiveTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "orbwatch_live_XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::unique_ptr<source::Journal> journal() const {
    source::JournalOptions options;
    options.folder = (folder_ / "journal").string();
    options.segment_bytes = 256 << 10;
    options.at_least = Live::checkpoint_position(folder_.string());
    auto opened = source::Journal::open(options);
    EXPECT_TRUE(opened) << opened.error().text();
    return std::move(*opened);
  }
  LiveOptions options() const {
    LiveOptions o;
    o.folder = folder_.string();
    o.sources = {{.name = "first", .format = "", .zone = ""}, {.name = "second", .format = "", .zone = ""}};
    o.checkpoint_every = std::chrono::hours(1);
    o.store_events = false;
    o.lateness = 36'500 * core::kDay;
    return o;
  }
  std::unique_ptr<Live> open(const LiveOptions& o, source::Journal& journal) {
    auto known = load_knowledge({.networks_file = "", .networks = networks(), .indicator_files = {}});
    EXPECT_TRUE(known);
    auto live = Live::open(o, std::move(*known), journal, [this](std::span<const score::Finding> findings) {
      for (const auto& f : findings) {
        findings_[f.id] = essence(f);
        handed_out_[f.id] = f;
      }
    });
    EXPECT_TRUE(live) << (live ? "" : live.error().text());
    return live ? std::move(*live) : nullptr;
  }
  // Works on all that is in the journal, and checkpoints.
  static void work(Live& live) {
    const std::atomic<bool> stop = true;
    const auto done = live.run(stop, std::chrono::hours(1));
    ASSERT_TRUE(done) << done.error().text();
  }
  static void put(source::Journal& journal, std::string_view bytes, const std::string& source, core::Nanoseconds when) {
    Arrival a;
    a.source = source_id(source);
    a.received = when;
    a.bytes = bytes;
    ASSERT_EQ(journal.take({&a, 1}), source::Intake::Taken::kYes);
  }
  // The lines of a file in arrivals of a few lines each; gives their number.
  static std::size_t put_file(source::Journal& journal, const std::string& text, const std::string& source,
                              std::uint32_t seed, core::Nanoseconds when = kArrival) {
    std::mt19937 random(seed);
    std::size_t count = 0;
    std::size_t at = 0;
    while (at < text.size()) {
      std::size_t end = at;
      for (std::size_t lines = 1 + random() % 40; lines > 0 && end < text.size(); --lines) {
        const auto newline = text.find('\n', end);
        end = newline == text.npos ? text.size() : newline + 1;
      }
      put(journal, std::string_view(text).substr(at, end - at), source, when);
      at = end;
      ++count;
    }
    return count;
  }
  // A tick long after everything, so that what waits is judged.
  static void put_silence(source::Journal& journal) {
    Arrival a;
    a.kind = source::ArrivalKind::kTick;
    a.received = kArrival + 10 * core::kMinute;
    ASSERT_EQ(journal.take({&a, 1}), source::Intake::Taken::kYes);
  }
  static std::uint64_t events_of_devices(const LiveStatus& status) {
    std::uint64_t sum = 0;
    for (const DeviceStatus& d : status.devices) sum += d.events;
    return sum;
  }
  static std::string example() { return read(fs::path(ORBWATCH_ROOT) / "examples/demo/vpn/fortigate.log"); }

  static constexpr core::Nanoseconds kArrival = 1'793'000'000 * core::kSecond;  // behind the example's last line
  fs::path folder_;
  std::map<std::string, std::string> findings_;
  std::map<std::string, score::Finding> handed_out_;  // the same
};

TEST_F(LiveTest, StreamGivesTheFindingsOfAHunt) {
  HuntOptions hunting;
  hunting.networks = networks();
  hunting.inputs = {(fs::path(ORBWATCH_ROOT) / "examples/demo/vpn/fortigate.log").string()};
  const auto hunted = hunt(hunting);
  ASSERT_TRUE(hunted) << hunted.error().text();
  ASSERT_GT(hunted->findings.size(), 5U);

  const auto journal = this->journal();
  put_file(*journal, example(), "first", 1);
  put_silence(*journal);
  const auto live = open(options(), *journal);
  work(*live);
  const LiveStatus status = live->status();
  ASSERT_EQ(status.sources.size(), 3U);
  EXPECT_EQ(status.sources[0].counts.records, hunted->total.records);
  EXPECT_EQ(status.sources[0].counts.events, hunted->total.events);
  EXPECT_EQ(status.sources[0].late, 0U);
  EXPECT_EQ(status.sources[0].ahead, 0U);
  EXPECT_EQ(status.position, status.journal_end);
  // Each event counts for the device that it came from.
  EXPECT_GT(status.all_devices, 0U);
  EXPECT_EQ(events_of_devices(status), hunted->total.events);
  std::map<std::string, std::string> expected;
  for (const auto& f : hunted->findings) expected[f.id] = essence(f);
  EXPECT_EQ(findings_, expected);
}

TEST_F(LiveTest, RestartsAndKillsChangeNothing) {
  const std::string text = example();
  LiveOptions o = options();
  o.store_events = store::available();
  std::map<std::string, std::string> expected;
  LiveCounts counts;
  std::size_t arrivals = 0;
  {
    const auto journal = this->journal();
    arrivals = put_file(*journal, text, "first", 2);
    put_silence(*journal);
    const auto live = open(o, *journal);
    work(*live);
    expected = findings_;
    counts = live->status().sources[0];
  }
  ASSERT_GT(expected.size(), 5U);

  std::mt19937 random(7);
  for (int round = 0; round < 3; ++round) {
    fs::remove_all(folder_);
    fs::create_directory(folder_);
    findings_.clear();
    // The same arrivals in the same journal, with runs that end in between: at a checkpoint, or as if killed.
    std::size_t from = 0;
    std::size_t kills = 0;
    while (from < text.size()) {
      const auto journal = this->journal();
      const auto live = open(o, *journal);
      ASSERT_NE(live, nullptr);
      const auto end = text.find('\n', std::min(text.size() - 1, from + random() % (text.size() / 6)));
      const std::size_t to = end == text.npos ? text.size() : end + 1;
      put_file(*journal, text.substr(from, to - from), "first", static_cast<std::uint32_t>(random()));
      from = to;
      if (random() % 2 == 0) {
        work(*live);
      } else {
        // Works, but what it knows is thrown away with it.
        ++kills;
        const fs::path checkpoint = folder_ / "kept";
        fs::create_directory(checkpoint);
        for (const auto& entry : fs::directory_iterator(folder_)) {
          if (entry.path().extension() == ".state") fs::copy(entry.path(), checkpoint / entry.path().filename());
        }
        work(*live);
        for (const auto& entry : fs::directory_iterator(folder_)) {
          if (entry.path().extension() == ".state") fs::remove(entry.path());
        }
        for (const auto& entry : fs::directory_iterator(checkpoint))
          fs::rename(entry.path(), folder_ / entry.path().filename());
        fs::remove_all(checkpoint);
      }
    }
    EXPECT_GT(kills, 0U);
    const auto journal = this->journal();
    put_silence(*journal);
    const auto live = open(o, *journal);
    work(*live);
    EXPECT_EQ(findings_, expected);
    EXPECT_EQ(events_of_devices(live->status()), counts.counts.events);
    const LiveCounts now = live->status().sources[0];
    EXPECT_EQ(now.counts.records, counts.counts.records);
    EXPECT_EQ(now.counts.events, counts.counts.events);
    EXPECT_EQ(now.counts.ignored_by, counts.counts.ignored_by);
    EXPECT_EQ(now.bytes, counts.bytes);
  }
  EXPECT_GT(arrivals, 50U);
  if (!o.store_events) return;
  std::string stored;
  for (const auto& entry : fs::directory_iterator(folder_ / "events")) {
    if (entry.path().extension() != ".duckdb") continue;
    const auto rows = store::sql(entry.path().string(), "SELECT count(*) AS n FROM event_rows", store::SqlFormat::kCsv,
                                 0, [&](std::string_view part) {
                                   stored += part;
                                   return true;
                                 });
    EXPECT_TRUE(rows) << rows.error().text();
  }
  EXPECT_EQ(stored, "n\n" + std::to_string(counts.counts.events) + "\n");
}

TEST_F(LiveTest, VerdictsGoThroughTheJournalAndASecondReadingIsTheSame) {
  const std::string text = example();
  const auto half = text.find('\n', text.size() * 2 / 3) + 1;
  const auto put_verdict = [](source::Journal& journal, const score::Verdict& verdict) {
    const std::string line = to_json(verdict);
    Arrival a;
    a.source = source_id(kVerdictFile);
    a.kind = source::ArrivalKind::kVerdict;
    a.received = kArrival;
    a.bytes = line;
    ASSERT_EQ(journal.take({&a, 1}), source::Intake::Taken::kYes);
  };
  const auto whole = [this] {
    std::map<std::string, std::string> out;
    for (auto [id, f] : handed_out_) {
      for (auto& record : f.records) record = {.file = "", .offset = 0, .line = 0, .raw = record.raw};
      out[id] = score::to_json(f);
    }
    return out;
  };
  // Which findings of the first part can be judged, and how.
  std::vector<score::Verdict> verdicts;
  {
    const auto journal = this->journal();
    put_file(*journal, text.substr(0, half), "first", 11);
    const auto live = open(options(), *journal);
    work(*live);
    const std::vector<score::Judgement> three = {score::Judgement::kBenign, score::Judgement::kTrue,
                                                 score::Judgement::kFalse};
    for (const auto& [id, f] : handed_out_) {
      if (f.kind != detect::FindingKind::kLogin || f.user.empty() || !f.alert || verdicts.size() == 3) continue;
      auto verdict = find_case_in_state(folder_.string(), id);
      ASSERT_TRUE(verdict) << verdict.error().text();
      EXPECT_NEAR(verdict->log_odds, f.log_odds, 1e-3);
      verdict->says = three[verdicts.size()];
      verdict->time = kArrival;
      verdict->reason = "known";
      verdict->scope = score::Scope::kUser;
      verdict->id = verdict_id(*verdict);
      verdicts.push_back(*verdict);
    }
    ASSERT_EQ(verdicts.size(), 3U);
  }
  std::map<std::string, std::string> expected;
  std::string hits;
  for (int round = 0; round < 3; ++round) {  // undisturbed; killed behind the verdicts; at a checkpoint there
    fs::remove_all(folder_);
    fs::create_directory(folder_);
    findings_.clear();
    handed_out_.clear();
    {
      const auto journal = this->journal();
      put_file(*journal, text.substr(0, half), "first", 11);
      if (round == 1) {
        const auto live = open(options(), *journal);
        work(*live);  // a checkpoint before the verdicts
      }
    }
    {
      const auto journal = this->journal();
      for (const score::Verdict& verdict : verdicts) put_verdict(*journal, verdict);
      if (round != 0) {
        const auto before = Live::checkpoint_position(folder_.string());
        const auto live = open(options(), *journal);
        work(*live);
        EXPECT_EQ(live->status().verdicts, 3U);
        EXPECT_EQ(handed_out_[verdicts[0].finding].suppressed_by.id, verdicts[0].id);
        EXPECT_FALSE(handed_out_[verdicts[0].finding].alert);
        EXPECT_EQ(handed_out_[verdicts[1].finding].verdict.says, "true");
        if (round == 1) {
          // What it knows is thrown away with it.
          for (const auto& entry : fs::directory_iterator(folder_)) {
            const std::string path = entry.path().string();
            if (entry.path().extension() == ".state" && path.find(std::to_string(before)) == path.npos)
              fs::remove(entry.path());
          }
        }
      }
    }
    const auto journal = this->journal();
    put_verdict(*journal, verdicts[0]);  // once more: it is known
    put_file(*journal, text.substr(half), "first", 12);
    put_silence(*journal);
    const auto live = open(options(), *journal);
    ASSERT_NE(live, nullptr);
    work(*live);
    EXPECT_EQ(live->status().verdicts, 3U);
    EXPECT_EQ(live->status().verdicts_left_out, 0U);
    if (round == 0) {
      expected = whole();
      hits = read(folder_ / kUseFile);
      const auto counted = read_hits(folder_.string());
      ASSERT_EQ(counted.size(), 1U);
      EXPECT_EQ(counted[0].id, verdicts[0].id);
      EXPECT_GE(counted[0].hits, 1U);
      EXPECT_TRUE(std::ranges::any_of(handed_out_, [](const auto& f) { return !f.second.suppressed_by.id.empty(); }));
    } else {
      EXPECT_EQ(whole(), expected) << "round " << round;
      EXPECT_EQ(read(folder_ / kUseFile), hits) << "round " << round;
    }
  }
}

// As the service's state and its store have them, one a line.
class LiveNetworksTest : public LiveTest {
 protected:
  std::string in_state() const { return lines(networks_in_state(folder_.string())); }
  std::string in_store() const {
    return store::available() ? lines(networks_in_store((folder_ / "findings.duckdb").string())) : in_state();
  }
  static std::string lines(const core::Expected<KeptNetworks>& kept) {
    EXPECT_TRUE(kept) << kept.error().text();
    std::string out;
    if (!kept) return out;
    EXPECT_EQ(kept->damaged + kept->left_out, 0U);
    for (const score::Network& network : kept->networks) out += score::to_whole_json(network) + "\n";
    return out;
  }
  static std::set<std::string> ids(const std::string& networks) {
    std::set<std::string> out;
    std::istringstream in(networks);
    for (std::string line; std::getline(in, line);) out.insert(line.substr(0, line.find(',')));
    return out;
  }
};

TEST_F(LiveNetworksTest, AreWrittenAndKeepTheirIdsOverRestartsAndKills) {
  const std::string text = testing::covert_network_log();
  const auto most = text.rfind('\n', text.size() - 200) + 1;  // all but the last lines
  std::string undisturbed;
  {
    const auto journal = this->journal();
    put_file(*journal, text, "first", 3);
    put_silence(*journal);
    const auto live = open(options(), *journal);
    EXPECT_FALSE(fs::exists(folder_ / kNetworksFile));
    work(*live);
    undisturbed = in_state();
    EXPECT_EQ(in_store(), undisturbed);
    EXPECT_EQ(live->status().networks, ids(undisturbed).size());
    // Which findings are linked with a network, as they say themselves.
    std::size_t linked = 0;
    const auto kept = networks_in_state(folder_.string());
    ASSERT_TRUE(kept);
    for (const score::Network& network : kept->networks) {
      for (const std::string& id : network.findings) {
        ++linked;
        ASSERT_TRUE(handed_out_.contains(id));
        EXPECT_EQ(handed_out_[id].network, network.id);
      }
    }
    EXPECT_GT(linked, 0U);
  }
  ASSERT_GT(ids(undisturbed).size(), 1U);

  fs::remove_all(folder_);
  fs::create_directory(folder_);
  std::string before;
  {
    const auto journal = this->journal();
    put_file(*journal, text.substr(0, most), "first", 4);
    const auto live = open(options(), *journal);
    work(*live);
    before = in_state();
    EXPECT_EQ(in_store(), before);
  }
  ASSERT_EQ(ids(before), ids(undisturbed));
  EXPECT_NE(before, undisturbed) << "the rest of the lines is of them";
  // The rest; the run is killed behind its checkpoint's networks and before the checkpoint itself.
  for (int run = 0; run < 2; ++run) {
    const auto journal = this->journal();
    if (run == 0) {
      put_file(*journal, text.substr(most), "first", 5);
      put_silence(*journal);
    }
    const auto live = open(options(), *journal);
    EXPECT_EQ(in_state(), run == 0 ? before : undisturbed) << "what stands is there meanwhile";
    const fs::path kept = folder_ / "kept";
    fs::create_directory(kept);
    for (const auto& entry : fs::directory_iterator(folder_)) {
      if (entry.path().extension() == ".state") fs::copy(entry.path(), kept / entry.path().filename());
    }
    work(*live);
    if (run == 0) {
      for (const auto& entry : fs::directory_iterator(folder_)) {
        if (entry.path().extension() == ".state") fs::remove(entry.path());
      }
      for (const auto& entry : fs::directory_iterator(kept))
        fs::rename(entry.path(), folder_ / entry.path().filename());
    }
    fs::remove_all(kept);
    EXPECT_EQ(in_state(), undisturbed) << run;
    EXPECT_EQ(in_store(), undisturbed) << run;
  }
}

TEST_F(LiveNetworksTest, AreNotWrittenAgainForNothing) {
  const auto journal = this->journal();
  put_file(*journal, testing::covert_network_log(), "first", 3);
  const auto live = open(options(), *journal);
  work(*live);
  ASSERT_NE(in_state(), "");
  fs::remove(folder_ / kNetworksFile);
  // Nothing came for them: that they are gone is not noticed.
  put(*journal, "nothing that anybody knows\n", "first", kArrival);
  work(*live);
  EXPECT_FALSE(fs::exists(folder_ / kNetworksFile));
  // An event of theirs, of the next day: at the end they are written.
  put(*journal,
      "<166>Mar 08 2026 09:00:00 gw1 : %ASA-6-113015: AAA user authentication Rejected : reason = Invalid password : "
      "local database : user = user1 : user IP = 91.0.3.9\n",
      "first", kArrival);
  work(*live);
  EXPECT_NE(in_state(), "");
  EXPECT_EQ(in_store(), in_state());
}

TEST_F(LiveTest, ADamagedCheckpointFallsBackToTheOneBefore) {
  const std::string text = example();
  const auto half = text.find('\n', text.size() / 2) + 1;
  {
    const auto journal = this->journal();
    const auto live = open(options(), *journal);
    put_file(*journal, text.substr(0, half), "first", 3);
    work(*live);
    put_file(*journal, text.substr(half), "first", 4);
    work(*live);
  }
  const auto newest = Live::checkpoint_position(folder_.string());
  std::string path;
  std::size_t checkpoints = 0;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    if (entry.path().extension() != ".state") continue;
    ++checkpoints;
    if (entry.path().string().find(std::to_string(newest)) != std::string::npos) path = entry.path().string();
  }
  ASSERT_EQ(checkpoints, 2U);
  fs::resize_file(path, fs::file_size(path) / 2);
  const auto expected = findings_;
  findings_.clear();
  const auto journal = this->journal();
  const auto live = open(options(), *journal);
  ASSERT_NE(live, nullptr);
  const auto notes = live->notes();
  EXPECT_TRUE(std::ranges::any_of(notes, [](const auto& n) { return n.find("checkpoint before") != n.npos; }));
  work(*live);
  for (const auto& [id, finding] : findings_) EXPECT_EQ(finding, expected.at(id));
  EXPECT_EQ(live->status().sources[0].counts.records,
            static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n')));
}

TEST_F(LiveTest, LateAndAheadAreCountedAndNotJudged) {
  LiveOptions o = options();
  o.lateness = core::kHour;
  const auto journal = this->journal();
  const auto line = [](std::string_view time, std::string_view user) {
    return "<134>" + std::string(time) +
           " asa-1 %ASA-6-113015: AAA user authentication Rejected : reason = Invalid password : local database : user "
           "= " +
           std::string(user) + " : user IP = 203.0.113.9\n";
  };
  const core::Nanoseconds noon = 1'793'016'000 * core::kSecond;  // 2026-10-26 12:00:00 UTC
  put(*journal, line("Oct 26 12:00:00", "alice"), "first", noon);
  put(*journal, line("Oct 26 10:30:00", "late"), "first", noon);
  put(*journal, line("Oct 26 11:30:00", "bob"), "first", noon);
  put(*journal, line("Oct 26 15:00:00", "ahead"), "second", noon);
  put(*journal, line("Oct 26 12:00:01", "carol"), "first", noon);
  put(*journal, line("Oct 26 12:00:02", "gone"), "a collector of yesterday", noon);
  const auto live = open(o, *journal);
  work(*live);
  const LiveStatus status = live->status();
  EXPECT_EQ(status.sources[0].counts.events, 4U);
  EXPECT_EQ(status.sources[0].late, 1U);
  EXPECT_EQ(status.sources[1].ahead, 1U);
  EXPECT_EQ(status.sources[2].counts.events, 1U);
  EXPECT_EQ(status.newest_event, noon + 2 * core::kSecond);
}

// Names and what they became: of a key, of all files of the state but the journal's, and of the findings.
class LivePseudonymsTest : public LiveTest {
 protected:
  void SetUp() override {
    LiveTest::SetUp();
    ASSERT_TRUE(PseudonymKey::make(key_file("key")));
    ASSERT_TRUE(PseudonymKey::make(key_file("other")));
  }
  void TearDown() override {
    for (const char* name : {"key", "other"}) fs::remove(key_file(name));
    LiveTest::TearDown();
  }
  // Beside the state, not in it.
  std::string key_file(const std::string& name) const { return folder_.string() + "." + name; }
  LiveOptions options(const std::string& key) const {
    LiveOptions o = LiveTest::options();
    o.store_events = store::available();
    if (!key.empty()) o.pseudonyms.key_file = key_file(key);
    return o;
  }
  std::string why_not(const LiveOptions& o) const {
    const auto journal = this->journal();
    auto known = load_knowledge({});
    const auto live = Live::open(o, std::move(*known), *journal, {});
    return live ? "" : live.error().text();
  }
  void work_on_example(const LiveOptions& o) {
    const auto journal = this->journal();
    put_file(*journal, example(), "first", 5);
    put_silence(*journal);
    const auto live = open(o, *journal);
    ASSERT_NE(live, nullptr);
    work(*live);
  }
  // Everybody whom the example names. What the others have tried ("root", "test", "vpn") are words of every text.
  static std::set<std::string> names() {
    std::set<std::string> out;
    const std::string text = example();
    for (std::size_t at = 0; (at = text.find("user=\"", at)) != text.npos;) {
      at += 6;
      const std::string name = text.substr(at, text.find('"', at) - at);
      if (name.find('.') != name.npos) out.insert(name);
    }
    return out;
  }
  std::vector<std::string> state_files() const {
    std::vector<std::string> out;
    for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
      const bool journal = entry.path().parent_path().filename() == "journal";
      if (entry.is_regular_file() && !journal) out.push_back(entry.path().string());
    }
    return out;
  }
  // "NAME in FILE" for each name that stands in a file of the state, or can be asked of a store: their columns are
  // compressed.
  std::vector<std::string> plain_names() const {
    std::vector<std::string> out;
    for (const std::string& file : state_files()) {
      std::string text = read(file);
      if (file.ends_with(".duckdb")) {
        const bool findings = file.ends_with("findings.duckdb");
        for (const char* query : {"SELECT * FROM findings", "SELECT * FROM evidence", "SELECT * FROM finding_records",
                                  "SELECT * FROM events"}) {
          if (findings == std::string_view(query).ends_with("events")) continue;
          const auto asked = store::sql(file, query, store::SqlFormat::kCsv, 0, [&](std::string_view part) {
            text += part;
            return true;
          });
          EXPECT_TRUE(asked) << query << ": " << asked.error().text();
        }
      }
      for (const std::string& name : names()) {
        if (core::contains_ignore_case(text, name)) out.push_back(fmt::format("{} in {}", name, file));
      }
    }
    return out;
  }
};

TEST_F(LivePseudonymsTest, NoNameIsLeftAnywhereAndTheFindingsAreTheSame) {
  ASSERT_GT(names().size(), 15U);
  work_on_example(options(""));
  // The test can see a name.
  EXPECT_GT(plain_names().size(), names().size());
  // A finding with the names put back, but for its id, which is made of the name.
  auto key = PseudonymKey::load(key_file("key"));
  ASSERT_TRUE(key);
  const auto revealed = [&](std::string text) {
    for (std::size_t at = 0; (at = text.find(kPseudonymPrefix, at)) != text.npos;) {
      const auto end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz234567", at + kPseudonymPrefix.size());
      const auto name = key->reveal(text.substr(at, end - at));
      EXPECT_TRUE(name) << name.error().text();
      text.replace(at, end - at, name.value_or("?"));
      ++at;
    }
    return text;
  };
  const auto all_revealed = [&] {
    std::multiset<std::string> out;
    for (const auto& [id, handed_out] : handed_out_) {
      score::Finding finding = handed_out;
      finding.id.clear();
      for (std::string& user : finding.users) user = revealed(user);
      std::ranges::sort(finding.users);  // they stand in the order of their letters
      out.insert(revealed(essence(finding)));
    }
    return out;
  };
  const auto expected = all_revealed();
  ASSERT_GT(expected.size(), 5U);
  fs::remove_all(folder_);
  fs::create_directory(folder_);
  handed_out_.clear();

  work_on_example(options("key"));
  EXPECT_EQ(plain_names(), std::vector<std::string>());
  EXPECT_EQ(all_revealed(), expected);
  // The journal has what came, as it came.
  bool in_journal = false;
  for (const auto& entry : fs::directory_iterator(folder_ / "journal"))
    in_journal |= core::contains_ignore_case(read(entry.path()), *names().begin());
  EXPECT_TRUE(in_journal);
}

TEST_F(LivePseudonymsTest, RawRecordsAreKeptWithThePseudonymOrNotAtAll) {
  for (const bool keep : {true, false}) {
    LiveOptions o = options("key");
    o.pseudonyms.raw_records = keep;
    std::size_t replaced = 0;
    std::size_t left_out = 0;
    const auto journal = this->journal();
    put_file(*journal, example(), "first", 6);
    put_silence(*journal);
    auto known = load_knowledge({.networks_file = "", .networks = networks(), .indicator_files = {}});
    const auto live = Live::open(o, std::move(*known), *journal, [&](std::span<const score::Finding> findings) {
      for (const auto& f : findings) {
        for (const auto& record : f.records) {
          replaced += record.raw.find("user=\"user-") != record.raw.npos ? 1 : 0;
          left_out += record.raw.starts_with("(left out") ? 1 : 0;
        }
      }
    });
    ASSERT_TRUE(live);
    work(**live);
    EXPECT_EQ(replaced > 0, keep);
    EXPECT_EQ(left_out > 0, !keep);
    fs::remove_all(folder_);
    fs::create_directory(folder_);
  }
}

TEST_F(LivePseudonymsTest, AStateStaysWithItsKey) {
  work_on_example(options("key"));
  const auto expected = findings_;
  EXPECT_NE(why_not(options("")).find("no key is configured"), std::string::npos);
  EXPECT_NE(why_not(options("other")).find("another pseudonym key"), std::string::npos);
  LiveOptions gone = options("key");
  gone.pseudonyms.key_file += ".gone";
  EXPECT_NE(why_not(gone), "");
  // Refusing has changed nothing.
  const auto journal = this->journal();
  const auto live = open(options("key"), *journal);
  ASSERT_NE(live, nullptr);
  work(*live);
  EXPECT_EQ(findings_, expected);
  EXPECT_EQ(plain_names(), std::vector<std::string>());
}

TEST_F(LivePseudonymsTest, AStateWithPlainNamesIsRefused) {
  work_on_example(options(""));
  EXPECT_NE(why_not(options("key")).find("holds plain names"), std::string::npos);
  EXPECT_EQ(why_not(options("")), "");
}

// What waits for its template is kept as it came: sealed.
TEST_F(LivePseudonymsTest, FlowExportThatWaitsIsSealed) {
  const auto be = [](std::uint64_t value, int bytes) {
    std::string out;
    for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> 8 * i);
    return out;
  };
  // NetFlow v9 (RFC 3954): a set behind its header, in an arrival with its length in front of it.
  const auto datagram = [&](std::uint32_t sequence, std::uint16_t id, const std::string& body) {
    const std::string packet = be(9, 2) + be(1, 2) + be(1000, 4) + be(kArrival / core::kSecond, 4) + be(sequence, 4) +
                               be(7, 4) + be(id, 2) + be(4 + body.size(), 2) + body;
    return std::string{static_cast<char>(packet.size()), static_cast<char>(packet.size() >> 8)} + packet;
  };
  const auto put_flow = [&](source::Journal& journal, const std::string& bytes) {
    Arrival a;
    a.kind = source::ArrivalKind::kDatagrams;
    a.source = source_id("first");
    a.received = kArrival;
    a.peer = core::Ip::v4(0xc0000201);
    a.bytes = bytes;
    ASSERT_EQ(journal.take({&a, 1}), source::Intake::Taken::kYes);
  };
  std::string user = "wanda.waiting";
  user.resize(20);
  const std::string flow = be(0xc6336401, 4) + be(0x0a000001, 4) + be(1, 4) + be(100, 4) + user;
  const std::string fields = be(256, 2) + be(5, 2) + be(8, 2) + be(4, 2) + be(12, 2) + be(4, 2) + be(2, 2) + be(4, 2) +
                             be(1, 2) + be(4, 2) + be(40000, 2) + be(20, 2);
  for (const std::string& key : {std::string(), std::string("key")}) {
    {
      const auto journal = this->journal();
      put_flow(*journal, datagram(1, 256, flow));
      const auto live = open(options(key), *journal);
      ASSERT_NE(live, nullptr);
      work(*live);
      EXPECT_EQ(live->status().sources[0].counts.events, 0U);
    }
    std::string state;
    for (const std::string& file : state_files()) state += read(file);
    EXPECT_EQ(state.find("wanda.waiting") != state.npos, key.empty());
    const auto journal = this->journal();
    put_flow(*journal, datagram(2, 0, fields));
    const auto live = open(options(key), *journal);
    ASSERT_NE(live, nullptr);
    work(*live);
    EXPECT_EQ(live->status().sources[0].counts.events, 1U);
    fs::remove_all(folder_);
    fs::create_directory(folder_);
  }
}

TEST_F(LiveTest, AWrongFormatIsAnErrorAtOnce) {
  LiveOptions o = options();
  o.sources[0].format = "no_such_format";
  const auto journal = this->journal();
  auto known = load_knowledge({});
  const auto live = Live::open(o, std::move(*known), *journal, {});
  ASSERT_FALSE(live);
  EXPECT_NE(live.error().text().find("no_such_format"), std::string::npos);
}

}  // namespace
}  // namespace orbwatch::pipeline
