// How fast records of JSON formats (and Zeek's tables) become events: text frame, claim, parse and event together, one
// thread. The input is made here from a fixed seed; a real file is read with ORBWATCH_BENCH_FILE=path (benchmark
// "file"). The peer "simdjson_walk" only visits all top-level fields of the same bytes and is the bound that the parser
// itself sets.
#include <benchmark/benchmark.h>
#include <simdjson.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "core/text.h"
#include "decode/all.h"

namespace {

using namespace orbwatch;

constexpr std::size_t kRecords = 20000;

struct Random {
  std::uint64_t state = 42;
  std::uint64_t operator()(std::uint64_t bound) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (state >> 33) % bound;
  }
};

template <typename... Values>
void append(std::string& out, const char* format, Values... values) {
  char buffer[2048];
  const int n = std::snprintf(buffer, sizeof buffer, format, values...);
  if (n > 0) out.append(buffer, static_cast<std::size_t>(n));
}

using Ull = unsigned long long;

std::string suricata_flow() {
  std::string out;
  Random r;
  for (std::size_t i = 0; i < kRecords; ++i) {
    append(out,
           "{\"timestamp\":\"2026-11-20T08:%02llu:%02llu.%06llu+0000\",\"flow_id\":%llu,\"in_iface\":\"eth1\",\"event_"
           "type\":\"flow\","
           "\"src_ip\":\"192.0.2.%llu\",\"src_port\":%llu,\"dest_ip\":\"198.51.100.%llu\",\"dest_port\":443,\"proto\":"
           "\"TCP\","
           "\"app_proto\":\"tls\",\"flow\":{\"pkts_toserver\":%llu,\"pkts_toclient\":%llu,\"bytes_toserver\":%llu,"
           "\"bytes_toclient\":%llu,"
           "\"start\":\"2026-11-20T08:00:00.000001+0000\",\"end\":\"2026-11-20T08:00:59.100001+0000\",\"age\":59,"
           "\"state\":\"closed\","
           "\"reason\":\"timeout\",\"alerted\":false},\"community_id\":\"1:aymnqZT++/"
           "Mb1TKCNw5wagfU4lo=\",\"tcp\":{\"tcp_flags\":\"1b\","
           "\"tcp_flags_ts\":\"1b\",\"tcp_flags_tc\":\"1b\",\"syn\":true,\"fin\":true,\"psh\":true,\"ack\":true,"
           "\"state\":\"closed\"}}\n",
           Ull{r(60)}, Ull{r(60)}, Ull{r(1000000)}, Ull{r(1ULL << 30)}, Ull{r(250)}, Ull{1024 + r(60000)}, Ull{r(250)},
           Ull{r(1000)}, Ull{r(1000)}, Ull{r(100000)}, Ull{r(1000000)});
  }
  return out;
}

std::string suricata_dns() {
  std::string out;
  Random r;
  for (std::size_t i = 0; i < kRecords; ++i) {
    append(
        out,
        "{\"timestamp\":\"2026-11-20T08:%02llu:%02llu.%06llu+0000\",\"flow_id\":%llu,\"in_iface\":\"eth1\",\"event_"
        "type\":\"dns\","
        "\"src_ip\":\"192.0.2.%llu\",\"src_port\":%llu,\"dest_ip\":\"198.51.100.%llu\",\"dest_port\":53,\"proto\":"
        "\"UDP\","
        "\"dns\":{\"version\":2,\"type\":\"answer\",\"id\":%llu,\"flags\":\"8180\",\"qr\":true,\"rd\":true,\"ra\":true,"
        "\"rrname\":\"www.corp.example\",\"rrtype\":\"A\",\"rcode\":\"NOERROR\",\"answers\":[{\"rrname\":\"www.corp."
        "example\","
        "\"rrtype\":\"A\",\"ttl\":10,\"rdata\":\"203.0.113.7\"}]}}\n",
        Ull{r(60)}, Ull{r(60)}, Ull{r(1000000)}, Ull{r(1ULL << 30)}, Ull{r(250)}, Ull{1024 + r(60000)}, Ull{r(250)},
        Ull{r(65536)});
  }
  return out;
}

std::string zeek_conn_json() {
  std::string out;
  Random r;
  for (std::size_t i = 0; i < kRecords; ++i) {
    append(
        out,
        "{\"ts\":17637%05llu.%06llu,\"uid\":\"C%08llxqBxAECsonga21\",\"id.orig_h\":\"192.0.2.%llu\",\"id.orig_p\":%llu,"
        "\"id.resp_h\":\"198.51.100.%llu\",\"id.resp_p\":443,\"proto\":\"tcp\",\"service\":\"ssl\",\"duration\":%llu.%"
        "06llu,"
        "\"orig_bytes\":%llu,\"resp_bytes\":%llu,\"conn_state\":\"SF\",\"local_orig\":true,\"local_resp\":false,"
        "\"missed_bytes\":0,"
        "\"history\":\"ShADadFf\",\"orig_pkts\":%llu,\"orig_ip_bytes\":%llu,\"resp_pkts\":%llu,\"resp_ip_bytes\":%llu}"
        "\n",
        Ull{r(100000)}, Ull{r(1000000)}, Ull{r(1ULL << 31)}, Ull{r(250)}, Ull{1024 + r(60000)}, Ull{r(250)},
        Ull{r(100)}, Ull{r(1000000)}, Ull{r(100000)}, Ull{r(100000)}, Ull{r(1000)}, Ull{r(100000)}, Ull{r(1000)},
        Ull{r(100000)});
  }
  return out;
}

std::string zeek_conn_tsv() {
  std::string out =
      "#separator "
      "\\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#open\t2026-11-20-00-00-00\n"
      "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_"
      "bytes\tconn_state\t"
      "local_orig\tlocal_resp\tmissed_bytes\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\ttunnel_"
      "parents\n"
      "#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcount\tstring\tbool\tbool\tcount\ts"
      "tring\tcount\t"
      "count\tcount\tcount\tset[string]\n";
  Random r;
  for (std::size_t i = 0; i < kRecords; ++i) {
    append(out,
           "17637%05llu.%06llu\tC%08llxqBxAECsonga21\t192.0.2.%llu\t%llu\t198.51.100.%llu\t443\ttcp\tssl\t%llu.%"
           "06llu\t%llu\t%llu\tSF\tT\tF\t0\t"
           "ShADadFf\t%llu\t%llu\t%llu\t%llu\t-\n",
           Ull{r(100000)}, Ull{r(1000000)}, Ull{r(1ULL << 31)}, Ull{r(250)}, Ull{1024 + r(60000)}, Ull{r(250)},
           Ull{r(100)}, Ull{r(1000000)}, Ull{r(100000)}, Ull{r(100000)}, Ull{r(1000)}, Ull{r(100000)}, Ull{r(1000)},
           Ull{r(100000)});
  }
  return out;
}

std::string windows_4625() {
  std::string out;
  Random r;
  for (std::size_t i = 0; i < kRecords; ++i) {
    append(out,
           "{\"@timestamp\":\"2026-11-20T08:%02llu:%02llu.%03lluZ\",\"event\":{\"code\":\"4625\",\"kind\":\"event\","
           "\"provider\":"
           "\"Microsoft-Windows-Security-Auditing\",\"outcome\":\"failure\"},\"host\":{\"name\":\"ts01.corp.example\"},"
           "\"log\":{\"level\":"
           "\"information\"},\"message\":\"An account failed to log on.\\n\\nSubject:\\n\\tSecurity "
           "ID:\\t\\tS-1-0-0\\n\\tAccount Name:\\t\\t-\","
           "\"winlog\":{\"channel\":\"Security\",\"computer_name\":\"ts01.corp.example\",\"event_data\":{"
           "\"AuthenticationPackageName\":\"NTLM\","
           "\"FailureReason\":\"%%%%2313\",\"IpAddress\":\"203.0.113.%llu\",\"IpPort\":\"%llu\",\"KeyLength\":\"0\","
           "\"LogonProcessName\":"
           "\"NtLmSsp "
           "\",\"LogonType\":\"3\",\"Status\":\"0xc000006d\",\"SubStatus\":\"0xc000006a\",\"SubjectUserName\":\"-\","
           "\"TargetDomainName\":\"CORP\",\"TargetUserName\":\"user%llu\",\"WorkstationName\":\"PC%llu\"},\"event_id\":"
           "\"4625\","
           "\"keywords\":[\"Audit "
           "Failure\"],\"provider_name\":\"Microsoft-Windows-Security-Auditing\",\"record_id\":%llu,\"task\":\"Logon\"}"
           "}\n",
           Ull{r(60)}, Ull{r(60)}, Ull{r(1000)}, Ull{r(250)}, Ull{1024 + r(60000)}, Ull{r(500)}, Ull{r(500)}, Ull{i});
  }
  return out;
}

std::string openssh_journal() {
  std::string out;
  Random r;
  for (std::size_t i = 0; i < kRecords; ++i) {
    append(out,
           "{\"__CURSOR\":\"s=0a1b;i=%llx\",\"__REALTIME_TIMESTAMP\":\"17637%05llu000000\",\"_HOSTNAME\":\"gw1\","
           "\"SYSLOG_IDENTIFIER\":\"sshd\","
           "\"_PID\":\"%llu\",\"PRIORITY\":\"6\",\"_TRANSPORT\":\"syslog\",\"MESSAGE\":\"Failed password for invalid "
           "user user%llu from "
           "203.0.113.%llu port %llu ssh2\"}\n",
           Ull{i}, Ull{r(100000)}, Ull{r(65536)}, Ull{r(500)}, Ull{r(250)}, Ull{1024 + r(60000)});
  }
  return out;
}

std::string openssh_syslog() {
  std::string out;
  Random r;
  for (std::size_t i = 0; i < kRecords; ++i) {
    append(out,
           "Nov 20 08:%02llu:%02llu gw1 sshd[%llu]: Failed password for invalid user user%llu from 203.0.113.%llu port "
           "%llu ssh2\n",
           Ull{r(60)}, Ull{r(60)}, Ull{r(65536)}, Ull{r(500)}, Ull{r(250)}, Ull{1024 + r(60000)});
  }
  return out;
}

void decode(benchmark::State& state, std::string input) {
  const std::size_t size = input.size();
  input.resize(size + core::kPadding);
  const std::string_view bytes = std::string_view(input).substr(0, size);
  decode::Options options;
  options.reference = 1798761600 * core::kSecond;
  const auto what = decode::recognise(bytes.substr(0, 65536), options);
  std::uint64_t records = 0;
  std::uint64_t events = 0;
  for (auto _ : state) {
    auto decoder = decode::make_decoder(what, options);
    if (!decoder) {
      state.SkipWithError(decoder.error().text().c_str());
      return;
    }
    event::EventBatch batch;
    constexpr std::size_t kPiece = 1 << 20;
    for (std::size_t at = 0; at < bytes.size(); at += kPiece) {
      (*decoder)->feed(bytes.substr(at, kPiece), batch);
      records += batch.counts.records;
      events += batch.counts.events;
      batch.clear();
    }
    (*decoder)->finish(batch);
    records += batch.counts.records;
    events += batch.counts.events;
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * size));
  state.counters["records/s"] = benchmark::Counter(static_cast<double>(records), benchmark::Counter::kIsRate);
  state.counters["events/s"] = benchmark::Counter(static_cast<double>(events), benchmark::Counter::kIsRate);
  state.SetLabel(what.format);
}

void simdjson_walk(benchmark::State& state, std::string input) {
  const std::size_t size = input.size();
  input.resize(size + core::kPadding);
  simdjson::ondemand::parser parser;
  for (auto _ : state) {
    std::string_view rest = std::string_view(input).substr(0, size);
    while (!rest.empty()) {
      const std::string_view line = core::take_until(rest, '\n');
      auto document = parser.iterate(line.data(), line.size(), line.size() + core::kPadding);
      for (auto field : document.get_object()) benchmark::DoNotOptimize(field.key());
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * size));
}

BENCHMARK_CAPTURE(decode, suricata_flow, suricata_flow());
BENCHMARK_CAPTURE(simdjson_walk, suricata_flow, suricata_flow());
BENCHMARK_CAPTURE(decode, suricata_dns_ignored, suricata_dns());
BENCHMARK_CAPTURE(decode, zeek_conn_json, zeek_conn_json());
BENCHMARK_CAPTURE(simdjson_walk, zeek_conn_json, zeek_conn_json());
BENCHMARK_CAPTURE(decode, zeek_conn_tsv, zeek_conn_tsv());
BENCHMARK_CAPTURE(decode, windows_4625, windows_4625());
BENCHMARK_CAPTURE(simdjson_walk, windows_4625, windows_4625());
BENCHMARK_CAPTURE(decode, openssh_journal, openssh_journal());
BENCHMARK_CAPTURE(decode, openssh_syslog, openssh_syslog());

void file(benchmark::State& state) {
  const char* path = std::getenv("ORBWATCH_BENCH_FILE");
  if (path == nullptr) {
    state.SkipWithError("set ORBWATCH_BENCH_FILE");
    return;
  }
  std::ifstream in(path, std::ios::binary);
  std::stringstream all;
  all << in.rdbuf();
  decode(state, all.str());
}
BENCHMARK(file);

}  // namespace
