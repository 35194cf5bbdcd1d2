// SPDX-License-Identifier: MIT
#pragma once
// Layer 0, base. The one exception of start-up: what was asked, what is wrong with it, what to do.

#include <stdexcept>
#include <string>

namespace takt {

/// Thrown by everything that happens before the first frame (topology, plan, start of the workers).
/// Nothing is left half started when it is thrown. `what()` is one sentence that a user can act on:
/// `takt: <key> = "<value>": <problem>. <remedy>.`
class Error : public std::runtime_error {
  public:
    Error(std::string key, std::string value, std::string problem, std::string remedy);

    /// The setting, file or resource at fault, for example "workers.cpus" or "HWLOC_XMLFILE".
    const std::string& key() const noexcept { return key_; }
    /// Its value as it was given; shortened when enormous.
    const std::string& value() const noexcept { return value_; }
    /// What is wrong with it.
    const std::string& problem() const noexcept { return problem_; }
    /// What the reader can do about it.
    const std::string& remedy() const noexcept { return remedy_; }

  private:
    std::string key_;
    std::string value_;
    std::string problem_;
    std::string remedy_;
};

} // namespace takt
