#include "source/otlp.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <exception>
#include <iterator>
#include <optional>
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

#include "core/text.h"
#include "core/time.h"

namespace orbwatch::source {
namespace {

using protozero::pbf_reader;
using protozero::pbf_wire_type;
using std::size_t;
using std::string_view;
namespace dom = simdjson::dom;

// Requests that do not follow the protocol. Thrown and caught in this file, as the library's own exceptions are.
class Malformed : public std::exception {
 public:
  explicit Malformed(const char* text) : text_(text) {}
  const char* what() const noexcept override { return text_; }

 private:
  const char* text_;
};

enum class Fate : std::uint8_t { kGood, kEmpty, kOversize, kNested };

// Both encodings write the same JSON through this. Once a value is refused, nothing more is written of it.
class Json {
 public:
  explicit Json(size_t longest) : longest_(longest) {}
  void begin() {
    out_.clear();
    fate_ = Fate::kGood;
  }
  // False: `depth` is too deep, or it is too long already.
  bool open(int depth) {
    if (depth > kMostOtlpDepth) refuse(Fate::kNested);
    return fate_ == Fate::kGood;
  }
  void raw(string_view text) {
    if (text.size() > longest_ || out_.size() > longest_) refuse(Fate::kOversize);
    if (fate_ == Fate::kGood) out_ += text;
  }
  void text(string_view text) {
    if (text.size() > longest_ || out_.size() > longest_) refuse(Fate::kOversize);
    if (fate_ == Fate::kGood) core::append_json_string(out_, text);
  }
  void bytes(string_view bytes) {
    if (bytes.size() > longest_) return refuse(Fate::kOversize);
    std::string base64(4 * ((bytes.size() + 2) / 3) + 1, '\0');
    const int n = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(base64.data()),
                                  reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    base64.resize(static_cast<size_t>(n));
    text(base64);
  }
  void number(double value) {
    if (std::isfinite(value)) {
      raw(fmt::format("{}", value));
    } else {  // as proto3's mapping has it
      text(std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
    }
  }
  const std::string& out() const { return out_; }
  Fate fate() const { return out_.size() > longest_ && fate_ == Fate::kGood ? Fate::kOversize : fate_; }

 private:
  void refuse(Fate fate) {
    if (fate_ == Fate::kGood) fate_ = fate;
  }
  size_t longest_;
  std::string out_;
  Fate fate_ = Fate::kGood;
};

// What stands around a body and is kept.
struct Facts {
  std::uint64_t time = 0;  // nanoseconds since 1970
  std::string hostname;    // of the record; comes before host
  std::string host;
  std::string service;
  std::string program;
  std::string pid;

  // The place of an attribute of that name; null: it is not kept.
  std::string* place(string_view key, bool of_record) {
    if (key == "host.name") return &host;
    if (key == "service.name") return &service;
    if (!of_record) return nullptr;
    // The syslog receiver of the OpenTelemetry Collector.
    if (key == "hostname") return &hostname;
    if (key == "appname") return &program;
    if (key == "proc_id") return &pid;
    return nullptr;
  }
  static void keep(std::string* place, string_view text) {
    if (place != nullptr && text.size() <= kLongestOtlpName) *place = text;
  }
};

class Reader {
 public:
  Reader(size_t longest, const OtlpRecord& give) : json_(longest), longest_(longest), give_(give) {}
  const OtlpCounts& counts() const { return counts_; }

 protected:
  // A record whose body is a text, or is what was written into json_. False: no more is wanted.
  bool finish(const Facts& facts, std::optional<string_view> text) {
    if (text) {
      while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->remove_suffix(1);
    }
    Fate fate = text                                                 ? (text->empty()             ? Fate::kEmpty
                                                                        : text->size() > longest_ ? Fate::kOversize
                                                                                                  : Fate::kGood)
                : json_.fate() == Fate::kGood && json_.out().empty() ? Fate::kEmpty
                                                                     : json_.fate();
    string_view record = text ? *text : string_view(json_.out());
    if (fate == Fate::kGood && envelope(facts)) {
      if (text) {
        core::append_json_string(line_, *text);
      } else {
        line_ += json_.out();
      }
      line_ += '}';
      record = line_;
      if (record.size() > longest_) fate = Fate::kOversize;
    }
    switch (fate) {
      case Fate::kEmpty: ++counts_.empty; return true;
      case Fate::kOversize: ++counts_.oversize; return true;
      case Fate::kNested: ++counts_.nested; return true;
      default: break;
    }
    ++counts_.records;
    return give_(record);
  }

  Json json_;

 private:
  // The beginning of the envelope into line_; false: there is nothing to say.
  bool envelope(const Facts& facts) {
    const std::string& host = facts.hostname.empty() ? facts.host : facts.hostname;
    // A time beyond what can be said (the year 2262) is none.
    const std::uint64_t time = facts.time <= INT64_MAX ? facts.time : 0;
    if (time == 0 && host.empty() && facts.service.empty() && facts.program.empty() && facts.pid.empty()) return false;
    line_ = "{";
    constexpr auto kSecond = static_cast<std::uint64_t>(core::kSecond);
    if (time != 0) fmt::format_to(std::back_inserter(line_), "\"time\":{}.{:09},", time / kSecond, time % kSecond);
    for (const auto& [key, value] : {std::pair<const char*, const std::string&>{"host", host},
                                     {"appname", facts.program},
                                     {"procid", facts.pid},
                                     {"service.name", facts.service}}) {
      if (value.empty()) continue;
      fmt::format_to(std::back_inserter(line_), "\"{}\":", key);
      core::append_json_string(line_, value);
      line_ += ',';
    }
    line_ += "\"sourcetype\":\"otlp\",\"event\":";
    return true;
  }

  size_t longest_;
  const OtlpRecord& give_;
  std::string line_;
  OtlpCounts counts_;
};

// --- binary

class ProtobufReader : public Reader {
 public:
  using Reader::Reader;

  void request(string_view body) {
    pbf_reader in(body.data(), body.size());
    while (in.next()) {
      if (!is(in, 1, kMessage)) {
        in.skip();
      } else if (!resource_logs(in.get_message())) {
        return;
      }
    }
  }

 private:
  static constexpr auto kMessage = pbf_wire_type::length_delimited;  // strings and bytes, too
  // A field of another wire type than it should have is an unknown one (the library only asserts that).
  static bool is(const pbf_reader& in, std::uint32_t field, pbf_wire_type type) {
    return in.tag() == field && in.wire_type() == type;
  }
  static string_view view(pbf_reader& in) {
    const protozero::data_view bytes = in.get_view();
    return {bytes.data(), bytes.size()};
  }

  bool resource_logs(const pbf_reader& message) {
    Facts facts;
    // The resource may stand behind the records.
    pbf_reader first = message;
    while (first.next()) {
      if (!is(first, 1, kMessage)) {
        first.skip();
        continue;
      }
      pbf_reader resource = first.get_message();
      while (resource.next()) {
        if (is(resource, 1, kMessage)) {
          fact(resource.get_message(), facts, false);
        } else {
          resource.skip();
        }
      }
    }
    pbf_reader in = message;
    while (in.next()) {
      if (!is(in, 2, kMessage)) {
        in.skip();
        continue;
      }
      pbf_reader scope = in.get_message();
      while (scope.next()) {
        if (!is(scope, 2, kMessage)) {
          scope.skip();
        } else if (!log_record(scope.get_message(), facts)) {
          return false;
        }
      }
    }
    return true;
  }

  bool log_record(pbf_reader in, Facts facts) {
    std::optional<pbf_reader> body;
    bool attributes = false;
    const pbf_reader all = in;
    while (in.next()) {
      if (is(in, 1, pbf_wire_type::fixed64)) {
        facts.time = in.get_fixed64();
      } else if (is(in, 5, kMessage)) {
        body = in.get_message();
      } else if (is(in, 6, kMessage)) {
        fact(in.get_message(), facts, true);
        attributes = true;
      } else {
        in.skip();
      }
    }
    json_.begin();
    if (body) {
      if (const auto text = text_of(*body)) return finish(facts, text);
      if (has_value(*body)) {
        value(*body, 1);
        return finish(facts, std::nullopt);
      }
    }
    if (attributes) map(all, 6, 1);
    return finish(facts, std::nullopt);
  }

  static void fact(pbf_reader pair, Facts& facts, bool of_record) {
    string_view key;
    std::optional<pbf_reader> value;
    while (pair.next()) {
      if (is(pair, 1, kMessage)) {
        key = view(pair);
      } else if (is(pair, 2, kMessage)) {
        value = pair.get_message();
      } else {
        pair.skip();
      }
    }
    std::string* const place = facts.place(key, of_record);
    if (place == nullptr || !value) return;
    if (const auto text = text_of(*value)) Facts::keep(place, *text);
  }

  // Of an AnyValue: the last of its kinds counts, as for every oneof.
  static std::optional<string_view> text_of(pbf_reader in) {
    std::optional<string_view> text;
    while (in.next()) {
      if (in.tag() >= 1 && in.tag() <= 7) text.reset();
      if (is(in, 1, kMessage) || is(in, 7, kMessage)) {
        text = view(in);
      } else {
        in.skip();
      }
    }
    return text;
  }
  static bool has_value(pbf_reader in) {
    bool any = false;
    while (in.next()) {
      any |= in.tag() >= 1 && in.tag() <= 7;
      in.skip();
    }
    return any;
  }

  void value(pbf_reader in, int depth) {
    if (!json_.open(depth)) return;
    // First which of its kinds is the last one: only that is written.
    std::optional<pbf_reader> last;
    for (pbf_reader at = in; at.next(); at.skip()) {
      const auto type = at.wire_type();
      const auto tag = at.tag();
      const bool good = tag == 2 || tag == 3 ? type == pbf_wire_type::varint
                        : tag == 4           ? type == pbf_wire_type::fixed64
                                             : tag >= 1 && tag <= 7 && type == kMessage;
      if (good) last = at;
    }
    if (!last) return json_.raw("null");
    switch (last->tag()) {
      case 1: return json_.text(view(*last));
      case 2: return json_.raw(last->get_bool() ? "true" : "false");
      case 3: return json_.raw(fmt::format("{}", last->get_int64()));
      case 4: return json_.number(last->get_double());
      case 5: return list(last->get_message(), depth);
      case 6: return map(last->get_message(), 1, depth);
      default: return json_.bytes(view(*last));
    }
  }

  void list(pbf_reader in, int depth) {
    json_.raw("[");
    for (bool first = true; in.next();) {
      if (!is(in, 1, kMessage)) {
        in.skip();
        continue;
      }
      if (!first) json_.raw(",");
      first = false;
      value(in.get_message(), depth + 1);
    }
    json_.raw("]");
  }

  // The pairs that are `field` of a message.
  void map(pbf_reader in, std::uint32_t field, int depth) {
    json_.raw("{");
    for (bool first = true; in.next();) {
      if (!is(in, field, kMessage)) {
        in.skip();
        continue;
      }
      if (!first) json_.raw(",");
      first = false;
      pair(in.get_message(), depth);
    }
    json_.raw("}");
  }

  void pair(pbf_reader in, int depth) {
    string_view key;
    std::optional<pbf_reader> held;
    while (in.next()) {
      if (is(in, 1, kMessage)) {
        key = view(in);
      } else if (is(in, 2, kMessage)) {
        held = in.get_message();
      } else {
        in.skip();
      }
    }
    json_.text(key);
    json_.raw(":");
    if (held) {
      value(*held, depth + 1);
    } else {
      json_.raw("null");
    }
  }
};

// --- JSON

class JsonReader : public Reader {
 public:
  using Reader::Reader;

  void request(string_view body) {
    dom::parser parser;
    dom::element root;
    if (parser.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS) throw Malformed("this is not JSON");
    if (!root.is_object()) throw Malformed("this is no object");
    each(root, "resourceLogs", [&](dom::element one) { return resource_logs(one); });
  }

 private:
  // A member that is null counts as absent.
  static std::optional<dom::element> member(dom::element object, string_view key) {
    dom::element found;
    if (!object.is_object()) throw Malformed("a value where an object should be");
    if (object[key].get(found) != simdjson::SUCCESS || found.is_null()) return std::nullopt;
    return found;
  }
  // The items of a list, if it is there. False: `work` said that no more is wanted.
  template <typename Work>
  static bool each(dom::element object, string_view key, Work&& work) {
    const auto found = member(object, key);
    if (!found) return true;
    dom::array list;
    if (found->get(list) != simdjson::SUCCESS) throw Malformed("a value where a list should be");
    return std::all_of(list.begin(), list.end(), work);
  }
  static string_view string(dom::element value) {
    string_view text;
    if (value.get(text) != simdjson::SUCCESS) throw Malformed("a value where a text should be");
    return text;
  }

  bool resource_logs(dom::element object) {
    Facts facts;
    if (const auto resource = member(object, "resource")) {
      each(*resource, "attributes", [&](dom::element pair) { return fact(pair, facts, false); });
    }
    return each(object, "scopeLogs", [&](dom::element scope) {
      return each(scope, "logRecords", [&](dom::element record) { return log_record(record, facts); });
    });
  }

  bool log_record(dom::element object, Facts facts) {
    if (const auto time = member(object, "timeUnixNano")) facts.time = number<std::uint64_t>(*time);
    bool attributes = false;
    each(object, "attributes", [&](dom::element pair) { return attributes = fact(pair, facts, true); });
    json_.begin();
    if (const auto body = member(object, "body")) {
      if (const auto text = member(*body, "stringValue")) return finish(facts, string(*text));
      if (const auto bytes = member(*body, "bytesValue")) {
        const std::string text = from_base64(string(*bytes));
        return finish(facts, text);
      }
      if (kind_of(*body)) {
        value(*body, 1);
        return finish(facts, std::nullopt);
      }
    }
    if (attributes) map(object, "attributes", 1);
    return finish(facts, std::nullopt);
  }

  static bool fact(dom::element pair, Facts& facts, bool of_record) {
    const auto key = member(pair, "key");
    const auto held = member(pair, "value");
    if (!key || !held) return true;
    std::string* const place = facts.place(string(*key), of_record);
    if (place == nullptr) return true;
    if (const auto text = member(*held, "stringValue")) Facts::keep(place, string(*text));
    return true;
  }

  // 64-bit numbers are texts; numbers are taken, too.
  template <typename Number>
  static Number number(dom::element value) {
    Number out = 0;
    if (value.is_string()) {
      const auto parsed = core::parse_number<Number>(string(value));
      if (!parsed) throw Malformed("a text that is no whole number");
      return *parsed;
    }
    if (value.get(out) != simdjson::SUCCESS) throw Malformed("a value where a whole number should be");
    return out;
  }

  static std::optional<string_view> kind_of(dom::element value) {
    for (const string_view kind :
         {"stringValue", "boolValue", "intValue", "doubleValue", "arrayValue", "kvlistValue", "bytesValue"}) {
      if (member(value, kind)) return kind;
    }
    return std::nullopt;
  }

  void value(dom::element object, int depth) {
    if (!json_.open(depth)) return;
    const auto kind = kind_of(object);
    if (!kind) return json_.raw("null");
    const dom::element held = *member(object, *kind);
    if (*kind == "stringValue") return json_.text(string(held));
    if (*kind == "intValue") return json_.raw(fmt::format("{}", number<std::int64_t>(held)));
    if (*kind == "bytesValue") return json_.bytes(from_base64(string(held)));
    if (*kind == "boolValue") {
      bool flag = false;
      if (held.get(flag) != simdjson::SUCCESS) throw Malformed("a value where true or false should be");
      return json_.raw(flag ? "true" : "false");
    }
    if (*kind == "doubleValue") {
      double real = 0;
      if (held.get(real) == simdjson::SUCCESS) return json_.number(real);
      return json_.text(string(held));  // "NaN", "Infinity", and numbers as texts
    }
    if (*kind == "kvlistValue") return map(held, "values", depth);
    json_.raw("[");
    bool first = true;
    each(held, "values", [&](dom::element item) {
      if (!first) json_.raw(",");
      first = false;
      value(item, depth + 1);
      return true;
    });
    json_.raw("]");
  }

  // The pairs that are a member of an object.
  void map(dom::element object, string_view pairs, int depth) {
    json_.raw("{");
    bool first = true;
    each(object, pairs, [&](dom::element pair) {
      if (!first) json_.raw(",");
      first = false;
      const auto key = member(pair, "key");
      json_.text(key ? string(*key) : "");
      json_.raw(":");
      if (const auto held = member(pair, "value")) {
        value(*held, depth + 1);
      } else {
        json_.raw("null");
      }
      return true;
    });
    json_.raw("}");
  }

  // Both alphabets, with or without its padding, as proto3's mapping allows.
  static std::string from_base64(string_view text) {
    while (text.ends_with('=')) text.remove_suffix(1);
    std::string padded(text);
    std::replace(padded.begin(), padded.end(), '-', '+');
    std::replace(padded.begin(), padded.end(), '_', '/');
    const size_t missing = (4 - padded.size() % 4) % 4;
    padded.append(missing, '=');
    std::string out(padded.size() / 4 * 3 + 1, '\0');
    const bool clean = std::all_of(text.begin(), text.end(), [](unsigned char c) {
      return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/' ||
             c == '-' || c == '_';
    });
    const int n =
        !clean || missing == 3 || padded.size() > INT32_MAX
            ? -1
            : EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                              reinterpret_cast<const unsigned char*>(padded.data()), static_cast<int>(padded.size()));
    if (n < 0 || static_cast<size_t>(n) < missing) throw Malformed("a text that is not Base64");
    out.resize(static_cast<size_t>(n) - missing);
    return out;
  }
};

template <typename Way>
core::Expected<OtlpCounts> read(string_view body, size_t longest, const OtlpRecord& give) {
  Way reader(longest, give);
  try {
    reader.request(body);
  } catch (const Malformed& error) {
    return core::fail("not an ExportLogsServiceRequest", error.what());
  } catch (const protozero::exception& error) {
    return core::fail("not an ExportLogsServiceRequest", error.what());
  }
  return reader.counts();
}

// google.rpc.Code for a status of HTTP, by the table of google/rpc/code.proto.
int code_of(int http_status) {
  switch (http_status) {
    case 401: return 16;  // UNAUTHENTICATED
    case 403: return 7;   // PERMISSION_DENIED
    case 405: return 12;  // UNIMPLEMENTED
    case 413:
    case 429: return 8;                           // RESOURCE_EXHAUSTED
    case 503: return 14;                          // UNAVAILABLE
    default: return http_status >= 500 ? 13 : 3;  // INTERNAL, INVALID_ARGUMENT
  }
}

}  // namespace

core::Expected<OtlpCounts> read_otlp_logs(string_view body, OtlpEncoding encoding, size_t longest,
                                          const OtlpRecord& give) {
  return encoding == OtlpEncoding::kJson ? read<JsonReader>(body, longest, give)
                                         : read<ProtobufReader>(body, longest, give);
}

std::string otlp_response(OtlpEncoding encoding, const OtlpCounts& counts, size_t longest) {
  std::string why;
  const auto reason = [&why](std::uint64_t n, const std::string& text) {
    if (n != 0) why += fmt::format("{}{} {}", why.empty() ? "" : ", ", n, text);
  };
  reason(counts.oversize, fmt::format("longer than {} bytes", longest));
  reason(counts.nested, fmt::format("nested deeper than {} values", kMostOtlpDepth));
  reason(counts.empty, "without body and attributes");
  if (encoding == OtlpEncoding::kJson) {
    if (counts.refused() == 0) return "{}";
    std::string out =
        fmt::format(R"({{"partialSuccess":{{"rejectedLogRecords":"{}","errorMessage":)", counts.refused());
    core::append_json_string(out, why);
    return out + "}}";
  }
  std::string out;
  if (counts.refused() == 0) return out;
  protozero::pbf_writer response(out);
  protozero::pbf_writer partial(response, 1);
  partial.add_int64(1, static_cast<std::int64_t>(counts.refused()));
  partial.add_string(2, why);
  partial.commit();
  return out;
}

std::string otlp_failure(OtlpEncoding encoding, int http_status, string_view message) {
  const int code = code_of(http_status);
  std::string out;
  if (encoding == OtlpEncoding::kJson) {
    out = fmt::format("{{\"code\":{},\"message\":", code);
    core::append_json_string(out, message);
    return out + "}";
  }
  protozero::pbf_writer status(out);
  status.add_int32(1, code);
  status.add_string(2, message.data(), message.size());
  return out;
}

}  // namespace orbwatch::source
