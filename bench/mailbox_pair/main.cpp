// SPDX-License-Identifier: MIT
#include "mailbox_pair/config.hpp"

namespace takt::bench::pair {

void add_takt();
void add_moodycamel();
void add_linked();
void add_mutex_deque();

} // namespace takt::bench::pair

int main(int argc, char** argv) {
    using namespace takt::bench::pair;
    add_takt();
    add_moodycamel();
    add_linked();
    add_mutex_deque();
    return takt::bench::run(argc, argv);
}
