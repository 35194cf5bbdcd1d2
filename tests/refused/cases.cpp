// SPDX-License-Identifier: MIT
// Code that must not compile, case by case: CASE_<name> is defined for one at a time, and
// must_not_compile.cmake looks for the text that stands beside it in CMakeLists.txt. Without any
// case this is a program that compiles, so that a case fails for its own line.
#include "takt/takt.hpp"

#include <array>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

constexpr takt::Topic<int, std::string> kGreet{"Greet"};
constexpr takt::Topic<std::unique_ptr<int>> kOwned{"Owned"};
constexpr takt::Request<int(std::string)> kCount{"Count"};
constexpr takt::Attribute<double> kHealth{"Health"};

struct Npc {
    void on_greet(int, const std::string&) {}
    takt::Task<> on_greet_by_reference(const int&, std::string) { co_return; }
};

struct MoveThrows {
    MoveThrows() = default;
    MoveThrows(const MoveThrows&) {}
};

void allowed(takt::Actor& actor, takt::Behaviour<Npc>& behaviour) {
    actor.bind(kGreet, [](takt::Serial, int, const std::string&) {});
    actor.bind_parallel(kGreet,
                        [](takt::Parallel, int, std::string) -> takt::Task<> { co_return; });
    actor.bind(kOwned, [](auto&&) {});
    behaviour.bind(kGreet, &Npc::on_greet);
    actor.bind(kCount, [](takt::Serial, const std::string& text) { return text.size() > 1; });
    actor.bind_parallel(kCount, [](std::string) -> takt::Task<int> { co_return 1; });
    takt::Safe<float> safe;
    safe.store(1);
    actor.bind(kGreet, [](takt::Serial serial, int, const std::string&) {
        takt::Unsafe<int> unsafe(0);
        unsafe.write(serial) = 1;
        takt::ReadParallel<int> shared(0);
        shared.write(serial) = 1;
    });
    takt::LocalSafe<std::string> local(actor.ref(), "text");
    actor.bind(kGreet, [](takt::Serial serial, int, const std::string&) {
        takt::Instance().add_child(serial, "Npc").set_attribute(serial, kHealth, 95);
    });
}

void allowed_of_ranges(takt::Dispatcher<>& jobs) {
    jobs.dispatch_range(9, [owned = std::make_unique<int>()](std::size_t) {});
    jobs.dispatch_range(9, [](int) { return 1; }, {.grain = 3});
    takt::Ticket<> done = jobs.submit_range(9, [](std::size_t) {});
    takt::Ticket<std::vector<std::unique_ptr<int>>> owned =
        jobs.submit_range(9, [](std::size_t) { return std::make_unique<int>(); });
    takt::Ticket<std::vector<std::string>> fixed =
        jobs.submit_range(9, [](std::size_t) -> const std::string { return "text"; });
}

void allowed_of_tables(takt::SharedTable& table) {
    const takt::SharedTable made{{"a", 1}, {2, {{"b", "text"}}}};
    table.set("a", std::int64_t{1});
    table.set(2u, made);
    table.update("a", [](const auto&) { return std::optional<int>(); });
    table.increment("a", 0.5f);
}

void allowed_of_signals(takt::Signal<int, std::string>& told) {
    told.connect([](takt::Serial, int, const std::string&) {});
    told.once([](auto, auto&&) {});
    told.connect_parallel([](int, std::string) -> takt::Task<> { co_return; });
    takt::ScopedConnection scoped = told.once_parallel([](int, const std::string&) {});
    takt::ScopedConnection moved = std::move(scoped);
    told.fire(1, "text");
    told.ref().fire(2, std::string("text"));
}

void refused([[maybe_unused]] takt::Actor& actor, [[maybe_unused]] takt::Behaviour<Npc>& behaviour,
             [[maybe_unused]] takt::Signal<int, std::string>& told,
             [[maybe_unused]] takt::SharedTable& table) {
#if defined(CASE_string_view_in_a_topic)
    constexpr takt::Topic<std::string_view> topic{"T"};
#elif defined(CASE_span_in_a_topic)
    constexpr takt::Topic<std::span<int>> topic{"T"};
#elif defined(CASE_reference_in_a_topic)
    constexpr takt::Topic<const std::string&> topic{"T"};
#elif defined(CASE_reference_wrapper_in_a_topic)
    constexpr takt::Topic<std::reference_wrapper<int>> topic{"T"};
#elif defined(CASE_pointer_in_a_topic)
    constexpr takt::Topic<int*> topic{"T"};
#elif defined(CASE_const_in_a_topic)
    constexpr takt::Topic<const int> topic{"T"};
#elif defined(CASE_throwing_move_in_a_topic)
    constexpr takt::Topic<MoveThrows> topic{"T"};
#elif defined(CASE_pointer_in_a_request)
    constexpr takt::Request<char*(int)> request{"R"};
#elif defined(CASE_handler_that_does_not_fit)
    actor.bind(kGreet, [](std::string, int) {});
#elif defined(CASE_handler_with_the_token_of_the_other_phase)
    actor.bind_parallel(kGreet, [](takt::Serial, int, const std::string&) {});
#elif defined(CASE_handler_of_a_behaviour_that_does_not_fit)
    behaviour.bind(kOwned, &Npc::on_greet);
#elif defined(CASE_handler_that_returns_something)
    actor.bind(kGreet, [](int number, const std::string&) { return number; });
#elif defined(CASE_generic_coroutine_handler)
    actor.bind(kGreet, [](auto, auto) -> takt::Task<> { co_return; });
#elif defined(CASE_coroutine_handler_with_a_reference)
    actor.bind(kGreet, [](int, const std::string&) -> takt::Task<> { co_return; });
#elif defined(CASE_coroutine_member_with_a_reference)
    behaviour.bind(kGreet, &Npc::on_greet_by_reference);
#elif defined(CASE_arguments_that_do_not_fit)
    actor.ref().send(kGreet, "one", 2);
#elif defined(CASE_too_few_arguments)
    actor.ref().send(kGreet, 1);
#elif defined(CASE_commit_of_a_function_with_parameters)
    takt::commit([](int) {});
#elif defined(CASE_making_a_token)
    const takt::Serial token{};
#elif defined(CASE_safe_of_a_large_type)
    takt::Safe<std::array<int, 16>> safe;
#elif defined(CASE_safe_of_a_string)
    takt::Safe<std::string> safe;
#elif defined(CASE_compare_exchange_of_a_type_with_gaps)
    struct Gap {
        char small;
        int large;
    };
    takt::Safe<Gap> safe;
    Gap gap{};
    safe.compare_exchange(gap, gap);
#elif defined(CASE_adding_to_a_safe_bool)
    takt::Safe<bool> safe;
    safe.fetch_add(true);
#elif defined(CASE_writing_unsafe_without_a_token)
    takt::Unsafe<int> unsafe(0);
    unsafe.write() = 1;
#elif defined(CASE_writing_read_parallel_without_a_token)
    takt::ReadParallel<int> shared(0);
    shared.write() = 1;
#elif defined(CASE_writing_through_a_read)
    takt::ReadParallel<int> shared(0);
    *shared = 1;
#elif defined(CASE_writing_unsafe_with_the_token_of_the_other_phase)
    actor.bind_parallel(kGreet, [](takt::Parallel parallel, int, const std::string&) {
        takt::Unsafe<int> unsafe(0);
        unsafe.write(parallel) = 1;
    });
#elif defined(CASE_writing_read_parallel_with_the_token_of_the_other_phase)
    actor.bind_parallel(kGreet, [](takt::Parallel parallel, int, const std::string&) {
        takt::ReadParallel<int> shared(0);
        shared.write(parallel) = 1;
    });
#elif defined(CASE_copying_a_scoped_connection)
    const takt::ScopedConnection one = actor.bind(kGreet, [](int, const std::string&) {});
    const takt::ScopedConnection other = one;
#elif defined(CASE_copying_a_producer)
    const takt::MailProducer one;
    const takt::MailProducer other = one;
#elif defined(CASE_copying_an_outlet)
    const takt::Outlet<int> one(1);
    const takt::Outlet<int> other = one;
#elif defined(CASE_copying_a_task)
    const takt::Task<> one = []() -> takt::Task<> { co_return; }();
    const takt::Task<> other = one;
#elif defined(CASE_spawning_a_function_that_does_not_fit)
    takt::spawn([](const std::string&) {}, 1);
#elif defined(CASE_local_safe_of_what_cannot_be_copied)
    takt::LocalSafe<std::unique_ptr<int>> local(actor.ref());
#elif defined(CASE_local_safe_without_an_owner)
    takt::LocalSafe<int> local;
#elif defined(CASE_setting_an_attribute_without_a_token)
    takt::Instance().set_attribute(kHealth, 95);
#elif defined(CASE_setting_an_attribute_with_the_token_of_the_other_phase)
    actor.bind_parallel(kGreet, [](takt::Parallel parallel, int, const std::string&) {
        takt::Instance().set_attribute(parallel, kHealth, 95);
    });
#elif defined(CASE_setting_an_attribute_to_another_type)
    actor.bind(kGreet, [](takt::Serial serial, int, const std::string&) {
        takt::Instance().set_attribute(serial, kHealth, "95");
    });
#elif defined(CASE_writing_through_an_attribute_that_was_read)
    *takt::Instance().attribute(kHealth) = 95;
#elif defined(CASE_adding_a_child_without_a_token)
    takt::Instance().add_child("Door");
#elif defined(CASE_moving_an_instance_with_the_token_of_the_other_phase)
    actor.bind_parallel(kGreet, [](takt::Parallel parallel, int, const std::string&) {
        takt::Instance().set_parent(parallel, takt::Instance());
    });
#elif defined(CASE_destroying_an_instance_without_a_token)
    takt::Instance().destroy();
#elif defined(CASE_hearing_of_an_attribute_without_a_token)
    takt::Instance().attribute_changed(kHealth);
#elif defined(CASE_connecting_at_an_instance_without_a_token)
    takt::Instance().connect(takt::Instance(), [] {});
#elif defined(CASE_binding_at_an_instance_without_a_token)
    takt::Instance().bind(kGreet, [](int, const std::string&) {});
#elif defined(CASE_string_view_as_an_attribute)
    constexpr takt::Attribute<std::string_view> attribute{"A"};
#elif defined(CASE_reference_as_an_attribute)
    constexpr takt::Attribute<int&> attribute{"A"};
#elif defined(CASE_pointer_as_an_attribute)
    constexpr takt::Attribute<int*> attribute{"A"};
#elif defined(CASE_const_attribute)
    constexpr takt::Attribute<const int> attribute{"A"};
#elif defined(CASE_attribute_that_cannot_be_copied)
    constexpr takt::Attribute<std::unique_ptr<int>> attribute{"A"};
#elif defined(CASE_listener_that_does_not_fit)
    told.connect([](std::string, int) {});
#elif defined(CASE_listener_with_the_token_of_the_other_phase)
    told.connect_parallel([](takt::Serial, int, const std::string&) {});
#elif defined(CASE_parallel_listener_with_a_token)
    told.connect_parallel([](takt::Parallel, int, const std::string&) {});
#elif defined(CASE_listener_that_returns_something)
    told.connect([](int number, const std::string&) { return number; });
#elif defined(CASE_generic_coroutine_listener)
    told.once_parallel([](auto&&, const std::string&) -> takt::Task<> { co_return; });
#elif defined(CASE_coroutine_listener_with_a_reference)
    told.connect([](int, const std::string&) -> takt::Task<> { co_return; });
#elif defined(CASE_simulation_step_that_does_not_fit)
    [[maybe_unused]] const auto bind = [](takt::Runtime& runtime) {
        runtime.bind_to_simulation(60, 0, [](std::string) {});
    };
#elif defined(CASE_reference_in_a_signal)
    [[maybe_unused]] takt::Signal<const std::string&>* const signal = nullptr;
    signal->fire("text");
#elif defined(CASE_string_view_in_a_signal)
    [[maybe_unused]] takt::Signal<std::string_view>* const signal = nullptr;
    signal->fire("text");
#elif defined(CASE_span_in_a_signal)
    [[maybe_unused]] takt::Signal<int, std::span<int>>* const signal = nullptr;
    signal->fire(1, std::span<int>());
#elif defined(CASE_what_cannot_be_copied_in_a_signal)
    [[maybe_unused]] takt::Signal<std::unique_ptr<int>>* const signal = nullptr;
    signal->fire(nullptr);
#elif defined(CASE_arguments_that_do_not_fit_a_signal)
    told.fire("one", 2);
#elif defined(CASE_copying_a_signal)
    takt::Signal<int, std::string> second = told;
#elif defined(CASE_request_handler_that_answers_something_else)
    actor.bind(kCount, [](const std::string& text) { return text; });
#elif defined(CASE_request_handler_whose_task_answers_something_else)
    actor.bind(kCount, [](std::string text) -> takt::Task<std::string> { co_return text; });
#elif defined(CASE_request_handler_that_does_not_answer)
    actor.bind(kCount, [](const std::string&) {});
#elif defined(CASE_coroutine_request_handler_with_a_reference)
    actor.bind(kCount, [](const std::string&) -> takt::Task<int> { co_return 1; });
#elif defined(CASE_arguments_that_do_not_fit_a_request)
    actor.ref().submit(kCount, 1, 2);
#elif defined(CASE_dispatching_a_request)
    [[maybe_unused]] const auto dispatch = [](takt::Dispatcher<>& jobs) {
        jobs.dispatch(kCount, "text");
    };
#elif defined(CASE_copying_a_ticket)
    takt::Ticket<int> one;
    takt::Ticket<int> other = one;
#elif defined(CASE_awaiting_a_ticket_that_is_no_variable)
    [[maybe_unused]] const auto ask = [&actor]() -> takt::Task<> {
        co_await actor.ref().submit(kCount, "text");
    };
#elif defined(CASE_reading_an_answer_as_another_type)
    const std::string text = actor.ref().submit(kCount, "text").get();
#elif defined(CASE_copying_a_dispatcher)
    [[maybe_unused]] const auto copy = [](takt::Dispatcher<>& one) {
        takt::Dispatcher<> two = one;
    };
#elif defined(CASE_range_of_a_mutable_function)
    // Several workers call it at once.
    [[maybe_unused]] const auto begin = [](takt::Dispatcher<>& jobs) {
        jobs.dispatch_range(9, [calls = 0](std::size_t) mutable { ++calls; });
    };
#elif defined(CASE_range_of_a_function_of_no_index)
    [[maybe_unused]] const auto begin = [](takt::Dispatcher<>& jobs) {
        jobs.dispatch_range(9, [] {});
    };
#elif defined(CASE_results_of_a_function_of_no_index)
    [[maybe_unused]] const auto begin = [](takt::Dispatcher<>& jobs) {
        jobs.submit_range(9, [](const std::string& text) { return text; });
    };
#elif defined(CASE_range_of_a_coroutine)
    [[maybe_unused]] const auto begin = [](takt::Dispatcher<>& jobs) {
        jobs.dispatch_range(9, [](std::size_t) -> takt::Task<> { co_return; });
    };
#elif defined(CASE_results_of_a_coroutine)
    [[maybe_unused]] const auto begin = [](takt::Dispatcher<>& jobs) {
        jobs.submit_range(9, [](std::size_t) -> takt::Task<int> { co_return 1; });
    };
#elif defined(CASE_results_that_are_references)
    [[maybe_unused]] const auto begin = [](takt::Dispatcher<>& jobs, const std::string& text) {
        jobs.submit_range(9, [&text](std::size_t index) -> const char& { return text[index]; });
    };
#elif defined(CASE_results_that_are_bits)
    [[maybe_unused]] const auto begin = [](takt::Dispatcher<>& jobs) {
        jobs.submit_range(9, [](std::size_t index) { return index > 3; });
    };
#elif defined(CASE_results_that_cannot_be_made)
    [[maybe_unused]] const auto begin = [](takt::Dispatcher<>& jobs) {
        jobs.submit_range(9, [](std::size_t) { return std::reference_wrapper(kCount); });
    };
#elif defined(CASE_results_that_cannot_be_assigned)
    struct Fixed {
        const int value = 1;
    };
    [[maybe_unused]] const auto begin = [](takt::Dispatcher<>& jobs) {
        jobs.submit_range(9, [](std::size_t) { return Fixed(); });
    };
#elif defined(CASE_shared_table_with_a_pointer)
    table.set("a", &table);
#elif defined(CASE_shared_table_with_an_unsigned_of_64_bits)
    table.set("a", std::uint64_t{1});
#elif defined(CASE_shared_table_made_with_an_array)
    const takt::SharedTable made{{"a", std::array<int, 2>{1, 2}}};
#elif defined(CASE_shared_table_with_a_double_as_key)
    table.set(1.5, 1);
#elif defined(CASE_getting_an_int_of_a_shared_table)
    table.get<int>("a");
#elif defined(CASE_updating_a_shared_table_to_an_array)
    table.update("a", [](const auto&) { return std::array<int, 2>{1, 2}; });
#elif defined(CASE_incrementing_a_shared_table_by_a_string)
    table.increment("a", "b");
#elif defined(CASE_waiting_for_a_signal_outside_a_task)
    struct Plain {
        struct promise_type {
            Plain get_return_object() { return {}; }
            std::suspend_never initial_suspend() { return {}; }
            std::suspend_never final_suspend() noexcept { return {}; }
            void return_void() {}
            void unhandled_exception() {}
        };
    };
    [[maybe_unused]] const auto plain = [&]() -> Plain { co_await told.wait(); };
#elif defined(CASE_awaiting_something_outside_a_task)
    // takt's awaits want to know whose frame they are in.
    struct Foreign {
        struct promise_type {
            Foreign get_return_object() { return {}; }
            std::suspend_never initial_suspend() { return {}; }
            std::suspend_never final_suspend() noexcept { return {}; }
            void return_void() {}
            void unhandled_exception() {}
        };
    };
    [[maybe_unused]] const auto foreign = []() -> Foreign { co_await takt::next_frame(); };
#endif
}

int main() {
    return 0;
}
