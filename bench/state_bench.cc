// How long the state of a large organisation takes to be written to a file and read back, and how large it is:
//   state_bench save FILE [users, default 1,000,000] [log-ins of each, default 20]
//   state_bench load FILE
// Two processes, as in life: a hash map that is filled in the order of one with the same seed is another case.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "baseline/baseline.h"
#include "core/archive.h"

namespace {

using namespace orbwatch;

// Facts of 2,000 networks in 200 places.
class Networks final : public core::NetworkView {
 public:
  Networks() : facts_(2000) {
    for (std::uint32_t i = 1; i < facts_.size(); ++i) {
      core::NetworkFacts& f = facts_[i];
      f.asn = 1000 + i % 300;
      f.country = core::pack_country("DE");
      f.type = i % 5 == 0 ? core::NetworkType::kMobile : core::NetworkType::kConsumer;
      f.latitude = 47.0F + static_cast<float>(i % 200) / 30;
      f.longitude = 7.0F + static_cast<float>(i % 200) / 40;
    }
  }
  const core::NetworkFacts& facts(std::uint32_t index) const override { return facts_[index % facts_.size()]; }
  std::string_view text(std::uint32_t) const override { return {}; }
  double as_share(std::uint32_t) const override { return 0; }
  double as_share_in_country(std::uint32_t, std::uint16_t) const override { return 0; }
  double country_share(std::uint16_t) const override { return 0; }
  double type_share(core::NetworkType) const override { return 0; }
  double type_share_in_country(core::NetworkType, std::uint16_t) const override { return 0; }
  bool is_own(std::uint32_t) const override { return false; }
  bool is_allowed(std::uint32_t) const override { return false; }

 private:
  std::vector<core::NetworkFacts> facts_;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

[[noreturn]] void stop(const core::Error& error) {
  std::fprintf(stderr, "%s\n", error.text().c_str());
  std::exit(1);
}

}  // namespace

int load(const std::string& path) {
  const Networks networks;
  const auto start = std::chrono::steady_clock::now();
  baseline::Baseline after(networks);
  auto reader = core::ArchiveReader::from_file(path);
  if (!reader) stop(reader.error());
  after.load(*reader);
  if (auto done = reader->finish(); !done) stop(done.error());
  fmt::print("{} users, {} sources loaded in {:.2f} s\n", after.users(), after.sources(), seconds_since(start));
  std::fflush(stdout);
  std::_Exit(0);  // giving the memory back piece by piece is not what is measured
}

int main(int argc, char** argv) {
  const std::string verb = argc > 2 ? argv[1] : "";
  if (verb == "load") return load(argv[2]);
  if (verb != "save") {
    std::fprintf(stderr, "state_bench save FILE [users] [log-ins of each] | load FILE\n");
    return 2;
  }
  const std::string path = argv[2];
  const std::size_t users = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1'000'000;
  const int logins = argc > 4 ? std::atoi(argv[4]) : 20;
  const Networks networks;
  baseline::Baseline before(networks);
  {
    std::mt19937_64 random(1);
    std::vector<core::Symbol> names;
    names.reserve(users);
    for (std::size_t u = 0; u < users; ++u) names.push_back(core::intern(fmt::format("user.number.{}", u)));
    const core::Symbol gateways[] = {core::intern("fw1"), core::intern("fw2")};
    const core::Symbol agents[] = {core::intern("AnyConnect Windows 4.10.07061"), core::intern("AnyConnect iOS 5.1")};
    core::Nanoseconds time = 1'795'392'000 * core::kSecond;
    for (int round = 0; round < logins; ++round) {
      for (std::size_t u = 0; u < users; ++u, time += 50 * core::kMillisecond) {
        const std::uint64_t draw = random();
        const bool away = draw % 6 == 0;  // a second place, or one of many others
        const auto where = static_cast<std::uint32_t>(away ? (draw % 4 == 0 ? draw >> 20 : u + 77) : u);
        event::Event e;
        e.time = time;
        e.event_class = event::Class::kSession;
        e.activity = event::Activity::kStart;
        e.outcome = event::Outcome::kSuccess;
        e.service = event::Service::kVpn;
        e.auth_method = event::AuthMethod::kSaml;
        e.user = names[u];
        e.observer = gateways[draw % 2];
        e.user_agent = agents[away ? 1 : 0];
        e.source_ip = core::Ip::v4(0x05000000 + where * 61 % 0x40000000);
        e.source_facts = 1 + where % 1999;
        before.learn(e);
      }
    }
  }
  auto start = std::chrono::steady_clock::now();
  auto writer = core::ArchiveWriter::to_file(path);
  if (!writer) stop(writer.error());
  before.save(*writer);
  const double written = seconds_since(start);
  if (auto done = writer->finish(); !done) stop(done.error());
  const double saved = seconds_since(start);

  fmt::print(
      "{} users, {} sources: {:.0f} MB, {:.0f} bytes a user; saved in {:.2f} s ({:.2f} s until the disk has it)\n",
      before.users(), before.sources(), static_cast<double>(writer->size()) / 1e6,
      static_cast<double>(writer->size()) / static_cast<double>(before.users()), written, saved);
  std::fflush(stdout);
  std::_Exit(0);
}
