// SPDX-License-Identifier: MIT
#pragma once
// Layer 11, profiler. A capture as a file: a page that shows its frames, or a Chrome trace. Below: the
// capture. Nothing here knows of a running runtime.

#include "takt/profiler/capture.hpp"

#include <optional>
#include <string>

namespace takt {

/// One HTML page that shows the capture: frames, lanes, who held the barrier, actors and topics. It
/// loads nothing, and needs no network. Names may hold any bytes: they are shown as text.
std::string frame_view_html(const Capture& capture);

/// The capture in Chrome's Trace Event Format (JSON object form), for Perfetto and speedscope.
std::string chrome_trace_json(const Capture& capture);

/// Writes a file: a trace when `path` ends in ".json", else a page. Nothing when all went well, else a
/// sentence for a user. The file appears whole or not at all, and replaces one that was there; of
/// symbolic links, directories and devices nothing is replaced.
std::optional<std::string> write_capture(const Capture& capture, const std::string& path);

} // namespace takt
