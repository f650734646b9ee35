// Which target a program of decoder_fuzz.cc is: a format of decode/all.cc, "text" or "envelope".
#pragma once

#include <string_view>

namespace orbwatch::fuzz {

extern std::string_view target;

}  // namespace orbwatch::fuzz
