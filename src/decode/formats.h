// The factories of the formats, one line a file of this folder. Only all.cc and the unit tests include this.
#pragma once

#include <memory>

#include "decode/decoder.h"

namespace orbwatch::decode {

std::unique_ptr<RecordDecoder> make_cisco_asa(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_fortigate(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_paloalto(const core::TimeReader& times);

}  // namespace orbwatch::decode
