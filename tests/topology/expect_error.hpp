// SPDX-License-Identifier: MIT
#pragma once
// What a refusal has to say.

#include "takt/base.hpp"

#include <gtest/gtest.h>
#include <string>

namespace takt::test {

/// `action` throws takt::Error with this key, this value, and a problem or remedy that contains
/// `said`; and its sentence is complete.
template <class Action>
void expect_error(Action action, const std::string& key, const std::string& value,
                  const std::string& said) {
    try {
        action();
    } catch (const Error& error) {
        EXPECT_EQ(error.key(), key) << error.what();
        EXPECT_EQ(error.value(), value) << error.what();
        EXPECT_NE((error.problem() + ". " + error.remedy()).find(said), std::string::npos)
            << error.what();
        EXPECT_FALSE(error.problem().empty());
        EXPECT_FALSE(error.remedy().empty());
        EXPECT_NE(error.remedy().back(), '.') << error.what();
        return;
    }
    ADD_FAILURE() << key << " = \"" << value << "\" was not refused";
}

} // namespace takt::test
