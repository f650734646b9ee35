#include "source/relp.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/text.h"

namespace orbwatch::source {
namespace {

using std::size_t;
using std::string_view;

constexpr std::uint32_t kMostDigits = 9;  // of a frame's number and length
constexpr size_t kLongestCommand = 32;
constexpr std::uint32_t kLastNumber = 999'999'999;  // behind it comes 1
constexpr std::uint32_t kNewestVersion = 1;
constexpr size_t kLongestOpen = 4096;  // bytes of offers

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

}  // namespace

void RelpCutter::respond(string_view data) {
  answers_ += std::to_string(number_) + " rsp " + std::to_string(data.size());
  if (!data.empty()) (answers_ += ' ') += data;
  answers_ += '\n';
}

bool RelpCutter::refuse(string_view why) {
  ++counts_.invalid;
  if (!why.empty()) respond("500 " + std::string(why));
  return false;
}

bool RelpCutter::read_header(char c) {
  switch (part_) {
    case Part::kNumber:
      if (is_digit(c) && digits_ < kMostDigits) {
        number_ = number_ * 10 + static_cast<std::uint32_t>(c - '0');
        ++digits_;
        return true;
      }
      if (c != ' ' || digits_ == 0) return refuse({});
      part_ = Part::kCommand;
      return true;
    case Part::kCommand:
      if (is_letter(c) && word_.size() < kLongestCommand) {
        word_ += c;
        return true;
      }
      if (c != ' ' || word_.empty()) return refuse({});
      digits_ = 0;
      part_ = Part::kLength;
      return true;
    default:
      if (is_digit(c) && digits_ < kMostDigits) {
        length_ = length_ * 10 + static_cast<std::uint32_t>(c - '0');
        ++digits_;
        return true;
      }
      // Without data there is no space in front of them: this is the byte that ends the frame.
      if (digits_ == 0 || (length_ != 0 && c != ' ')) return refuse({});
      part_ = length_ == 0 ? Part::kEnd : Part::kData;
      return begin_frame();
  }
}

// The header was read: may this command come now?
bool RelpCutter::begin_frame() {
  const bool known = word_ == "open" || word_ == "syslog" || word_ == "close";
  if (number_ == 0) {  // a hint: not answered, and there is none that a receiver has to heed
    command_ = Command::kHint;
    return !known || refuse({});
  }
  if (number_ != next_) return refuse({});
  next_ = next_ == kLastNumber ? 1 : next_ + 1;
  if (!known) return refuse("unknown command");
  command_ = word_ == "open" ? Command::kOpen : word_ == "syslog" ? Command::kSyslog : Command::kClose;
  if ((command_ == Command::kOpen) == opened_) return refuse(opened_ ? "the session is open" : "no session is open");
  return command_ != Command::kOpen || length_ <= kLongestOpen || refuse("too many offers");
}

// What the sender offers: lines `NAME=VALUE[,VALUE...]`.
bool RelpCutter::open() {
  std::optional<std::uint32_t> version;
  bool syslog = false;
  for (string_view rest = data_; !rest.empty();) {
    const string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const size_t equals = line.find('=');
    if (equals == line.npos) continue;
    string_view values = line.substr(equals + 1);
    if (line.starts_with("relp_version=")) version = core::parse_number<std::uint32_t>(values);
    if (!line.starts_with("commands=")) continue;
    while (!values.empty()) {
      const string_view value = values.substr(0, values.find(','));
      syslog |= value == "syslog";
      values.remove_prefix(std::min(values.size(), value.size() + 1));
    }
  }
  if (!version) return refuse("relp_version is missing");
  if (!syslog) return refuse("the command syslog is needed");
  opened_ = true;
  respond("200 OK\nrelp_version=" + std::to_string(std::min(*version, kNewestVersion)) +
          "\nrelp_software=orbwatch," ORBWATCH_VERSION "\ncommands=syslog");
  return true;
}

void RelpCutter::give(std::string& out) {
  if (length_ > longest_) ++counts_.oversize;
  string_view text = data_;
  text = text.substr(0, text.find_last_not_of(string_view("\n\r\0", 3)) + 1);
  if (text.empty()) {
    ++counts_.empty;
  } else {
    const size_t begin = out.size();
    out += text;
    std::replace(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(), '\n', ' ');
    out += '\n';
    ++counts_.records;
  }
  respond("200 OK");
}

bool RelpCutter::end_frame(std::string& out) {
  bool go_on = true;
  switch (command_) {
    case Command::kOpen: go_on = open(); break;
    case Command::kSyslog: give(out); break;
    case Command::kClose:
      respond({});
      go_on = false;
      break;
    case Command::kHint: break;
  }
  part_ = Part::kNumber;
  digits_ = number_ = length_ = seen_ = 0;
  word_.clear();
  data_.clear();
  if (data_.capacity() > 4096) data_ = {};  // many connections, few long records
  return go_on;
}

bool RelpCutter::feed(string_view bytes, std::string& out) {
  while (!bytes.empty() && !over_) {
    if (part_ == Part::kData) {
      const auto n = static_cast<std::uint32_t>(std::min<size_t>(bytes.size(), length_ - seen_));
      const size_t most = command_ == Command::kSyslog ? longest_ : command_ == Command::kHint ? 0 : kLongestOpen;
      data_ += bytes.substr(0, std::min<size_t>(n, most - std::min(most, data_.size())));
      seen_ += n;
      bytes.remove_prefix(n);
      if (seen_ == length_) part_ = Part::kEnd;
      continue;
    }
    const char c = bytes.front();
    if (part_ != Part::kEnd) {
      over_ = !read_header(c);
      if (part_ == Part::kEnd) continue;
    } else {
      over_ = !(c == '\n' ? end_frame(out) : refuse({}));
    }
    bytes.remove_prefix(1);
  }
  return !over_;
}

void RelpCutter::finish(std::string& /*out*/) {
  if (!over_ && command_ == Command::kSyslog && (part_ == Part::kData || part_ == Part::kEnd)) ++counts_.unacknowledged;
  over_ = true;
}

void RelpCutter::answer(std::string& out) {
  out += answers_;
  answers_.clear();
  if (answers_.capacity() > 4096) answers_ = {};
}

void RelpCutter::farewell(std::string& out) const {
  if (opened_) out += "0 serverclose 0\n";
}

std::unique_ptr<Collector> make_relp(const TcpOptions& options, Intake& intake, Log log) {
  // So that one turn's records and the one that they complete fit into an Arrival.
  const size_t longest = std::clamp<size_t>(options.longest_record, 480, kMostArrival / 2);
  return make_tcp_server(
      std::string("RELP ") + (options.tls ? "TLS " : "TCP ") + options.listen.text(), options, ArrivalKind::kLines,
      [longest] { return std::make_unique<RelpCutter>(longest); }, intake, std::move(log));
}

}  // namespace orbwatch::source
