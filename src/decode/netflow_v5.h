// NetFlow version 5, and version 7 of Catalyst switches: fixed records.
//
// Source: Cisco "NetFlow Export Datagram Format" (CSCO-NFC 5.0 guide, appendix B). Header of 24 bytes, 1..30 records of
// 48 (v5) or 52 (v7) bytes; some exporters send more than 30.
#pragma once

#include <memory>
#include <string_view>

#include "decode/flow_context.h"
#include "decode/flow_template.h"

namespace orbwatch::decode {

class NetflowV5 {
 public:
  NetflowV5();
  ~NetflowV5();

  // True if the header's count and the length agree (v5 and v7); padding of zeros behind the records is allowed.
  static bool plausible(std::string_view payload);
  // Bytes of the datagram that begins here; 0 if the header is not all there.
  static std::size_t length(std::string_view payload);
  void decode(const FlowContext& context) const;

 private:
  std::unique_ptr<Template> v5_;
  std::unique_ptr<Template> v7_;
};

}  // namespace orbwatch::decode
