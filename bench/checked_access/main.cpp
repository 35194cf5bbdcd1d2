// SPDX-License-Identifier: MIT
#include "checked_access/config.hpp"

namespace takt::bench::checked_access {

void add_takt(Field& field);
void add_plain(Field& field);

} // namespace takt::bench::checked_access

int main(int argc, char** argv) {
    using namespace takt::bench::checked_access;
    takt::bench::Field field(kWindows);
    add_takt(field);
    add_plain(field);
    return takt::bench::run(argc, argv);
}
