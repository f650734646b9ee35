// Names the target of one libFuzzer program, the only thing in which those of decoder_fuzz.cc differ.
#include "target.h"

std::string_view orbwatch::fuzz::target = ORBWATCH_FUZZ_TARGET;
