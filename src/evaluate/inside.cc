// How an organisation lies behind its VPN, what people do there by habit, and what intruders do.
//
// What has a source: that operators with valid accounts look at the domain first and then reach domain controllers and
// servers by RDP and SMB, with the system's own tools and little traffic, and that a part of them does nothing that the
// account's owner could not do (CISA AA24-038A, Volt Typhoon, 7 February 2024; CISA AA25-239A, 27 August 2025). Those
// advisories give the order of magnitude, no shares. All rates below are settings.
#include "evaluate/inside.h"

#include <algorithm>

#include "evaluate/simulator.h"

namespace orbwatch::evaluate {
namespace {

constexpr std::uint32_t kServers = 10U << 24 | 1U << 16;  // 10.1.0.0/16
constexpr std::uint32_t kTestMachines = 10U << 24 | 2U << 16;
constexpr double kReplacedAWeek = 0.01;  // of servers: another machine at another address
constexpr std::size_t kOfTeam = 7;       // applications of a department's team, at most
constexpr int kStartersWeeks = 3;        // in which everything is new

constexpr std::uint32_t subnet_of(ServerKind kind) { return static_cast<std::uint32_t>(kind) * 12 + 2; }

std::uint16_t port_of(ServerKind kind, Rng& rng) {
  switch (kind) {
    case ServerKind::kDomainController:
    case ServerKind::kFiles: return 445;
    case ServerKind::kAntivirus: return 8080;
    case ServerKind::kTelephony: return 5061;
    case ServerKind::kJumpHost: return 3389;
    case ServerKind::kPrinter: return 9100;
    case ServerKind::kDevice: return 22;
    case ServerKind::kSoftware: return rng.chance(0.5) ? 8530 : 443;
    case ServerKind::kDatabase: return rng.chance(0.6) ? 1433 : 5432;
    case ServerKind::kApplication: {
      constexpr std::array<std::uint16_t, 3> kOthers = {8443, 8080, 3200};
      return rng.chance(0.8) ? 443 : rng.pick(kOthers);
    }
    case ServerKind::kMail:
    case ServerKind::kIntranet:
    case ServerKind::kWiki:
    case ServerKind::kTickets:
    case ServerKind::kCode:
    case ServerKind::kBackup:
    case ServerKind::kVirtualisation: break;
  }
  return 443;
}

// How much of what somebody does in a day fits into a session: all from an hour and a half on, little in some minutes.
double engagement(const Occasion& o) {
  constexpr auto kFull = static_cast<double>(90 * kMinute);
  const double part = std::min(1.0, static_cast<double>(o.length) / kFull);
  return (1 - (1 - part) * (1 - part)) * (o.on_a_trip ? 0.6 : 1);
}

}  // namespace

std::string_view name(Reached reached) {
  switch (reached) {
    case Reached::kNotWritten: break;
    case Reached::kNothing: return "nothing";
    case Reached::kAsVictim: return "as-victim";
    case Reached::kLooksAround: return "looks-around";
    case Reached::kSweeps: return "sweeps";
  }
  return "";
}

// ---- making
// -------------------------------------------------------------------------------------------------------------------

InsideNetwork::InsideNetwork(const World& world)
    : seed_(world.seed), days_(world.days), users_(world.users.size()), leases_(world.users.size()), taken_(65536) {
  Rng rng(seed_, {kInsideNetwork});
  build_servers(rng);
  people_.resize(users_);
  const bool office = world.sector == Sector::kOffice;
  for (std::size_t u = 0; u < users_; ++u) {
    const User& user = world.users[u];
    Rng own(seed_, {kInsidePerson, u});
    Person& person = people_[u];
    const double role = own.uniform();
    const double computer = own.uniform();
    person.role = !user.sharers.empty()                  ? Role::kShared
                  : user.contractor                      ? Role::kContractor
                  : user.student                         ? Role::kStudent
                  : user.admin                           ? Role::kAdministrator
                  : role < 0.02                          ? Role::kHelpDesk
                  : role < 0.02 + (office ? 0.10 : 0.02) ? Role::kDeveloper
                                                         : Role::kStaff;
    // Private computers: most of contractors and students, some of the others.
    const double of_company = person.role == Role::kContractor ? 0.1 : person.role == Role::kStudent ? 0.2 : 0.85;
    person.company_computer = computer < of_company;
    person.company_spare = person.company_computer && own.chance(0.5);
    person.starts = user.hired_day;
    give_habits(user, person, own);
  }
}

std::uint32_t InsideNetwork::free_address(ServerKind kind, Rng& rng) {
  // Ten to 239 of the kind's first network, then of the next.
  for (std::uint32_t net = subnet_of(kind);; net = (net + 1) & 255) {
    for (int tries = 0; tries < 40; ++tries) {
      const std::uint32_t at = net << 8 | static_cast<std::uint32_t>(10 + rng.below(230));
      if (taken_[at] != 0) continue;
      taken_[at] = 1;
      return kServers | at;
    }
  }
}

InsideNetwork::Index InsideNetwork::add(ServerKind kind, int department, Rng& rng) {
  Server server;
  server.kind = kind;
  server.port = port_of(kind, rng);
  server.department = department;
  server.address = free_address(kind, rng);
  if (rng.chance(kReplacedAWeek * days_ / 7)) {
    server.replaced_day = rng.between(1, std::max(1, days_ - 1));
    server.replacement = free_address(kind, rng);
  }
  const auto index = static_cast<Index>(servers_.size());
  servers_.push_back(server);
  of_kind_[static_cast<std::size_t>(kind)].push_back(index);
  if (kind == ServerKind::kApplication) {
    (department < 0 ? common_ : own_[static_cast<std::size_t>(department)]).push_back(index);
  }
  return index;
}

void InsideNetwork::build_servers(Rng& rng) {
  own_.resize(static_cast<std::size_t>(rng.between(6, 12)));
  const int total = 30 + static_cast<int>(users_ / 10);
  const auto put = [&](ServerKind kind, int count) {
    for (int i = 0; i < count; ++i) add(kind, -1, rng);
  };
  put(ServerKind::kDomainController, rng.between(2, 4));
  put(ServerKind::kSoftware, 1 + total / 60);
  put(ServerKind::kAntivirus, 1);
  put(ServerKind::kMail, 2);
  put(ServerKind::kIntranet, 1);
  put(ServerKind::kWiki, 1);
  put(ServerKind::kTickets, 1);
  put(ServerKind::kTelephony, 1 + total / 100);
  put(ServerKind::kCode, 1);
  put(ServerKind::kJumpHost, 2 + total / 80);
  put(ServerKind::kFiles, departments() / 2 + total / 25);
  put(ServerKind::kDatabase, 1 + total / 15);
  put(ServerKind::kPrinter, 1 + total / 12);
  put(ServerKind::kBackup, 1 + total / 100);
  put(ServerKind::kVirtualisation, 2 + total / 40);
  put(ServerKind::kDevice, 4 + total / 12);
  put(ServerKind::kApplication, 3);
  // The rest serves departments, at least two applications each.
  int rest = std::max(total - static_cast<int>(servers_.size()), 2 * departments());
  for (int i = 0; rest > 0; ++i, --rest) {
    add(ServerKind::kApplication, i < 2 * departments() ? i % departments() : rng.between(0, departments() - 1), rng);
  }
  // One of those that everybody uses moves in three of four worlds of 45 days, besides the share of all.
  constexpr std::array<ServerKind, 7> kCentral = {
      ServerKind::kDomainController, ServerKind::kSoftware, ServerKind::kAntivirus, ServerKind::kMail,
      ServerKind::kIntranet,         ServerKind::kWiki,     ServerKind::kTickets};
  const bool moves = rng.chance(std::min(0.95, days_ / 60.0));
  Server& central = servers_[any(rng.pick(kCentral), rng)];
  const int day = rng.between(1, std::max(1, days_ - 1));
  if (moves && central.replaced_day == kNever) {
    central.replaced_day = day;
    central.replacement = free_address(central.kind, rng);
  }
  // New applications: for everybody one in two months, for a department one a month.
  for (int i = rng.poisson(days_ / 60.0); i > 0; --i) {
    Server& server = servers_[add(ServerKind::kApplication, -1, rng)];
    server.from_day = rng.between(1, std::max(1, days_ - 1));
  }
  for (int i = rng.poisson(days_ / 30.0); i > 0; --i) {
    const int department = rng.between(0, departments() - 1);
    Server& server = servers_[add(ServerKind::kApplication, department, rng)];
    server.from_day = rng.between(1, std::max(1, days_ - 1));
  }
}

void InsideNetwork::give_habits(const User& user, Person& person, Rng& rng) const {
  // Departments differ in size.
  const double where = rng.uniform();
  person.department = static_cast<int>(where * where * departments());
  // A large department has teams, each with its own part of the applications.
  const std::vector<Index>& all = own_[static_cast<std::size_t>(person.department)];
  const std::size_t teams = (all.size() + kOfTeam - 1) / kOfTeam;
  const std::size_t team = rng.below(teams);
  std::vector<Index> own;
  for (std::size_t i = team; i < all.size(); i += teams) own.push_back(all[i]);
  const auto one_of = [&](const std::vector<Index>& from) { return from[rng.below(from.size())]; };
  const auto habit = [&](Index server, double probability) { person.habits.push_back({server, probability}); };
  const auto habit_of = [&](Index server, double least, double spread) {
    habit(server, least + spread * rng.uniform());
  };
  const std::vector<Index>& controllers = of_kind_[static_cast<std::size_t>(ServerKind::kDomainController)];
  person.controllers[0] = one_of(controllers);
  person.controllers[1] = one_of(controllers);
  person.software = any(ServerKind::kSoftware, rng);
  person.mail = any(ServerKind::kMail, rng);
  // A team's file server, the same for all of it.
  const std::vector<Index>& files = of_kind_[static_cast<std::size_t>(ServerKind::kFiles)];
  person.files = files[(static_cast<std::size_t>(person.department) + team * own_.size()) % files.size()];
  person.reads_mail = 0.75 + 0.25 * rng.uniform();
  person.reads_intranet = rng.uniform();
  person.uses_files = rng.chance(0.85) ? 0.3 + 0.65 * rng.uniform() : 0.05;
  // An office computer gets another address when it is replaced or its owner moves: once in five years.
  if (rng.chance(0.2 * days_ / 365)) person.new_desk_day = rng.between(1, std::max(1, days_ - 1));
  if (person.role == Role::kContractor) {
    // What they were called for.
    person.reads_mail = person.reads_intranet = person.uses_files = 0;
    habit_of(rng.chance(0.5) ? any(ServerKind::kJumpHost, rng) : one_of(own), 0.7, 0.3);
    for (int more = rng.between(0, 2); more > 0; --more) {
      const double which = rng.uniform();
      const Index server = which < 0.5 ? one_of(own) : any(which < 0.7 ? ServerKind::kCode : ServerKind::kTickets, rng);
      habit_of(server, 0.2, 0.6);
    }
    return;
  }
  if (person.role == Role::kShared) {
    person.reads_mail = 0.3;
    person.reads_intranet = 0.3;
    person.uses_files = 0.1;
    habit(own[0], 0.95);
    habit(own[1], 0.6);
    return;
  }
  // Outings to something new: three of ten people make none; of the others few make many (mean one in 20 sessions).
  const bool curious = rng.chance(0.7);
  const double eager = rng.exponential(1);
  if (curious) person.curiosity = std::min(1.0, 0.05 / 0.7 * eager * eager / 2);
  if (person.role == Role::kStudent) {
    person.uses_files *= 0.5;
    habit(one_of(common_), 0.4);
    habit_of(own[0], 0.3, 0.4);
    return;
  }
  // Some work on the computer at their desk; who comes with his own computer mostly does, or at a terminal server.
  const double desk = rng.uniform();
  const double uses_desk = 0.4 + 0.55 * rng.uniform();
  if (desk < (person.company_computer ? 0.18 : 0.6)) {
    person.uses_office_computer = uses_desk;
  } else if (!person.company_computer && desk < 0.85) {
    habit(any(ServerKind::kJumpHost, rng), uses_desk);
  }
  // A habit is kept up at least once in seven whole days; what is rarer is an outing.
  constexpr double kSeldom = 0.15;
  // What everybody has: used by some daily and by others seldom.
  for (const Index server : common_) {
    const double much = rng.uniform();
    if (rng.chance(0.45)) habit(server, kSeldom + 0.5 * much * much);
  }
  for (const ServerKind kind : {ServerKind::kWiki, ServerKind::kTickets, ServerKind::kTelephony}) {
    const double much = rng.uniform();
    const Index server = any(kind, rng);
    if (rng.chance(0.45)) habit(server, kSeldom + (kind == ServerKind::kTelephony ? 0.8 : 0.4) * much * much);
  }
  // The department's: one is what he works with, the others differ from seldom to daily.
  const std::size_t main = rng.below(own.size());
  for (std::size_t i = 0; i < own.size(); ++i) {
    const double much = rng.uniform();
    const bool knows = rng.chance(0.6);
    if (i == main) {
      habit(own[i], 0.6 + 0.4 * much);
    } else if (knows) {
      habit(own[i], kSeldom + 0.8 * much * much);
    }
  }
  // A share or an application of another department, now and then.
  if (rng.chance(0.2)) habit_of(any(ServerKind::kFiles, rng), kSeldom, 0.2);
  if (rng.chance(0.2)) habit_of(any(ServerKind::kApplication, rng), kSeldom, 0.2);
  if (rng.chance(0.1)) habit_of(any(ServerKind::kPrinter, rng), kSeldom, 0.1);
  switch (person.role) {
    case Role::kDeveloper:
      habit_of(any(ServerKind::kCode, rng), 0.6, 0.4);
      habit_of(any(ServerKind::kDatabase, rng), 0, 0.4);
      break;
    case Role::kHelpDesk:
      habit(any(ServerKind::kTickets, rng), 0.95);
      habit(any(ServerKind::kJumpHost, rng), 0.5);
      break;
    case Role::kAdministrator:
      habit_of(any(ServerKind::kJumpHost, rng), 0.3, 0.6);
      habit_of(any(ServerKind::kVirtualisation, rng), 0.2, 0.6);
      habit_of(any(ServerKind::kBackup, rng), 0.1, 0.4);
      break;
    case Role::kStaff:
    case Role::kShared:
    case Role::kContractor:
    case Role::kStudent: break;
  }
  // Projects bring one or two destinations for some weeks: one in three months.
  for (int i = rng.poisson(days_ / 90.0); i > 0; --i) {
    Project project;
    project.from = rng.between(0, std::max(0, days_ - 1));
    project.to = project.from + rng.between(5, 40);
    project.probability = 0.3 + 0.5 * rng.uniform();
    for (int more = rng.chance(0.4) ? 2 : 1; more > 0; --more) {
      project.server = any(rng.chance(0.7) ? ServerKind::kApplication : ServerKind::kFiles, rng);
      person.projects.push_back(project);
    }
  }
  // Who is on the road has no desk.
  if (user.shift == Shift::kField) person.uses_office_computer = 0;
}

InsideNetwork::Index InsideNetwork::any(ServerKind kind, Rng& rng) const {
  const std::vector<Index>& from = of_kind_[static_cast<std::size_t>(kind)];
  return from[rng.below(from.size())];
}

InsideNetwork::Index InsideNetwork::any_server(int day, Rng& rng) const {
  for (int tries = 0; tries < 20; ++tries) {
    const auto index = static_cast<Index>(rng.below(servers_.size()));
    if (servers_[index].from_day <= day) return index;
  }
  return 0;
}

std::uint32_t InsideNetwork::office_computer(std::size_t user, int day) const {
  const auto u = static_cast<std::uint32_t>(user);
  const std::uint32_t net = (day >= people_[user].new_desk_day ? 9 : 5) + u / 62500;
  return 10U << 24 | net << 16 | (u / 250 % 250) << 8 | (u % 250 + 1);
}

// A department has 24 of them at a time; each is made anew, elsewhere, every three to 40 days.
std::uint32_t InsideNetwork::test_machine(int department, std::uint64_t number, int day) const {
  const std::uint64_t key = mix(mix(seed_, static_cast<std::uint64_t>(department)), number);
  const std::uint64_t life = 3 + key % 38;
  const std::uint64_t turn = (static_cast<std::uint64_t>(day) + (key >> 32) % life) / life;
  const std::uint64_t at = mix(key, turn);
  return kTestMachines | static_cast<std::uint32_t>(department) << 8 | static_cast<std::uint32_t>(10 + at % 230);
}

std::size_t InsideNetwork::lease(std::size_t user, Nanoseconds from, Nanoseconds until, bool owner) {
  constexpr std::size_t kSlots = 4;
  std::vector<Lease>& held = leases_[user];
  // Sessions of a user come nearly in order.
  std::erase_if(held, [&](const Lease& l) { return l.until < from - 3 * kDay; });
  const std::size_t base = owner ? 0 : kSlots;
  const std::size_t wish = mix(static_cast<std::uint64_t>(from / kSecond), user) % kSlots;
  std::size_t slot = base + wish;
  for (std::size_t i = 0; i < kSlots; ++i) {
    const std::size_t other = base + (wish + i) % kSlots;
    if (std::ranges::none_of(held,
                             [&](const Lease& l) { return l.slot == other && l.from < until && l.until > from; })) {
      slot = other;
      break;
    }
  }
  held.push_back({slot, from, until});
  return user * 2 * kSlots + slot;
}

std::size_t InsideNetwork::leased(std::size_t user, Nanoseconds at) const {
  for (const Lease& l : leases_[user]) {
    if (l.slot < 4 && l.from <= at && at < l.until) return user * 8 + l.slot;
  }
  return SIZE_MAX;
}

// ---- a session
// -------------------------------------------------------------------------------------------------------------------

void InsideNetwork::connect(const Occasion& o, std::uint32_t address, std::uint16_t port, Nanoseconds at,
                            double mean_seconds, double weight, Rng& rng) {
  Visit visit;
  visit.address = address;
  visit.port = port;
  visit.at = std::clamp<Nanoseconds>(at, 0, std::max<Nanoseconds>(o.length - kSecond, 0));
  const double seconds = rng.exponential(mean_seconds);
  visit.length = std::min(static_cast<Nanoseconds>(seconds * 1000) * kMillisecond, o.length - visit.at);
  visit.weight = weight * (0.2 + rng.exponential(1));
  visit.bytes = static_cast<std::uint32_t>(600 + rng.below(6000));
  visits_.push_back(visit);
}

void InsideNetwork::unanswered(const Occasion& o, std::uint32_t address, std::uint16_t port, Nanoseconds at) {
  Visit visit;
  visit.address = address;
  visit.port = port;
  visit.answered = false;
  visit.at = std::clamp<Nanoseconds>(at, 0, std::max<Nanoseconds>(o.length - kSecond, 0));
  visit.length = std::min(30 * kSecond, o.length - visit.at);
  visit.bytes = 0;
  visits_.push_back(visit);
}

// After the computer's own connections, up to the end.
Nanoseconds InsideNetwork::some_time(const Occasion& o, Rng& rng) const {
  const Nanoseconds from = std::min<Nanoseconds>(kMinute, o.length / 4);
  return from + static_cast<Nanoseconds>(rng.uniform() * static_cast<double>(o.length - from));
}

void InsideNetwork::look_up(const Occasion& o, const Person& person, Rng& rng) {
  const std::uint32_t server = servers_[person.controllers[0]].address_on(o.day);
  // At once, and at times once more.
  for (int i = rng.chance(0.4) ? 2 : 1; i > 0; --i) {
    Visit visit;
    visit.address = server;
    visit.port = 53;
    visit.udp = true;
    const std::uint64_t within = i == 1 ? 4'000 : 110'000;  // ms
    visit.at = std::min<Nanoseconds>(static_cast<Nanoseconds>(rng.below(within)) * kMillisecond, o.length / 2);
    visit.bytes = static_cast<std::uint32_t>(150 + rng.below(400));
    visits_.push_back(visit);
  }
}

// What a member of the domain does by itself within two minutes.
void InsideNetwork::company_computer(const Occasion& o, const Person& person, Rng& rng) {
  const bool windows = o.os == 0;
  const auto soon = [&] {
    return std::min<Nanoseconds>(static_cast<Nanoseconds>(1000 + rng.below(110'000)) * kMillisecond, o.length / 2);
  };
  look_up(o, person, rng);
  // Mostly the nearest domain controller, else another.
  const bool nearest = rng.chance(0.9);
  const std::uint32_t controller = servers_[person.controllers[nearest ? 0 : 1]].address_on(o.day);
  const auto service = [&](std::uint32_t address, std::uint16_t port, double probability, double seconds,
                           double weight) {
    if (!rng.chance(probability)) return;
    const Nanoseconds at = soon();
    connect(o, address, port, at, seconds, weight, rng);
  };
  service(controller, 88, windows ? 0.9 : 0.3, 0.4, 0);
  service(controller, 389, windows ? 0.9 : 0.25, 40, 0);
  service(controller, 445, windows ? 0.75 : 0.1, 90, 0);
  const Server& software = servers_[person.software];
  const Server& antivirus = servers_[of_kind_[static_cast<std::size_t>(ServerKind::kAntivirus)][0]];
  service(software.address_on(o.day), software.port, windows ? 0.7 : 0.3, 60, 0.5);
  service(antivirus.address_on(o.day), antivirus.port, windows ? 0.85 : 0.5, 20, 0.05);
}

// Somebody uses a server as it is meant to be used.
void InsideNetwork::reach(const Occasion& o, Index index, Rng& rng) {
  const Server& server = servers_[index];
  if (server.from_day > o.day) return;
  struct Use {
    int most;        // connections
    double seconds;  // mean
    double weight;
  };
  const Use use = [&]() -> Use {
    switch (server.kind) {
      case ServerKind::kMail: return {3, 900, 1.5};
      case ServerKind::kFiles: return {2, 1800, 4};
      case ServerKind::kJumpHost: return {1, 4000, 5};
      case ServerKind::kTelephony: return {1, 3000, 1};
      case ServerKind::kDatabase: return {1, 900, 1};
      case ServerKind::kPrinter: return {1, 10, 0.3};
      case ServerKind::kCode: return {2, 40, 1};
      case ServerKind::kDevice:
      case ServerKind::kBackup:
      case ServerKind::kVirtualisation: return {1, 500, 0.2};
      case ServerKind::kDomainController:
      case ServerKind::kSoftware:
      case ServerKind::kAntivirus: return {1, 60, 0.1};
      case ServerKind::kIntranet:
      case ServerKind::kWiki:
      case ServerKind::kTickets:
      case ServerKind::kApplication: break;
    }
    return {2, 150, 0.5};
  }();
  const std::uint32_t address = server.address_on(o.day);
  for (int i = rng.between(1, use.most); i > 0; --i) {
    const Nanoseconds at = some_time(o, rng);
    connect(o, address, server.port, at, use.seconds, use.weight, rng);
  }
}

// Something that he has, in all likelihood, never used: mostly one thing, at times a search through several.
void InsideNetwork::outing(const Occasion& o, const Person& person, Rng& rng) {
  const double how = rng.uniform();
  for (int i = how < 0.75 ? 1 : how < 0.9 ? 2 : rng.between(3, 5); i > 0; --i) {
    const double what = rng.uniform();
    if (what < 0.2) {
      // A colleague's computer: a share, or the screen.
      std::size_t colleague = rng.below(users_);
      for (int tries = 0; tries < 5 && people_[colleague].department != person.department; ++tries)
        colleague = rng.below(users_);
      const bool share = rng.chance(0.6);
      const Nanoseconds at = some_time(o, rng);
      connect(o, office_computer(colleague, o.day), share ? 445 : 3389, at, 300, 1, rng);
    } else if (what < 0.45) {
      reach(o, any(ServerKind::kFiles, rng), rng);
    } else if (what < 0.85) {
      reach(o, any(ServerKind::kApplication, rng), rng);
    } else {
      reach(o, any_server(o.day, rng), rng);
    }
  }
}

// Those whose work is to reach what others do not, and ever different hosts.
void InsideNetwork::role_work(const Occasion& o, const Person& person, double engaged, Rng& rng) {
  switch (person.role) {
    case Role::kHelpDesk:
      for (int i = 1 + rng.poisson(5 * engaged); i > 0; --i) {
        const std::size_t whose = rng.below(users_);
        const double how = rng.uniform();
        const Nanoseconds at = some_time(o, rng);
        connect(o, office_computer(whose, o.day), how < 0.5 ? 3389 : how < 0.7 ? 445 : 5985, at, 600, 1, rng);
      }
      return;
    case Role::kDeveloper:
      for (int i = rng.poisson(2.2 * engaged); i > 0; --i) {
        const std::uint64_t which = rng.below(24);
        const double how = rng.uniform();
        const Nanoseconds at = some_time(o, rng);
        connect(o, test_machine(person.department, which, o.day),
                how < 0.5   ? 22
                : how < 0.8 ? 443
                            : 8080,
                at, 900, 1, rng);
      }
      return;
    case Role::kAdministrator:
      for (int i = 1 + rng.poisson(4 * engaged); i > 0; --i) {
        constexpr std::array<ServerKind, 4> kOften = {ServerKind::kDevice, ServerKind::kDevice,
                                                      ServerKind::kVirtualisation, ServerKind::kBackup};
        const bool device = rng.chance(0.6);
        const Index index = device ? any(rng.pick(kOften), rng) : any_server(o.day, rng);
        const double how = rng.uniform();
        const Nanoseconds at = some_time(o, rng);
        const std::uint16_t port = how < 0.45 ? 22 : how < 0.75 ? 443 : 3389;
        connect(o, servers_[index].address_on(o.day), port, at, 700, 0.5, rng);
      }
      return;
    case Role::kStaff:
    case Role::kShared:
    case Role::kContractor:
    case Role::kStudent: return;
  }
}

void InsideNetwork::owner_session(const Occasion& o, Rng& rng) {
  const Person& person = people_[o.user];
  double engaged = engagement(o);
  const bool company = o.spare ? person.company_spare : person.company_computer;
  const double mood = 0.6 + 0.6 * rng.uniform();
  if (company) {
    company_computer(o, person, rng);
  } else if (rng.chance(0.85)) {
    look_up(o, person, rng);
  }
  const std::size_t by_itself = visits_.size();
  if (rng.chance(person.reads_mail * (0.5 + 0.5 * engaged))) reach(o, person.mail, rng);
  if (rng.chance(person.uses_office_computer * (0.4 + 0.6 * engaged))) {
    const Nanoseconds at = std::min<Nanoseconds>(some_time(o, rng), 10 * kMinute);
    connect(o, office_computer(o.user, o.day), 3389, at, 8000, 6, rng);
    engaged *= 0.35;  // he does the rest there
  }
  const double does = engaged * mood * (company || person.role == Role::kContractor ? 1 : 0.5);
  if (rng.chance(person.reads_intranet * does))
    reach(o, of_kind_[static_cast<std::size_t>(ServerKind::kIntranet)][0], rng);
  if (rng.chance(person.uses_files * does)) reach(o, person.files, rng);
  // An account of few uses is used for them, however short the time.
  const bool few = person.role == Role::kContractor || person.role == Role::kShared;
  for (const Habit& habit : person.habits) {
    if (rng.chance(habit.probability * (few ? 0.5 + 0.5 * engaged : does))) reach(o, habit.server, rng);
  }
  for (const Project& project : person.projects) {
    if (o.day >= project.from && o.day < project.to && rng.chance(project.probability * does))
      reach(o, project.server, rng);
  }
  role_work(o, person, engaged, rng);
  const bool fresh = person.starts > 0 && o.day < person.starts + 7 * kStartersWeeks;
  if (rng.chance(person.curiosity * engaged * (fresh ? 4 : 1))) outing(o, person, rng);
  // Nobody connects for nothing, but somebody may be called away within minutes.
  if (visits_.size() == by_itself && rng.chance(0.8)) {
    if (person.role == Role::kContractor || person.role == Role::kShared) {
      reach(o, person.habits[0].server, rng);
    } else {
      reach(o, person.mail, rng);
    }
  }
}

// Who is in the domain, which computers, which shares: with the system's own tools.
void InsideNetwork::discover_domain(const Occasion& o, const Person& victim, Rng& rng) {
  for (const Index index : {victim.controllers[0], any(ServerKind::kDomainController, rng)}) {
    const std::uint32_t address = servers_[index].address_on(o.day);
    for (const std::uint16_t port : {std::uint16_t{389}, std::uint16_t{445}, std::uint16_t{88}}) {
      if (!rng.chance(0.75)) continue;
      const Nanoseconds at = some_time(o, rng);
      connect(o, address, port, at, port == 88 ? 0.4 : 60, 0.05, rng);
    }
  }
}

// His computer is in no domain: no software distribution, no antivirus. The VPN gives it a name server.
Reached InsideNetwork::intruder_session(const Occasion& o, Rng& rng) {
  const Person& victim = people_[o.user];
  constexpr std::array<std::uint16_t, 4> kDoors = {445, 443, 3389, 22};
  // A careful one does nothing that the account's owner does not do, as far as he can know.
  const bool careful = rng.chance(0.2);
  const double way = rng.uniform();
  if (rng.chance(o.purpose == Purpose::kSlip ? 0.5 : 0.9)) look_up(o, victim, rng);
  if (o.purpose == Purpose::kSlip) return Reached::kNothing;  // he is gone before he begins
  const Index intranet = of_kind_[static_cast<std::size_t>(ServerKind::kIntranet)][0];
  const auto as_victim = [&] {
    const std::size_t before = visits_.size();
    if (rng.chance(0.7)) reach(o, victim.mail, rng);
    if (rng.chance(0.4)) reach(o, intranet, rng);
    if (rng.chance(0.7) || visits_.size() == before) reach(o, victim.files, rng);
    return Reached::kAsVictim;
  };
  const auto try_door = [&](Index index) {
    const std::uint16_t port = rng.chance(0.3) ? servers_[index].port : rng.pick(kDoors);
    const Nanoseconds at = some_time(o, rng);
    connect(o, servers_[index].address_on(o.day), port, at, 200, 0.3, rng);
  };
  switch (o.purpose) {
    case Purpose::kOwner:
    case Purpose::kSlip: return Reached::kNothing;
    case Purpose::kLook: {
      if (way < 0.5) {
        if (!rng.chance(0.3)) return Reached::kNothing;
        const Nanoseconds at = some_time(o, rng);
        connect(o, servers_[victim.controllers[0]].address_on(o.day), 389, at, 5, 0, rng);
        return Reached::kNothing;
      }
      if (careful) return as_victim();
      const bool mail = rng.chance(0.6);
      reach(o, mail ? victim.mail : intranet, rng);
      Reached reached = Reached::kAsVictim;
      for (int i = rng.between(1, 2); i > 0; --i) {
        const Index files = rng.chance(0.4) ? victim.files : any(ServerKind::kFiles, rng);
        if (files != victim.files) reached = Reached::kLooksAround;
        reach(o, files, rng);
      }
      return reached;
    }
    case Purpose::kWork:
      if (careful || way < 1.0 / 3) return as_victim();
      discover_domain(o, victim, rng);
      for (int i = rng.between(2, 8); i > 0; --i) try_door(any_server(o.day, rng));
      return Reached::kLooksAround;
    case Purpose::kWeekly:
      if (careful || way < 2.0 / 3) return as_victim();
      for (int i = rng.between(1, 3); i > 0; --i) try_door(any_server(o.day, rng));
      return Reached::kLooksAround;
    case Purpose::kCollect: break;
  }
  if (careful || way < 1.0 / 6) {
    reach(o, victim.files, rng);
    if (rng.chance(0.7)) reach(o, victim.mail, rng);
    return Reached::kAsVictim;
  }
  discover_domain(o, victim, rng);
  constexpr std::array<std::uint16_t, 6> kSwept = {445, 3389, 22, 443, 5985, 1433};
  const double wide = rng.uniform();
  const int hosts = 6 + static_cast<int>(34 * wide * wide);
  for (int i = 0; i < hosts; ++i) {
    const Index index = any_server(o.day, rng);
    const std::uint32_t address = servers_[index].address_on(o.day);
    const std::uint16_t port = rng.pick(kSwept);
    const bool beside = rng.chance(0.35);
    const auto host = static_cast<std::uint32_t>(1 + rng.below(254));
    const Nanoseconds at = some_time(o, rng);
    const std::uint32_t other = (address & ~255U) | host;
    if (beside && taken_[other & 65535] == 0) {
      unanswered(o, other, port, at);
    } else {
      connect(o, address, port, at, 15, 0.05, rng);
    }
  }
  // Then he takes what he came for.
  for (int i = rng.between(1, 2); i > 0; --i) {
    const double what = rng.uniform();
    const Index from = what < 0.6   ? any(ServerKind::kFiles, rng)
                       : what < 0.8 ? any(ServerKind::kBackup, rng)
                                    : any(ServerKind::kVirtualisation, rng);
    const Nanoseconds at = o.length / 4 + some_time(o, rng) / 4;
    connect(o, servers_[from].address_on(o.day), servers_[from].port, at, 4000, 12, rng);
  }
  return Reached::kSweeps;
}

InsideNetwork::Plan InsideNetwork::plan(const Occasion& o) {
  visits_.clear();
  const auto second = static_cast<std::uint64_t>(o.opened / kSecond);
  if (o.purpose == Purpose::kOwner) {
    Rng rng(seed_, {kInsideSession, o.user, second});
    owner_session(o, rng);
    return {visits_, Reached::kNotWritten};
  }
  Rng rng(seed_, {kInsideIntruder, o.user, second});
  const Reached reached = intruder_session(o, rng);
  return {visits_, reached};
}

}  // namespace orbwatch::evaluate
