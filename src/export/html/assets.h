// The files of this folder as they are put into the program (cmake/embed.cmake).
#pragma once

#include <string_view>

namespace orbwatch::exporting::assets {

extern const std::string_view report_html;
extern const std::string_view report_css;
extern const std::string_view report_js;
extern const std::string_view world_js;

}  // namespace orbwatch::exporting::assets
