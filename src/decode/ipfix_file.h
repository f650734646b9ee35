// The format `ipfix_file`: see datagram_file.h.
#pragma once

#include <string_view>

namespace orbwatch::decode {

int recognise_ipfix_file(std::string_view head);

}  // namespace orbwatch::decode
