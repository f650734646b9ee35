// placeholder for building the frame
#include "decode/formats.h"
namespace orbwatch::decode {
namespace {
class CiscoAsa final : public RecordDecoder {
 public:
  bool claims(const TextRecord& r) const override { return r.message.starts_with("%ASA-"); }
  Fate decode(const TextRecord&, Event&) override { return Fate::ignored("unwritten"); }
};
}  // namespace
std::unique_ptr<RecordDecoder> make_cisco_asa(const core::TimeReader&) { return std::make_unique<CiscoAsa>(); }
}  // namespace orbwatch::decode
