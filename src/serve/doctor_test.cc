#include "serve/doctor.h"

#include <gtest/gtest.h>

#include <string>

#include "serve/metrics.h"

namespace orbwatch::serve {
namespace {

using core::kDay;
using core::kHour;
using core::kMinute;
using core::kSecond;

constexpr core::Nanoseconds kNow = 1'795'900'000 * kSecond;  // in November 2026

// A service in good health; each test spoils one thing.
Facts healthy() {
  Facts f;
  f.config_file = "orbwatch.yaml";
  f.now = kNow;
  f.clock_synchronised = true;
  f.config.service.state = "/var/lib/orbwatch/service";
  pipeline::CollectorSettings collector;
  collector.name = "vpn";
  collector.type = pipeline::CollectorType::kSyslogUdp;
  collector.listen = "0.0.0.0:514";
  f.config.service.collect.push_back(collector);
  f.state_exists = true;
  f.state_in_use = true;
  f.state_free = 100ULL << 30;
  f.most_receive_buffer = 64 << 20;
  f.listeners.push_back({"vpn", "0.0.0.0:514", Facts::Port::kHeld});
  f.certificates.push_back({"tls.pem", "vpn", "", kNow + 90 * kDay});
  f.files.push_back({"bad.txt", "indicators", ""});
  f.networks_file = "networks.orbnet";
  f.networks_built = kNow - 10 * kDay;
  f.store_available = true;
  f.service_address = "127.0.0.1:9464";
  pipeline::ServiceStatus status;
  status.working = true;
  status.live.journal_end = 1000;
  status.live.position = 1000;
  pipeline::CollectorStatus running;
  running.name = "vpn";
  running.records.counts.records = running.records.counts.events = 1000;
  running.records.last_arrival = kNow - 5 * kSecond;
  status.collectors.push_back(running);
  exporting::Alerts::Status output;
  output.name = "siem";
  output.delivery.counts.delivered = 3;
  status.outputs.push_back(output);
  f.service = status;
  return f;
}

// The checks that are not good, as "about: says".
std::string complaints(const Facts& f) {
  std::string out;
  for (const Check& c : examine(f)) {
    if (c.health == Health::kGood) continue;
    out += std::string(name(c.health)) + " " + c.about + ": " + c.says + "\n";
    EXPECT_FALSE(c.advice.empty()) << c.says;
    EXPECT_EQ((c.says + c.advice).find('\n'), std::string::npos);
  }
  return out;
}

TEST(Doctor, FindsNothingInAServiceThatIsWell) {
  EXPECT_EQ(complaints(healthy()), "");
  EXPECT_EQ(worst(examine(healthy())), Health::kGood);
  EXPECT_GT(examine(healthy()).size(), 10U);
}

TEST(Doctor, AWrongConfigurationIsAll) {
  Facts f = healthy();
  f.config_error = core::Error{"orbwatch.yaml:3: unknown key 'colect'", "", ""};
  EXPECT_EQ(complaints(f), "bad configuration: orbwatch.yaml:3: unknown key 'colect'\n");
  EXPECT_EQ(examine(f).size(), 1U);
}

TEST(Doctor, LooksAtTheComputer) {
  Facts f = healthy();
  f.state_trouble = "Permission denied";
  EXPECT_EQ(complaints(f), "bad state: /var/lib/orbwatch/service: Permission denied\n");

  f = healthy();
  f.state_free = 1ULL << 30;
  EXPECT_EQ(complaints(f), "warning disk: 1024 MiB free, and the journal may grow by 4096 MiB\n");
  f.journal_bytes = 4ULL << 30;  // it is that large already
  EXPECT_EQ(complaints(f), "");
  f.state_free = 100 << 20;
  EXPECT_EQ(complaints(f), "bad disk: 100 MiB free\n");

  f = healthy();
  f.clock_synchronised = false;
  EXPECT_EQ(complaints(f), "warning clock: it is not synchronised\n");

  f = healthy();
  f.most_receive_buffer = 212'992;
  EXPECT_EQ(complaints(f),
            "warning receive buffer of vpn: the system gives 208 KiB of the 32 MiB asked for: bursts will be dropped "
            "sooner\n");
  f.service->collectors[0].counters.receive_buffer = f.service->collectors[0].counters.receive_buffer_asked = 32 << 20;
  EXPECT_EQ(complaints(f), "");  // the service has more rights than who asks
}

TEST(Doctor, PortsDependOnWhetherTheServiceRuns) {
  Facts f = healthy();
  f.listeners[0].port = Facts::Port::kFree;
  EXPECT_NE(complaints(f).find("warning port of vpn: nobody listens on 0.0.0.0:514"), std::string::npos);
  f = healthy();
  f.state_in_use = false;
  f.service.reset();
  f.service_trouble = "Connection";
  EXPECT_EQ(complaints(f),
            "bad port of vpn: 0.0.0.0:514 is held by another program\n"
            "warning service: it does not run here, and nobody answers on 127.0.0.1:9464\n");
  f.listeners[0].port = Facts::Port::kNoAddress;
  EXPECT_NE(complaints(f).find("bad port of vpn: 0.0.0.0:514 is no address of this computer"), std::string::npos);
}

TEST(Doctor, LooksAtFiles) {
  Facts f = healthy();
  f.certificates[0].not_after = kNow + 5 * kDay;
  EXPECT_EQ(complaints(f), "warning certificate of vpn: tls.pem expires in 5 days\n");
  f.certificates[0].not_after = kNow - 3 * kHour;
  EXPECT_EQ(complaints(f), "bad certificate of vpn: tls.pem has expired 3 h ago\n");
  f = healthy();
  f.files[0].trouble = "No such file or directory";
  EXPECT_EQ(complaints(f), "bad indicators: bad.txt: No such file or directory\n");
  f = healthy();
  f.networks_built = kNow - 400 * kDay;
  EXPECT_EQ(complaints(f), "warning network facts: networks.orbnet is 400 days old\n");
  f.networks_file.clear();
  EXPECT_EQ(complaints(f),
            "warning network facts: there is no table: findings know no places and no kinds of networks\n");
}

TEST(Doctor, LooksAtTheCertificateInUse) {
  Facts f = healthy();
  auto& used = f.service->collectors[0].certificate;
  used.expires = f.certificates[0].not_after;
  EXPECT_EQ(complaints(f), "");
  used.expires = kNow + 5 * kDay;
  EXPECT_EQ(complaints(f), "warning certificate in use of vpn: it expires in 5 days\n");
  used.expires = kNow - 3 * kHour;
  EXPECT_EQ(complaints(f), "bad certificate in use of vpn: it has expired 3 h ago\n");
  used = {f.certificates[0].not_after, "the TLS key does not belong to the certificate"};
  EXPECT_EQ(complaints(f),
            "bad certificate in use of vpn: the service does not take the files that lie there now: the TLS key does "
            "not belong to the certificate\n");
}

TEST(Doctor, LooksAtTheRunningService) {
  Facts f = healthy();
  f.service->journal_trouble = "cannot write: No space left on device";
  EXPECT_EQ(complaints(f), "bad service: it is not ready: cannot write: No space left on device\n");
  f = healthy();
  f.service->live.trouble = "cannot write the checkpoint";
  EXPECT_EQ(complaints(f), "bad service: cannot write the checkpoint\n");
  f = healthy();
  f.service->live.journal_end += 3ULL << 30;
  EXPECT_EQ(complaints(f), "warning journal: 3072 MiB not worked on yet, of 4096 MiB that it may hold\n");
  f = healthy();
  f.service.reset();
  f.service_trouble = "Read";
  EXPECT_EQ(complaints(f), "bad service: it runs, and does not answer on 127.0.0.1:9464: Read\n");
}

TEST(Doctor, LooksAtEachCollector) {
  Facts f = healthy();
  f.service->collectors[0].records.last_arrival = kNow - 3 * kHour - kMinute;
  EXPECT_NE(complaints(f).find("warning collector vpn: it has sent nothing for 3 h, since 2026-11-2"),
            std::string::npos)
      << complaints(f);
  f.service->collectors[0].records.last_arrival = 0;
  EXPECT_EQ(complaints(f), "warning collector vpn: it has sent nothing yet\n");
  f = healthy();
  f.service->collectors[0].records.counts.rejected = 51;
  EXPECT_EQ(complaints(f), "warning collector vpn: 51 of 1000 records are not understood (5 %)\n");
  f.service->collectors[0].records.counts.rejected = 50;
  EXPECT_EQ(complaints(f), "");
  f.service->collectors[0].counters.shed = 7;
  f.service->collectors[0].counters.kernel_drops = 8;
  f.service->collectors[0].records.ahead = 2;
  EXPECT_EQ(complaints(f),
            "warning collector vpn: 7 records lost since the start: the journal did not take them\n"
            "warning collector vpn: 8 datagrams dropped by the kernel since the start\n"
            "warning collector vpn: 2 events lie more than an hour ahead\n");
}

TEST(Doctor, NamesDevicesThatFellSilent) {
  Facts f = healthy();
  f.service->live.devices = {
      {.name = "vpn-2",
       .events = 9000,
       .last_arrival = kNow - 3 * kHour,
       .usual_per_minute = 40,
       .missing = 7200,
       .silent = true},
      {.name = "vpn-1", .events = 9000, .last_arrival = kNow - 3 * kHour, .usual_per_minute = 0.1, .missing = 3}};
  EXPECT_EQ(complaints(f).find("warning device vpn-2: it has sent nothing for 3 h, since 2026-11-2"), 0U)
      << complaints(f);
  EXPECT_NE(complaints(f).find("usually 40 events a minute at this hour of the week, 7200 are missing\n"),
            std::string::npos)
      << complaints(f);
  EXPECT_EQ(complaints(f).find("vpn-1"), std::string::npos) << complaints(f);
}

TEST(Doctor, NoticesFlowsThatNeverCame) {
  Facts f = healthy();
  f.service->collectors[0].records.lost_flows = 10;
  EXPECT_EQ(complaints(f), "");
  f.service->collectors[0].records.lost_datagrams = 1;
  EXPECT_EQ(complaints(f),
            "warning collector vpn: 10 flows and 1 flow datagrams never came, by the exporters' sequence numbers\n");
}

TEST(Doctor, LooksAtEachOutput) {
  Facts f = healthy();
  auto& o = f.service->outputs[0];
  o.delivery.failures_in_row = 2;
  o.delivery.counts.waiting = 4;
  o.delivery.last_error = "connection refused";
  EXPECT_EQ(complaints(f), "warning output siem: 4 waiting, the last 2 attempts failed: connection refused\n");
  o.delivery.failures_in_row = 5;
  EXPECT_EQ(worst(examine(f)), Health::kBad);
  o.delivery.failures_in_row = 0;
  o.delivery.counts.dead = 1;
  o.delivery.counts.dropped = 2;
  EXPECT_EQ(complaints(f),
            "warning output siem: 1 refused by the receiver for good\n"
            "warning output siem: 2 lost: too many waited, or the disk failed\n");
}

TEST(Doctor, TellsPeopleAndPrograms) {
  const std::vector<Check> checks = {{"clock", Health::kGood, "it is synchronised", ""},
                                     {"disk", Health::kBad, "1 \"MiB\" free\x1b[2J", "make room"}};
  EXPECT_EQ(
      to_json(checks),
      "{\"health\":\"bad\",\"checks\":[{\"about\":\"clock\",\"health\":\"good\",\"says\":\"it is synchronised\"},"
      "{\"about\":\"disk\",\"health\":\"bad\",\"says\":\"1 \\\"MiB\\\" free\\u001b[2J\",\"advice\":\"make room\"}]}"
      "\n");
  const std::string text = to_text(checks);
  EXPECT_EQ(text.find("good     clock: it is synchronised\nbad      disk: 1 \"MiB\" free"), 0U) << text;
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST(Metrics, TellWhenCertificatesExpire) {
  Facts f = healthy();
  pipeline::ServiceStatus& s = *f.service;
  const auto says = [&s](const char* what) { return prometheus_text(s).find(what) != std::string::npos; };
  EXPECT_FALSE(says("\norbwatch_tls_certificate_expiry_timestamp_seconds{")) << "no TLS";
  s.collectors[0].certificate.expires = 1'800'000'000 * kSecond;
  EXPECT_TRUE(
      says("\norbwatch_tls_certificate_expiry_timestamp_seconds{collector=\"vpn\",type=\"syslog_udp\"} 1800000000\n"));
  EXPECT_TRUE(says("\norbwatch_tls_certificate_refused{collector=\"vpn\",type=\"syslog_udp\"} 0\n"));
  s.collectors[0].certificate.trouble = "no such file";
  EXPECT_TRUE(says("\norbwatch_tls_certificate_refused{collector=\"vpn\",type=\"syslog_udp\"} 1\n"));
}

TEST(Status, IsReadBack) {
  Facts f = healthy();
  pipeline::ServiceStatus& s = *f.service;
  s.live.trouble = "a \"disk\"";
  s.journal_refused = 3;
  s.collectors[0].counters.shed = 5;
  s.collectors[0].counters.receive_buffer = 4096;
  s.collectors[0].certificate = {kNow + kDay, "no \"file\""};
  s.collectors[0].records.ahead = 6;
  s.collectors[0].records.lost_flows = 7;
  s.collectors[0].records.lost_datagrams = 8;
  s.outputs[0].delivery.failures_in_row = 2;
  s.outputs[0].delivery.last_error = "refused";
  s.live.all_devices = 300;
  s.live.silent_devices = 1;
  s.live.untracked_device_events = 9;
  s.live.devices = {{.name = "fw \"1\"",
                     .events = 7,
                     .last_arrival = kNow - kHour,
                     .usual_per_minute = 2.5,
                     .missing = 150,
                     .silent = true},
                    {.name = "fw2"}};
  const auto read = read_status(status_json(s));
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(not_ready(*read), "");
  EXPECT_EQ(read->live.trouble, s.live.trouble);
  EXPECT_EQ(read->live.journal_end, s.live.journal_end);
  EXPECT_EQ(read->journal_refused, 3U);
  ASSERT_EQ(read->collectors.size(), 1U);
  EXPECT_EQ(read->collectors[0].counters, s.collectors[0].counters);
  EXPECT_EQ(read->collectors[0].certificate, s.collectors[0].certificate);
  EXPECT_EQ(read->collectors[0].records.counts.records, 1000U);
  EXPECT_EQ(read->collectors[0].records.ahead, 6U);
  EXPECT_EQ(read->collectors[0].records.lost_flows, 7U);
  EXPECT_EQ(read->collectors[0].records.lost_datagrams, 8U);
  EXPECT_EQ(read->collectors[0].records.last_arrival, s.collectors[0].records.last_arrival);
  EXPECT_EQ(read->live.all_devices, 300U);
  EXPECT_EQ(read->live.silent_devices, 1U);
  EXPECT_EQ(read->live.untracked_device_events, 9U);
  ASSERT_EQ(read->live.devices.size(), 2U);
  EXPECT_EQ(read->live.devices[0].name, "fw \"1\"");
  EXPECT_EQ(read->live.devices[0].events, 7U);
  EXPECT_EQ(read->live.devices[0].last_arrival, kNow - kHour);
  EXPECT_EQ(read->live.devices[0].usual_per_minute, 2.5);
  EXPECT_EQ(read->live.devices[0].missing, 150);
  EXPECT_TRUE(read->live.devices[0].silent);
  EXPECT_FALSE(read->live.devices[1].silent);
  ASSERT_EQ(read->outputs.size(), 1U);
  EXPECT_EQ(read->outputs[0].delivery.counts.delivered, 3U);
  EXPECT_EQ(read->outputs[0].delivery.failures_in_row, 2U);
  EXPECT_EQ(read->outputs[0].delivery.last_error, "refused");

  s.working = false;
  s.failure = "no disk";
  EXPECT_EQ(not_ready(*read_status(status_json(s))), "the pipeline has ended: no disk");
  // Whoever answers there may be somebody else.
  for (const char* other : {"", "[]", "{}", "404 page not found", "{\"ready\":\"yes\"}"})
    EXPECT_FALSE(read_status(other));
  EXPECT_TRUE(read_status(R"({"ready":true,"collectors":3,"outputs":[1,"x",{}],"journal_end":-5})"));
}

}  // namespace
}  // namespace orbwatch::serve
