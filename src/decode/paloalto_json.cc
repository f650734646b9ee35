// PAN-OS and Prisma Access logs in JSON, as Strata Logging Service (Cortex Data Lake) forwards them. What they mean is
// in paloalto_record.h.
// Spec: https://docs.paloaltonetworks.com/strata-logging-service/log-reference (HTTPS and EMAIL field names)
//
// Three sample records (shortened):
//   {"TimeReceived":"2026-11-22T08:00:03.000000Z","DeviceSN":"0011C1","LogType":"TRAFFIC","Subtype":"end",
//   "SourceAddress":"10.0.0.5","DestinationAddress":"198.51.100.1","Action":"allow","BytesSent":1400,...}
//   {...,"LogType":"GLOBALPROTECT","EventIDValue":"gateway-auth","SourceUserName":"alice@corp.example","PublicIPv4":...}
//   {"LogTime":"...","LogSourceID":"0011C1","LogType":"SYSTEM","Subtype":"auth","EventName":"auth-fail",
//   "EventDescription":"failed authentication for user 'bob'. Reason: ...",...}
// Ignored by name: as paloalto ("type THREAT", "SYSTEM other than log-ins").
#include <memory>

#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/paloalto_record.h"

namespace orbwatch::decode {
namespace {

using namespace paloalto;

const Symbol kNotJson = core::intern("paloalto_json: not JSON");

const json::Fields kFields({
    {"LogType", kType},
    {"Subtype", kSubtype},
    {"LogSubtype", kSubtype},
    {"DeviceName", kDevice},
    {"LogSourceName", kDevice},
    {"TimeGeneratedHighResolution", kPreciseTime},
    {"TimeGenerated", kGeneratedTime},
    {"EventTime", kGeneratedTime},
    {"TimeReceived", kReceivedTime},
    {"LogTime", kReceivedTime},
    {"EventIDValue", kEvent},
    {"EventName", kEvent},
    {"AuthEvent", kEvent},
    {"SourceAddress", kSource},
    {"PublicIPv4", kSource},
    {"SourceIP", kSource},
    {"PublicIPv6", kSource6},
    {"DestinationAddress", kDestination},
    {"NATSource", kTranslated},
    {"PrivateIPv4", kAssigned},
    {"PrivateIPv6", kAssigned6},
    {"SourceUser", kUser},
    {"SourceUserName", kUser},
    {"User", kUser},
    {"NormalizeUser", kNormalUser},
    {"Rule", kRule},
    {"AuthenticationPolicy", kRule},
    {"Application", kApplication},
    {"TunnelType", kApplication},
    {"ClientType", kApplication},
    {"FromZone", kFrom},
    {"ToZone", kTo},
    {"SessionID", kSession},
    {"SourcePort", kSourcePort},
    {"DestinationPort", kDestinationPort},
    {"Protocol", kProtocol},
    {"Action", kAction},
    {"BytesSent", kBytesSent},
    {"BytesReceived", kBytesReceived},
    {"PacketsSent", kPacketsSent},
    {"PacketsReceived", kPacketsReceived},
    {"SessionDuration", kDuration},
    {"LoginDuration", kDuration},
    {"SourceLocation", kRegion},
    {"SourceRegion", kRegion},
    {"SessionEndReason", kReason},
    {"QuarantineReason", kReason},
    {"ConnectionError", kError},
    {"EventStatus", kStatus},
    {"SourceDeviceOSFamily", kClientOs},
    {"EndpointOSType", kClientOs},
    {"EndpointOSVersion", kOsVersion},
    {"SourceDeviceHost", kClientHost},
    {"EndpointDeviceName", kClientHost},
    {"GlobalProtectClientVersion", kVersion},
    {"AuthMethod", kMethod},
    {"AuthServerProfile", kMethod},
    {"AuthFactorNo", kFactor},
    {"Portal", kObject},
    {"EventComponent", kObject},
    {"EventDescription", kDescription},
    {"AuthenticationDescription", kDescription},
});

class PaloAltoJson final : public json::TableDecoder {
 public:
  explicit PaloAltoJson(const core::TimeReader& times) : TableDecoder(kFields, kNotJson), times_(times) {}

  bool claims(const TextRecord& r) const override {
    return json::has_all(json::keys_of(r), json::kLogType | json::kDeviceSerial);
  }

 private:
  Fate fill(json::Row& row, const json::Object&, Event& event) override { return to_event(row, times_, event); }

  core::TimeReader times_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_paloalto_json(const core::TimeReader& times) {
  return std::make_unique<PaloAltoJson>(times);
}

}  // namespace orbwatch::decode
