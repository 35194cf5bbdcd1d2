// SPDX-License-Identifier: MIT
#pragma once
// What the example programs share: their command line. --help, --workers and --frames are the same
// in all; each program adds its own.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace example {

/// What a command line may say. Values are written where add() was told, which holds the default.
class Options {
  public:
    Options(std::string program, std::string purpose);

    /// `--name N`, least to most.
    void add(std::string name, std::int64_t& value, std::int64_t least, std::int64_t most,
             std::string help);
    /// `--name WORD`, one of `allowed`; any text when that is empty.
    void add(std::string name, std::string& value, std::vector<std::string> allowed,
             std::string help);

    /// Reads the command line. A status: the program ends with it, --help was printed, or the
    /// sentence that says what is wrong.
    std::optional<int> parse(int argc, const char* const* argv) const;

  private:
    struct Option {
        std::string name;
        std::string help;
        std::string shown_default;
        /// Takes the value, or says what is allowed.
        std::function<std::optional<std::string>(std::string_view)> take;
    };

    void print_help() const;
    std::optional<std::string> take(std::string_view name,
                                    std::optional<std::string_view> value) const;

    std::string program_;
    std::string purpose_;
    std::vector<Option> options_;
};

/// What all programs are told.
struct Common {
    std::int64_t workers = 0; ///< 0: one per allowed core
    std::int64_t frames = 0;
    std::string table = {}; ///< a file to which the row of the closing table is added
};

/// Adds --workers, --frames and --table.
void add_common(Options& options, Common& common);

/// `program()`, but what it throws is a sentence on stderr and status 1.
int guarded(std::string_view name, const std::function<int()>& program);

/// 0 workers are automatic.
std::optional<int> worker_count(std::int64_t workers);

} // namespace example
