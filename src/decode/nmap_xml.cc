// Nmap's XML (-oX), and masscan's, which follows it. Each port of a <host> is a record.
// Spec: docs/nmap.dtd of Nmap; masscan: src/out-xml.c.
//
// Three sample records (shortened):
//   <host starttime="1795162530" endtime="1795162590"><status state="up"/><address addr="192.0.2.7" addrtype="ipv4"/>
//     <ports><port protocol="tcp" portid="443"><state state="open"/><service name="http" product="GoAhead"
//     tunnel="ssl"/> <script id="ssl-cert" output="..."><table key="subject"><elem
//     key="commonName">router</elem></table>...
//
// Each open port is an event. Ignored by name: ports that are not open, hosts that are down, hosts without ports.
//
// XML is read by structure, not by a schema: tags with their attributes, text within <elem>. What stands outside of
// hosts is looked at for the time of the scan only. Comments and CDATA sections are not known: Nmap escapes "<"
// wherever it writes what a host sent.
#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/text.h"
#include "core/time.h"
#include "decode/device_record.h"
#include "decode/formats.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using std::string_view_literals::operator""sv;

const Symbol kName = core::intern("nmap_xml");
const Symbol kNoAddress = core::intern("nmap_xml: no address");
const Symbol kNoTime = core::intern("nmap_xml: no time");
const Symbol kTooLong = core::intern("record too long");
const Symbol kTruncated = core::intern("nmap_xml: truncated host");
const Symbol kDown = core::intern("nmap_xml host that is down");
const Symbol kNoPort = core::intern("nmap_xml host without ports");
const Symbol kNotOpen = core::intern("nmap_xml port that is not open");

constexpr std::string_view kHostEnd = "</host>";
constexpr std::size_t kShown = 256;  // bytes kept of a host that is too long

struct Tag {
  std::string_view name;  // without "/"
  std::string_view attributes;
  bool closing = false;
  bool empty = false;     // <tag/>
  std::string_view text;  // what follows up to the next tag
};

// Takes the next tag off the front of `xml`; false at the end. "<?...?>" and "<!...>" count as tags, too.
bool next_tag(std::string_view& xml, Tag& tag) {
  const auto begin = xml.find('<');
  if (begin == xml.npos) return false;
  // A ">" may stand within an attribute's quotes.
  char quote = 0;
  std::size_t end = begin + 1;
  for (; end < xml.size(); ++end) {
    const char c = xml[end];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '>') {
      break;
    }
  }
  if (end == xml.size()) return false;
  std::string_view inside = xml.substr(begin + 1, end - begin - 1);
  xml.remove_prefix(end + 1);
  tag = {};
  tag.closing = core::skip_prefix(inside, "/");
  tag.empty = inside.ends_with('/');
  if (tag.empty) inside.remove_suffix(1);
  const auto name_end = std::min(inside.find_first_of(" \t\r\n"), inside.size());
  tag.name = inside.substr(0, name_end);
  tag.attributes = inside.substr(name_end);
  tag.text = xml.substr(0, xml.find('<'));
  return true;
}

// The value as it stands in the text, with its entities; "" if there is none.
std::string_view attribute(const Tag& tag, std::string_view name) {
  std::string_view rest = tag.attributes;
  while (true) {
    rest = core::trim(rest);
    const auto equals = rest.find('=');
    if (equals == rest.npos) return {};
    const std::string_view key = core::trim(rest.substr(0, equals));
    rest = core::trim(rest.substr(equals + 1));
    if (rest.empty() || (rest.front() != '"' && rest.front() != '\'')) return {};
    const auto end = rest.find(rest.front(), 1);
    if (end == rest.npos) return {};
    if (key == name) return rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
  }
}

void append_code_point(std::string& out, std::uint32_t c) {
  const auto byte = [&](std::uint32_t b) { out += static_cast<char>(static_cast<unsigned char>(b)); };
  if (c < 0x80) {
    byte(c);
  } else if (c < 0x800) {
    byte(0xc0 | c >> 6);
    byte(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    byte(0xe0 | c >> 12);
    byte(0x80 | (c >> 6 & 0x3f));
    byte(0x80 | (c & 0x3f));
  } else if (c < 0x110000) {
    byte(0xf0 | c >> 18);
    byte(0x80 | (c >> 12 & 0x3f));
    byte(0x80 | (c >> 6 & 0x3f));
    byte(0x80 | (c & 0x3f));
  }
}

// Text with entities replaced; an unknown one stays as it is.
std::string plain(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto at = text.find('&');
    out += text.substr(0, at);
    if (at == text.npos) break;
    text.remove_prefix(at);
    const auto end = text.substr(0, 12).find(';');
    if (end == text.npos) {
      out += '&';
      text.remove_prefix(1);
      continue;
    }
    std::string_view name = text.substr(1, end - 1);
    const std::size_t before = out.size();
    if (core::skip_prefix(name, "#x")) {
      if (const auto c = core::parse_number<std::uint32_t>(name, 16)) append_code_point(out, *c);
    } else if (core::skip_prefix(name, "#")) {
      if (const auto c = core::parse_number<std::uint32_t>(name)) append_code_point(out, *c);
    } else {
      out += name == "lt"     ? "<"
             : name == "gt"   ? ">"
             : name == "amp"  ? "&"
             : name == "quot" ? "\""
             : name == "apos" ? "'"
                              : "";
    }
    if (out.size() == before) out += text.substr(0, end + 1);
    text.remove_prefix(end + 1);
  }
  return out;
}

// The parts of a distinguished name as the script ssl-cert calls them.
std::string_view short_name(std::string_view key) {
  struct Row {
    std::string_view key, name;
  };
  static constexpr std::array kRows = {
      Row{"commonName", "CN"}, Row{"organizationName", "O"},     Row{"organizationalUnitName", "OU"},
      Row{"countryName", "C"}, Row{"stateOrProvinceName", "ST"}, Row{"localityName", "L"}};
  for (const Row& row : kRows) {
    if (row.key == key) return row.name;
  }
  return key;
}

core::Nanoseconds epoch_of(std::string_view text) { return core::parse_epoch(text).value_or(0); }

struct Port {
  bool open = false;
  std::uint16_t number = 0;
  std::uint8_t protocol = 0;
  std::string service, product, banner, server, title, subject, issuer, hash, jarm;
};

struct Host {
  core::Ip ip;
  bool down = false;
  core::Nanoseconds time = 0;
  std::string name, os;
  std::vector<Port> ports;
};

// Reads one <host> ... </host>.
class HostReader {
 public:
  explicit HostReader(std::string_view xml) {
    Tag tag;
    while (next_tag(xml, tag)) take(tag);
  }
  Host& host() { return host_; }

 private:
  void take(const Tag& tag) {
    if (tag.closing) {
      if (tag.name == "port") port_ = nullptr;
      if (tag.name == "script") script_ = {};
      if (tag.name == "table") table_ = {};
      return;
    }
    if (tag.name == "host") {
      host_.time = epoch_of(attribute(tag, "starttime"));
      if (host_.time == 0) host_.time = epoch_of(attribute(tag, "endtime"));
    } else if (tag.name == "status") {
      host_.down = attribute(tag, "state") == "down";
    } else if (tag.name == "address") {
      if (attribute(tag, "addrtype") != "mac" && !host_.ip.present())
        host_.ip = core::Ip::parse(attribute(tag, "addr")).value_or(core::Ip{});
    } else if (tag.name == "hostname") {
      if (host_.name.empty()) host_.name = plain(attribute(tag, "name"));
    } else if (tag.name == "osmatch") {
      if (host_.os.empty()) host_.os = plain(attribute(tag, "name"));
    } else if (tag.name == "port") {
      host_.ports.emplace_back();
      port_ = &host_.ports.back();
      const auto number = core::parse_number<std::uint16_t>(attribute(tag, "portid"));
      port_->number = number.value_or(0);
      port_->protocol = protocol_number(attribute(tag, "protocol"));
      if (tag.empty) port_ = nullptr;
    } else if (port_ != nullptr) {
      of_port(tag);
    }
  }

  void of_port(const Tag& tag) {
    if (tag.name == "state") {
      port_->open = attribute(tag, "state") == "open";
    } else if (tag.name == "service") {
      port_->service = plain(attribute(tag, "name"));
      if (attribute(tag, "tunnel") == "ssl") port_->service = "ssl/" + port_->service;
      for (const std::string_view part : {"product"sv, "version"sv, "extrainfo"sv, "devicetype"sv}) {
        const std::string text = plain(attribute(tag, part));
        if (!text.empty()) port_->product += (port_->product.empty() ? "" : " ") + text;
      }
      port_->banner = plain(attribute(tag, "banner"));  // masscan
    } else if (tag.name == "script") {
      script_ = tag.empty ? std::string_view{} : attribute(tag, "id");
      const std::string_view id = attribute(tag, "id");
      if (id == "banner") unescape_bytes(plain(attribute(tag, "output")), port_->banner);
      if (id == "http-server-header") port_->server = plain(attribute(tag, "output"));
      if (id == "http-title") port_->title = plain(attribute(tag, "output"));
      if (id == "jarm" || id == "ssl-jarm") port_->jarm = plain(attribute(tag, "output"));
    } else if (tag.name == "table") {
      table_ = attribute(tag, "key");
    } else if (tag.name == "elem" && script_ == "ssl-cert") {
      const std::string_view key = attribute(tag, "key");
      if (table_.empty() && (key == "sha256" || (key == "sha1" && port_->hash.empty()))) port_->hash = plain(tag.text);
      std::string* name = table_ == "subject" ? &port_->subject : table_ == "issuer" ? &port_->issuer : nullptr;
      if (name == nullptr || name->size() > 512) return;
      *name += (name->empty() ? "" : ", ") + std::string(short_name(attribute(tag, "key"))) + "=" + plain(tag.text);
    }
  }

  Host host_;
  Port* port_ = nullptr;  // into host_.ports; set anew whenever that grows
  std::string_view script_;
  std::string_view table_;
};

class NmapXml final : public Decoder {
 public:
  explicit NmapXml(const Options& options) : source_(options.source), longest_(options.longest_record) {}

  void feed(std::string_view bytes, EventBatch& batch) override {
    const std::uint64_t fed_at = offset_ + buffer_.size();
    buffer_.append(bytes);
    while (step(fed_at, batch)) {
    }
    buffer_.erase(0, done_);
    searched_ -= done_;
    done_ = 0;
  }

  void finish(EventBatch& batch) override {
    if (inside_) reject(too_long_ ? kTooLong : kTruncated, std::string_view(buffer_).substr(done_), batch);
    inside_ = too_long_ = false;
    pass(buffer_.size() - done_);
    buffer_.clear();
    done_ = searched_ = 0;
  }

 private:
  // Moves over bytes that are dealt with.
  void pass(std::size_t count) {
    const auto begin = buffer_.begin() + static_cast<std::ptrdiff_t>(done_);
    line_ += static_cast<std::uint32_t>(std::count(begin, begin + static_cast<std::ptrdiff_t>(count), '\n'));
    done_ += count;
    offset_ += count;
    searched_ = std::max(searched_, done_);
  }

  // Where the next <host begins; npos if it is not there yet.
  std::size_t host_begin() const {
    for (std::size_t at = searched_; (at = buffer_.find("<host", at)) != buffer_.npos; ++at) {
      if (at + 5 >= buffer_.size()) return buffer_.npos;
      const char next = buffer_[at + 5];
      if (next == '>' || core::is_space(next)) return at;
    }
    return buffer_.npos;
  }

  // One step: over what stands before a host, or over a host. False if more bytes are needed.
  bool step(std::uint64_t fed_at, EventBatch& batch) {
    if (!inside_) {
      const std::size_t begin = host_begin();
      const std::size_t kept = std::min(buffer_.size() - done_, kHeadKept);
      const std::size_t behind = begin != buffer_.npos ? begin : buffer_.size() - kept;
      look_at_head(std::string_view(buffer_).substr(done_, std::min(begin, buffer_.size()) - done_));
      if (begin == buffer_.npos) {
        // The beginning of a tag may be cut; of <nmaprun ...> all is kept until it is whole.
        if (behind > done_) pass(behind - done_);
        searched_ = std::max(done_, buffer_.size() - std::min<std::size_t>(buffer_.size(), 5));
        return false;
      }
      pass(begin - done_);
      inside_ = true;
      host_offset_ = offset_;
      host_line_ = line_;
      return true;
    }
    const std::size_t end = buffer_.find(kHostEnd, searched_);
    if (end == buffer_.npos) {
      searched_ = std::max(searched_, buffer_.size() - std::min(buffer_.size(), kHostEnd.size() - 1));
      searched_ = std::max(searched_, done_);
      if (buffer_.size() - done_ > longest_) {
        if (!too_long_) shown_ = buffer_.substr(done_, kShown);
        too_long_ = true;
        pass(searched_ - done_);
      }
      return false;
    }
    const std::size_t length = end + kHostEnd.size() - done_;
    const std::string_view xml = std::string_view(buffer_).substr(done_, length);
    if (too_long_ || length > longest_) {
      reject(kTooLong, xml, batch);
    } else {
      host(xml, fed_at, batch);
    }
    inside_ = too_long_ = false;
    pass(length);
    return true;
  }

  // The scan's own time, for hosts that state none.
  void look_at_head(std::string_view head) {
    if (start_ != 0) return;
    const auto at = head.find("<nmaprun");
    if (at == head.npos) return;
    head.remove_prefix(at);
    Tag tag;
    if (next_tag(head, tag)) start_ = epoch_of(attribute(tag, "start"));
  }

  void host(std::string_view xml, std::uint64_t fed_at, EventBatch& batch) {
    HostReader reader(xml);
    Host& h = reader.host();
    if (h.down) return batch.counts.ignore(kDown);
    if (h.ports.empty()) return batch.counts.ignore(kNoPort);
    if (!h.ip.present()) return reject(kNoAddress, xml, batch);
    if (h.time == 0) h.time = start_;
    if (h.time == 0) return reject(kNoTime, xml, batch);
    bool any = false;
    for (const Port& p : h.ports) {
      if (!p.open) {
        batch.counts.ignore(kNotOpen);
        continue;
      }
      fill(batch.next(), h, p, xml.size());
      batch.keep();
      batch.counts.event(kName);
      any = true;
    }
    if (any && host_offset_ < fed_at) batch.hold(host_offset_, xml);
  }

  void fill(Event& e, const Host& h, const Port& p, std::size_t length) {
    put_observed(e);
    e.dataset = kName;
    e.time = h.time;
    e.source_ip = h.ip;
    e.source_port = p.number;
    e.protocol = p.protocol;
    e.client_host = short_symbol(h.name);
    e.client_os = short_symbol(h.os);
    e.application = lower_symbol(p.service);
    ServiceFacts facts;
    facts.banner = p.banner;
    facts.server = p.server;
    facts.title = p.title;
    facts.product = p.product;
    facts.subject = p.subject;
    facts.issuer = p.issuer;
    facts.certificate = p.hash;
    facts.jarm = p.jarm;
    put_facts(e, facts, scratch_);
    e.record.offset = host_offset_;
    e.record.line = host_line_;
    e.record.length = static_cast<std::uint32_t>(length);
    e.record.source = source_;
  }

  void reject(Symbol reason, std::string_view seen, EventBatch& batch) {
    if (too_long_) seen = shown_;
    batch.counts.reject(reason);
    if (batch.rejects.size() < EventBatch::kMostRejects)
      batch.note_reject({host_offset_, host_line_, reason, core::printable(seen, 160)});
  }

  static constexpr std::size_t kHeadKept = 4096;  // of what stands before a host, while it may be a cut tag

  std::uint32_t source_;
  std::size_t longest_;
  std::string buffer_;        // bytes not dealt with, behind done_
  std::size_t done_ = 0;      // within buffer_
  std::size_t searched_ = 0;  // within buffer_: no end of what is looked for lies before it
  std::uint64_t offset_ = 0;  // of buffer_[done_] in the input
  std::uint32_t line_ = 1;    // likewise
  bool inside_ = false;       // a host has begun
  bool too_long_ = false;     // and is being skipped
  std::string shown_;         // its beginning
  std::uint64_t host_offset_ = 0;
  std::uint32_t host_line_ = 1;
  core::Nanoseconds start_ = 0;
  std::string scratch_;
};

}  // namespace

int recognise_nmap_xml(std::string_view head) {
  head = head.substr(0, 4096);
  if (core::skip_prefix(head, "\xef\xbb\xbf")) head = core::trim(head);
  if (!core::trim(head).starts_with('<')) return 0;
  const auto holds_tag = [&](std::string_view tag) {
    const auto at = head.find(tag);
    if (at == head.npos || at + tag.size() >= head.size()) return false;
    const char behind = head[at + tag.size()];
    return core::is_space(behind) || behind == '>';
  };
  if (holds_tag("<nmaprun")) return 100;
  // A host that was cut out of a scan.
  return core::trim(head).starts_with("<host") && holds_tag("<host") && holds_tag("<address") ? 90 : 0;
}

std::unique_ptr<Decoder> make_nmap_xml(const Options& options) { return std::make_unique<NmapXml>(options); }

}  // namespace orbwatch::decode
