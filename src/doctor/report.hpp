// SPDX-License-Identifier: MIT
#pragma once
// takt-doctor: the diagnosis as a page for people and as JSON for programs.

#include "doctor/diagnosis.hpp"

#include <iosfwd>

namespace takt::doctor {

void print_text(std::ostream& out, const Diagnosis& diagnosis);
void print_json(std::ostream& out, const Diagnosis& diagnosis);

} // namespace takt::doctor
