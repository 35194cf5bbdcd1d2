// SPDX-License-Identifier: MIT
#pragma once
// Layer 1, topology, private. Reads small files whose content nobody vouches for.

#include <cstddef>
#include <string>
#include <string_view>

namespace takt::detail {

struct FileText {
    std::string text = {};
    /// 0, or the errno that stopped the reading; EFBIG above the cap, EINVAL when not a regular
    /// file. `text` is empty then.
    int error = 0;
};

/// At most `bytes_max` bytes of a regular file. Never blocks on a pipe or a device.
FileText read_file(const std::string& path, std::size_t bytes_max);

/// The first 40 bytes for a message: what a file contains must not reach a terminal unfiltered.
std::string printable(std::string_view text);

/// "ENOENT: No such file or directory".
std::string error_text(int error);

} // namespace takt::detail
