// SPDX-License-Identifier: MIT
#pragma once
// Tests of the mailbox layer: memory that a process and its children share, so that a lane can join
// two processes and one of them can be stopped by a signal. shared_arena.cpp replaces operator new.

namespace shared_arena {

/// From now on this process, and its children, allocate from memory that they share; it is used
/// once and never given back. False: the system has none.
bool open() noexcept;
/// From now on this process allocates as before.
void close() noexcept;

} // namespace shared_arena
