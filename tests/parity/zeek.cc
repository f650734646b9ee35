// Zeek's own logs, read by the names of their columns. In Zeek's test suite the times are masked: one and the same time
// is put in their place.
#include <map>

#include "core/text.h"
#include "decode/scanner.h"
#include "parity/parity.h"

namespace orbwatch::parity {
namespace {

std::string unmasked(std::string text) {
  constexpr std::string_view kMask = "XXXXXXXXXX.XXXXXX";
  constexpr std::string_view kTime = "1795334400.250000";
  for (auto at = text.find(kMask); at != text.npos; at = text.find(kMask, at)) text.replace(at, kMask.size(), kTime);
  return text;
}

using Row = std::map<std::string, std::string>;

Record record_of(const Row& row, bool connection) {
  Record record;
  const auto claim = [&](std::string_view field, const char* column) {
    const auto found = row.find(column);
    if (found != row.end() && found->second != "-" && found->second != "(empty)") record.claim(field, found->second);
  };
  if (const auto ts = row.find("ts"); ts != row.end() && time_of(ts->second) != 0)
    record.claim("time", core::rfc3339(time_of(ts->second)));
  claim("source.ip", "id.orig_h");
  claim("destination.ip", "id.resp_h");
  const auto protocol = row.find("proto");
  if (protocol == row.end() || protocol->second != "icmp") {  // of ICMP type and code stand there
    claim("source.port", "id.orig_p");
    claim("destination.port", "id.resp_p");
  }
  if (connection) {
    claim("source.bytes", "orig_ip_bytes");
    claim("destination.bytes", "resp_ip_bytes");
    claim("source.packets", "orig_pkts");
    claim("destination.packets", "resp_pkts");
    claim("network.protocol", "service");
    if (protocol != row.end() && decode::protocol_number(protocol->second) != 0) {
      // Zeek has one name for ICMP of IPv4 and IPv6.
      const auto source = row.find("id.orig_h");
      const bool icmp6 = protocol->second == "icmp" && source != row.end() && source->second.contains(':');
      record.claim("network.iana_number", icmp6 ? "58" : std::to_string(decode::protocol_number(protocol->second)));
    }
    if (const auto found = row.find("duration"); found != row.end()) {
      const auto dot = found->second.find('.');
      const auto whole = core::parse_number<std::uint64_t>(std::string_view(found->second).substr(0, dot));
      std::string fraction = dot == std::string::npos ? "" : found->second.substr(dot + 1);
      fraction.resize(9, '0');
      if (whole) record.claim("duration_ns", std::to_string(*whole * 1'000'000'000 + std::stoull(fraction)));
    }
  } else {
    claim("user_agent", "client");
    claim("banner", "server");
    claim("fingerprint", "hassh");
    claim("fingerprint", "ja3");
    claim("server_fingerprint", "ja3s");
    claim("destination.domain", "server_name");
    claim("certificate.issuer", "issuer");
    claim("certificate.subject", "subject");
    if (const auto found = row.find("auth_success"); found != row.end() && found->second != "-")
      record.claim("outcome", found->second == "T" || found->second == "true" ? "success" : "failure");
  }
  return record;
}

void read_tsv(const fs::path& data, const fs::path& file, bool connection, const Sink& sink) {
  Case c{.peer = "zeek", .file = below(data, file), .input = unmasked(read_file(file))};
  std::vector<std::string> names;
  std::uint32_t number = 0;
  for (const std::string& line : lines_of(c.input)) {
    ++number;
    std::string_view rest = line;
    if (core::skip_prefix(rest, "#fields\t")) {
      names.clear();
      while (!rest.empty()) names.emplace_back(core::take_until(rest, '\t'));
    }
    if (line.empty() || line.starts_with('#') || names.empty()) continue;
    Row row;
    for (const std::string& name : names) row[name] = core::take_until(rest, '\t');
    Record record = record_of(row, connection);
    record.line = number;
    record.place = "line " + std::to_string(number);
    c.records.push_back(std::move(record));
  }
  if (!c.records.empty()) sink(std::move(c));
}

void read_json(const fs::path& data, const fs::path& file, const Sink& sink) {
  simdjson::dom::parser parser;
  Case c{.peer = "zeek", .file = below(data, file), .input = unmasked(read_file(file))};
  std::uint32_t number = 0;
  for (const std::string& line : lines_of(c.input)) {
    ++number;
    element object;
    simdjson::dom::object fields;
    if (parser.parse(simdjson::padded_string(line)).get(object) != simdjson::SUCCESS ||
        object.get_object().get(fields) != simdjson::SUCCESS) {
      continue;
    }
    Row row;
    for (const auto field : fields) {
      if (auto value = text_at(object, field.key)) row[std::string(field.key)] = *value;
    }
    Record record = record_of(row, false);
    record.line = number;
    record.place = "line " + std::to_string(number);
    c.records.push_back(std::move(record));
  }
  if (!c.records.empty()) sink(std::move(c));
}

}  // namespace

void read_zeek(const fs::path& data, const Sink& sink) {
  for (const char* folder : {"logs/zeek-baseline", "behaviour/rita", "behaviour/slips", "zeek"}) {
    for (const fs::path& file : files_below(data / folder, "")) {
      const std::string name = file.filename().string();
      const bool connection = name.starts_with("conn.");
      if (!connection && !name.starts_with("ssh.") && !name.starts_with("ssl.")) continue;
      if (name.contains(".json")) {
        read_json(data, file, sink);
      } else if (name.contains(".log")) {
        read_tsv(data, file, connection, sink);
      }
    }
  }
}

}  // namespace orbwatch::parity
