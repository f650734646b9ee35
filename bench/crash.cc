// What `./dev crash` runs: kills the service (SIGKILL) again and again while it works, and counts. Lines are written to
// a followed file, which is rotated; each names a user of its own. In the end every line must be there once: in the
// counts, in the stored events, and the findings must be those of a service that nobody killed.
//
//   crash_harness [--kills N] [--users N] [--rate LINES_PER_SECOND] [--seed N] [--folder PATH]
//
// --users: so many users have logged in before the first kill, so that there are profiles to load.
// Exit code 0: nothing lost, nothing twice; 1: something was.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "support/run.h"
#include "support/service.h"

namespace {

namespace fs = std::filesystem;
using namespace orbwatch::test;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

struct Settings {
  int kills = 200;
  long users = 0;
  int rate = 5000;
  unsigned seed = 1;
  fs::path folder = fs::temp_directory_path() / "orbwatch-crash";
};

std::string syslog_time() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof(text), "%b %e %H:%M:%S", &utc);
  return text;
}

std::string line(long serial, bool success) {
  char text[400];
  const long subnet = serial / 200 % 250;
  std::snprintf(text, sizeof(text),
                "<166>%s fw1 %%ASA-6-%s: AAA user authentication %s : %slocal database : user = u%ld : user IP = "
                "203.0.%ld.%ld\n",
                syslog_time().c_str(), success ? "113012" : "113015", success ? "Successful" : "Rejected",
                success ? "" : "reason = Invalid password : ", serial, subnet, serial % 200 + 1);
  return text;
}

// Appends lines to FOLDER/vpn.log, and renames it now and then.
class Writer {
 public:
  Writer(fs::path folder, int rate) : folder_(std::move(folder)), rate_(rate) { fs::create_directories(folder_); }
  void put(long count, bool success) {
    std::ofstream out(folder_ / "vpn.log", std::ios::app);
    for (long i = 0; i < count; ++i) out << line(written_ + i, success);
    out.close();
    written_ += count;
  }
  void start() {
    thread_ = std::thread([this] {
      auto next = Clock::now();
      long since_rotation = 0;
      while (!stop_) {
        const long count = std::max(1, rate_ / 100);
        put(count, false);
        since_rotation += count;
        if (since_rotation > rate_ * 5L) {
          since_rotation = 0;
          std::error_code ignored;  // in seconds since 1970, as some rotate
          fs::rename(folder_ / "vpn.log", folder_ / ("vpn.log-" + std::to_string(1'700'000'000 + rotations_++)),
                     ignored);
        }
        next += milliseconds(10);
        std::this_thread::sleep_until(next);
      }
    });
  }
  void stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  // One more log-in of the first user.
  void last() {
    std::ofstream(folder_ / "vpn.log", std::ios::app) << line(0, true);
    ++written_;
  }
  long written() const { return written_; }

 private:
  fs::path folder_;
  int rate_;
  long rotations_ = 0;
  std::atomic<long> written_ = 0;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

std::string config(const Settings& s, const fs::path& state) {
  return "state: " + state.string() +
         "\nmetrics:\n  listen: 127.0.0.1:0\ncheckpoint: 1s\ncollect:\n  - type: tail\n    name: files\n    paths: " +
         (s.folder / "logs").string() + "/vpn.log*\n    from: beginning\n";
}

// The first column of the first row.
std::string ask(const fs::path& file, const std::string& sql) {
  const RunResult r = run({orbwatch_binary(), "sql", file.string(), "--csv", sql});
  const auto newline = r.out.find('\n');
  return newline == std::string::npos ? r.err : r.out.substr(newline + 1, r.out.find('\n', newline + 1) - newline - 1);
}

std::string findings(const fs::path& state) {
  const std::string sql =
      "SELECT id, kind, round(log_odds, 6) AS odds, user_name, user_count, source_count,"
      " (SELECT count(*) FROM evidence e WHERE e.finding_id = f.id) AS evidence FROM findings f ORDER BY id";
  return run({orbwatch_binary(), "sql", (state / "findings.duckdb").string(), "--csv", sql}).out;
}

}  // namespace

int main(int argc, char** argv) {
  Settings s;
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string key = argv[i];
    const char* const value = argv[i + 1];
    if (key == "--kills") s.kills = std::atoi(value);
    if (key == "--users") s.users = std::atol(value);
    if (key == "--rate") s.rate = std::atoi(value);
    if (key == "--seed") s.seed = static_cast<unsigned>(std::atoi(value));
    if (key == "--folder") s.folder = value;
  }
  fs::remove_all(s.folder);
  fs::create_directories(s.folder);
  Writer writer(s.folder / "logs", s.rate);
  writer.put(1, true);
  const fs::path state = s.folder / "state";
  std::mt19937 random(s.seed);
  if (s.users > 0) {
    std::printf("users: %ld log in first\n", s.users);
    writer.put(s.users, true);
    ServiceProcess service(s.folder, config(s, state));
    if (!service.wait_ready() || !service.wait_for("records", writer.written(), "files", std::chrono::minutes(10))) {
      std::printf("the users were not read: %s\n%s\n", service.get("/status").c_str(), service.err().c_str());
      return 1;
    }
    service.signal(SIGTERM);
    service.wait();
  }
  writer.start();
  std::vector<double> restarts;
  for (int kill = 0; kill < s.kills; ++kill) {
    const auto began = Clock::now();
    ServiceProcess service(s.folder, config(s, state));
    if (!service.wait_ready()) {
      std::printf("kill %d: the service did not start: %s\n", kill, service.err().c_str());
      return 1;
    }
    restarts.push_back(std::chrono::duration<double>(Clock::now() - began).count());
    // Some kills come at once, some after a checkpoint or two.
    std::this_thread::sleep_for(milliseconds(random() % 8 == 0 ? 1500 + random() % 1500 : random() % 500));
    service.signal(SIGKILL);
    service.wait();
    if ((kill + 1) % 10 == 0) {
      std::printf("\rkills: %d, lines written: %ld ", kill + 1, writer.written());
      std::fflush(stdout);
    }
  }
  writer.stop();
  // Log-ins are judged 90 s of the records' time later, and what is found is handed out every 10 s of it. In the end
  // everything must have been, whatever silences the services saw: so come log-ins that tell nothing, later than that.
  for (const auto wait : {std::chrono::seconds(s.users > 0 ? 91 : 11), std::chrono::seconds(11)}) {
    std::this_thread::sleep_for(wait);
    writer.last();
  }
  std::printf("\rkills: %d, lines written: %ld\n", s.kills, writer.written());
  std::sort(restarts.begin(), restarts.end());
  if (!restarts.empty())
    std::printf("start to ready: median %.3f s, longest %.3f s\n", restarts[restarts.size() / 2], restarts.back());

  bool good = true;
  const auto check = [&good](const char* what, const std::string& is, const std::string& must) {
    std::printf("%-40s %s%s\n", what, is.c_str(), is == must ? "" : (" WRONG, must be " + must).c_str());
    good = good && is == must;
  };
  const std::string all = std::to_string(writer.written());
  const auto finish = [&](const fs::path& where, const char* who) {
    ServiceProcess service(s.folder, config(s, where));
    if (!service.wait_ready() || !service.wait_for("records", writer.written(), "files", std::chrono::minutes(10)))
      std::printf("%s: %s\n%s\n", who, service.get("/status").c_str(), service.err().c_str());
    std::this_thread::sleep_for(milliseconds(500));
    check((std::string(who) + ": records").c_str(), std::to_string(service.number("records", "files")), all);
    check((std::string(who) + ": events").c_str(), std::to_string(service.number("events", "files")), all);
    service.signal(SIGTERM);
    if (service.wait() != 0) {
      std::printf("%s did not end well: %s\n", who, service.err().c_str());
      good = false;
    }
  };
  finish(state, "killed");
  long rows = 0;
  long users = 0;
  for (const auto& entry : fs::directory_iterator(state / "events")) {
    if (entry.path().extension() != ".duckdb") continue;
    rows += std::atol(ask(entry.path(), "SELECT count(*) FROM events").c_str());
    users += std::atol(ask(entry.path(), "SELECT count(DISTINCT user_name) FROM events").c_str());
  }
  check("killed: stored events", std::to_string(rows), all);
  // The first one logs in three times.
  check("killed: different users in them", std::to_string(users), std::to_string(writer.written() - 2));
  finish(s.folder / "undisturbed", "undisturbed");
  const std::string a = findings(state);
  const std::string b = findings(s.folder / "undisturbed");
  std::printf("findings: %ld of the killed service, %ld of an undisturbed one, %s\n",
              static_cast<long>(std::count(a.begin(), a.end(), '\n')) - 1,
              static_cast<long>(std::count(b.begin(), b.end(), '\n')) - 1, a == b ? "the same" : "DIFFERENT");
  good = good && a == b;
  if (a != b) {
    std::ofstream(s.folder / "killed.csv") << a;
    std::ofstream(s.folder / "undisturbed.csv") << b;
  }
  std::printf("%s\n", good ? "good: nothing lost, nothing twice" : "BAD");
  return good ? 0 : 1;
}
