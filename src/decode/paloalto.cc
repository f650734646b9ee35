// PAN-OS syslog in its default CSV form: TRAFFIC, GLOBALPROTECT, AUTHENTICATION, and of SYSTEM the log-ins.
//
// Sources: "PAN-OS Administrator's Guide", Syslog Field Descriptions, 8.1 to 11.1 (docs.paloaltonetworks.com): the
// order of the columns. New versions append columns; the ones read here have kept their places since 8.0
// (GLOBALPROTECT: since 9.1.3).
//   1,2026/11/22 08:00:00,0011C1,TRAFFIC,end,2561,2026/11/22
//   08:00:00,10.0.0.5,198.51.100.1,192.0.2.1,198.51.100.1,out,corp\alice,,ssl,... 1,2026/11/22
//   08:00:00,0011C1,GLOBALPROTECT,0,2561,2026/11/22
//   08:00:00,vsys1,gateway-auth,login,LDAP,,corp\alice,DE,PC-1,198.51.100.7,... 1,2026/11/22
//   08:00:00,0011C1,SYSTEM,auth,2561,2026/11/22 08:00:00,,auth-fail,VPN,0,0,general,medium,"failed authentication for
//   user ..."
// THREAT, CONFIG, USERID and the other types are ignored by name ("type THREAT").
#include <algorithm>
#include <array>
#include <span>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/paloalto_record.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using namespace paloalto;

const Symbol kTooShort = core::intern("paloalto: too few columns");
const Symbol kDisorder = core::intern("paloalto: columns in disorder");
constexpr std::array<std::string_view, 17> kTypes = {
    "TRAFFIC",        "GLOBALPROTECT", "SYSTEM",     "THREAT", "CONFIG", "USERID", "HIPMATCH", "HIP-MATCH", "AUTH",
    "AUTHENTICATION", "CORRELATION",   "DECRYPTION", "TUNNEL", "GTP",    "SCTP",   "IPTAG",    "AUDIT"};

// The columns of one record, without their quotes. A doubled quote within a column stays doubled.
class Columns {
 public:
  static constexpr std::size_t kMost = 112;

  explicit Columns(std::string_view text) {
    while (count_ < kMost) {
      std::string_view value;
      if (text.starts_with('"')) {
        value = core::quoted_cell(text);
        text.remove_prefix(std::min(value.size() + 2, text.size()));
        text.remove_prefix(std::min(text.find(','), text.size()));
      } else {
        value = text.substr(0, text.find(','));
        text.remove_prefix(value.size());
      }
      values_[count_++] = value;
      if (text.empty()) return;
      text.remove_prefix(1);  // the comma
    }
  }

  std::size_t size() const { return count_; }
  // "" behind the last column.
  std::string_view operator[](std::size_t i) const { return i < count_ ? values_[i] : std::string_view{}; }

 private:
  std::array<std::string_view, kMost> values_;
  std::size_t count_ = 0;
};

struct Column {
  std::uint8_t column;
  Field field;
};

// Where a type of log has its facts.
constexpr std::array kTraffic = {
    Column{1, kReceivedTime},  Column{4, kSubtype},
    Column{6, kGeneratedTime}, Column{7, kSource},
    Column{8, kDestination},   Column{9, kTranslated},
    Column{11, kRule},         Column{12, kUser},
    Column{14, kApplication},  Column{16, kFrom},
    Column{17, kTo},           Column{22, kSession},
    Column{24, kSourcePort},   Column{25, kDestinationPort},
    Column{29, kProtocol},     Column{30, kAction},
    Column{32, kBytesSent},    Column{33, kBytesReceived},
    Column{36, kDuration},     Column{41, kRegion},
    Column{44, kPacketsSent},  Column{45, kPacketsReceived},
    Column{46, kReason},       Column{52, kDevice},
    Column{80, kClientOs},     Column{82, kClientHost},
    Column{102, kPreciseTime},
};
constexpr std::array kGlobalProtect = {
    Column{1, kReceivedTime}, Column{6, kGeneratedTime}, Column{8, kEvent},      Column{10, kMethod},
    Column{11, kApplication}, Column{12, kUser},         Column{13, kRegion},    Column{14, kClientHost},
    Column{15, kSource},      Column{16, kSource6},      Column{17, kAssigned},  Column{18, kAssigned6},
    Column{21, kVersion},     Column{22, kClientOs},     Column{23, kOsVersion}, Column{25, kReason},
    Column{26, kError},       Column{28, kStatus},       Column{30, kDuration},  Column{33, kObject},
    Column{36, kPreciseTime}, Column{47, kDevice},
};
constexpr std::array kSystem = {
    Column{1, kReceivedTime}, Column{4, kSubtype},      Column{6, kGeneratedTime}, Column{8, kEvent},
    Column{9, kObject},       Column{14, kDescription}, Column{22, kDevice},       Column{25, kPreciseTime},
};
constexpr std::array kAuthentication = {
    Column{1, kReceivedTime}, Column{6, kGeneratedTime}, Column{8, kSource},  Column{9, kNormalUser},
    Column{10, kUser},        Column{12, kRule},         Column{17, kMethod}, Column{18, kDescription},
    Column{19, kApplication}, Column{20, kEvent},        Column{21, kFactor}, Column{29, kDevice},
    Column{33, kPreciseTime},
};

struct Layout {
  std::string_view type;
  std::size_t fewest = 0;  // columns that a record of this type has
  std::span<const Column> columns;
};

constexpr std::array kLayouts = {
    Layout{"TRAFFIC", 31, kTraffic},     Layout{"GLOBALPROTECT", 29, kGlobalProtect},   Layout{"SYSTEM", 15, kSystem},
    Layout{"AUTH", 22, kAuthentication}, Layout{"AUTHENTICATION", 22, kAuthentication},
};

class PaloAlto final : public RecordDecoder {
 public:
  explicit PaloAlto(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    std::string_view text = r.message;
    // "1,2026/11/22 08:00:00,001801000001,TRAFFIC,..."
    if (text.size() < 20 || !is_digit(text[0])) return false;
    if (core::take_until(text, ',').size() > 4) return false;
    if (const auto time = core::take_until(text, ','); time.empty() || !is_digit(time[0]) || time.size() > 32)
      return false;
    if (core::take_until(text, ',').size() > 32) return false;
    const std::string_view type = text.substr(0, text.find(','));
    return type.size() < text.size() && std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
  }

  Fate decode(const TextRecord& record, Event& event) override {
    const Columns c(record.message);
    Row row{};
    row[kType] = c[3];
    // claims() saw one of them between the commas; a quote further in front can have moved the columns.
    if (std::find(kTypes.begin(), kTypes.end(), row[kType]) == kTypes.end()) return Fate::rejected(kDisorder);
    for (const Layout& layout : kLayouts) {
      if (layout.type != row[kType]) continue;
      if (c.size() < layout.fewest) return Fate::rejected(kTooShort);
      for (const Column& column : layout.columns) row[column.field] = c[column.column];
    }
    return to_event(row, times_, event);
  }

 private:
  core::TimeReader times_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_paloalto(const core::TimeReader& times) {
  return std::make_unique<PaloAlto>(times);
}

}  // namespace orbwatch::decode
