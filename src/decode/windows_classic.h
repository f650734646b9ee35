// Windows events of classic sources, whose data are strings without names: remote access (RRAS: RemoteAccess, RasMan)
// and Citrix StoreFront. The reader of all shapes of Windows events (windows_security.cc) hands them over.
#pragma once

#include <span>
#include <string_view>

#include "decode/decoder.h"

namespace orbwatch::decode {

enum class ClassicSource : std::uint8_t { kNone, kRemoteAccess, kRasMan, kStoreFront };
ClassicSource classic_source(std::string_view provider, std::string_view channel);

// Fills all but time, code and observer. `strings`: the event's insertion strings; if there are none they are taken out
// of `message`, the event's text as Windows renders it in English. Fate: an event, or ignored by name.
Fate read_classic(ClassicSource source, unsigned id, std::span<const std::string_view> strings,
                  std::string_view message, Event& event);

}  // namespace orbwatch::decode
