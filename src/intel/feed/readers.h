// The formats of feeds, one file each; listed in all.cc.
#pragma once

#include "intel/feed/reader.h"

namespace orbwatch::intel {

const FeedReader& text_feed();              // text.cc
const FeedReader& report_feed();            // report.cc
const FeedReader& csv_feed();               // csv.cc
const FeedReader& json_feed();              // json.cc
const FeedReader& stix_feed();              // stix.cc
const FeedReader& misp_feed();              // misp.cc
const FeedReader& misp_warninglist_feed();  // misp_warninglist.cc

}  // namespace orbwatch::intel
