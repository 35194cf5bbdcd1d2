// SPDX-License-Identifier: MIT
// takt-doctor: what takt sees of this machine, what it would do with it, how fast it is, and what
// to mend.
#include "doctor/report.hpp"

#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <string_view>

namespace {

using namespace takt;

constexpr std::string_view kHelp =
    R"(takt-doctor: the machine, the plan, the latencies, and what to fix

usage: takt-doctor [option...]
  --workers N         workers, the calling thread included (default: one per allowed core)
  --placement NAME    one_per_core | one_per_pu | compact | spread
  --cpus LIST         exactly these CPUs, for example 2-7,10
  --exclude LIST      CPUs to leave alone
  --synthetic TEXT    plan another machine, for example "package:2 l3:4 core:8 pu:2"
  --xml FILE          plan a machine that lstopo exported as XML
  --flat              go on without cores and caches where the machine cannot be found out
  --no-measure        print machine and plan only
  --json              one JSON object instead of text
  --help

Exit status: 0 done, 1 the machine or the plan was refused, 2 bad arguments.
)";

struct Options {
    TopologyConfig topology;
    PlanConfig plan;
    bool measure = true;
    bool json = false;
};

[[noreturn]] void refuse(const std::string& problem) {
    std::cerr << "takt-doctor: " << problem << "\nTry: takt-doctor --help\n";
    std::exit(2);
}

int parse_count(const std::string& text) {
    std::size_t used = 0;
    int count = -1;
    try {
        count = std::stoi(text, &used);
    } catch (const std::exception&) {
        used = 0;
    }
    if (used == 0 || used != text.size() || count < 1)
        refuse("--workers wants a number of workers, 1 or more, not \"" + text + "\"");
    return count;
}

Placement parse_placement(const std::string& text) {
    for (const Placement placement :
         {Placement::one_per_core, Placement::one_per_pu, Placement::compact, Placement::spread})
        if (text == to_string(placement))
            return placement;
    refuse("--placement wants one_per_core, one_per_pu, compact or spread, not \"" + text + "\"");
}

Options parse(int argc, char** argv) {
    Options options;
    const std::map<std::string, std::function<void(const std::string&)>> with_value{
        {"--workers", [&](const auto& text) { options.plan.workers = parse_count(text); }},
        {"--placement", [&](const auto& text) { options.plan.placement = parse_placement(text); }},
        {"--cpus", [&](const auto& text) { options.plan.cpus = text; }},
        {"--exclude", [&](const auto& text) { options.plan.exclude = text; }},
        {"--synthetic", [&](const auto& text) { options.topology.synthetic = text; }},
        {"--xml", [&](const auto& text) { options.topology.xml_path = text; }},
    };
    const std::map<std::string, std::function<void()>> alone{
        {"--flat", [&] { options.topology.on_failure = OnFailure::flat; }},
        {"--no-measure", [&] { options.measure = false; }},
        {"--json", [&] { options.json = true; }},
        {"--help",
         [] {
             std::cout << kHelp;
             std::exit(0);
         }},
    };
    for (int index = 1; index < argc; ++index) {
        const std::string name = argv[index];
        if (const auto flag = alone.find(name); flag != alone.end()) {
            flag->second();
        } else if (const auto option = with_value.find(name); option != with_value.end()) {
            if (++index == argc)
                refuse(name + " wants a value");
            option->second(argv[index]);
        } else {
            refuse("there is no option \"" + name + "\"");
        }
    }
    return options;
}

} // namespace

int main(int argc, char** argv) {
    const Options options = parse(argc, argv);
    try {
        doctor::Diagnosis diagnosis;
        diagnosis.machine = discover_machine(options.topology);
        diagnosis.plan = make_plan(diagnosis.machine, options.plan);
        if (options.measure && diagnosis.machine.bindable)
            doctor::measure_into(diagnosis);
        doctor::advise(diagnosis);
        (options.json ? doctor::print_json : doctor::print_text)(std::cout, diagnosis);
    } catch (const Error& error) {
        std::cerr << error.what() << "\n";
        return 1;
    }
    return 0;
}
