// The kept lines of a log-in in an archive (core/archive.h). The input that a line stands in is written as it is: see
// event/persist.h.
#pragma once

#include "enrich/sessions.h"
#include "event/persist.h"

namespace orbwatch::enrich {

template <typename Archive>
void persist(Archive& a, RawLine& line) {
  a(line.place, line.text);
}

}  // namespace orbwatch::enrich
