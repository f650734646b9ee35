// What lies behind the VPN of a simulated organisation, and what a session reaches there: an ordinary one by its user's
// habits, an intruder's by what he is after. Nothing here looks at what a detector looks at. Rates without a source in
// inside.cc are settings, chosen once (docs/evaluation.md, "What a session reaches").
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/time.h"
#include "evaluate/rng.h"
#include "evaluate/world.h"

namespace orbwatch::evaluate {

// What a session is for: its owner's work, or an intruder's manner.
enum class Purpose : std::uint8_t { kOwner, kSlip, kLook, kWork, kWeekly, kCollect };

// What an intruder's session reached, from the least to the most.
enum class Reached : std::uint8_t { kNotWritten, kNothing, kAsVictim, kLooksAround, kSweeps };
// As the truth has it: "" for kNotWritten, "nothing", "as-victim", "looks-around", "sweeps".
std::string_view name(Reached reached);

// The kinds of servers.
enum class ServerKind : std::uint8_t {
  kDomainController,  // DNS and log-in of the domain
  kSoftware,          // software distribution
  kAntivirus,         // its management
  kMail,
  kIntranet,
  kWiki,
  kTickets,
  kTelephony,
  kCode,  // code hosting
  kJumpHost,
  kFiles,
  kDatabase,
  kPrinter,
  kBackup,
  kVirtualisation,
  kDevice,       // switches, routers, controllers
  kApplication,  // of a department, or of everybody (time recording, travel expenses, ERP ...)
};
constexpr std::size_t kServerKinds = 17;

constexpr int kNever = 1 << 30;

struct Server {
  ServerKind kind = ServerKind::kApplication;
  std::uint16_t port = 443;       // of its service
  int department = -1;            // whose it is; -1: everybody's
  std::uint32_t address = 0;      // until `replaced_day`
  std::uint32_t replacement = 0;  // from then on
  int replaced_day = kNever;
  int from_day = 0;  // it is there from this day on

  std::uint32_t address_on(int day) const { return day >= replaced_day ? replacement : address; }
};

// One connection of a session.
struct Visit {
  std::uint32_t address = 0;
  std::uint16_t port = 0;
  bool udp = false;
  bool answered = true;       // false: nobody is there
  Nanoseconds at = 0;         // after the session's beginning
  Nanoseconds length = 0;     // ends at the session's end at the latest
  double weight = 0;          // its share of the session's bytes; 0: `bytes` instead
  std::uint32_t bytes = 200;  // both ways
};

// A session, as far as it matters here.
struct Occasion {
  std::size_t user = 0;
  int day = 0;
  Nanoseconds opened = 0;  // names the session: one that goes on from elsewhere reaches the same
  Nanoseconds length = 0;
  int os = 0;              // 0 Windows, 1 macOS, 2 Linux
  bool spare = false;      // the user's second computer
  bool on_a_trip = false;  // hotel, conference
  Purpose purpose = Purpose::kOwner;
};

// Not thread-safe.
class InsideNetwork {
 public:
  explicit InsideNetwork(const World& world);

  // The connections of a session, in no order; valid until the next call. Depends on the occasion and the world alone.
  struct Plan {
    std::span<const Visit> visits;
    Reached reached = Reached::kNotWritten;  // of intruders only
  };
  Plan plan(const Occasion& occasion);

  // Addresses of VPN clients are numbered: a user has eight. The first four are his, one for each of his sessions at a
  // time; the others are for whoever else uses his account, so that his do not depend on that.
  std::size_t lease(std::size_t user, Nanoseconds from, Nanoseconds until, bool owner);
  // The number of the address that a session of the owner's has at a moment; SIZE_MAX: he has none.
  std::size_t leased(std::size_t user, Nanoseconds at) const;

  // The computer at somebody's desk.
  std::uint32_t office_computer(std::size_t user, int day) const;

  std::span<const Server> servers() const { return servers_; }
  // A large one has several teams.
  int departments() const { return static_cast<int>(own_.size()); }

 private:
  enum class Role : std::uint8_t { kStaff, kAdministrator, kHelpDesk, kDeveloper, kShared, kContractor, kStudent };
  using Index = std::uint32_t;  // of a server
  struct Habit {
    Index server;
    double probability;  // in a session of a working day
  };
  struct Project {  // work that brings a destination for a while
    Index server;
    int from, to;  // days
    double probability;
  };
  struct Person {
    Role role = Role::kStaff;
    int department = 0;
    bool company_computer = true;  // a member of the domain
    bool company_spare = true;
    int starts = 0;  // day
    std::array<Index, 2> controllers{};
    Index software = 0, mail = 0, files = 0;
    double reads_mail = 0, reads_intranet = 0, uses_files = 0;
    double uses_office_computer = 0;  // 0: he does not
    double curiosity = 0;             // outings to something new, a session
    int new_desk_day = kNever;        // another office computer from then on
    std::vector<Habit> habits;
    std::vector<Project> projects;
  };
  struct Lease {
    std::size_t slot;
    Nanoseconds from, until;
  };

  // ---- making
  void build_servers(Rng& rng);
  void give_habits(const User& user, Person& person, Rng& rng) const;
  Index add(ServerKind kind, int department, Rng& rng);
  std::uint32_t free_address(ServerKind kind, Rng& rng);

  // ---- a session
  void owner_session(const Occasion& occasion, Rng& rng);
  void company_computer(const Occasion& occasion, const Person& person, Rng& rng);
  void outing(const Occasion& occasion, const Person& person, Rng& rng);
  void role_work(const Occasion& occasion, const Person& person, double engaged, Rng& rng);
  Reached intruder_session(const Occasion& occasion, Rng& rng);
  void discover_domain(const Occasion& occasion, const Person& victim, Rng& rng);
  void reach(const Occasion& occasion, Index server, Rng& rng);
  void look_up(const Occasion& occasion, const Person& person, Rng& rng);
  void connect(const Occasion& occasion, std::uint32_t address, std::uint16_t port, Nanoseconds at, double mean_seconds,
               double weight, Rng& rng);
  void unanswered(const Occasion& occasion, std::uint32_t address, std::uint16_t port, Nanoseconds at);
  Nanoseconds some_time(const Occasion& occasion, Rng& rng) const;

  Index any(ServerKind kind, Rng& rng) const;
  Index any_server(int day, Rng& rng) const;
  std::uint32_t test_machine(int department, std::uint64_t number, int day) const;

  std::uint64_t seed_;
  int days_;
  std::size_t users_;
  std::vector<Server> servers_;
  std::array<std::vector<Index>, kServerKinds> of_kind_;
  std::vector<std::vector<Index>> own_;  // applications by department
  std::vector<Index> common_;            // applications of everybody
  std::vector<Person> people_;
  std::vector<std::vector<Lease>> leases_;
  std::vector<std::uint8_t> taken_;  // of 10.1.0.0/16: one byte an address
  std::vector<Visit> visits_;
};

}  // namespace orbwatch::evaluate
