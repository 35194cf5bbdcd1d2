// SPDX-License-Identifier: MIT
#pragma once
// Layer 3, mailbox: how a message gets from one worker to another, into the workers and out of
// them. Front header.

#include "takt/mailbox/record.hpp"

#include "takt/mailbox/segment.hpp"

#include "takt/mailbox/lane.hpp"

#include "takt/mailbox/board.hpp"

#include "takt/mailbox/doorbell.hpp"

#include "takt/mailbox/mailbox.hpp"

#include "takt/mailbox/send_result.hpp"

#include "takt/mailbox/wakeup.hpp"

#include "takt/mailbox/credit.hpp"

#include "takt/mailbox/gate_door.hpp"

#include "takt/mailbox/producer.hpp"

#include "takt/mailbox/gate_box.hpp"

#include "takt/mailbox/gate_queue.hpp"

#include "takt/mailbox/gate.hpp"

#include "takt/mailbox/event_fd.hpp"

#include "takt/mailbox/outlet.hpp"
