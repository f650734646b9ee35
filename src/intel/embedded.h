// Files of data/ that are built into the program, so that one binary works anywhere. Made by the assembler's .incbin.
#pragma once

#include <span>
#include <string_view>

#include "core/network_facts.h"

namespace orbwatch::intel {

std::string_view embedded_as_types();
std::string_view embedded_as_name_rules();
std::string_view embedded_soho_ports();
std::string_view embedded_soho_banners();

// A published list under data/lists/; its licence and date are in data/lists/README.md.
struct EmbeddedList {
  std::string_view file;
  std::string_view label;        // shown in findings
  std::string_view version;      // state of the list
  std::string_view attribution;  // shown by `orbwatch intel info`
  core::NetworkType type;
  std::string_view text;
};
std::span<const EmbeddedList> embedded_lists();

}  // namespace orbwatch::intel
