#include "source/relp.h"

#include <dirent.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "source/collector_test_util.h"
#include "source/source_test_util.h"
#include "source/tls_test_util.h"

namespace orbwatch::source {
namespace {

using test::connect_to;
using test::eventually;
using test::MemoryIntake;
using test::Said;
using test::send_all;

std::string frame(std::uint64_t number, const std::string& command, const std::string& data) {
  std::string out = std::to_string(number) + " " + command + " " + std::to_string(data.size());
  if (!data.empty()) out += " " + data;
  return out + "\n";
}
std::string syslog(std::uint64_t number, const std::string& message) { return frame(number, "syslog", message); }
std::string ok(std::uint64_t number) { return frame(number, "rsp", "200 OK"); }

const std::string kOffers = "relp_version=0\nrelp_software=test,1,\ncommands=syslog";
const std::string kOpen = frame(1, "open", kOffers);
const std::string kAccepted =
    frame(1, "rsp", "200 OK\nrelp_version=0\nrelp_software=orbwatch," ORBWATCH_VERSION "\ncommands=syslog");
const std::string kFarewell = "0 serverclose 0\n";

// --- the frames

struct Cut {
  std::string records;
  std::string answers;
  CutCounts counts;
  bool open = true;
};

Cut cut(const std::string& stream, std::size_t piece = std::string::npos, std::size_t longest = 1000) {
  RelpCutter cutter(longest);
  Cut out;
  for (std::size_t at = 0; at < stream.size() && out.open; at += std::min(piece, stream.size())) {
    out.open = cutter.feed(stream.substr(at, piece), out.records);
    cutter.answer(out.answers);
  }
  cutter.finish(out.records);
  out.counts = cutter.counts();
  return out;
}

TEST(RelpCutter, GivesMessagesAndAnswersThemInTheirOrder) {
  const std::string stream =
      kOpen + syslog(2, "<13>one") + syslog(3, "<13>two\nlines\r\n") + syslog(4, "") + frame(5, "close", "");
  for (const std::size_t piece : {std::string::npos, std::size_t{1}, std::size_t{7}}) {
    const Cut told = cut(stream, piece);
    EXPECT_EQ(told.records, "<13>one\n<13>two lines\n");
    EXPECT_EQ(told.answers, kAccepted + ok(2) + ok(3) + ok(4) + "5 rsp 0\n");
    EXPECT_EQ(told.counts, (CutCounts{.records = 2, .empty = 1}));
    EXPECT_FALSE(told.open) << "close is the end";
  }
}

TEST(RelpCutter, CutsOffLongMessagesWithoutKeepingThem) {
  const Cut told = cut(kOpen + syslog(2, std::string(5'000'000, 'x')) + syslog(3, "<13>next"), 65536, 10);
  EXPECT_EQ(told.records, "xxxxxxxxxx\n<13>next\n");
  EXPECT_EQ(told.answers, kAccepted + ok(2) + ok(3));
  EXPECT_EQ(told.counts, (CutCounts{.records = 2, .oversize = 1}));
}

TEST(RelpCutter, TheOpenNegotiates) {
  EXPECT_NE(cut(frame(1, "open", "relp_version=7\ncommands=eventlog,syslog")).answers.find("relp_version=1\n"),
            std::string::npos);
  for (const char* offers : {"relp_version=0\ncommands=eventlog", "commands=syslog", "relp_version=x\ncommands=syslog",
                             "relp_version=99999999999\ncommands=syslog", "\n\n=\n=,,,", "relp_version=0"}) {
    const Cut told = cut(frame(1, "open", offers) + syslog(2, "<13>one"));
    EXPECT_TRUE(told.answers.starts_with("1 rsp ")) << told.answers;
    EXPECT_NE(told.answers.find(" 500 "), std::string::npos) << told.answers;
    EXPECT_EQ(told.records, "");
    EXPECT_FALSE(told.open);
  }
}

TEST(RelpCutter, HostileFramesEndTheStream) {
  for (const std::string& bad : {std::string("x"),
                                 std::string(" "),
                                 std::string("\n"),
                                 std::string("\0", 1),
                                 std::string("3 syslog 1 x\n"),
                                 std::string("1 syslog 1 x\n"),
                                 std::string("0 syslog 1 x\n"),
                                 std::string("2 syslog 1234567890 x\n"),
                                 std::string("1234567890 syslog 1 x\n"),
                                 std::string("-2 syslog 1 x\n"),
                                 std::string("2  1 x\n"),
                                 std::string("2 syslog  x\n"),
                                 std::string("2 syslog 1x\n"),
                                 std::string("2 syslog 2 xyz\n"),
                                 std::string("2 syslog 0 \n"),
                                 std::string("2 sys1og 1 x\n"),
                                 std::string("2 SYSLOG 1 x\n"),
                                 std::string("2 starttls 0\n"),
                                 std::string("2 rsp 6 200 OK\n"),
                                 "2 " + std::string(33, 'a') + " 0\n",
                                 frame(2, "open", kOffers)}) {
    for (const std::size_t piece : {std::string::npos, std::size_t{1}}) {
      const Cut told = cut(kOpen + bad + syslog(3, "<13>later"), piece);
      EXPECT_EQ(told.records, "") << bad;
      EXPECT_EQ(told.counts, CutCounts{.invalid = 1}) << bad;
      EXPECT_FALSE(told.open) << bad;
      EXPECT_EQ(told.answers.find(" 200 OK\n", kAccepted.size()), std::string::npos) << bad;
    }
  }
  EXPECT_EQ(cut(syslog(1, "<13>not open")).counts, CutCounts{.invalid = 1});
  EXPECT_EQ(cut(frame(1, "open", kOffers + std::string(5000, 'x'))).counts, CutCounts{.invalid = 1});
}

TEST(RelpCutter, HintsArePassedOver) {
  const Cut told = cut(kOpen + frame(0, "serverclose", "") + frame(0, "advise", "something") + syslog(2, "<13>one"));
  EXPECT_EQ(told.records, "<13>one\n");
  EXPECT_EQ(told.answers, kAccepted + ok(2));
}

TEST(RelpCutter, AHalfMessageIsNotGiven) {
  const std::string whole = syslog(2, "<13>half");
  for (std::size_t size = std::string("2 syslog 8 ").size(); size < whole.size(); ++size) {
    const Cut told = cut(kOpen + whole.substr(0, size));
    EXPECT_EQ(told.records, "");
    EXPECT_EQ(told.answers, kAccepted);
    EXPECT_EQ(told.counts, CutCounts{.unacknowledged = 1}) << size;
  }
}

// --- the collector

TcpOptions local() {
  TcpOptions options;
  options.source = 9;
  options.listen = test::loopback();
  return options;
}

struct Server {
  explicit Server(const TcpOptions& options) : collector(make_relp(options, intake, said.log())) {
    const auto started = collector->start();
    EXPECT_TRUE(started) << (started ? "" : started.error().text());
  }
  ~Server() {
    intake.close(false);
    collector->stop();
  }
  Counters counters() const { return collector->counters(); }
  std::uint16_t port() const { return collector->port(); }

  MemoryIntake intake;
  Said said;
  std::unique_ptr<Collector> collector;
};

// Reads so many bytes, fewer if the other side closes or nothing comes for a minute.
std::string receive(int socket, std::size_t size) {
  std::string out;
  while (out.size() < size) {
    pollfd wait{socket, POLLIN, 0};
    char piece[4096];
    if (::poll(&wait, 1, 60'000) <= 0) break;
    const ssize_t n = ::recv(socket, piece, std::min(sizeof piece, size - out.size()), 0);
    if (n <= 0) break;
    out.append(piece, static_cast<std::size_t>(n));
  }
  return out;
}
std::string receive_all(int socket) { return receive(socket, SIZE_MAX); }
bool answered(int socket, const std::string& expected) {
  const std::string seen = receive(socket, expected.size());
  EXPECT_EQ(seen, expected);
  return seen == expected;
}
// Has the other side said nothing so far?
bool silent(int socket) {
  char byte;
  return ::recv(socket, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && errno == EAGAIN;
}

Descriptor opened(const Server& server) {
  Descriptor sender = connect_to(SOCK_STREAM, server.port());
  send_all(sender.get(), kOpen);
  EXPECT_TRUE(answered(sender.get(), kAccepted));
  return sender;
}

std::size_t open_files() {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc/self/fd"), ::closedir);
  std::size_t n = 0;
  while (::readdir(folder.get()) != nullptr) ++n;
  return n;
}

TEST(Relp, AcknowledgesWhatWasTaken) {
  Server server(local());
  const auto sender = opened(server);
  send_all(sender.get(), syslog(2, "<13>one") + "3 sys");
  ASSERT_TRUE(answered(sender.get(), ok(2)));
  send_all(sender.get(), "log 7 <13>tw");
  send_all(sender.get(), "o\n" + frame(4, "close", ""));
  EXPECT_EQ(receive_all(sender.get()), ok(3) + "4 rsp 0\n" + kFarewell);
  const auto stored = server.intake.stored();
  ASSERT_FALSE(stored.empty());
  EXPECT_EQ(server.intake.bytes(), "<13>one\n<13>two\n");
  EXPECT_EQ(stored[0].arrival.source, 9u);
  EXPECT_EQ(stored[0].arrival.kind, ArrivalKind::kLines);
  EXPECT_EQ(stored[0].arrival.peer.text(), "127.0.0.1");
  EXPECT_EQ(stored[0].arrival.peer_port, local_port(sender.get()));
  EXPECT_EQ(server.counters().records, 2u);
  EXPECT_EQ(server.counters().bytes, server.intake.bytes().size());
  ASSERT_TRUE(eventually([&] { return server.counters().open_connections == 0; }));
  EXPECT_EQ(server.counters().invalid, 0u);
  EXPECT_EQ(server.counters().unacknowledged, 0u);
}

TEST(Relp, NothingIsAcknowledgedWhileTheIntakeTakesNothing) {
  for (const auto answer : {Intake::Taken::kFull, Intake::Taken::kFailed}) {
    Server server(local());
    const auto sender = opened(server);
    const auto other = opened(server);
    server.intake.answer(answer);
    send_all(sender.get(), syslog(2, "<13>one") + syslog(3, "<13>two"));
    ASSERT_TRUE(eventually([&] {
      return (answer == Intake::Taken::kFull ? server.counters().intake_full : server.counters().intake_failed) >= 3;
    }));
    EXPECT_TRUE(silent(sender.get()));
    // What needs no place in the journal goes on.
    send_all(other.get(), frame(2, "close", ""));
    EXPECT_EQ(receive_all(other.get()), "2 rsp 0\n" + kFarewell);
    EXPECT_EQ(server.counters().records, 0u);
    server.intake.answer(Intake::Taken::kYes);
    EXPECT_TRUE(answered(sender.get(), ok(2) + ok(3)));
    EXPECT_EQ(server.intake.bytes(), "<13>one\n<13>two\n");
  }
}

// A sender that gives up sends what was not acknowledged again: it must not be there twice.
TEST(Relp, RecordsOfASenderThatLeftBeforeTheyWereTakenAreNotKept) {
  Server server(local());
  server.intake.answer(Intake::Taken::kFull);
  {
    const auto sender = opened(server);
    send_all(sender.get(), syslog(2, "<13>one") + syslog(3, "<13>two"));
    ASSERT_TRUE(eventually([&] { return server.counters().intake_full >= 3; }));
  }
  ASSERT_TRUE(eventually([&] { return server.counters().open_connections == 0; }));
  EXPECT_EQ(server.counters().unacknowledged, 2u);
  EXPECT_TRUE(server.said.has("2 records of 127.0.0.1"));
  server.intake.answer(Intake::Taken::kYes);
  const auto again = opened(server);
  send_all(again.get(), syslog(2, "<13>one") + syslog(3, "<13>two"));
  ASSERT_TRUE(answered(again.get(), ok(2) + ok(3)));
  EXPECT_EQ(server.intake.bytes(), "<13>one\n<13>two\n");
  EXPECT_EQ(server.counters().shed, 0u);
}

// All is sent, and only what is answered is read: the memory of a connection stays small whatever its sender does.
TEST(Relp, ASenderThatFetchesNoAnswersIsNotRead) {
  Server server(local());
  const auto sender = opened(server);
  constexpr std::uint64_t kMessages = 2'000'000;
  std::atomic<bool> sent{false};
  std::thread thread([&] {
    std::string piece;
    for (std::uint64_t i = 2; i < 2 + kMessages; ++i) {
      piece += syslog(i, "x");
      if (piece.size() < 60'000 && i + 1 < 2 + kMessages) continue;
      EXPECT_TRUE(send_all(sender.get(), piece));
      piece.clear();
    }
    sent.store(true);
  });
  std::uint64_t last = 0;
  ASSERT_TRUE(eventually([&] {
    const std::uint64_t before = std::exchange(last, server.counters().records);
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    return last != 0 && before == last;
  }));
  EXPECT_FALSE(sent.load()) << "the answers fit into no buffer";
  EXPECT_LT(last, kMessages);
  // It fetches them after all.
  std::size_t size = 0;
  for (std::uint64_t i = 2; i < 2 + kMessages; ++i) size += ok(i).size();
  const std::string answers = receive(sender.get(), size);
  thread.join();
  ASSERT_EQ(answers.size(), size);
  EXPECT_TRUE(answers.starts_with(ok(2) + ok(3)));
  EXPECT_TRUE(answers.ends_with(ok(kMessages) + ok(1 + kMessages)));
  EXPECT_EQ(server.counters().records, kMessages);
}

TEST(Relp, HostileSendersAreClosedAndTheOthersGoOn) {
  Server server(local());
  const auto good = opened(server);
  std::uint64_t invalid = 0;
  for (const std::string& bad :
       {std::string("GET / HTTP/1.1\r\n\r\n"), syslog(1, "<13>not open"), kOpen + syslog(7, "<13>out of turn"),
        kOpen + "2 syslog 99999999999 ", std::string(100'000, '\xff'), kOpen + std::string(100'000, '9')}) {
    const auto sender = connect_to(SOCK_STREAM, server.port());
    send_all(sender.get(), bad);
    EXPECT_TRUE(test::closed_by_peer(sender.get()));
    ++invalid;
    EXPECT_TRUE(eventually([&] { return server.counters().invalid == invalid; })) << bad.substr(0, 40);
  }
  // Half frames, and connections that are reset.
  for (const std::string& half : {kOpen + "2 syslog 999999999 <13>", kOpen, std::string("1 op"), std::string()}) {
    const auto sender = connect_to(SOCK_STREAM, server.port());
    send_all(sender.get(), half);
    const linger now{1, 0};
    ::setsockopt(sender.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  ASSERT_TRUE(eventually([&] { return server.counters().open_connections == 1; }));
  EXPECT_EQ(server.counters().invalid, invalid);
  send_all(good.get(), syslog(2, "<13>one"));
  EXPECT_TRUE(answered(good.get(), ok(2)));
  EXPECT_EQ(server.intake.bytes(), "<13>one\n");
}

// What came before the fault is taken and acknowledged.
TEST(Relp, AFaultDoesNotTakeBackWhatWasGood) {
  Server server(local());
  const auto sender = opened(server);
  send_all(sender.get(), syslog(2, "<13>one") + "nonsense" + std::string(200'000, 'x'));
  EXPECT_EQ(receive_all(sender.get()), ok(2) + kFarewell);
  EXPECT_EQ(server.intake.bytes(), "<13>one\n");
}

TEST(Relp, ManyConnectionsLoseNothingAndKeepTheirOrder) {
  constexpr int kConnections = 50;
  constexpr std::uint64_t kRecords = 200;
  Server server(local());
  std::vector<Descriptor> senders;
  senders.reserve(kConnections);
  for (int c = 0; c < kConnections; ++c) senders.push_back(opened(server));
  std::atomic<bool> go{true};
  std::thread rooms([&] {
    for (std::size_t n = 0; go.load(); ++n) {
      server.intake.set_room(n % 3 * 2000);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  for (std::uint64_t i = 0; i < kRecords; ++i) {
    for (int c = 0; c < kConnections; ++c) {
      EXPECT_TRUE(send_all(senders[static_cast<std::size_t>(c)].get(),
                           syslog(i + 2, "<13>" + std::to_string(c) + " " + std::to_string(i))));
    }
  }
  std::string answers;
  for (std::uint64_t i = 0; i < kRecords; ++i) answers += ok(i + 2);
  for (const Descriptor& sender : senders) EXPECT_TRUE(answered(sender.get(), answers));
  go.store(false);
  rooms.join();
  EXPECT_EQ(server.counters().records, kConnections * kRecords);
  std::vector<int> next(kConnections, 0);
  for (const std::string& line : server.intake.lines()) {
    const auto space = line.find(' ');
    EXPECT_EQ(std::stoi(line.substr(space + 1)), next[static_cast<std::size_t>(std::stoi(line.substr(4)))]++);
  }
}

TEST(Relp, LimitsAreThoseOfTheOtherStreams) {
  TcpOptions options = local();
  options.most_connections = 1;
  options.idle = std::chrono::seconds(1);
  options.longest_record = 1000;
  Server server(options);
  const auto sender = opened(server);
  const auto beyond = connect_to(SOCK_STREAM, server.port());
  EXPECT_TRUE(test::closed_by_peer(beyond.get()));
  EXPECT_EQ(server.counters().refused, 1u);
  send_all(sender.get(), syslog(2, std::string(5000, 'x')));
  EXPECT_EQ(receive_all(sender.get()), ok(2) + kFarewell) << "told of its end when it is idle";
  EXPECT_EQ(server.intake.bytes(), std::string(1000, 'x') + "\n");
  EXPECT_EQ(server.counters().oversize, 1u);
  EXPECT_EQ(server.counters().idle_closed, 1u);

  options = local();
  options.admitted = {*core::Prefix::parse("192.0.2.0/24")};
  Server closed(options);
  const auto stranger = connect_to(SOCK_STREAM, closed.port());
  EXPECT_TRUE(test::closed_by_peer(stranger.get()));
  EXPECT_EQ(closed.counters().refused, 1u);
}

TEST(Relp, StopsWithAnswersToAllThatWasTaken) {
  Server server(local());
  const auto sender = opened(server);
  std::string answers;
  std::string stream;
  for (std::uint64_t i = 2; i < 5000; ++i) {
    stream += syslog(i, "<13>one");
    answers += ok(i);
  }
  ASSERT_TRUE(send_all(sender.get(), stream));
  server.collector->stop();
  EXPECT_EQ(receive_all(sender.get()), answers + kFarewell);
  EXPECT_EQ(server.counters().records, 4998u);
  EXPECT_EQ(server.counters().open_connections, 0u);
}

// Stopped while the Intake is full: nothing that was not taken was acknowledged, so nothing is lost.
TEST(Relp, StopsWithoutAnswersToWhatWasNotTaken) {
  const std::size_t files = open_files();
  {
    Server server(local());
    const auto sender = opened(server);
    server.intake.answer(Intake::Taken::kFull);
    send_all(sender.get(), syslog(2, "<13>one") + syslog(3, "<13>two"));
    ASSERT_TRUE(eventually([&] { return server.counters().intake_full >= 1; }));
    server.collector->stop();
    EXPECT_EQ(receive_all(sender.get()), kFarewell);
    EXPECT_EQ(server.counters().unacknowledged, 2u);
    EXPECT_EQ(server.counters().shed, 0u);
    EXPECT_EQ(server.counters().records, 0u);
    EXPECT_EQ(server.counters().open_connections, 0u);
  }
  EXPECT_EQ(open_files(), files);
}

TEST(Relp, AnswersOverTls) {
  const test::TempDir folder;
  const test::TestCertificates certificates(folder.path());
  TcpOptions options = local();
  options.tls = certificates.options;
  options.tls->client_ca = certificates.authority_file;
  Server server(options);
  test::TlsClient stranger(server.port(), &certificates.stranger);
  stranger.send(kOpen);
  ASSERT_TRUE(eventually([&] { return server.counters().failed_handshakes == 1; }));
  test::TlsClient sender(server.port(), &certificates.client);
  ASSERT_TRUE(sender.connected());
  std::string stream = kOpen;
  std::string answers = kAccepted;
  for (std::uint64_t i = 2; i < 5000; ++i) {
    stream += syslog(i, "<13>record " + std::to_string(i));
    answers += ok(i);
  }
  EXPECT_TRUE(sender.send(stream));
  std::string seen;
  while (seen.size() < answers.size()) {
    const std::string piece = sender.receive();
    if (piece.empty()) break;
    seen += piece;
  }
  EXPECT_TRUE(seen == answers);
  EXPECT_EQ(server.counters().records, 4998u);
}

}  // namespace
}  // namespace orbwatch::source
