// SPDX-License-Identifier: MIT
#pragma once
// Layer 6, actor: topics, handlers, actors and their mail; how busy each is, and who gets the next
// task. Front header.

#include "takt/actor/load.hpp"

#include "takt/actor/selector.hpp"

#include "takt/actor/snapshot.hpp"

#include "takt/actor/least_busy.hpp"

#include "takt/actor/topic.hpp"

#include "takt/actor/mail.hpp"

#include "takt/actor/ticket_state.hpp"

#include "takt/actor/ticket.hpp"

#include "takt/actor/request.hpp"

#include "takt/actor/handler.hpp"

#include "takt/actor/listener.hpp"

#include "takt/actor/mail_limit.hpp"

#include "takt/actor/actor_ref.hpp"

#include "takt/actor/actor_cell.hpp"

#include "takt/actor/actor_table.hpp"

#include "takt/actor/actor.hpp"

#include "takt/actor/send.hpp"

#include "takt/actor/behaviour.hpp"
