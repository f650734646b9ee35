// The factories of the detectors, one line a file of this folder. Only all.cc and the unit tests include this.
#pragma once

#include <memory>

#include "detect/all.h"

namespace orbwatch::detect {

std::unique_ptr<Detector> make_new_network(const Context& context);
std::unique_ptr<Detector> make_geo_shift(const Context& context);
std::unique_ptr<Detector> make_new_client(const Context& context);
std::unique_ptr<Detector> make_new_method(const Context& context);
std::unique_ptr<Detector> make_unusual_access(const Context& context);
std::unique_ptr<Detector> make_parallel_use(const Context& context);
std::unique_ptr<Detector> make_intrusion_wave(const Context& context);
std::unique_ptr<Detector> make_unusual_time(const Context& context);
std::unique_ptr<Detector> make_session_behaviour(const Context& context);
std::unique_ptr<Detector> make_session_destinations(const Context& context);
std::unique_ptr<Detector> make_soho_source(const Context& context);
std::unique_ptr<Detector> make_distributed_spray(const Context& context);
std::unique_ptr<Detector> make_coordinated_scan(const Context& context);
std::unique_ptr<Detector> make_management_exposure(const Context& context);
std::unique_ptr<Detector> make_indicator(const Context& context);

}  // namespace orbwatch::detect
