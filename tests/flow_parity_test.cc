// Flow decoding beside its peers: what logstash, akvorado, telegraf, nfdump, pmacct and tcpdump made of the same
// datagrams. The peers' data may not be shipped, so these tests are skipped where shared/data is not found above the
// source tree.
//
// tests/flow_known_differences.txt lists every case that differs, with the reason; a listed case that agrees is an
// error as well.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "core/text.h"
#include "core/time.h"
#include "decode/all.h"
#include "decode/capture_reader.h"
#include "decode/flow_datagram.h"
#include "decode/packet.h"

namespace fs = std::filesystem;
using namespace orbwatch;
using event::Event;
using simdjson::dom::element;

namespace {

fs::path data_folder() {
  fs::path up = ORBWATCH_ROOT;
  for (int i = 0; i < 3; ++i) {
    up = up.parent_path();
    if (fs::is_directory(up / "shared/data/flow")) return up / "shared/data";
  }
  return {};
}

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream all;
  all << in.rdbuf();
  return all.str();
}

std::set<std::string> known_differences() {
  std::set<std::string> out;
  std::istringstream lines(read(fs::path(ORBWATCH_ROOT) / "tests/flow_known_differences.txt"));
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    out.insert(line.substr(0, line.find(':')));
  }
  return out;
}

// Feeds the files, bare payloads or captures, to one decoder as datagrams of one exporter.
struct Decoded {
  event::EventBatch batch;
  std::uint64_t options_data = 0;
  std::uint64_t without_addresses = 0;

  explicit Decoded(const std::vector<fs::path>& files) {
    decode::FlowDatagramDecoder decoder;
    std::uint32_t number = 0;
    for (const fs::path& file : files) {
      const std::string bytes = read(file);
      EXPECT_FALSE(bytes.empty()) << file;
      if (!decode::CaptureReader::recognise(bytes)) {
        decode::Datagram datagram;
        datagram.payload = bytes;
        datagram.record.line = ++number;
        decoder.decode(datagram, batch);
        continue;
      }
      decode::CaptureReader reader;
      reader.push(bytes);
      decode::CaptureReader::Packet packet;
      while (reader.next(packet) == decode::CaptureReader::Step::kPacket) {
        decode::Frame frame;
        if (decode::parse_frame(packet.link_type, packet.bytes, frame) != decode::FrameKind::kIp ||
            frame.protocol != 17)
          continue;
        decode::Datagram datagram;
        datagram.payload = frame.payload;
        datagram.received = packet.time;
        datagram.record.line = ++number;
        decoder.decode(datagram, batch);
      }
    }
    decoder.finish(batch);
    const event::Counts& c = batch.counts;
    EXPECT_EQ(c.records, c.events + c.ignored + c.rejected);
    EXPECT_EQ(c.events, batch.size());
    options_data = ignored("options data");
    without_addresses = ignored("flow without addresses");
  }
  std::uint64_t ignored(std::string_view reason) const {
    const auto found = batch.counts.ignored_by.find(core::intern(reason));
    return found == batch.counts.ignored_by.end() ? 0 : found->second;
  }
};

// What both sides can say of a flow. Missing parts are not compared.
struct Said {
  std::optional<core::Ip> source;
  std::optional<core::Ip> destination;
  std::optional<std::uint64_t> source_port, destination_port, bytes, packets, protocol, flags, ingress, egress,
      sampling;
  std::optional<core::Nanoseconds> first, last;
};

std::string difference(const Said& said, const Event& e) {
  std::string out;
  const auto ip = [&](const char* name, const std::optional<core::Ip>& a, const core::Ip& b) {
    if (a && *a != b) out += std::string(name) + " " + a->text() + " != " + b.text() + "; ";
  };
  const auto number = [&](const char* name, const auto& a, auto b) {
    if (a && *a != static_cast<std::remove_cvref_t<decltype(*a)>>(b)) {
      out += std::string(name) + " " + std::to_string(*a) + " != " + std::to_string(b) + "; ";
    }
  };
  ip("source", said.source, e.source_ip);
  ip("destination", said.destination, e.destination_ip);
  number("source_port", said.source_port, e.source_port);
  number("destination_port", said.destination_port, e.destination_port);
  number("bytes", said.bytes, e.source_bytes);
  number("packets", said.packets, e.source_packets);
  number("protocol", said.protocol, e.protocol);
  number("flags", said.flags, e.tcp_flags);
  number("ingress", said.ingress, e.ingress_index);
  number("egress", said.egress, e.egress_index);
  number("sampling", said.sampling, e.sampling);
  number("first", said.first, e.time);
  number("last", said.last, e.time + e.duration);
  return out;
}

// The peer's record is one of the events. Takes it out of `left`.
std::string find_and_take(const Said& said, const Decoded& run, std::vector<std::size_t>& left) {
  std::string nearest = "no event left";
  for (std::size_t i = 0; i < left.size(); ++i) {
    const std::string different = difference(said, run.batch[left[i]]);
    if (different.empty()) {
      left.erase(left.begin() + static_cast<std::ptrdiff_t>(i));
      return {};
    }
    if (nearest == "no event left" || different.size() < nearest.size()) nearest = different;
  }
  return nearest;
}

std::vector<std::size_t> all_of(const Decoded& run) {
  std::vector<std::size_t> left(run.batch.size());
  for (std::size_t i = 0; i < left.size(); ++i) left[i] = i;
  return left;
}

std::optional<std::uint64_t> number_in(element object, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    std::uint64_t value = 0;
    if (object.at_key(key).get_uint64().get(value) == simdjson::SUCCESS) return value;
  }
  return std::nullopt;
}

std::optional<std::string> text_in(element object, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    std::string_view value;
    if (object.at_key(key).get_string().get(value) == simdjson::SUCCESS) return std::string(value);
  }
  return std::nullopt;
}

std::optional<core::Ip> ip_in(element object, std::initializer_list<std::string_view> keys) {
  const auto text = text_in(object, keys);
  return text ? core::Ip::parse(*text) : std::nullopt;
}

class Parity : public testing::Test {
 protected:
  void SetUp() override {
    data_ = data_folder();
    if (data_.empty()) GTEST_SKIP() << "shared/data/flow is not there";
    known_ = known_differences();
  }
  void settle(const std::string& name, const std::string& differences) {
    ++cases_;
    if (known_.contains(name)) {
      EXPECT_FALSE(differences.empty()) << name << " agrees: take it out of tests/flow_known_differences.txt";
    } else {
      EXPECT_EQ(differences, "") << name;
    }
  }
  std::vector<fs::path> files_like(const fs::path& folder, std::string_view suffix) {
    std::vector<fs::path> out;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file() && entry.path().string().ends_with(suffix)) out.push_back(entry.path());
    }
    std::sort(out.begin(), out.end());
    return out;
  }
  element parse(const fs::path& file) {
    element out;
    EXPECT_EQ(parser_.load(file.string()).get(out), simdjson::SUCCESS) << file;
    return out;
  }

  fs::path data_;
  std::set<std::string> known_;
  simdjson::dom::parser parser_;
  int cases_ = 0;
};

TEST_F(Parity, Logstash) {
  for (const fs::path& file : files_like(data_ / "flow/logstash-codec-netflow", ".expected.json")) {
    const element expected = parse(file);
    std::vector<fs::path> packets;
    for (const element name : expected["packets"].get_array())
      packets.push_back(file.parent_path() / std::string(name.get_string().value()));
    // The peer cuts its input into datagrams itself: some of its files hold several.
    const Decoded run(packets);
    std::string differences;
    std::uint64_t count = 0;
    if (expected["expected_records"].get_uint64().get(count) == simdjson::SUCCESS) {
      const std::uint64_t ours = run.batch.size() + run.options_data + run.without_addresses;
      if (ours != count) differences += "records " + std::to_string(count) + " != " + std::to_string(ours) + "; ";
    }
    auto left = all_of(run);
    for (const element record : expected["records"].get_array()) {
      element flow;
      if (record["event"]["netflow"].get(flow) != simdjson::SUCCESS) continue;
      Said said;
      said.source = ip_in(flow, {"ipv4_src_addr", "ipv6_src_addr", "sourceIPv4Address", "sourceIPv6Address"});
      said.destination =
          ip_in(flow, {"ipv4_dst_addr", "ipv6_dst_addr", "destinationIPv4Address", "destinationIPv6Address"});
      if (!said.source && !said.destination) continue;  // options data
      said.protocol = number_in(flow, {"protocol", "protocolIdentifier"});
      said.source_port = number_in(flow, {"l4_src_port", "sourceTransportPort"});
      said.destination_port = number_in(flow, {"l4_dst_port", "destinationTransportPort"});
      if (said.protocol == 1 || said.protocol == 58) said.destination_port.reset();  // type and code stand there
      said.bytes = number_in(flow, {"in_bytes", "in_permanent_bytes", "octetDeltaCount", "octetTotalCount"});
      said.packets = number_in(flow, {"in_pkts", "packetDeltaCount", "packetTotalCount"});
      said.flags = number_in(flow, {"tcp_flags", "tcpControlBits"});
      said.ingress = number_in(flow, {"input_snmp", "ingressInterface"});
      said.egress = number_in(flow, {"output_snmp", "egressInterface"});
      const std::string different = find_and_take(said, run, left);
      if (!different.empty()) differences += different;
    }
    settle("logstash/" + file.filename().string(), differences);
  }
  EXPECT_GE(cases_, 30);
}

TEST_F(Parity, Akvorado) {
  for (const fs::path& file : files_like(data_ / "flow/akvorado", ".expected.json")) {
    const element expected = parse(file);
    std::vector<fs::path> packets;
    for (const element name : expected["pcaps"].get_array())
      packets.push_back(file.parent_path() / std::string(name.get_string().value()));
    const Decoded run(packets);
    std::string differences;
    const auto compare = text_in(expected, {"compare"});
    const auto flows = expected["flows"].get_array().value();
    if (compare == "all flows" && flows.size() != run.batch.size()) {
      differences += "flows " + std::to_string(flows.size()) + " != " + std::to_string(run.batch.size()) + "; ";
    }
    std::size_t i = 0;
    for (const element flow : flows) {
      if (i >= run.batch.size()) {
        differences += "flow " + std::to_string(i) + " is missing; ";
        break;
      }
      Said said;
      said.source = ip_in(flow, {"SrcAddr"});
      said.destination = ip_in(flow, {"DstAddr"});
      // The peer leaves out what is 0.
      said.protocol = number_in(flow, {"Proto"}).value_or(0);
      said.source_port = number_in(flow, {"SrcPort"}).value_or(0);
      said.destination_port = number_in(flow, {"DstPort"}).value_or(0);
      said.bytes = number_in(flow, {"Bytes"}).value_or(0);
      said.packets = number_in(flow, {"Packets"}).value_or(0);
      said.flags = number_in(flow, {"TCPFlags"}).value_or(0);
      said.ingress = number_in(flow, {"InIf"}).value_or(0);
      said.egress = number_in(flow, {"OutIf"}).value_or(0);
      said.sampling = number_in(flow, {"SamplingRate"}).value_or(0);
      const std::string different = difference(said, run.batch[i]);
      if (!different.empty()) differences += "flow " + std::to_string(i) + ": " + different;
      ++i;
    }
    settle("akvorado/" + file.filename().string(), differences);
  }
  EXPECT_GE(cases_, 15);
}

// One line of InfluxDB line protocol: tags,and fields time.
std::map<std::string, std::string> line_protocol(const std::string& line) {
  std::map<std::string, std::string> out;
  std::string token;
  bool quoted = false;
  const auto flush = [&] {
    const auto equal = token.find('=');
    if (equal != token.npos) {
      std::string value = token.substr(equal + 1);
      std::erase(value, '"');
      if (!value.empty() && value.back() == 'u') value.pop_back();
      out[token.substr(0, equal)] = value;
    }
    token.clear();
  };
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    if (!quoted && (c == ',' || c == ' ')) {
      flush();
    } else {
      token += c;
    }
  }
  flush();
  return out;
}

TEST_F(Parity, Telegraf) {
  for (const fs::path& file : files_like(data_ / "flow/telegraf", "expected.out")) {
    std::vector<fs::path> packets;
    for (const auto& entry : fs::directory_iterator(file.parent_path())) {
      if (entry.path().extension() == ".bin") packets.push_back(entry.path());
    }
    std::sort(packets.begin(), packets.end());
    const Decoded run(packets);
    auto left = all_of(run);
    std::string differences;
    std::size_t flows = 0;
    std::istringstream lines(read(file));
    for (std::string line; std::getline(lines, line);) {
      auto fields = line_protocol(line);
      const auto number = [&](std::initializer_list<const char*> names) -> std::optional<std::uint64_t> {
        for (const char* name : names) {
          if (fields.contains(name)) return core::parse_number<std::uint64_t>(fields[name]);
        }
        return std::nullopt;
      };
      if (!fields.contains("src") && !fields.contains("dst")) continue;  // options data, counters
      ++flows;
      Said said;
      if (fields.contains("src")) said.source = core::Ip::parse(fields["src"]);
      if (fields.contains("dst")) said.destination = core::Ip::parse(fields["dst"]);
      said.source_port = number({"src_port"});
      said.destination_port = number({"dst_port"});
      const bool sflow = fields["version"] == "sFlowV5";
      // Of a sampled packet the peer gives the length without the IP header, and other interfaces than the sample's
      // own.
      if (!sflow) said.bytes = number({"in_bytes", "in_total_bytes"});
      if (!sflow) said.packets = number({"in_packets", "in_total_packets"});
      if (!sflow) said.ingress = number({"in_snmp"});
      if (!sflow) said.egress = number({"out_snmp"});
      if (const auto first = number({"flow_start_ms"}))
        said.first = static_cast<core::Nanoseconds>(*first) * core::kMillisecond;
      if (const auto last = number({"flow_end_ms"}))
        said.last = static_cast<core::Nanoseconds>(*last) * core::kMillisecond;
      const std::string different = find_and_take(said, run, left);
      if (!different.empty()) differences += different;
    }
    if (flows != run.batch.size())
      differences += "flows " + std::to_string(flows) + " != " + std::to_string(run.batch.size()) + "; ";
    settle("telegraf/" + file.parent_path().filename().string(), differences);
  }
  EXPECT_GE(cases_, 7);
}

TEST_F(Parity, Nfdump) {
  for (const fs::path& file : files_like(data_ / "flow/nfdump-decodes", ".json")) {
    const element expected = parse(file);
    std::vector<fs::path> packets;
    for (const element input : expected["inputs"].get_array()) {
      const std::string name(input.get_string().value());
      const fs::path direct = data_ / "flow" / name;
      packets.push_back(fs::exists(direct) ? direct : data_ / "flow/logstash-codec-netflow" / name);
    }
    const Decoded run(packets);
    auto left = all_of(run);
    std::string differences;
    std::size_t flows = 0;
    const core::TimeReader utc;
    for (const element record : expected["records"].get_array()) {
      ++flows;
      Said said;
      said.source = ip_in(record, {"src4_addr", "src6_addr"});
      said.destination = ip_in(record, {"dst4_addr", "dst6_addr"});
      said.source_port = number_in(record, {"src_port"});
      said.destination_port = number_in(record, {"dst_port"});
      said.protocol = number_in(record, {"proto"});
      if (said.protocol == 1) said.destination_port.reset();
      said.bytes = number_in(record, {"in_bytes"});
      said.packets = number_in(record, {"in_packets"});
      said.ingress = number_in(record, {"input_snmp"});
      said.egress = number_in(record, {"output_snmp"});
      for (const auto& [key, target] : {std::pair{"first", &said.first}, std::pair{"last", &said.last}}) {
        if (const auto text = text_in(record, {key})) {
          std::string_view rest = *text;
          *target = core::parse_iso8601(rest, utc);
        }
      }
      const std::string different = find_and_take(said, run, left);
      if (!different.empty()) differences += different;
    }
    if (flows != run.batch.size())
      differences += "flows " + std::to_string(flows) + " != " + std::to_string(run.batch.size()) + "; ";
    settle("nfdump/" + file.filename().string(), differences);
  }
  EXPECT_GE(cases_, 7);
}

// nfacctd aggregates, so sums over the five-tuple's addresses and ports are compared; with sampling it multiplies by
// the rate.
TEST_F(Parity, Pmacct) {
  using Key = std::tuple<std::string, std::string, std::uint64_t, std::uint64_t>;
  struct Sum {
    std::uint64_t bytes = 0;
    std::uint64_t packets = 0;
    std::uint64_t sampled_bytes = 0;
  };
  for (const fs::path& folder : [&] {
         std::vector<fs::path> out;
         for (const auto& entry : fs::directory_iterator(data_ / "flow/pmacct")) out.push_back(entry.path());
         std::sort(out.begin(), out.end());
         return out;
       }()) {
    if (!fs::is_regular_file(folder / "output-flow-00.json")) continue;
    std::map<Key, Sum> ours;
    // Each capture has its own exporter.
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.path().extension() != ".pcap") continue;
      const Decoded run({entry.path()});
      for (const Event& e : run.batch) {
        const bool icmp = e.protocol == 1 || e.protocol == 58;
        Sum& sum = ours[{e.source_ip.text(), e.destination_ip.text(), e.source_port, icmp ? 0 : e.destination_port}];
        sum.bytes += e.source_bytes;
        sum.packets += e.source_packets;
        sum.sampled_bytes += e.source_bytes * std::max<std::uint64_t>(e.sampling, 1);
      }
    }
    std::map<Key, Sum> theirs;
    std::istringstream lines(read(folder / "output-flow-00.json"));
    for (std::string line; std::getline(lines, line);) {
      if (line.empty()) continue;
      line.reserve(line.size() + simdjson::SIMDJSON_PADDING);
      element o;
      ASSERT_EQ(parser_.parse(line).get(o), simdjson::SUCCESS) << folder;
      const auto source = ip_in(o, {"ip_src"});
      const auto destination = ip_in(o, {"ip_dst"});
      if (!source || !destination) continue;
      const bool icmp = text_in(o, {"ip_proto"}).value_or("").ends_with("icmp");
      Sum& sum = theirs[{source->text(), destination->text(), number_in(o, {"port_src"}).value_or(0),
                         icmp ? 0 : number_in(o, {"port_dst"}).value_or(0)}];
      sum.bytes += number_in(o, {"bytes"}).value_or(0);
      sum.packets += number_in(o, {"packets"}).value_or(0);
    }
    std::string differences;
    if (theirs.empty()) differences = "the peer's output is empty; ";
    for (const auto& [key, sum] : theirs) {
      const std::string name = std::get<0>(key) + ":" + std::to_string(std::get<2>(key)) + " > " + std::get<1>(key) +
                               ":" + std::to_string(std::get<3>(key));
      const auto found = ours.find(key);
      if (found == ours.end()) {
        differences += name + " missing; ";
      } else if (found->second.bytes != sum.bytes && found->second.sampled_bytes != sum.bytes) {
        differences +=
            name + " bytes " + std::to_string(sum.bytes) + " != " + std::to_string(found->second.bytes) + "; ";
      }
    }
    for (const auto& [key, sum] : ours) {
      if (!theirs.contains(key)) differences += std::get<0>(key) + " > " + std::get<1>(key) + " only here; ";
    }
    settle("pmacct/" + folder.filename().string(), differences.substr(0, 600));
  }
  EXPECT_GE(cases_, 10);
}

// tcpdump -v prints one line a sample.
TEST_F(Parity, TcpdumpSflow) {
  for (const auto& [capture, output] :
       {std::pair{"sflow-print-v6.pcap", "sflow-print-v6.out"},
        std::pair{"sflow_multiple_counter_30_pdus.pcap", "sflow_multiple_counter_30_pdus.out"}}) {
    std::uint64_t flow_samples = 0;
    std::uint64_t counter_samples = 0;
    std::istringstream lines(read(data_ / "flow/tcpdump-sflow" / output));
    for (std::string line; std::getline(lines, line);) {
      flow_samples += line.find("flow sample (") != line.npos;
      counter_samples += line.find("counter sample (") != line.npos;
    }
    const Decoded run({data_ / "flow/tcpdump-sflow" / capture});
    std::string differences;
    // One of the captures also holds datagrams of NetFlow v5.
    const core::Symbol sflow = core::intern("sflow_v5");
    const auto events =
        std::count_if(run.batch.begin(), run.batch.end(), [&](const Event& e) { return e.dataset == sflow; });
    const std::uint64_t ours = static_cast<std::uint64_t>(events) + run.ignored("sampled frame without IP");
    if (ours != flow_samples)
      differences += "flow samples " + std::to_string(flow_samples) + " != " + std::to_string(ours) + "; ";
    if (run.ignored("sFlow counters") != counter_samples) {
      differences +=
          "counter samples " + std::to_string(counter_samples) + " != " + std::to_string(run.ignored("sFlow counters"));
    }
    settle(std::string("tcpdump/") + capture, differences);
  }
}

// Every flow and packet file of the collection, whole and in small pieces: same events, balanced accounts.
TEST_F(Parity, EveryFileDecodesAlikeInPieces) {
  int files = 0;
  for (const char* folder : {"flow", "packets", "fingerprint/ja4", "behaviour"}) {
    if (!fs::is_directory(data_ / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(data_ / folder)) {
      const std::string extension = entry.path().extension().string();
      if (!entry.is_regular_file() || (extension != ".pcap" && extension != ".pcapng" && extension != ".dat" &&
                                       extension != ".bin" && extension != ".ipfix")) {
        continue;
      }
      const std::string bytes = read(entry.path());
      const auto what = decode::recognise(std::string_view(bytes).substr(0, 65536), {});
      if (!what.binary || bytes.size() > (8U << 20)) continue;
      ++files;
      std::string whole;
      for (const std::size_t step : {bytes.size(), std::size_t{11}, std::size_t{1500}}) {
        auto decoder = decode::make_decoder(what, {});
        ASSERT_TRUE(decoder.has_value());
        event::EventBatch batch;
        for (std::size_t at = 0; at < bytes.size(); at += step)
          (*decoder)->feed(std::string_view(bytes).substr(at, step), batch);
        (*decoder)->finish(batch);
        const event::Counts& c = batch.counts;
        EXPECT_EQ(c.records, c.events + c.ignored + c.rejected) << entry.path();
        EXPECT_EQ(c.events, batch.size()) << entry.path();
        std::string seen;
        for (const Event& e : batch)
          seen += event::to_json(e) + std::to_string(e.record.line) + "@" + std::to_string(e.record.offset) + "\n";
        for (const event::Reject& r : batch.rejects)
          seen += std::to_string(r.offset) + std::string(r.reason.text()) + r.seen + "\n";
        if (step == bytes.size()) {
          whole = seen;
        } else {
          EXPECT_EQ(seen, whole) << entry.path() << " in pieces of " << step;
        }
      }
    }
  }
  EXPECT_GE(files, 100);
}

}  // namespace
